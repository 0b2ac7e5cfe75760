/* concatenation.h: CONCATENATION and PACK, of elements of any type. */
#ifndef TINYRT_CONCATENATION_H
#define TINYRT_CONCATENATION_H

#include "tinyrt.h"

typedef struct {
    int32_t outer; /* product of the dimensions before the axis */
    int32_t input_count;
    const int32_t *block_bytes; /* what each input gives at a turn */
} tinyrt_concatenation_params;

/* output: `outer` times over, the next block of every input in turn. */
void tinyrt_concatenation(const tinyrt_concatenation_params *params, const void *const *inputs,
                          void *output);

#endif /* TINYRT_CONCATENATION_H */
