/* softmax_s8.h: SOFTMAX along the last axis, int8; the output has scale 1/256, zero-point -128. */
#ifndef TINYRT_SOFTMAX_S8_H
#define TINYRT_SOFTMAX_S8_H

#include "tinyrt.h"

typedef struct {
    int32_t rows;
    int32_t depth; /* at most 4095 */
    int32_t multiplier;
    int32_t left_shift;
    int32_t difference_min; /* inputs further below their row's maximum count as zero */
} tinyrt_softmax_s8_params;

/* input, output: [rows][depth]; they may be the same. */
void tinyrt_softmax_s8(const tinyrt_softmax_s8_params *params, const int8_t *input, int8_t *output);

#endif /* TINYRT_SOFTMAX_S8_H */
