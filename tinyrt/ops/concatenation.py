"""CONCATENATION."""

from dataclasses import dataclass
from typing import Self

from tinyrt import constraints, movers
from tinyrt.fixedpoint import Numerics
from tinyrt.graph import DType, Node, Shape
from tinyrt.options import ActivationFunctionType, ConcatenationOptions


def no_activation(node: Node) -> str | None:
    """No activation is fused."""
    activation = node.options_as(ConcatenationOptions).fused_activation_function
    if activation is ActivationFunctionType.NONE:
        return None
    return node.option_found("fused_activation_function", activation.name)


@dataclass(frozen=True, slots=True)
class Concatenation(movers.Join):
    """CONCATENATION, element types that TFLM joins: the inputs side by side along `axis`.

    int8 inputs have the output's quantization: nothing is rescaled.

    **Source:** Concatenation in TFLM's reference/concatenation.h.
    """

    opcode = "CONCATENATION"
    constraints = (
        movers.none_left_out,
        constraints.input_is(
            0,
            "input",
            DType.INT8,
            DType.INT16,
            DType.INT32,
            DType.INT64,
            DType.FLOAT32,
            DType.BOOL,
        ),
        constraints.same_types,
        constraints.same_quantization,
        no_activation,
    )

    @staticmethod
    def _axis(node: Node) -> int:
        return movers.axis_in(node.options_as(ConcatenationOptions).axis, len(node.input(0).shape))

    @classmethod
    def infer(cls, node: Node) -> tuple[Shape, ...]:
        """The first input's shape, with the sum of all inputs' sizes along the axis."""
        axis, first = cls._axis(node), node.input(0).shape
        shapes = [node.input(position).shape for position in range(len(node.inputs))]
        for shape in shapes:
            if len(shape) != len(first) or shape[:axis] + shape[axis + 1 :] != (
                first[:axis] + first[axis + 1 :]
            ):
                raise ValueError(f"inputs {first} and {shape} differ outside of axis {axis}")
        return ((*first[:axis], sum(shape[axis] for shape in shapes), *first[axis + 1 :]),)

    @classmethod
    def prepare(cls, node: Node, numerics: Numerics) -> Self:
        """Fold the sizes."""
        del numerics
        return cls.along(node, cls._axis(node))
