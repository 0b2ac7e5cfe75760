"""Factors made of scales, and the single precision of a model's float boundary."""

import math
import struct
from collections.abc import Callable

from tinyrt.constraints import rule
from tinyrt.fixedpoint import float32, quantize_multiplier, round_half_away
from tinyrt.graph import Node, Tensor
from tinyrt.kernel import Constraint


def single(value: float) -> float:
    """Round to the nearest IEEE single, to an infinity beyond the greatest.

    The product or quotient of two singles, taken in double precision and then rounded so, is what
    single-precision hardware gives: a double has enough digits for the second rounding to be
    harmless.
    """
    try:
        return float32(value)
    except OverflowError:
        return math.copysign(math.inf, value)


def scale_of(tensor: Tensor) -> float:
    """The scale of a tensor that is quantized as a whole."""
    assert tensor.quantization is not None
    return tensor.quantization.scale


def zero_point_of(tensor: Tensor) -> int:
    """The zero-point of a tensor that is quantized as a whole."""
    assert tensor.quantization is not None
    return tensor.quantization.zero_point


def factor_fits(text: str, factor: Callable[[Node], float]) -> Constraint:
    """The rule that a real factor can be held as multiplier and shift; `text` names the factor.

    Its magnitude is below 2^30, so that the shift is at most 30.
    """

    def check(node: Node) -> str | None:
        found = abs(factor(node))
        # Just below 2^30 the multiplier still rounds up to 2^30 itself, with shift 31.
        if math.isfinite(found) and quantize_multiplier(found)[1] <= 30:
            return None
        return f"{found:g}"

    return rule(f"The factor {text} is less than 2^30.", check)


def single_bits(value: float) -> int:
    """The 32 bits of an IEEE single as an integer, the form in which one is handed to C."""
    return int(struct.unpack("<i", struct.pack("<f", value))[0])


def single_of_bits(bits: int) -> float:
    """The IEEE single that has these 32 bits."""
    return float(struct.unpack("<f", struct.pack("<i", bits))[0])


FAR = 1 << 20
"""Beyond every int8 and int16 output, whatever its zero-point; TINYRT_FAR in C."""


def round_single(value: float) -> int:
    """Round to the nearest integer, halves away from zero; saturate at ±`FAR`; 0 for a NaN."""
    if math.isnan(value):
        return 0
    return round_half_away(max(-float(FAR), min(float(FAR), value)))
