/* fully_connected_packed_s8.h: FULLY_CONNECTED, int8, with weights prepared for eight channels at once. */
#ifndef TINYRT_FULLY_CONNECTED_PACKED_S8_H
#define TINYRT_FULLY_CONNECTED_PACKED_S8_H

#include "tinyrt.h"

typedef struct {
    int32_t batches;
    int32_t input_depth; /* a multiple of 4 */
    int32_t output_depth;
    int32_t output_offset;
    int32_t activation_min;
    int32_t activation_max;
    const int32_t *stream; /* in the manner of tinyrt_packed.h, for four pairs of channels at once */
} tinyrt_fully_connected_packed_s8_params;

/* input: [batches][input_depth]; output: [batches][output_depth]. */
void tinyrt_fully_connected_packed_s8(const tinyrt_fully_connected_packed_s8_params *params,
                                      const int8_t *input, int8_t *output);

#endif /* TINYRT_FULLY_CONNECTED_PACKED_S8_H */
