/* dequantize_s16_f32.c: one rounding, in the product: a difference of at most 17 bits, exact as a
 * float, times the 24 bits of the scale. */
#include "dequantize_s16_f32.h"

#include "tinyrt_float.h"

void tinyrt_dequantize_s16_f32(const tinyrt_dequantize_s16_f32_params *params,
                               const int16_t *input, float *output)
{
    const float scale = tinyrt_float_of_bits(params->scale_bits);

    for (int32_t i = 0; i < params->elements; ++i) {
        output[i] = scale * (float)(input[i] + params->input_offset);
    }
}
