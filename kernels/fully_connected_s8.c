/* fully_connected_s8.c: portable FULLY_CONNECTED. */
#include "fully_connected_s8.h"

#include "tinyrt_fixedpoint.h"

void tinyrt_fully_connected_s8(const tinyrt_fully_connected_s8_params *params, const int8_t *input,
                               int8_t *output)
{
    const tinyrt_fully_connected_s8_params *const p = params;

    for (int32_t batch = 0; batch < p->batches; ++batch) {
        const int8_t *filter = p->filter;
        for (int32_t channel = 0; channel < p->output_depth; ++channel) {
            const int32_t scale = p->per_channel ? channel : 0;
            int32_t sum = p->bias[channel];
            for (int32_t depth = 0; depth < p->input_depth; ++depth) {
                sum += (input[depth] + p->input_offset) * *filter++;
            }
            *output++ = tinyrt_output_s8(sum, p->multipliers[scale], p->shifts[scale],
                                         p->output_offset, p->activation_min, p->activation_max);
        }
        input += p->input_depth;
    }
}
