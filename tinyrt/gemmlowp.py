"""gemmlowp's fixed-point exp, reciprocal, logistic and tanh on 32-bit raw values.

A value with `i` integer bits is the real number `raw / 2^(31 − i)`, written Qi.(31 − i); with none
it lies in [−1, 1), and its "one" is 2^31 − 1. A product of values with i and j integer bits has
i + j of them.

**Source:** gemmlowp's fixedpoint/fixedpoint.h, as TFLM's SOFTMAX, LOGISTIC and TANH use it.
"""

from tinyrt.fixedpoint import (
    INT32_MAX,
    INT32_MIN,
    rounding_divide_by_pot,
    saturating_rounding_doubling_high_mul,
)

_multiply = saturating_rounding_doubling_high_mul

_EXP_OF_MINUS_EIGHTH = 1895147668
_ONE_THIRD = 715827883
_EXP_OF_MINUS_POWERS = (1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242)
"""exp(−2^k) for k from −2 to 4, no integer bits."""
_48_OVER_17 = 1515870810
_MINUS_32_OVER_17 = -1010580540
_ONE_Q2 = 1 << 29


def saturating_multiply_by_pot(raw: int, exponent: int) -> int:
    """Multiply by 2^exponent (0 to 31), saturating at the ends of int32."""
    return max(INT32_MIN, min(INT32_MAX, raw << exponent))


def exp_on_negative_values(raw: int, integer_bits: int) -> int:
    """Exponential of a value ≤ 0 with 1 to 5 integer bits; the result has none.

    The argument is split into a multiple of 1/4, whose exp is a product of constants, and a rest in
    [−1/4, 0), whose exp is a Taylor polynomial around −1/8.

    **Source:** exp_on_negative_values.
    """
    if raw == 0:
        return INT32_MAX
    fractional_bits = 31 - integer_bits
    quarter = 1 << (fractional_bits - 2)
    rest = (raw & (quarter - 1)) - quarter
    result = _exp_between_minus_quarter_and_zero(rest << integer_bits)
    quarters = rest - raw
    for place in range(integer_bits + 2):
        if quarters & (quarter << place):
            result = _multiply(result, _EXP_OF_MINUS_POWERS[place])
    return result


def _exp_between_minus_quarter_and_zero(raw: int) -> int:
    """Taylor: exp(x − 1/8) = exp(−1/8) · (1 + x + x²/2 + x³/6 + x⁴/24); no integer bits."""
    x = raw + (1 << 28)
    x2 = _multiply(x, x)
    x3 = _multiply(x2, x)
    x4 = _multiply(x2, x2)
    thirds = _multiply(rounding_divide_by_pot(x4, 2) + x3, _ONE_THIRD)
    tail = rounding_divide_by_pot(thirds + x2, 1)
    return _EXP_OF_MINUS_EIGHTH + _multiply(_EXP_OF_MINUS_EIGHTH, x + tail)


def _inverse_of_half_one_plus(raw: int) -> int:
    """2 / (1 + x) for x in [0, 1] without integer bits; the result has 2.

    Three steps of Newton and Raphson from the line 48/17 − 32/17 · (1 + x)/2.
    """
    half_denominator = (raw + INT32_MAX + 1) >> 1  # the sum is not negative: half up
    inverse = _48_OVER_17 + _multiply(half_denominator, _MINUS_32_OVER_17)
    for _ in range(3):
        error = _ONE_Q2 - _multiply(half_denominator, inverse)
        inverse += saturating_multiply_by_pot(_multiply(inverse, error), 2)
    return inverse


def one_over_one_plus_x(raw: int) -> int:
    """1 / (1 + x) for x in [0, 1]; neither has integer bits.

    **Source:** one_over_one_plus_x_for_x_in_0_1.
    """
    # Half of 2 / (1 + x) is the same raw value with one integer bit.
    return saturating_multiply_by_pot(_inverse_of_half_one_plus(raw), 1)


def one_minus_x_over_one_plus_x(raw: int) -> int:
    """(1 − x) / (1 + x) for x in [0, 1]; neither has integer bits.

    **Source:** one_minus_x_over_one_plus_x_for_x_in_0_1.
    """
    return saturating_multiply_by_pot(_inverse_of_half_one_plus(raw) - _ONE_Q2, 2)


def logistic(raw: int, integer_bits: int) -> int:
    """1 / (1 + exp(−x)) of a value with 1 to 5 integer bits; the result has none.

    **Source:** gemmlowp logistic.
    """
    if raw == 0:
        return 1 << 30
    positive = one_over_one_plus_x(exp_on_negative_values(-abs(raw), integer_bits))
    return positive if raw > 0 else INT32_MAX - positive


def tanh(raw: int, integer_bits: int) -> int:
    """Hyperbolic tangent of a value with 1 to 4 integer bits; the result has none.

    **Source:** gemmlowp tanh.
    """
    if raw == 0:
        return 0
    # Twice the argument is the same raw value with one more integer bit.
    positive = one_minus_x_over_one_plus_x(exp_on_negative_values(-abs(raw), integer_bits + 1))
    return positive if raw > 0 else -positive
