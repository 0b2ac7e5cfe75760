/* depthwise_conv_3x3_mve.h: depthwise_conv_3x3_s8.c with vectors. */
#ifndef TINYRT_DEPTHWISE_CONV_3X3_MVE_H
#define TINYRT_DEPTHWISE_CONV_3X3_MVE_H

#include "depthwise_conv_3x3_s8.h"
#include "tinyrt_mve.h"

#if TINYRT_HAS_MVE

/* Some rows of output, all channels; `plane` is the kernel's scratch. */
void tinyrt_mve_depthwise_band(const tinyrt_depthwise_conv_3x3_s8_params *params, const int8_t *input,
                               int8_t *output, int32_t first, int32_t rows, int8_t *plane);

#endif

#endif /* TINYRT_DEPTHWISE_CONV_3X3_MVE_H */
