/* conv_2d_packed_s8.h: CONV_2D, int8, with weights, biases and scales prepared for pairs of channels.
 *
 * See tinyrt_packed.h for the stream, and tinyrt/lower/ for who writes it. */
#ifndef TINYRT_CONV_2D_PACKED_S8_H
#define TINYRT_CONV_2D_PACKED_S8_H

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
    int32_t output_depth; /* 2 or more */
    int32_t stride_height;
    int32_t stride_width;
    int32_t dilation_height;
    int32_t dilation_width;
    int32_t pad_top;
    int32_t pad_left;
    int32_t input_zero_point; /* what padding holds */
    int32_t output_offset;
    int32_t activation_min;
    int32_t activation_max;
    int32_t row_groups;    /* of four values: a row of the window, filled up */
    int32_t inside_height; /* greatest first row and column of a window that lies inside, with */
    int32_t inside_width;  /* all that its row groups reach; negative where there is none */
    const int32_t *stream;
} tinyrt_conv_2d_packed_s8_params;

/* input: [batches][input_height][input_width][input_depth], output likewise; they may overlap as far
 * as a kernel may that reads a window just before it writes its pixel.
 * scratch: a tinyrt_block, and 28 bytes for each of filter_height * row_groups; aligned to 4. */
void tinyrt_conv_2d_packed_s8(const tinyrt_conv_2d_packed_s8_params *params, const int8_t *input,
                              int8_t *output, void *scratch);

#endif /* TINYRT_CONV_2D_PACKED_S8_H */
