/* strided_copy.c: runs of bytes, read at regular distances, become contiguous. */
#include "strided_copy.h"

#include "tinyrt_move.h"

/* The innermost loop; returns the end of what it wrote. */
static uint8_t *copy_runs(const uint8_t *input, int32_t count, int32_t stride, int32_t run_bytes,
                          uint8_t *output)
{
    if (run_bytes == 1) {
        for (int32_t i = 0; i < count; ++i) {
            *output++ = input[i * stride];
        }
    } else {
        for (int32_t i = 0; i < count; ++i) {
            tinyrt_move_down(output, input + i * stride, run_bytes);
            output += run_bytes;
        }
    }
    return output;
}

void tinyrt_strided_copy(const tinyrt_strided_copy_params *params, const void *input, void *output)
{
    const int32_t *const counts = params->counts;
    const int32_t *const strides = params->strides;
    const uint8_t *const in0 = (const uint8_t *)input + params->offset;
    uint8_t *out = output;

    for (int32_t i0 = 0; i0 < counts[0]; ++i0) {
        const uint8_t *const in1 = in0 + i0 * strides[0];
        for (int32_t i1 = 0; i1 < counts[1]; ++i1) {
            const uint8_t *const in2 = in1 + i1 * strides[1];
            for (int32_t i2 = 0; i2 < counts[2]; ++i2) {
                const uint8_t *const in3 = in2 + i2 * strides[2];
                for (int32_t i3 = 0; i3 < counts[3]; ++i3) {
                    out = copy_runs(in3 + i3 * strides[3], counts[4], strides[4],
                                    params->run_bytes, out);
                }
            }
        }
    }
}
