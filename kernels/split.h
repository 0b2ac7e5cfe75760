/* split.h: SPLIT and UNPACK, of elements of any type. */
#ifndef TINYRT_SPLIT_H
#define TINYRT_SPLIT_H

#include "tinyrt.h"

typedef struct {
    int32_t outer; /* product of the dimensions before the axis */
    int32_t output_count;
    const int32_t *block_bytes; /* what each output gets at a turn */
} tinyrt_split_params;

/* input: `outer` times over, the next block of every output in turn. */
void tinyrt_split(const tinyrt_split_params *params, const void *input, void *const *outputs);

#endif /* TINYRT_SPLIT_H */
