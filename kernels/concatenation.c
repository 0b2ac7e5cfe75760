/* concatenation.c: blocks of the inputs, one after the other. */
#include "concatenation.h"

#include "tinyrt_move.h"

void tinyrt_concatenation(const tinyrt_concatenation_params *params, const void *const *inputs,
                          void *output)
{
    uint8_t *out = output;

    for (int32_t turn = 0; turn < params->outer; ++turn) {
        for (int32_t i = 0; i < params->input_count; ++i) {
            const int32_t block = params->block_bytes[i];
            tinyrt_move_down(out, (const uint8_t *)inputs[i] + turn * block, block);
            out += block;
        }
    }
}
