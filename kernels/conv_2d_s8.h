/* conv_2d_s8.h: CONV_2D, int8 activations and weights, int32 bias. */
#ifndef TINYRT_CONV_2D_S8_H
#define TINYRT_CONV_2D_S8_H

#include "tinyrt.h"

typedef struct {
    int32_t batches;
    int32_t input_height;
    int32_t input_width;
    int32_t input_depth;
    int32_t filter_height;
    int32_t filter_width;
    int32_t output_height;
    int32_t output_width;
    int32_t output_depth;
    int32_t stride_height;
    int32_t stride_width;
    int32_t dilation_height;
    int32_t dilation_width;
    int32_t pad_top;
    int32_t pad_left;
    int32_t input_offset; /* -zero_point of the input */
    int32_t output_offset;
    int32_t activation_min;
    int32_t activation_max;
    const int8_t *filter; /* [output_depth][filter_height][filter_width][filter_depth] */
    const int32_t *bias;
    const int32_t *multipliers;
    const int8_t *shifts;
    int32_t backward; /* 1: from the last pixel to the first, 0: from the first to the last */
    int32_t filter_depth; /* input_depth / groups */
} tinyrt_conv_2d_s8_params;

/* input: [batches][input_height][input_width][input_depth], output likewise. */
void tinyrt_conv_2d_s8(const tinyrt_conv_2d_s8_params *params, const int8_t *input, int8_t *output);

#endif /* TINYRT_CONV_2D_S8_H */
