/* mul_s8.h: MUL, int8, operands that broadcast. */
#ifndef TINYRT_MUL_S8_H
#define TINYRT_MUL_S8_H

#include "tinyrt.h"

typedef struct {
    int32_t loops; /* see tinyrt_broadcast.h */
    const int32_t *extents;
    const int32_t *strides1;
    const int32_t *strides2;
    int32_t input1_offset; /* -zero_point of the input */
    int32_t input2_offset;
    int32_t output_offset;
    int32_t output_multiplier;
    int32_t output_shift;
    int32_t activation_min;
    int32_t activation_max;
} tinyrt_mul_s8_params;

/* output = input1 * input2 */
void tinyrt_mul_s8(const tinyrt_mul_s8_params *params, const int8_t *input1, const int8_t *input2,
                   int8_t *output);

#endif /* TINYRT_MUL_S8_H */
