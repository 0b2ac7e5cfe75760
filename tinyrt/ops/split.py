"""SPLIT."""

from dataclasses import dataclass
from typing import Self

from tinyrt import constraints, movers
from tinyrt.fixedpoint import Numerics
from tinyrt.graph import DType, Node, Shape


def outputs_as_value(node: Node) -> str | None:
    """The outputs have the element type of the value."""
    value = node.input(1)
    for tensor in node.outputs:
        if tensor.dtype is not value.dtype:
            return f"{value} → {tensor}"
    return None


@dataclass(frozen=True, slots=True)
class Split(movers.Part):
    """SPLIT, any element type: equal parts of the value along `axis`, one an output.

    **Source:** SplitImpl in TFLM's split.cc.
    """

    opcode = "SPLIT"
    arity = (2, 2)
    folded = (0,)
    constraints = (
        constraints.present(1, "value"),
        constraints.input_is(0, "axis", DType.INT32),
        constraints.constant(0, "axis"),
        movers.elements(0, "axis", lambda _: 1),
        outputs_as_value,
    )

    @staticmethod
    def _axis(node: Node) -> int:
        return movers.axis_in(node.input(0).integers()[0], len(node.input(1).shape))

    @classmethod
    def infer(cls, node: Node) -> tuple[Shape, ...]:
        """The value's shape, its size along the axis divided by the number of outputs."""
        axis, shape, count = cls._axis(node), node.input(1).shape, len(node.outputs)
        if shape[axis] % count:
            raise ValueError(f"{shape[axis]} elements along axis {axis} in {count} equal parts")
        return ((*shape[:axis], shape[axis] // count, *shape[axis + 1 :]),) * count

    @classmethod
    def prepare(cls, node: Node, numerics: Numerics) -> Self:
        """Fold the sizes."""
        del numerics
        value = node.input(1)
        return cls.along(value.shape, cls._axis(node), value.dtype.bytes, len(node.outputs))
