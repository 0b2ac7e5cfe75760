/* mean_s8.h: MEAN along any axes, int8. */
#ifndef TINYRT_MEAN_S8_H
#define TINYRT_MEAN_S8_H

#include "tinyrt.h"

typedef struct {
    int32_t outputs;
    int32_t count; /* inputs of each mean, at most 2^23 */
    int32_t kept_rank;
    const int32_t *kept_sizes; /* outer to inner; strides are in elements */
    const int32_t *kept_strides;
    int32_t reduced_rank; /* at least 1 */
    const int32_t *reduced_sizes;
    const int32_t *reduced_strides;
    int32_t input_offset; /* -zero_point of the input */
    int32_t output_offset;
    int32_t multiplier; /* 1 / count is in it */
    int32_t shift;
} tinyrt_mean_s8_params;

/* input: the elements that sizes and strides describe; output: [outputs]. */
void tinyrt_mean_s8(const tinyrt_mean_s8_params *params, const int8_t *input, int8_t *output);

#endif /* TINYRT_MEAN_S8_H */
