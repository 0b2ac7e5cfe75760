/* quantize_f32_s16.h: QUANTIZE, float to int16. */
#ifndef TINYRT_QUANTIZE_F32_S16_H
#define TINYRT_QUANTIZE_F32_S16_H

#include "tinyrt.h"

typedef struct {
    int32_t elements;
    int32_t scale_bits; /* the output scale: a float's 32 bits, see tinyrt_float.h */
    int32_t output_offset;
} tinyrt_quantize_f32_s16_params;

/* Saturates; a NaN becomes the zero-point. */
void tinyrt_quantize_f32_s16(const tinyrt_quantize_f32_s16_params *params, const float *input,
                             int16_t *output);

#endif /* TINYRT_QUANTIZE_F32_S16_H */
