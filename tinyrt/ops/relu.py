"""RELU."""

from collections.abc import Callable
from dataclasses import dataclass

from tinyrt import constraints, lookup
from tinyrt.fixedpoint import Numerics, quantize_multiplier, requantize_to_int8
from tinyrt.graph import Node
from tinyrt.scales import factor_fits, scale_of, zero_point_of


def _factor(node: Node) -> float:
    return scale_of(node.input(0)) / scale_of(node.outputs[0])


@dataclass(frozen=True, slots=True)
class Relu(lookup.Lookup):
    """RELU, int8: negative values become zero; the output may have other scale and zero-point.

    **Source:** CalculateReluOpData in TFLM's activations_common.cc, ReluQuantized in activations.h.
    """

    opcode = "RELU"
    constraints = (
        constraints.output_type_as_input,
        constraints.per_tensor(0, "input"),
        constraints.per_tensor_outputs,
        factor_fits("input scale / output scale", _factor),
    )

    @classmethod
    def mapping(cls, node: Node, numerics: Numerics) -> Callable[[int], int]:
        """Rescale, then limit to the output's zero-point."""
        input_zero_point = zero_point_of(node.input(0))
        zero = zero_point_of(node.outputs[0])
        multiplier, shift = quantize_multiplier(_factor(node), numerics)

        def relu(value: int) -> int:
            return requantize_to_int8(
                value - input_zero_point, multiplier, shift, zero, zero, 127, numerics
            )

        return relu
