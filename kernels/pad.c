/* pad.c: runs of the input between borders. */
#include "pad.h"

#include "tinyrt_move.h"

/* Writes some bytes of border; returns their end. */
static uint8_t *border(const tinyrt_pad_params *params, int32_t bytes, uint8_t *output)
{
    if (params->value_bytes == 1) {
        memset(output, params->value[0], (size_t)bytes);
    } else {
        for (int32_t i = 0; i < bytes; i += params->value_bytes) {
            memcpy(output + i, params->value, (size_t)params->value_bytes);
        }
    }
    return output + bytes;
}

void tinyrt_pad(const tinyrt_pad_params *params, const void *input, void *output)
{
    const tinyrt_pad_params *const p = params;
    const uint8_t *in = input;
    uint8_t *out = border(p, p->before[0], output);

    for (int32_t i0 = 0; i0 < p->counts[0]; ++i0) {
        out = border(p, p->before[1], out);
        for (int32_t i1 = 0; i1 < p->counts[1]; ++i1) {
            out = border(p, p->before[2], out);
            for (int32_t i2 = 0; i2 < p->counts[2]; ++i2) {
                out = border(p, p->before[3], out);
                for (int32_t i3 = 0; i3 < p->counts[3]; ++i3) {
                    out = border(p, p->before[4], out);
                    tinyrt_move_down(out, in, p->run_bytes);
                    in += p->run_bytes;
                    out = border(p, p->after[4], out + p->run_bytes);
                }
                out = border(p, p->after[3], out);
            }
            out = border(p, p->after[2], out);
        }
        out = border(p, p->after[1], out);
    }
    (void)border(p, p->after[0], out);
}
