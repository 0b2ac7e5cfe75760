"""SLICE."""

from dataclasses import dataclass
from operator import mul
from typing import Self

from tinyrt import constraints, movers
from tinyrt.fixedpoint import Numerics
from tinyrt.graph import DType, Node, Shape


def _rank(node: Node) -> int:
    return len(node.input(0).shape)


@dataclass(frozen=True, slots=True)
class Slice(movers.StridedCopy):
    """SLICE, any element type: the box of `size` elements that starts at `begin`.

    **Source:** Slice in TFLM's reference/slice.h.
    """

    opcode = "SLICE"
    arity = (3, 3)
    folded = (1, 2)
    constraints = (
        constraints.output_type_as_input,
        constraints.rank(0, "input", *range(1, movers.LOOPS + 1)),
        constraints.present(1, "begin"),
        constraints.present(2, "size"),
        constraints.input_is(1, "begin", DType.INT32, DType.INT64),
        constraints.input_is(2, "size", DType.INT32, DType.INT64),
        constraints.constant(1, "begin"),
        constraints.constant(2, "size"),
        movers.elements(1, "begin", _rank),
        movers.elements(2, "size", _rank),
    )

    @classmethod
    def infer(cls, node: Node) -> tuple[Shape, ...]:
        """The sizes; −1 stands for all that follows `begin`."""
        shape = node.input(0).shape
        begins, sizes = node.input(1).integers(), node.input(2).integers()
        box = tuple(
            whole - begin if size == -1 else size
            for whole, begin, size in zip(shape, begins, sizes, strict=True)
        )
        for axis, (whole, begin, size) in enumerate(zip(shape, begins, box, strict=True)):
            if begin < 0 or size < 1 or begin + size > whole:
                raise ValueError(
                    f"begin {begin} and size {sizes[axis]} along axis {axis}, which has {whole}"
                )
        return (box,)

    @classmethod
    def prepare(cls, node: Node, numerics: Numerics) -> Self:
        """Fold the box into strides."""
        del numerics
        source = node.input(0)
        strides = movers.byte_strides(source.shape, source.dtype.bytes)
        offset = sum(map(mul, node.input(1).integers(), strides))
        (box,) = cls.infer(node)
        return cls.over(offset, list(zip(box, strides, strict=True)), source.dtype.bytes)
