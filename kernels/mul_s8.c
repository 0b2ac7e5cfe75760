/* mul_s8.c: portable MUL. */
#include "mul_s8.h"

#include "tinyrt_broadcast.h"
#include "tinyrt_fixedpoint.h"

void tinyrt_mul_s8(const tinyrt_mul_s8_params *params, const int8_t *input1, const int8_t *input2,
                   int8_t *output)
{
    const tinyrt_mul_s8_params *const p = params;
    const int32_t run = p->extents[p->loops - 1];
    const int32_t step1 = p->strides1[p->loops - 1];
    const int32_t step2 = p->strides2[p->loops - 1];
    tinyrt_broadcast place = tinyrt_broadcast_begin();

    do {
        const int8_t *in1 = input1 + place.offset1;
        const int8_t *in2 = input2 + place.offset2;
        for (int32_t i = 0; i < run; ++i) {
            const int32_t product = (*in1 + p->input1_offset) * (*in2 + p->input2_offset);
            *output++ = tinyrt_output_s8(product, p->output_multiplier, p->output_shift,
                                         p->output_offset, p->activation_min, p->activation_max);
            in1 += step1;
            in2 += step2;
        }
    } while (tinyrt_broadcast_next(&place, p->loops, p->extents, p->strides1, p->strides2));
}
