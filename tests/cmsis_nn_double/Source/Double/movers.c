/* movers.c: PAD, TRANSPOSE and CONCATENATION of the test double. */
#include "double.h"

arm_cmsis_nn_status arm_pad_s8(const int8_t *input, int8_t *output, const int8_t pad_value,
                               const cmsis_nn_dims *input_size, const cmsis_nn_dims *pre_pad,
                               const cmsis_nn_dims *post_pad)
{
    DOUBLE_DEMAND(input != NULL && output != NULL && double_is_dims(input_size, INT_MAX));
    DOUBLE_DEMAND(pre_pad != NULL && post_pad != NULL);
    DOUBLE_DEMAND(pre_pad->n >= 0 && pre_pad->h >= 0 && pre_pad->w >= 0 && pre_pad->c >= 0);
    DOUBLE_DEMAND(post_pad->n >= 0 && post_pad->h >= 0 && post_pad->w >= 0 && post_pad->c >= 0);
    const cmsis_nn_dims size = {
        pre_pad->n + input_size->n + post_pad->n, pre_pad->h + input_size->h + post_pad->h,
        pre_pad->w + input_size->w + post_pad->w, pre_pad->c + input_size->c + post_pad->c};
    memset(output, (uint8_t)pad_value, double_bytes(&size));
    for (int32_t n = 0; n < input_size->n; ++n) {
        for (int32_t h = 0; h < input_size->h; ++h) {
            for (int32_t w = 0; w < input_size->w; ++w) {
                for (int32_t c = 0; c < input_size->c; ++c) {
                    const int32_t row = (n + pre_pad->n) * size.h + h + pre_pad->h;
                    output[(row * size.w + w + pre_pad->w) * size.c + c + pre_pad->c] = *input++;
                }
            }
        }
    }
    return ARM_CMSIS_NN_SUCCESS;
}

/* Two dimensions are always exchanged; with MVE so are the last two of four that stay in order. */
static bool is_permutation(const uint32_t *perm, int32_t rank, const int32_t *shape)
{
    uint32_t seen = 0;
    for (int32_t i = 0; i < rank; ++i) {
        if (perm[i] >= (uint32_t)rank) {
            return false;
        }
        seen |= 1u << perm[i];
    }
    if (seen != (1u << rank) - 1u) {
        return false;
    }
    const bool matrix = rank == 2 || (rank == 4 && perm[0] == 0 && perm[1] == 1);
    return !matrix
           || (perm[rank - 2] == (uint32_t)rank - 1 && shape[rank - 2] <= 65535
               && 7 * shape[rank - 1] <= 65535);
}

arm_cmsis_nn_status arm_transpose_s8(const int8_t *input, int8_t *const output,
                                     const cmsis_nn_dims *const input_dims,
                                     const cmsis_nn_dims *const output_dims,
                                     const cmsis_nn_transpose_params *const transpose_params)
{
    DOUBLE_DEMAND(input != NULL && output != NULL && transpose_params != NULL);
    DOUBLE_DEMAND(double_is_dims(input_dims, INT_MAX) && double_is_dims(output_dims, INT_MAX));
    const int32_t rank = transpose_params->num_dims;
    const uint32_t *const perm = transpose_params->permutations;
    const int32_t shape[4] = {input_dims->n, input_dims->h, input_dims->w, input_dims->c};
    const int32_t result[4] = {output_dims->n, output_dims->h, output_dims->w, output_dims->c};
    DOUBLE_DEMAND(rank >= 2 && rank <= 4 && perm != NULL && is_permutation(perm, rank, shape));
    int32_t strides[4] = {0};
    for (int32_t i = 0; i < 4; ++i) {
        DOUBLE_DEMAND(i < rank ? result[i] == shape[perm[i]] : result[i] == 1 && shape[i] == 1);
    }
    for (int32_t i = 0; i < rank; ++i) {
        strides[i] = 1;
        for (int32_t axis = (int32_t)perm[i] + 1; axis < rank; ++axis) {
            strides[i] *= shape[axis];
        }
    }
    double_spoil(output, output_dims);
    int8_t *place = output;
    for (int32_t a = 0; a < result[0]; ++a) {
        for (int32_t b = 0; b < result[1]; ++b) {
            for (int32_t c = 0; c < result[2]; ++c) {
                for (int32_t d = 0; d < result[3]; ++d) {
                    *place++ = input[a * strides[0] + b * strides[1] + c * strides[2]
                                     + d * strides[3]];
                }
            }
        }
    }
    return ARM_CMSIS_NN_SUCCESS;
}

void arm_concatenation_s8_x(const int8_t *input, const uint16_t input_x, const uint16_t input_y,
                            const uint16_t input_z, const uint16_t input_w, int8_t *output,
                            const uint16_t output_x, const uint32_t offset_x)
{
    const uint32_t rows = (uint32_t)input_y * input_z * input_w;
    if (input == NULL || output == NULL || offset_x + input_x > output_x || DOUBLE_REFUSES) {
        __builtin_trap(); /* there is no status to return */
    }
    for (uint32_t row = 0; row < rows; ++row) {
        memcpy(output + row * output_x + offset_x, input + row * input_x, input_x);
    }
}
