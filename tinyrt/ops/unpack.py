"""UNPACK."""

from dataclasses import dataclass
from typing import Self

from tinyrt import constraints, movers
from tinyrt.fixedpoint import Numerics
from tinyrt.graph import Node, Shape
from tinyrt.options import UnpackOptions


def counted(node: Node) -> str | None:
    """The num is the number of outputs."""
    count = node.options_as(UnpackOptions).num
    return None if count == len(node.outputs) else node.option_found("num", count)


@dataclass(frozen=True, slots=True)
class Unpack(movers.Part):
    """UNPACK, any element type: takes the input apart along `axis`, which the outputs lack.

    **Source:** UnpackImpl in TFLM's unpack.cc.
    """

    opcode = "UNPACK"
    constraints = (constraints.output_type_as_input, counted)

    @staticmethod
    def _axis(node: Node) -> int:
        return movers.axis_in(node.options_as(UnpackOptions).axis, len(node.input(0).shape))

    @classmethod
    def infer(cls, node: Node) -> tuple[Shape, ...]:
        """The input's shape without the axis, once for each of its elements."""
        axis, shape, count = cls._axis(node), node.input(0).shape, len(node.outputs)
        if shape[axis] != count:
            raise ValueError(f"{shape[axis]} elements along axis {axis} for {count} outputs")
        return ((*shape[:axis], *shape[axis + 1 :]),) * count

    @classmethod
    def prepare(cls, node: Node, numerics: Numerics) -> Self:
        """Fold the sizes."""
        del numerics
        source = node.input(0)
        return cls.along(source.shape, cls._axis(node), source.dtype.bytes, len(node.outputs))
