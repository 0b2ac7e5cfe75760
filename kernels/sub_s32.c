/* sub_s32.c: portable SUB of integers; unsigned arithmetic wraps around without undefined behaviour. */
#include "sub_s32.h"

#include "tinyrt_broadcast.h"
#include "tinyrt_fixedpoint.h"

void tinyrt_sub_s32(const tinyrt_sub_s32_params *params, const int32_t *input1,
                    const int32_t *input2, int32_t *output)
{
    const tinyrt_sub_s32_params *const p = params;
    const int32_t run = p->extents[p->loops - 1];
    const int32_t step1 = p->strides1[p->loops - 1];
    const int32_t step2 = p->strides2[p->loops - 1];
    tinyrt_broadcast place = tinyrt_broadcast_begin();

    do {
        const int32_t *in1 = input1 + place.offset1;
        const int32_t *in2 = input2 + place.offset2;
        for (int32_t i = 0; i < run; ++i) {
            const int32_t result = (int32_t)((uint32_t)*in1 - (uint32_t)*in2);
            *output++ = tinyrt_clamp(result, p->activation_min, p->activation_max);
            in1 += step1;
            in2 += step2;
        }
    } while (tinyrt_broadcast_next(&place, p->loops, p->extents, p->strides1, p->strides2));
}
