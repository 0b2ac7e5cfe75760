/* fully_connected_wide_s8.h: FULLY_CONNECTED, int8, four channels at once with sums of any size. */
#ifndef TINYRT_FULLY_CONNECTED_WIDE_S8_H
#define TINYRT_FULLY_CONNECTED_WIDE_S8_H

#include "tinyrt.h"

typedef struct {
    int32_t batches;
    int32_t input_depth;
    int32_t output_depth;
    int32_t output_offset;
    int32_t activation_min;
    int32_t activation_max;
    const int8_t *filter; /* [output_depth / 4][input_depth / 4][4 channels][4 depths], filled up */
    const int32_t *bias;  /* has taken in the input's zero-point */
    int32_t per_channel;        /* 0: all outputs share the first multiplier and shift */
    const int32_t *multipliers; /* [output_depth] or [1] */
    const int8_t *shifts;       /* likewise */
} tinyrt_fully_connected_wide_s8_params;

/* input: [batches][input_depth]; output: [batches][output_depth]. */
void tinyrt_fully_connected_wide_s8(const tinyrt_fully_connected_wide_s8_params *params,
                                    const int8_t *input, int8_t *output);

#endif /* TINYRT_FULLY_CONNECTED_WIDE_S8_H */
