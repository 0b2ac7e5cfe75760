"""PACK."""

from dataclasses import dataclass
from typing import Self

from tinyrt import constraints, movers
from tinyrt.fixedpoint import Numerics
from tinyrt.graph import Node, Shape
from tinyrt.options import PackOptions


def counted(node: Node) -> str | None:
    """The values_count is the number of inputs."""
    count = node.options_as(PackOptions).values_count
    return None if count == len(node.inputs) else node.option_found("values_count", count)


def same_shapes(node: Node) -> str | None:
    """All inputs have one shape."""
    first = node.input(0)
    for tensor in node.inputs:
        if tensor is not None and tensor.shape != first.shape:
            return f"{first} and {tensor}"
    return None


@dataclass(frozen=True, slots=True)
class Pack(movers.Join):
    """PACK, any element type: stacks the inputs along a new dimension `axis`.

    **Source:** PackImpl in TFLM's pack.cc.
    """

    opcode = "PACK"
    constraints = (movers.none_left_out, constraints.same_types, counted, same_shapes)

    @staticmethod
    def _axis(node: Node) -> int:
        return movers.axis_in(node.options_as(PackOptions).axis, len(node.input(0).shape) + 1)

    @classmethod
    def infer(cls, node: Node) -> tuple[Shape, ...]:
        """The inputs' shape with their number put in."""
        axis, shape = cls._axis(node), node.input(0).shape
        return ((*shape[:axis], len(node.inputs), *shape[axis:]),)

    @classmethod
    def prepare(cls, node: Node, numerics: Numerics) -> Self:
        """Fold the sizes."""
        del numerics
        return cls.along(node, cls._axis(node))
