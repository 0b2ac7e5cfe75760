/* depthwise_conv_3x3_lanes.h: depthwise_conv_3x3_s8.c with sixteen channels of a pixel in a vector. */
#ifndef TINYRT_DEPTHWISE_CONV_3X3_LANES_H
#define TINYRT_DEPTHWISE_CONV_3X3_LANES_H

#include "depthwise_conv_3x3_s8.h"
#include "tinyrt_mve.h"

#if TINYRT_HAS_MVE

/* The whole output, of a multiple of sixteen channels. scratch: the kernel's, with room for what `lanes`
 * asks for. */
void tinyrt_mve_depthwise_lanes(const tinyrt_depthwise_conv_3x3_s8_params *params, const int8_t *input,
                                int8_t *output, void *scratch);

#endif

#endif /* TINYRT_DEPTHWISE_CONV_3X3_LANES_H */
