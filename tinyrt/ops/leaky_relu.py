"""LEAKY_RELU."""

from collections.abc import Callable
from dataclasses import dataclass

from tinyrt import constraints, lookup
from tinyrt.fixedpoint import Numerics, clamp, quantize_multiplier, requantize, wrap32
from tinyrt.graph import Node
from tinyrt.options import LeakyReluOptions
from tinyrt.scales import factor_fits, scale_of, zero_point_of


def _identity_factor(node: Node) -> float:
    """The real factor of positive values."""
    return scale_of(node.input(0)) / scale_of(node.outputs[0])


def _alpha_factor(node: Node) -> float:
    """The real factor of negative values."""
    alpha = node.options_as(LeakyReluOptions).alpha
    return scale_of(node.input(0)) * alpha / scale_of(node.outputs[0])


@dataclass(frozen=True, slots=True)
class LeakyRelu(lookup.Lookup):
    """LEAKY_RELU, int8: negative values are taken times alpha, which may itself be negative.

    **Source:** CalculateOpDataLeakyRelu in TFLM's leaky_relu_common.cc, QuantizeLeakyRelu in
    reference/leaky_relu.h.
    """

    opcode = "LEAKY_RELU"
    constraints = (
        constraints.output_type_as_input,
        constraints.per_tensor(0, "input"),
        constraints.per_tensor_outputs,
        factor_fits("input scale / output scale", _identity_factor),
        factor_fits("input scale · alpha / output scale", _alpha_factor),
    )

    @classmethod
    def mapping(cls, node: Node, numerics: Numerics) -> Callable[[int], int]:
        """Rescale by the factor of the value's sign."""
        input_zero_point = zero_point_of(node.input(0))
        output_zero_point = zero_point_of(node.outputs[0])
        identity = quantize_multiplier(_identity_factor(node), numerics)
        alpha_factor = _alpha_factor(node)
        alpha = quantize_multiplier(abs(alpha_factor), numerics)

        def leaky_relu(value: int) -> int:
            shifted = value - input_zero_point
            if shifted >= 0:
                scaled = requantize(shifted, *identity, numerics)
            else:
                scaled = requantize(shifted, *alpha, numerics)
                if alpha_factor < 0:
                    scaled = -scaled
            return clamp(wrap32(output_zero_point + scaled), -128, 127)

        return leaky_relu
