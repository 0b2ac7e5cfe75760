/* tinyrt_move.h: copies to a place that may overlap, if it is a lower one. */
#ifndef TINYRT_MOVE_H
#define TINYRT_MOVE_H

#include <string.h>

#include "tinyrt.h"

/* Like memmove, for an output that begins at or below the input where the two share bytes. */
static inline void tinyrt_move_down(uint8_t *output, const uint8_t *input, int32_t bytes)
{
    const uintptr_t out = (uintptr_t)output;
    const uintptr_t in = (uintptr_t)input;
    const size_t size = (size_t)bytes;

    if (out + size <= in || in + size <= out) {
        memcpy(output, input, size);
    } else if (out != in) {
        for (int32_t i = 0; i < bytes; ++i) {
            output[i] = input[i];
        }
    }
}

#endif /* TINYRT_MOVE_H */
