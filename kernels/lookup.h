/* lookup.h: maps each 8-bit element by itself, through a table of the 256 results: activations, and
 * QUANTIZE between 8-bit types. */
#ifndef TINYRT_LOOKUP_H
#define TINYRT_LOOKUP_H

#include "tinyrt.h"

typedef struct {
    int32_t elements;
    const int8_t *table; /* [256], indexed by the input's byte as an unsigned number */
} tinyrt_lookup_params;

/* input and output: 8-bit elements, signed or not; they may be the same. */
void tinyrt_lookup(const tinyrt_lookup_params *params, const void *input, void *output);

#endif /* TINYRT_LOOKUP_H */
