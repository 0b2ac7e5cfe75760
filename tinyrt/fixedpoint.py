"""Fixed-point arithmetic of quantized inference: the roundings that every operator is built on.

Two profiles share one notation. A real factor `r` is held as a 32-bit `multiplier` in
[2^30, 2^31) and a `shift` in [−31, 30], `r ≈ multiplier · 2^(shift − 31)`. They differ in how
`requantize` rounds `x · r` to an integer:

* `Numerics.TFLM` rounds twice, half up after the high multiply and half away from zero after the
  right shift, as gemmlowp, TFLM's reference kernels and CMSIS-NN do.
* `Numerics.SINGLE` rounds once, half up, as LiteRT's default kernels (ruy) do.

Everything takes and returns Python integers that fit in int32 unless it says otherwise.
**Source:** tensorflow/lite/kernels/internal/{common,quantization_util}.cc and gemmlowp's
fixedpoint.h.
"""

import enum
import math
import struct

INT32_MIN = -(1 << 31)
INT32_MAX = (1 << 31) - 1


class Numerics(enum.Enum):
    """Whose rounding a model is run with; chosen once, and the same in Python and in C."""

    TFLM = "tflm"
    SINGLE = "single"


def float32(value: float) -> float:
    """Round `value` to the nearest IEEE single, as storing it in a C `float` does."""
    return float(struct.unpack("<f", struct.pack("<f", value))[0])


def wrap32(value: int) -> int:
    """Reduce `value` modulo 2^32 into int32, as a two's complement register does."""
    return ((value + (1 << 31)) & 0xFFFFFFFF) - (1 << 31)


def clamp(value: int, low: int, high: int) -> int:
    """Limit `value` to [low, high]."""
    return low if value < low else high if value > high else value


def round_half_away(value: float) -> int:
    """Round to the nearest integer, halves away from zero, as C's `round` does."""
    magnitude = abs(value)
    floor = math.floor(magnitude)
    rounded = floor + (magnitude - floor >= 0.5)
    return -rounded if value < 0 else rounded


def quantize_multiplier(real: float, numerics: Numerics = Numerics.TFLM) -> tuple[int, int]:
    """Split a non-negative real factor into `(multiplier, shift)`.

    Factors below 2^-32 flush to `(0, 0)`: every product with them rounds to zero. In the
    `SINGLE` profile, factors of 2^30 and more saturate, because its shift is at most 30.

    Raises:
        OverflowError: `real` is infinite; ValueError if it is not a number.

    **Source:** QuantizeMultiplier in quantization_util.cc (double precision `frexp`).
    """
    if real == 0.0:
        return 0, 0
    fraction, shift = math.frexp(real)
    # The fraction has 53 bits: as an integer it is exact, and rounding to 31 bits is half up.
    multiplier = (int(fraction * (1 << 53)) + (1 << 21)) >> 22
    if multiplier == 1 << 31:
        multiplier >>= 1
        shift += 1
    if shift < -31:
        return 0, 0
    if numerics is Numerics.SINGLE and shift > 30:
        return INT32_MAX, 30
    return multiplier, shift


def rounding_divide_by_pot(value: int, exponent: int) -> int:
    """Divide by 2^exponent (0 to 31), rounding to nearest, halves away from zero.

    **Source:** gemmlowp RoundingDivideByPOT.
    """
    mask = (1 << exponent) - 1
    threshold = (mask >> 1) + (value < 0)
    # `>>` floors; the remainder is therefore non-negative for both signs.
    return (value >> exponent) + ((value & mask) > threshold)


def saturating_rounding_doubling_high_mul(a: int, b: int) -> int:
    """High 32 bits of 2·a·b, rounded half up; saturates where both are −2^31.

    **Source:** gemmlowp SaturatingRoundingDoublingHighMul. Its nudge with truncating division
    equals this floor for both signs of the product.
    """
    if a == b == INT32_MIN:
        return INT32_MAX
    return (a * b + (1 << 30)) >> 31


def requantize(value: int, multiplier: int, shift: int, numerics: Numerics) -> int:
    """Scale an int32 accumulator by `multiplier · 2^(shift − 31)`, rounded by the profile.

    **Source:** MultiplyByQuantizedMultiplier(int32) in common.cc. A left shift that leaves int32
    wraps, as it does in the reference on two's complement machines.
    """
    if numerics is Numerics.SINGLE:
        total_shift = 31 - shift
        # `>>` floors, so that adding half first rounds halves up for both signs.
        return wrap32((value * multiplier + (1 << (total_shift - 1))) >> total_shift)
    if shift > 0:
        return saturating_rounding_doubling_high_mul(wrap32(value << shift), multiplier)
    high = saturating_rounding_doubling_high_mul(value, multiplier)
    return rounding_divide_by_pot(high, -shift)


def requantize_to_int8(
    value: int, multiplier: int, shift: int, offset: int, low: int, high: int, numerics: Numerics
) -> int:
    """An accumulator as an int8 output: requantized, offset, and limited to [low, high].

    The offset is added modulo 2^32, as the reference's registers do.
    """
    return clamp(wrap32(requantize(value, multiplier, shift, numerics) + offset), low, high)
