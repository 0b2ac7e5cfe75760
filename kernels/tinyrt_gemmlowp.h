/* tinyrt_gemmlowp.h: gemmlowp's fixed-point exp and reciprocal, bit-identical to tinyrt/gemmlowp.py.
 *
 * A raw value with i integer bits is the real number raw / 2^(31 - i); with none, "one" is 2^31 - 1. */
#ifndef TINYRT_GEMMLOWP_H
#define TINYRT_GEMMLOWP_H

#include "tinyrt_fixedpoint.h"

/* exp of a value <= 0 with 5 integer bits; the result has none.
 *
 * The argument is split into a multiple of 1/4, whose exp is a product of constants, and a rest in
 * [-1/4, 0), whose exp is a Taylor polynomial around -1/8. No step can leave int32: the rest is at
 * most 2^24 in magnitude, the multiple at most 2^31 - 2^24, x at most 2^28, and the result at most 1. */
static inline int32_t tinyrt_exp_on_negative_values_q5(int32_t raw)
{
    static const int32_t exp_of_minus_powers[7] = {/* exp(-2^k), k from -2 to 4 */
                                                   1672461947, 1302514674, 790015084, 290630308,
                                                   39332535,   720401,     242};
    const int32_t exp_of_minus_eighth = 1895147668;
    const int32_t one_third = 715827883;
    const int32_t quarter = (int32_t)1 << 24;

    if (raw == 0) {
        return INT32_MAX;
    }
    const int32_t rest = (raw & (quarter - 1)) - quarter;
    const int32_t x = rest * 32 + ((int32_t)1 << 28);
    const int32_t x2 = tinyrt_doubling_high_mul(x, x);
    const int32_t x3 = tinyrt_doubling_high_mul(x2, x);
    const int32_t x4 = tinyrt_doubling_high_mul(x2, x2);
    const int32_t thirds =
        tinyrt_doubling_high_mul(tinyrt_rounding_divide_by_pot(x4, 2) + x3, one_third);
    const int32_t tail = tinyrt_rounding_divide_by_pot(thirds + x2, 1);
    int32_t result =
        exp_of_minus_eighth + tinyrt_doubling_high_mul(exp_of_minus_eighth, x + tail);
    const int32_t quarters = (rest - raw) / quarter; /* exact: both end in the same 24 bits */
    for (int32_t place = 0; place < 7; ++place) {
        if ((quarters & ((int32_t)1 << place)) != 0) {
            result = tinyrt_doubling_high_mul(result, exp_of_minus_powers[place]);
        }
    }
    return result;
}

/* 1 / (1 + x) for x in [0, 1]; neither has integer bits.
 *
 * Three steps of Newton and Raphson towards 2 / (1 + x), with two integer bits, from the line
 * 48/17 - 32/17 * (1 + x)/2, whose relative error is at most 1/17: nothing but the end saturates. */
static inline int32_t tinyrt_one_over_one_plus_x(int32_t raw)
{
    const int32_t half_denominator = (int32_t)(((uint32_t)raw + 0x80000000u) >> 1);
    int32_t inverse = 1515870810 + tinyrt_doubling_high_mul(half_denominator, -1010580540);
    for (int32_t step = 0; step < 3; ++step) {
        const int32_t error =
            ((int32_t)1 << 29) - tinyrt_doubling_high_mul(half_denominator, inverse);
        inverse += tinyrt_doubling_high_mul(inverse, error) * 4;
    }
    return inverse >= (int32_t)1 << 30 ? INT32_MAX : inverse * 2;
}

#endif /* TINYRT_GEMMLOWP_H */
