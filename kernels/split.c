/* split.c: blocks of the input, dealt out to the outputs. */
#include "split.h"

#include "tinyrt_move.h"

void tinyrt_split(const tinyrt_split_params *params, const void *input, void *const *outputs)
{
    const uint8_t *in = input;

    for (int32_t turn = 0; turn < params->outer; ++turn) {
        for (int32_t i = 0; i < params->output_count; ++i) {
            const int32_t block = params->block_bytes[i];
            tinyrt_move_down((uint8_t *)outputs[i] + turn * block, in, block);
            in += block;
        }
    }
}
