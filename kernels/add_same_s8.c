/* add_same_s8.c: ADD of two tensors of one shape. */
#include "add_same_s8.h"

#include "tinyrt_dsp.h"
#include "tinyrt_fixedpoint.h"

void tinyrt_add_same_s8(const tinyrt_add_same_s8_params *params, const int8_t *input1,
                        const int8_t *input2, int8_t *output)
{
    const tinyrt_add_same_s8_params *const p = params;
    const int8_t *half = p->half_input == 0 ? input1 : input2;
    const int8_t *other = p->half_input == 0 ? input2 : input1;
    int32_t left = p->elements;

    const int32_t other_base = p->other_offset * p->other_factor;

#if TINYRT_HAS_DSP && TINYRT_NUMERICS == TINYRT_NUMERICS_TFLM
    if (p->activation_min >= p->output_offset && p->activation_min == -128 && p->activation_max == 127) {
        const int32_t factor = p->other_factor;
        const int32_t half_base = p->half_offset * (1 << 20);
        const int32_t shift = p->output_shift - 1;
        const int32_t addend = tinyrt_shift_left(2 * p->output_offset + 1, shift);
        for (; left > 0; --left) {
            /* The sum is doubled, for the high product rounds at bit 32. */
            const int32_t other_doubled = other_base + *other++ * factor;
            const int32_t sum = half_base + *half++ * (1 << 20) +
                                tinyrt_smmulr(other_doubled, p->other_multiplier) * 2;
            const int32_t rounded = tinyrt_smmlar(sum, p->output_multiplier, addend);
            *output++ = (int8_t)tinyrt_ssat8_asr1(rounded >> shift);
        }
    }
#endif
    for (; left > 0; --left) {
        const int32_t other_doubled = other_base + *other++ * p->other_factor;
        /* Rounded at bit 32, half up. */
        const int32_t scaled =
            (int32_t)(((int64_t)other_doubled * p->other_multiplier + ((int64_t)1 << 31)) >> 32);
        *output++ = tinyrt_output_s8((*half++ + p->half_offset) * ((int32_t)1 << 19) + scaled,
                                     p->output_multiplier, -p->output_shift, p->output_offset,
                                     p->activation_min, p->activation_max);
    }
}
