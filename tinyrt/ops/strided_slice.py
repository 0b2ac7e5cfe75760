"""STRIDED_SLICE."""

from collections.abc import Callable
from dataclasses import dataclass
from operator import mul
from typing import Self

from tinyrt import constraints, movers
from tinyrt.fixedpoint import Numerics, clamp
from tinyrt.graph import DType, Node, Shape
from tinyrt.kernel import Constraint
from tinyrt.options import StridedSliceOptions

RANK_LIMIT = 4


def _options(node: Node) -> StridedSliceOptions:
    return node.options_as(StridedSliceOptions)


def _rank(node: Node) -> int:
    return len(node.input(0).shape)


def unset(field: str, option: Callable[[Node], int]) -> Constraint:
    """The rule that an option, which TFLM ignores and LiteRT does not, is 0."""

    def check(node: Node) -> str | None:
        value = option(node)
        return node.option_found(field, value) if value else None

    return constraints.rule(f"The {field} is not set.", check)


def strides_not_zero(node: Node) -> str | None:
    """No stride is 0, and those of shrunk axes are positive."""
    shrunk = _options(node).shrink_axis_mask
    strides = node.input(3).integers()
    for axis, stride in enumerate(strides):
        if stride == 0 or (stride < 0 and shrunk >> axis & 1):
            return f"strides {strides}, shrink_axis_mask {shrunk}"
    return None


@dataclass(frozen=True, slots=True)
class StridedSlice(movers.StridedCopy):
    """STRIDED_SLICE, any element type: every `stride`-th element from `begin` to before `end`.

    Indices may be negative, then they count from the end, and lie outside, then they are
    clamped. A bit in `begin_mask` or `end_mask` stands for the first or last element in the
    stride's direction; one in `shrink_axis_mask` takes a single element and drops the axis.

    **Source:** StridedSlice in TFLM's reference/strided_slice.h.
    """

    opcode = "STRIDED_SLICE"
    arity = (4, 4)
    folded = (1, 2, 3)
    constraints = (
        constraints.output_type_as_input,
        constraints.rank(0, "input", *range(1, RANK_LIMIT + 1)),
        *(
            constraint
            for position, role in ((1, "begin"), (2, "end"), (3, "strides tensor"))
            for constraint in (
                constraints.present(position, role),
                constraints.input_is(position, role, DType.INT32),
                constraints.constant(position, role),
                movers.elements(position, role, _rank),
            )
        ),
        unset("ellipsis_mask", lambda node: _options(node).ellipsis_mask),
        unset("new_axis_mask", lambda node: _options(node).new_axis_mask),
        unset("offset", lambda node: _options(node).offset),
        strides_not_zero,
    )

    @staticmethod
    def _range(node: Node, axis: int) -> range:
        """The indices that are taken along one axis."""
        options, bit, size = _options(node), 1 << axis, node.input(0).shape[axis]
        begin, end, stride = (node.input(position).integers()[axis] for position in (1, 2, 3))
        low, high = (0, size) if stride > 0 else (-1, size - 1)
        first = clamp(begin + size if begin < 0 else begin, low, high)
        last = clamp(end + size if end < 0 else end, low, high)
        if options.begin_mask & bit:
            first = 0 if stride > 0 else size - 1
        if options.end_mask & bit:
            last = high if stride > 0 else low
        if options.shrink_axis_mask & bit:
            last = min(first + 1, size)
        taken = range(first, last, stride)
        if not taken:
            raise ValueError(
                f"begin {begin}, end {end} and stride {stride} take none of the {size} elements "
                f"along axis {axis}"
            )
        return taken

    @classmethod
    def infer(cls, node: Node) -> tuple[Shape, ...]:
        """The number of elements taken along each axis that is not shrunk."""
        shrunk = _options(node).shrink_axis_mask
        taken = [len(cls._range(node, axis)) for axis in range(_rank(node))]
        return (tuple(count for axis, count in enumerate(taken) if not shrunk >> axis & 1),)

    @classmethod
    def prepare(cls, node: Node, numerics: Numerics) -> Self:
        """Fold the indices into strides in bytes."""
        del numerics
        source = node.input(0)
        strides = movers.byte_strides(source.shape, source.dtype.bytes)
        taken = [cls._range(node, axis) for axis in range(_rank(node))]
        offset = sum(map(mul, (indices.start for indices in taken), strides))
        loops = [(len(r), r.step * stride) for r, stride in zip(taken, strides, strict=True)]
        return cls.over(offset, loops, source.dtype.bytes)
