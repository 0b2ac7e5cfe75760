/* average_pool_2d_s8.h: AVERAGE_POOL_2D, int8. */
#ifndef TINYRT_AVERAGE_POOL_2D_S8_H
#define TINYRT_AVERAGE_POOL_2D_S8_H

#include "tinyrt.h"

typedef struct {
    int32_t batches;
    int32_t input_height;
    int32_t input_width;
    int32_t depth;
    int32_t filter_height;
    int32_t filter_width;
    int32_t output_height;
    int32_t output_width;
    int32_t stride_height;
    int32_t stride_width;
    int32_t pad_top;
    int32_t pad_left;
    int32_t activation_min;
    int32_t activation_max;
} tinyrt_average_pool_2d_s8_params;

/* input: [batches][input_height][input_width][depth];
 * output: [batches][output_height][output_width][depth]. */
void tinyrt_average_pool_2d_s8(const tinyrt_average_pool_2d_s8_params *params, const int8_t *input,
                               int8_t *output);

#endif /* TINYRT_AVERAGE_POOL_2D_S8_H */
