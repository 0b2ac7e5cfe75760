/* fully_connected_mve.h: fully_connected_packed_s8.c with vectors. */
#ifndef TINYRT_FULLY_CONNECTED_MVE_H
#define TINYRT_FULLY_CONNECTED_MVE_H

#include "tinyrt_mve.h"

#if TINYRT_HAS_MVE

/* One row of inputs; the assembly knows the offsets. */
typedef struct {
    const int8_t *input;   /* 0 */
    int32_t depth;         /* 4: a multiple of 4 */
    int8_t *output;        /* 8 */
    int32_t left;          /* 12: outputs to come */
    int32_t output_offset; /* 16 */
    const int32_t *stream; /* 20: see fully_connected_packed_s8.c */
} tinyrt_mve_row;

/* Writes all outputs, limited to int8 only. Reads the weights of whole sixteens of depths. */
void tinyrt_mve_fully_connected(tinyrt_mve_row *row);

#endif

#endif /* TINYRT_FULLY_CONNECTED_MVE_H */
