/* rescale.h: QUANTIZE between integer types, from one scale and zero-point to another. */
#ifndef TINYRT_RESCALE_H
#define TINYRT_RESCALE_H

#include "tinyrt.h"

typedef struct {
    int32_t elements;
    int32_t input_bytes; /* of an element: 1, 2 or 4, signed */
    int32_t output_bytes;
    int32_t input_offset; /* -zero_point of the input */
    int32_t output_offset;
    int32_t multiplier;
    int32_t shift;
    int32_t output_min;
    int32_t output_max;
} tinyrt_rescale_params;

/* input and output: int8_t, int16_t or int32_t, as params say. */
void tinyrt_rescale(const tinyrt_rescale_params *params, const void *input, void *output);

#endif /* TINYRT_RESCALE_H */
