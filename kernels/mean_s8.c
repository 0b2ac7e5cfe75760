/* mean_s8.c: portable MEAN. The sum of 2^23 offset inputs stays in int32. */
#include "mean_s8.h"

#include "tinyrt_fixedpoint.h"

/* Where the element with a row-major index lies. */
static int32_t position(int32_t index, const int32_t *sizes, const int32_t *strides, int32_t rank)
{
    int32_t offset = 0;
    for (int32_t axis = rank - 1; axis >= 0; --axis) {
        offset += index % sizes[axis] * strides[axis];
        index /= sizes[axis];
    }
    return offset;
}

void tinyrt_mean_s8(const tinyrt_mean_s8_params *params, const int8_t *input, int8_t *output)
{
    const tinyrt_mean_s8_params *const p = params;
    const int32_t outer_rank = p->reduced_rank - 1;
    const int32_t inner_size = p->reduced_sizes[outer_rank];
    const int32_t inner_stride = p->reduced_strides[outer_rank];
    const int32_t outer_size = p->count / inner_size;

    for (int32_t out = 0; out < p->outputs; ++out) {
        const int8_t *const first = input + position(out, p->kept_sizes, p->kept_strides,
                                                     p->kept_rank);
        int32_t sum = p->count * p->input_offset;
        for (int32_t outer = 0; outer < outer_size; ++outer) {
            const int8_t *const in = first + position(outer, p->reduced_sizes, p->reduced_strides,
                                                      outer_rank);
            for (int32_t inner = 0; inner < inner_size; ++inner) {
                sum += in[inner * inner_stride];
            }
        }
        *output++ =
            tinyrt_output_s8(sum, p->multiplier, p->shift, p->output_offset, -128, 127);
    }
}
