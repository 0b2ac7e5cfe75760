/* tinyrt_fixedpoint.h: the fixed-point arithmetic that the kernels share.
 *
 * Bit-identical to tinyrt/fixedpoint.py. A factor r is held as multiplier in [2^30, 2^31) and shift in
 * [-31, 30], r = multiplier * 2^(shift - 31). Right shifts of negative values are arithmetic on every
 * compiler that this library meets (gcc, clang, armclang, IAR); a typedef below refuses any other. */
#ifndef TINYRT_FIXEDPOINT_H
#define TINYRT_FIXEDPOINT_H

#include "tinyrt.h"

typedef char tinyrt_right_shift_is_arithmetic[((-3) >> 1) == -2 ? 1 : -1];

static inline int32_t tinyrt_clamp(int32_t value, int32_t low, int32_t high)
{
    return value < low ? low : value > high ? high : value;
}

/* value * 2^exponent modulo 2^32, without the undefined behaviour of a signed left shift. */
static inline int32_t tinyrt_shift_left(int32_t value, int32_t exponent)
{
    return (int32_t)((uint32_t)value << exponent);
}

/* a + b modulo 2^32: a requantized extreme plus an offset may leave int32. */
static inline int32_t tinyrt_wrapping_add(int32_t a, int32_t b)
{
    return (int32_t)((uint32_t)a + (uint32_t)b);
}

/* High half of 2*a*b, rounded half up. gemmlowp nudges by the product's sign and truncates, which is
 * this floor for both signs. b is a multiplier, never INT32_MIN, so that nothing saturates. */
static inline int32_t tinyrt_doubling_high_mul(int32_t a, int32_t b)
{
    return (int32_t)(((int64_t)a * b + ((int64_t)1 << 30)) >> 31);
}

/* value / 2^exponent (0 to 31), to nearest, halves away from zero. */
static inline int32_t tinyrt_rounding_divide_by_pot(int32_t value, int32_t exponent)
{
    const int32_t mask = (int32_t)(((uint32_t)1 << exponent) - 1u);
    const int32_t remainder = value & mask;
    const int32_t threshold = (mask >> 1) + (value < 0 ? 1 : 0);
    return (value >> exponent) + (remainder > threshold ? 1 : 0); /* >> floors: remainder >= 0 */
}

/* Scale an accumulator by multiplier * 2^(shift - 31), rounded as TINYRT_NUMERICS says. */
static inline int32_t tinyrt_requantize(int32_t value, int32_t multiplier, int32_t shift)
{
#if TINYRT_NUMERICS == TINYRT_NUMERICS_SINGLE
    const int32_t total_shift = 31 - shift;
    const int64_t half = (int64_t)1 << (total_shift - 1);
    return (int32_t)(((int64_t)value * multiplier + half) >> total_shift); /* floor: half up */
#else
    if (shift > 0) {
        return tinyrt_doubling_high_mul(tinyrt_shift_left(value, shift), multiplier);
    }
    return tinyrt_rounding_divide_by_pot(tinyrt_doubling_high_mul(value, multiplier), -shift);
#endif
}

/* An accumulator as an int8 output: requantized, offset, and limited to the activation's range. */
static inline int8_t tinyrt_output_s8(int32_t sum, int32_t multiplier, int32_t shift, int32_t offset,
                                      int32_t activation_min, int32_t activation_max)
{
    const int32_t scaled = tinyrt_wrapping_add(tinyrt_requantize(sum, multiplier, shift), offset);
    return (int8_t)tinyrt_clamp(scaled, activation_min, activation_max);
}

/* sum / count to nearest, halves away from zero; / truncates. |sum| <= 2^30, count <= 2^23. */
static inline int32_t tinyrt_rounded_quotient(int32_t sum, int32_t count)
{
    return (sum > 0 ? sum + count / 2 : sum - count / 2) / count;
}

/* The same from twice the sum (below 2^24 in magnitude), where the activation levels all results below
 * the offset or there is one rounding: nested floors merge then. `addend` is (2 * offset + 1) << shift;
 * 2^-(shift + 1) is what is left of the scale. */
static inline int8_t tinyrt_level_s8(int32_t doubled, int32_t multiplier, int32_t addend, int32_t shift)
{
#if TINYRT_NUMERICS == TINYRT_NUMERICS_SINGLE
    const int64_t product = (int64_t)doubled * multiplier;
#else
    const int64_t product = (int64_t)doubled * multiplier + ((int64_t)1 << 31);
#endif
    const int32_t high = (int32_t)(product >> 32) + addend; /* every >> floors */
    return (int8_t)tinyrt_clamp(high >> (shift + 1), -128, 127);
}

#endif /* TINYRT_FIXEDPOINT_H */
