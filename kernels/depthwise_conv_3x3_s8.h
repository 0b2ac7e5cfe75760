/* depthwise_conv_3x3_s8.h: DEPTHWISE_CONV_2D, int8, 3x3 taps, channel by channel through a plane. */
#ifndef TINYRT_DEPTHWISE_CONV_3X3_S8_H
#define TINYRT_DEPTHWISE_CONV_3X3_S8_H

#include "tinyrt.h"

/* Rows and columns are those of the plane: it may lie on its side. Steps are in bytes. */
typedef struct {
    int32_t channels;
    int32_t input_rows;
    int32_t input_columns; /* of which the plane has use */
    int32_t output_rows;
    int32_t output_columns;
    int32_t input_row_step;
    int32_t input_column_step;
    int32_t output_row_step;
    int32_t output_column_step;
    int32_t stride; /* 1 or 2 */
    int32_t pad_rows;
    int32_t pad_columns;
    int32_t band_rows; /* output rows that a plane serves */
    int32_t pitch;     /* values from row to row of the plane, even */
    int32_t strip_columns; /* of the output, that vectors see in one plane */
    int32_t lanes; /* 1: vectors take sixteen channels of a pixel, for which there is room */
    int32_t input_zero_point;
    int32_t output_offset;
    const int32_t *stream;
} tinyrt_depthwise_conv_3x3_s8_params;

/* The output may lie where the input does, or multiples of `channels` bytes away, if one plane serves all
 * rows or the stride is 2.
 * scratch: the plane, ((band_rows - 1) * stride + 3) * pitch values of 16 bits, aligned to 4; with vectors,
 * that of two channels of bytes, strip by strip, and what the last load reads behind it, or that of sixteen
 * channels behind 336 bytes. */
void tinyrt_depthwise_conv_3x3_s8(const tinyrt_depthwise_conv_3x3_s8_params *params,
                                  const int8_t *input, int8_t *output, void *scratch);

#endif /* TINYRT_DEPTHWISE_CONV_3X3_S8_H */
