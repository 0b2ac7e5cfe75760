/* softmax_s8.c: portable SOFTMAX in fixed point. */
#include "softmax_s8.h"

#include "tinyrt_gemmlowp.h"

/* exp of a difference from the maximum (<= 0), without integer bits; 0 for those too far away.
 * difference_min keeps the shifted difference above -2^31. */
static int32_t exponential(const tinyrt_softmax_s8_params *p, int32_t difference)
{
    if (difference < p->difference_min) {
        return 0;
    }
    return tinyrt_exp_on_negative_values_q5(
        tinyrt_doubling_high_mul(tinyrt_shift_left(difference, p->left_shift), p->multiplier));
}

static void softmax_row(const tinyrt_softmax_s8_params *p, const int8_t *input, int8_t *output)
{
    int32_t greatest = input[0];
    for (int32_t i = 1; i < p->depth; ++i) {
        greatest = input[i] > greatest ? input[i] : greatest;
    }

    /* The first turn adds up, in Q12.19: at least the maximum's 2^19, and at most 4095 times as much. The
     * second one, which has the reciprocal, divides. */
    int32_t sum = 0;
    int32_t reciprocal = 0;
    int32_t exponent = 0;
    for (int32_t turn = 0; turn < 2; ++turn) {
        for (int32_t i = 0; i < p->depth; ++i) {
            const int32_t value = exponential(p, input[i] - greatest);
            if (turn == 0) {
                sum += tinyrt_rounding_divide_by_pot(value, 12);
                continue;
            }
            int32_t probability = 0; /* beyond 31 bits everything rounds to it */
            if (exponent <= 31) {
                const int32_t quotient = tinyrt_doubling_high_mul(reciprocal, value);
                probability = tinyrt_rounding_divide_by_pot(quotient, exponent);
            }
            output[i] = (int8_t)(probability > 255 ? 127 : probability - 128);
        }
        if (turn == 0) {
            /* sum = (1 + x) * 2^(exponent - 23) with x in [0, 1): what is left of x is the fraction. */
            uint32_t fraction = (uint32_t)sum << 1;
            for (exponent = 23 + 12 - 1; fraction < 0x80000000u; --exponent) {
                fraction <<= 1;
            }
            reciprocal = tinyrt_one_over_one_plus_x((int32_t)(fraction - 0x80000000u));
        }
    }
}

void tinyrt_softmax_s8(const tinyrt_softmax_s8_params *params, const int8_t *input, int8_t *output)
{
    for (int32_t row = 0; row < params->rows; ++row) {
        softmax_row(params, input, output);
        input += params->depth;
        output += params->depth;
    }
}
