"""HARD_SWISH."""

from collections.abc import Callable
from dataclasses import dataclass

from tinyrt import constraints, lookup
from tinyrt.fixedpoint import Numerics, clamp, quantize_multiplier
from tinyrt.graph import Node
from tinyrt.scales import factor_fits, scale_of, zero_point_of

INT16_MIN, INT16_MAX = -(1 << 15), (1 << 15) - 1
HIRES_SHIFT = 7
"""Fraction bits that the input gains: 255 · 2^7 still fits in int16."""
RELUISH_SCALE = 3.0 / 32768.0
"""The scale at which the real number 3 is 2^15."""


def _wrap16(value: int) -> int:
    return ((value + (1 << 15)) & 0xFFFF) - (1 << 15)


def _saturate16(value: int) -> int:
    return clamp(value, INT16_MIN, INT16_MAX)


def _rounding_high_mul(a: int, b: int) -> int:
    """High half of 2·a·b, rounded half up; b is not −2^15.

    **Source:** gemmlowp SaturatingRoundingDoublingHighMul(int16).
    """
    return (a * b + (1 << 14)) >> 15


def _truncating_high_mul(a: int, b: int) -> int:
    """High half of 2·a·b, towards zero; a is not −2^15.

    **Source:** SaturatingDoublingHighMul in reference/hard_swish.h.
    """
    product = a * b
    return product >> 15 if product >= 0 else -(-product >> 15)


def _rounding_divide_by_pot16(value: int, exponent: int) -> int:
    """Divide by 2^exponent (0 to 31), halves away from zero, with a mask that is int16 itself.

    From 16 on the mask is −1 as an int16, and the result is 1 or −1, not 0, as in the source.

    **Source:** gemmlowp RoundingDivideByPOT(int16).
    """
    mask = _wrap16((1 << exponent) - 1)
    threshold = (mask >> 1) + (value < 0)
    return (value >> exponent) + ((value & mask) > threshold)


def _multiplier16(real: float) -> tuple[int, int]:
    """A factor as 16-bit multiplier and exponent.

    **Source:** DownScaleInt32ToInt16Multiplier in common.h.
    """
    multiplier, exponent = quantize_multiplier(real)
    return min((multiplier + (1 << 15)) >> 16, INT16_MAX), exponent


def _output_factor(node: Node) -> float:
    """Steps of the input's finer scale to steps of the output."""
    return scale_of(node.input(0)) / (1 << HIRES_SHIFT) / scale_of(node.outputs[0])


def _reluish_factor(node: Node) -> float:
    """Steps of the input's finer scale to steps of `RELUISH_SCALE`."""
    return scale_of(node.input(0)) / (1 << HIRES_SHIFT) / RELUISH_SCALE


def output_factor_below_one(node: Node) -> str | None:
    """The input scale is less than 128 output scales."""
    found = _output_factor(node)
    # Just below 1 the multiplier rounds up to 1, with exponent 1.
    if found < 1.0 and quantize_multiplier(found)[1] <= 0:
        return None
    return f"{scale_of(node.input(0)):g} and {scale_of(node.outputs[0]):g}"


@dataclass(frozen=True, slots=True)
class HardSwish(lookup.Lookup):
    """HARD_SWISH, int8: x · min(max(x + 3, 0), 6) / 6 in 16-bit arithmetic.

    **Source:** HardSwishPrepare in TFLM's hard_swish_common.cc, HardSwish in
    reference/hard_swish.h.
    """

    opcode = "HARD_SWISH"
    constraints = (
        constraints.output_type_as_input,
        constraints.per_tensor(0, "input"),
        constraints.per_tensor_outputs,
        output_factor_below_one,
        factor_fits("input scale · 256 / 3", _reluish_factor),
    )

    @classmethod
    def mapping(cls, node: Node, numerics: Numerics) -> Callable[[int], int]:
        """Multiply the input at the output's scale by a factor in [0, 1] that it gives itself."""
        del numerics
        input_zero_point = zero_point_of(node.input(0))
        output_zero_point = zero_point_of(node.outputs[0])
        output_multiplier, output_exponent = _multiplier16(_output_factor(node))
        reluish_multiplier, reluish_exponent = _multiplier16(_reluish_factor(node))

        def reluish(hires: int) -> int:
            """(x + 3) / 6 within [0, 1], as a fraction of 2^15."""
            value = hires
            if reluish_exponent > 0:
                value = _saturate16(value << (reluish_exponent - 1))
            value = _rounding_high_mul(value, reluish_multiplier)
            if reluish_exponent > 0:
                value = _saturate16(value << 1)
            elif reluish_exponent < 0:
                value = _rounding_divide_by_pot16(value, -reluish_exponent)
            return (value + (1 << 15)) >> 1  # not negative

        def hard_swish(value: int) -> int:
            hires = (value - input_zero_point) << HIRES_SHIFT
            at_output_scale = _rounding_high_mul(hires, output_multiplier)
            product = _truncating_high_mul(reluish(hires), at_output_scale)
            shifted = _rounding_divide_by_pot16(product, -output_exponent)
            return clamp(_wrap16(shifted + output_zero_point), -128, 127)

        return hard_swish
