/* resize_nearest_neighbor.h: RESIZE_NEAREST_NEIGHBOR, of pixels of any type. */
#ifndef TINYRT_RESIZE_NEAREST_NEIGHBOR_H
#define TINYRT_RESIZE_NEAREST_NEIGHBOR_H

#include "tinyrt.h"

typedef struct {
    int32_t batches;
    int32_t input_height;
    int32_t input_width;
    int32_t output_height;
    int32_t output_width;
    int32_t pixel_bytes;    /* depth times the bytes of an element */
    const int32_t *rows;    /* the input row of each output row */
    const int32_t *columns; /* the input column of each output column */
} tinyrt_resize_nearest_neighbor_params;

/* input: [batches][input_height][input_width][pixel_bytes], output likewise. */
void tinyrt_resize_nearest_neighbor(const tinyrt_resize_nearest_neighbor_params *params,
                                    const void *input, void *output);

#endif /* TINYRT_RESIZE_NEAREST_NEIGHBOR_H */
