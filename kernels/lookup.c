/* lookup.c: element by element through a table. */
#include "lookup.h"

void tinyrt_lookup(const tinyrt_lookup_params *params, const void *input, void *output)
{
    const uint8_t *const in = input;
    int8_t *const out = output;

    for (int32_t i = 0; i < params->elements; ++i) {
        out[i] = params->table[in[i]];
    }
}
