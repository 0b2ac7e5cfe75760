/* depthwise_conv_fours_s8.h: DEPTHWISE_CONV_2D, int8, any window, four channels of a pixel at a time. */
#ifndef TINYRT_DEPTHWISE_CONV_FOURS_S8_H
#define TINYRT_DEPTHWISE_CONV_FOURS_S8_H

#include "tinyrt.h"

typedef struct {
    int32_t batches;
    int32_t input_height;
    int32_t input_width;
    int32_t input_depth; /* 4 or more */
    int32_t filter_height;
    int32_t filter_width;
    int32_t output_height;
    int32_t output_width;
    int32_t output_depth; /* the same */
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
    const int8_t *filter; /* [filter_height][filter_width][output_depth] */
    const int32_t *bias;
    const int32_t *multipliers;
    const int8_t *shifts;
    int32_t backward; /* 1: from the last pixel to the first, 0: from the first to the last */
} tinyrt_depthwise_conv_fours_s8_params;

/* input: [batches][input_height][input_width][input_depth];
 * output: [batches][output_height][output_width][output_depth]. */
void tinyrt_depthwise_conv_fours_s8(const tinyrt_depthwise_conv_fours_s8_params *params,
                                 const int8_t *input, int8_t *output);

#endif /* TINYRT_DEPTHWISE_CONV_FOURS_S8_H */
