/* layers.c: FULLY_CONNECTED, pooling, ADD and MUL of the test double. */
#include "double.h"

int32_t arm_fully_connected_s8_get_buffer_size(const cmsis_nn_dims *filter_dims)
{
    return filter_dims->c * (int32_t)sizeof(int32_t) + DOUBLE_EXTRA_BYTES;
}

/* With MVE the library adds to these sums, and looks neither at the bias nor at its offset. */
static bool are_sums(const cmsis_nn_context *ctx, const cmsis_nn_dims *filter,
                     const int8_t *weights, const int32_t *bias, int32_t offset)
{
    if (ctx == NULL || ctx->buf == NULL
        || ctx->size < arm_fully_connected_s8_get_buffer_size(filter)) {
        return false;
    }
    const int32_t *const sums = (const int32_t *)ctx->buf;
    for (int32_t row = 0; row < filter->c; ++row) {
        int32_t sum = 0;
        for (int32_t i = 0; i < filter->n; ++i) {
            sum += weights[row * filter->n + i];
        }
        if (sums[row] != bias[row] + offset * sum) {
            return false;
        }
    }
    return true;
}

arm_cmsis_nn_status arm_fully_connected_wrapper_s8(
    const cmsis_nn_context *ctx, const cmsis_nn_fc_params *fc_params,
    const cmsis_nn_quant_params *quant_params, const cmsis_nn_dims *input_dims,
    const int8_t *input_data, const cmsis_nn_dims *filter_dims, const int8_t *filter_data,
    const cmsis_nn_dims *bias_dims, const int32_t *bias_data, const cmsis_nn_dims *output_dims,
    int8_t *output_data)
{
    const cmsis_nn_fc_params *const p = fc_params;
    DOUBLE_DEMAND(p != NULL && quant_params != NULL && input_data != NULL && filter_data != NULL);
    DOUBLE_DEMAND(bias_data != NULL && output_data != NULL);
    DOUBLE_DEMAND(double_is_dims(input_dims, INT_MAX) && double_is_dims(filter_dims, INT_MAX));
    DOUBLE_DEMAND(double_is_dims(bias_dims, INT_MAX) && double_is_dims(output_dims, INT_MAX));
    DOUBLE_DEMAND(input_dims->h * input_dims->w * input_dims->c == filter_dims->n);
    DOUBLE_DEMAND(filter_dims->c == output_dims->c && bias_dims->c == output_dims->c);
    DOUBLE_DEMAND(input_dims->n == output_dims->n);
    DOUBLE_DEMAND(double_is_input_offset(p->input_offset) && p->filter_offset == 0);
    DOUBLE_DEMAND(double_is_limits(p->activation));
    const bool per_channel = quant_params->is_per_channel != 0;
    DOUBLE_DEMAND(double_are_multipliers(quant_params->multiplier, quant_params->shift,
                                         per_channel ? output_dims->c : 1));
    DOUBLE_DEMAND(are_sums(ctx, filter_dims, filter_data, bias_data, p->input_offset));
    double_spoil(output_data, output_dims);

    for (int32_t batch = 0; batch < input_dims->n; ++batch) {
        for (int32_t row = 0; row < filter_dims->c; ++row) {
            const int32_t scale = per_channel ? row : 0;
            int32_t sum = bias_data[row];
            for (int32_t i = 0; i < filter_dims->n; ++i) {
                sum += (input_data[i] + p->input_offset) * filter_data[row * filter_dims->n + i];
            }
            *output_data++ = double_output(sum, quant_params->multiplier[scale],
                                           quant_params->shift[scale], p->output_offset,
                                           p->activation);
        }
        input_data += filter_dims->n;
    }
    return ARM_CMSIS_NN_SUCCESS;
}

typedef int32_t (*combine_fn)(int32_t whole, int32_t value);

static int32_t sum_of(int32_t whole, int32_t value)
{
    return whole + value;
}

static int32_t greater_of(int32_t whole, int32_t value)
{
    return whole > value ? whole : value;
}

static bool is_pool(const cmsis_nn_pool_params *p, const cmsis_nn_dims *input,
                    const cmsis_nn_dims *filter, const cmsis_nn_dims *output)
{
    return p != NULL && double_is_dims(input, INT_MAX) && double_is_dims(filter, INT_MAX)
           && double_is_dims(output, INT_MAX) && input->n == output->n && input->c == output->c
           && filter->n == 1 && filter->c == 1 && p->stride.h >= 1 && p->stride.w >= 1
           && p->padding.h >= 0 && p->padding.w >= 0 && p->padding.h < filter->h
           && p->padding.w < filter->w && double_is_limits(p->activation);
}

static void pool(const cmsis_nn_pool_params *p, const cmsis_nn_dims *input, const int8_t *image,
                 const cmsis_nn_dims *filter, const cmsis_nn_dims *output, int8_t *result,
                 combine_fn combine, int32_t start, bool mean)
{
    for (int32_t place = 0; place < output->n * output->h * output->w * output->c; ++place) {
        const int32_t channel = place % output->c;
        const int32_t left = place / output->c % output->w * p->stride.w - p->padding.w;
        const int32_t top = place / output->c / output->w % output->h * p->stride.h - p->padding.h;
        const int8_t *const batch = image
                                    + place / (output->c * output->w * output->h)
                                          * (input->h * input->w * input->c);
        int32_t whole = start;
        int32_t count = 0;
        for (int32_t y = double_max(0, top); y < input->h && y - top < filter->h; ++y) {
            for (int32_t x = double_max(0, left); x < input->w && x - left < filter->w; ++x) {
                whole = combine(whole, batch[(y * input->w + x) * input->c + channel]);
                ++count;
            }
        }
        if (mean) {
            whole = (whole > 0 ? whole + count / 2 : whole - count / 2) / count;
        }
        result[place] = (int8_t)(whole < p->activation.min   ? p->activation.min
                                 : whole > p->activation.max ? p->activation.max
                                                             : whole);
    }
}

int32_t arm_avgpool_s8_get_buffer_size(const int dim_dst_width, const int ch_src)
{
    (void)dim_dst_width;
    return ch_src * (int32_t)sizeof(int32_t) + DOUBLE_EXTRA_BYTES;
}

arm_cmsis_nn_status arm_avgpool_s8(const cmsis_nn_context *ctx,
                                   const cmsis_nn_pool_params *pool_params,
                                   const cmsis_nn_dims *input_dims, const int8_t *input_data,
                                   const cmsis_nn_dims *filter_dims,
                                   const cmsis_nn_dims *output_dims, int8_t *output_data)
{
    DOUBLE_DEMAND(is_pool(pool_params, input_dims, filter_dims, output_dims));
    DOUBLE_DEMAND(input_data != NULL && output_data != NULL);
    DOUBLE_DEMAND(double_take_scratch(
        ctx, arm_avgpool_s8_get_buffer_size(output_dims->w, input_dims->c)));
    double_spoil(output_data, output_dims);
    pool(pool_params, input_dims, input_data, filter_dims, output_dims, output_data, sum_of, 0,
         true);
    return ARM_CMSIS_NN_SUCCESS;
}

arm_cmsis_nn_status arm_max_pool_s8(const cmsis_nn_context *ctx,
                                    const cmsis_nn_pool_params *pool_params,
                                    const cmsis_nn_dims *input_dims, const int8_t *input_data,
                                    const cmsis_nn_dims *filter_dims,
                                    const cmsis_nn_dims *output_dims, int8_t *output_data)
{
    DOUBLE_DEMAND(is_pool(pool_params, input_dims, filter_dims, output_dims));
    DOUBLE_DEMAND(input_data != NULL && output_data != NULL && double_take_scratch(ctx, 0));
    double_spoil(output_data, output_dims);
    pool(pool_params, input_dims, input_data, filter_dims, output_dims, output_data, greater_of,
         INT32_MIN, false);
    return ARM_CMSIS_NN_SUCCESS;
}

arm_cmsis_nn_status arm_elementwise_add_s8(
    const int8_t *input_1_vect, const int8_t *input_2_vect, const int32_t input_1_offset,
    const int32_t input_1_mult, const int32_t input_1_shift, const int32_t input_2_offset,
    const int32_t input_2_mult, const int32_t input_2_shift, const int32_t left_shift,
    int8_t *output, const int32_t out_offset, const int32_t out_mult, const int32_t out_shift,
    const int32_t out_activation_min, const int32_t out_activation_max, const int32_t block_size)
{
    const cmsis_nn_activation limits = {out_activation_min, out_activation_max};
    DOUBLE_DEMAND(input_1_vect != NULL && input_2_vect != NULL && output != NULL);
    DOUBLE_DEMAND(double_is_input_offset(input_1_offset) && double_is_input_offset(input_2_offset));
    DOUBLE_DEMAND(double_are_multipliers(&input_1_mult, &input_1_shift, 1) && input_1_shift <= 0);
    DOUBLE_DEMAND(double_are_multipliers(&input_2_mult, &input_2_shift, 1) && input_2_shift <= 0);
    DOUBLE_DEMAND(double_are_multipliers(&out_mult, &out_shift, 1) && out_shift <= 0);
    DOUBLE_DEMAND(left_shift == 20 && double_is_limits(limits) && block_size >= 0);
    for (int32_t i = 0; i < block_size; ++i) {
        const int32_t value1 = (input_1_vect[i] + input_1_offset) * (1 << left_shift);
        const int32_t value2 = (input_2_vect[i] + input_2_offset) * (1 << left_shift);
        const int32_t sum = double_requantize(value1, input_1_mult, input_1_shift)
                            + double_requantize(value2, input_2_mult, input_2_shift);
        output[i] = double_output(sum, out_mult, out_shift, out_offset, limits);
    }
    return ARM_CMSIS_NN_SUCCESS;
}

arm_cmsis_nn_status arm_elementwise_mul_s8(
    const int8_t *input_1_vect, const int8_t *input_2_vect, const int32_t input_1_offset,
    const int32_t input_2_offset, int8_t *output, const int32_t out_offset, const int32_t out_mult,
    const int32_t out_shift, const int32_t out_activation_min, const int32_t out_activation_max,
    const int32_t block_size)
{
    const cmsis_nn_activation limits = {out_activation_min, out_activation_max};
    DOUBLE_DEMAND(input_1_vect != NULL && input_2_vect != NULL && output != NULL);
    DOUBLE_DEMAND(double_is_input_offset(input_1_offset) && double_is_input_offset(input_2_offset));
    DOUBLE_DEMAND(double_are_multipliers(&out_mult, &out_shift, 1));
    DOUBLE_DEMAND(double_is_limits(limits) && block_size >= 0);
    for (int32_t i = 0; i < block_size; ++i) {
        const int32_t product =
            (input_1_vect[i] + input_1_offset) * (input_2_vect[i] + input_2_offset);
        output[i] = double_output(product, out_mult, out_shift, out_offset, limits);
    }
    return ARM_CMSIS_NN_SUCCESS;
}
