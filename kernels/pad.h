/* pad.h: PAD and PADV2, of elements of any type. */
#ifndef TINYRT_PAD_H
#define TINYRT_PAD_H

#include "tinyrt.h"

typedef struct {
    const int32_t *before; /* bytes of border of each of the five levels, outermost first */
    const int32_t *counts; /* how often a level but the last has the next one inside */
    const int32_t *after;
    int32_t run_bytes;   /* what the last level has of the input between its borders */
    int32_t value_bytes; /* period of the border, which is 1 or the bytes of an element */
    const int8_t *value;
} tinyrt_pad_params;

void tinyrt_pad(const tinyrt_pad_params *params, const void *input, void *output);

#endif /* TINYRT_PAD_H */
