/* quantize_f32_s8.c: divides in single precision, rounds, limits. */
#include "quantize_f32_s8.h"

#include "tinyrt_fixedpoint.h"
#include "tinyrt_float.h"

void tinyrt_quantize_f32_s8(const tinyrt_quantize_f32_s8_params *params, const float *input,
                            int8_t *output)
{
    const float scale = tinyrt_float_of_bits(params->scale_bits);

    for (int32_t i = 0; i < params->elements; ++i) {
        const int32_t value = tinyrt_round(input[i] / scale) + params->output_offset;
        output[i] = (int8_t)tinyrt_clamp(value, -128, 127);
    }
}
