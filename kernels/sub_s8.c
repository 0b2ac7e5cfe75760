/* sub_s8.c: portable SUB. Both operands are brought to one finer scale before they meet. */
#include "sub_s8.h"

#include "tinyrt_broadcast.h"
#include "tinyrt_fixedpoint.h"

/* 20 more fraction bits: |value + offset| <= 255, and 255 * 2^20 < 2^28. */
static int32_t rescaled(int32_t value, int32_t multiplier, int32_t shift)
{
    return tinyrt_requantize(value * ((int32_t)1 << 20), multiplier, shift);
}

void tinyrt_sub_s8(const tinyrt_sub_s8_params *params, const int8_t *input1, const int8_t *input2,
                   int8_t *output)
{
    const tinyrt_sub_s8_params *const p = params;
    const int32_t run = p->extents[p->loops - 1];
    const int32_t step1 = p->strides1[p->loops - 1];
    const int32_t step2 = p->strides2[p->loops - 1];
    tinyrt_broadcast place = tinyrt_broadcast_begin();

    do {
        const int8_t *in1 = input1 + place.offset1;
        const int8_t *in2 = input2 + place.offset2;
        for (int32_t i = 0; i < run; ++i) {
            const int32_t scaled1 =
                rescaled(*in1 + p->input1_offset, p->input1_multiplier, p->input1_shift);
            const int32_t scaled2 =
                rescaled(*in2 + p->input2_offset, p->input2_multiplier, p->input2_shift);
            *output++ = tinyrt_output_s8(scaled1 - scaled2, p->output_multiplier, p->output_shift,
                                         p->output_offset, p->activation_min, p->activation_max);
            in1 += step1;
            in2 += step2;
        }
    } while (tinyrt_broadcast_next(&place, p->loops, p->extents, p->strides1, p->strides2));
}
