/* dequantize_s16_f32.h: DEQUANTIZE, int16 to float. */
#ifndef TINYRT_DEQUANTIZE_S16_F32_H
#define TINYRT_DEQUANTIZE_S16_F32_H

#include "tinyrt.h"

typedef struct {
    int32_t elements;
    int32_t input_offset; /* -zero_point of the input */
    int32_t scale_bits;   /* the input scale: a float's 32 bits, see tinyrt_float.h */
} tinyrt_dequantize_s16_f32_params;

void tinyrt_dequantize_s16_f32(const tinyrt_dequantize_s16_f32_params *params,
                               const int16_t *input, float *output);

#endif /* TINYRT_DEQUANTIZE_S16_F32_H */
