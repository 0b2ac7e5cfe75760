"""TRANSPOSE."""

from dataclasses import dataclass
from typing import Self

from tinyrt import constraints, movers
from tinyrt.fixedpoint import Numerics
from tinyrt.graph import DType, Node, Shape


def permutation(node: Node) -> str | None:
    """The perm names every dimension of the input once, counted from the front."""
    perm = node.input(1).integers()
    if sorted(perm) == list(range(len(node.input(0).shape))):
        return None
    return f"perm {perm} for {node.input(0)}"


@dataclass(frozen=True, slots=True)
class Transpose(movers.StridedCopy):
    """TRANSPOSE, any element type: dimension `perm[i]` of the input is dimension i of the output.

    **Source:** Transpose in TFLM's reference/transpose.h.
    """

    opcode = "TRANSPOSE"
    arity = (2, 2)
    folded = (1,)
    constraints = (
        constraints.output_type_as_input,
        constraints.rank(0, "input", *range(1, movers.LOOPS + 1)),
        constraints.present(1, "perm"),
        constraints.input_is(1, "perm", DType.INT32),
        constraints.constant(1, "perm"),
        constraints.rank(1, "perm", 1),
        permutation,
    )

    @classmethod
    def infer(cls, node: Node) -> tuple[Shape, ...]:
        """The input's sizes in the order of `perm`."""
        shape = node.input(0).shape
        return (tuple(shape[axis] for axis in node.input(1).integers()),)

    @classmethod
    def prepare(cls, node: Node, numerics: Numerics) -> Self:
        """Fold the order of the dimensions into strides."""
        del numerics
        source = node.input(0)
        strides = movers.byte_strides(source.shape, source.dtype.bytes)
        loops = [(source.shape[axis], strides[axis]) for axis in node.input(1).integers()]
        return cls.over(0, loops, source.dtype.bytes)
