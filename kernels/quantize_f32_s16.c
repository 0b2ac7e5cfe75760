/* quantize_f32_s16.c: divides in single precision, rounds, limits. */
#include "quantize_f32_s16.h"

#include "tinyrt_fixedpoint.h"
#include "tinyrt_float.h"

void tinyrt_quantize_f32_s16(const tinyrt_quantize_f32_s16_params *params, const float *input,
                             int16_t *output)
{
    const float scale = tinyrt_float_of_bits(params->scale_bits);

    for (int32_t i = 0; i < params->elements; ++i) {
        const int32_t value = tinyrt_round(input[i] / scale) + params->output_offset;
        output[i] = (int16_t)tinyrt_clamp(value, -32768, 32767);
    }
}
