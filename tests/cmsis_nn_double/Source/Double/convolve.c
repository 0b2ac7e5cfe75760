/* convolve.c: CONV_2D and DEPTHWISE_CONV_2D of the test double, tap by tap. */
#include "double.h"

#define LIMIT 65535
#define LIMIT_DEPTHWISE 32767

static int32_t whole(int32_t value, int32_t unit)
{
    return (value + unit - 1) / unit * unit;
}

static bool is_product(const cmsis_nn_conv_params *p, const cmsis_nn_dims *input,
                       const cmsis_nn_dims *filter)
{
    return filter->h == 1 && filter->w == 1 && p->padding.h == 0 && p->padding.w == 0
           && p->dilation.h == 1 && p->dilation.w == 1 && input->c == filter->c;
}

static bool is_row(const cmsis_nn_conv_params *p, const cmsis_nn_dims *input,
                   const cmsis_nn_dims *filter)
{
    return input->h == 1 && filter->h == 1 && p->dilation.w == 1 && input->c == filter->c
           && p->stride.w * input->c % 4 == 0;
}

int32_t arm_convolve_wrapper_s8_get_buffer_size(const cmsis_nn_conv_params *conv_params,
                                                const cmsis_nn_dims *input_dims,
                                                const cmsis_nn_dims *filter_dims,
                                                const cmsis_nn_dims *output_dims)
{
    const int32_t taps = filter_dims->h * filter_dims->w * input_dims->c;
    (void)output_dims;
    if (is_product(conv_params, input_dims, filter_dims)) {
        const bool dense = conv_params->stride.h == 1 && conv_params->stride.w == 1;
        return (dense ? 2 * input_dims->c * (int32_t)sizeof(int16_t) : 0) + DOUBLE_EXTRA_BYTES;
    }
    const int32_t dsp = 2 * whole(taps, 4) * (int32_t)sizeof(int16_t);
    const int32_t mve = 4 * whole(taps, 16);
    return double_max(dsp, mve) + DOUBLE_EXTRA_BYTES;
}

/* A column that one of the three sections of a row shows to a tap; -1: padding. */
static int32_t shown(int32_t column, int32_t first, int32_t columns)
{
    return column >= 0 && column < columns ? first + column : -1;
}

/* Whether a row of windows sees the right columns, and none beyond the input. Windows at either end
 * are made in a buffer: the first `left` of them from padding and as many columns as a window has,
 * the last `right` from one column less and padding. */
static bool row_is_right(const cmsis_nn_conv_params *p, const cmsis_nn_dims *input,
                         const cmsis_nn_dims *filter, const cmsis_nn_dims *output)
{
    const int32_t size = input->w, taps = filter->w, count = output->w;
    const int32_t stride = p->stride.w, pad = p->padding.w;
    const int32_t total = (count - 1) * stride + taps - size;
    const int32_t odd = total % 2;
    if (2 * pad + odd != total || output->h != 1 || p->padding.h != 0) {
        return false;
    }
    const int32_t left = pad != 0 ? double_max(1, (pad + stride - 1) / stride) : 0;
    const int32_t right = pad + odd != 0 ? double_max(1, (pad + odd + stride - 1) / stride) : 0;
    const int32_t inside = double_max(0, count - left - right);
    if (left + inside + right != count) {
        return true;
    }
    const int32_t last = (left + inside) * stride - pad;
    if (taps > size || last < 0 || last + taps - 1 > size) {
        return false;
    }
    for (int32_t window = 0; window < count; ++window) {
        for (int32_t tap = 0; tap < taps; ++tap) {
            const int32_t truth = shown(window * stride - pad + tap, 0, size);
            int32_t seen = window * stride - pad + tap;
            if (window < left) {
                if (window * stride + tap >= pad + taps) {
                    return false;
                }
                seen = shown(window * stride + tap - pad, 0, taps);
            } else if (window >= left + inside) {
                const int32_t column = (window - left - inside) * stride + tap;
                if (column >= taps - 1 + (odd != 0 ? right : pad)) {
                    return false;
                }
                seen = shown(column, last, taps - 1);
            }
            if (seen != truth) {
                return false;
            }
        }
    }
    return true;
}

static bool wrapper_is_right(const cmsis_nn_conv_params *p, const cmsis_nn_dims *input,
                             const cmsis_nn_dims *filter, const cmsis_nn_dims *output)
{
    if (is_product(p, input, filter)) {
        return (output->h - 1) * p->stride.h < input->h && (output->w - 1) * p->stride.w < input->w
               && (p->stride.h > 1 || p->stride.w > 1
                   || (output->h == input->h && output->w == input->w));
    }
    return !is_row(p, input, filter) || row_is_right(p, input, filter, output);
}

static bool is_convolution(const cmsis_nn_conv_params *p,
                           const cmsis_nn_per_channel_quant_params *quant,
                           const cmsis_nn_dims *input, const cmsis_nn_dims *filter,
                           const cmsis_nn_dims *output, int32_t limit)
{
    return p != NULL && quant != NULL && double_is_dims(input, limit)
           && double_is_dims(filter, limit) && double_is_dims(output, limit)
           && input->n == output->n && p->stride.h >= 1 && p->stride.w >= 1 && p->stride.h <= limit
           && p->stride.w <= limit && p->dilation.h >= 1 && p->dilation.w >= 1
           && p->dilation.h <= limit && p->dilation.w <= limit && p->padding.h >= 0
           && p->padding.w >= 0 && p->padding.h <= limit && p->padding.w <= limit
           && double_is_input_offset(p->input_offset) && double_is_limits(p->activation)
           && p->output_offset >= -128 && p->output_offset <= 127
           && double_are_multipliers(quant->multiplier, quant->shift, output->c);
}

/* The sum of one output: `depth` inputs of each tap from channel `first` on, and their weights, one
 * pixel of the filter apart from the next by `pitch`. */
static int32_t window_sum(const cmsis_nn_conv_params *p, const cmsis_nn_dims *input,
                          const int8_t *image, const cmsis_nn_dims *filter, const int8_t *weights,
                          int32_t pitch, int32_t out_y, int32_t out_x, int32_t first, int32_t depth)
{
    int32_t sum = 0;
    for (int32_t tap_y = 0; tap_y < filter->h; ++tap_y) {
        for (int32_t tap_x = 0; tap_x < filter->w; ++tap_x) {
            const int32_t y = out_y * p->stride.h - p->padding.h + tap_y * p->dilation.h;
            const int32_t x = out_x * p->stride.w - p->padding.w + tap_x * p->dilation.w;
            if (y < 0 || y >= input->h || x < 0 || x >= input->w) {
                continue;
            }
            const int8_t *const pixel = image + (y * input->w + x) * input->c + first;
            const int8_t *const row = weights + (tap_y * filter->w + tap_x) * pitch;
            for (int32_t i = 0; i < depth; ++i) {
                sum += (pixel[i] + p->input_offset) * row[i];
            }
        }
    }
    return sum;
}

arm_cmsis_nn_status arm_convolve_wrapper_s8(
    const cmsis_nn_context *ctx, const cmsis_nn_conv_params *conv_params,
    const cmsis_nn_per_channel_quant_params *quant_params, const cmsis_nn_dims *input_dims,
    const int8_t *input_data, const cmsis_nn_dims *filter_dims, const int8_t *filter_data,
    const cmsis_nn_dims *bias_dims, const int32_t *bias_data, const cmsis_nn_dims *output_dims,
    int8_t *output_data)
{
    const cmsis_nn_conv_params *const p = conv_params;
    DOUBLE_DEMAND(is_convolution(p, quant_params, input_dims, filter_dims, output_dims, LIMIT));
    DOUBLE_DEMAND(input_data != NULL && filter_data != NULL && output_data != NULL);
    DOUBLE_DEMAND(bias_dims != NULL && bias_dims->c == output_dims->c && bias_data != NULL);
    DOUBLE_DEMAND(filter_dims->n == output_dims->c && input_dims->c % filter_dims->c == 0);
    DOUBLE_DEMAND(filter_dims->h * filter_dims->w * filter_dims->c <= LIMIT);
    const int32_t groups = input_dims->c / filter_dims->c;
    DOUBLE_DEMAND(output_dims->c % groups == 0);
    DOUBLE_DEMAND(wrapper_is_right(p, input_dims, filter_dims, output_dims));
    DOUBLE_DEMAND(double_take_scratch(ctx, arm_convolve_wrapper_s8_get_buffer_size(
                                               p, input_dims, filter_dims, output_dims)));
    double_spoil(output_data, output_dims);

    const int32_t filter_bytes = filter_dims->h * filter_dims->w * filter_dims->c;
    const int32_t group_outputs = output_dims->c / groups;
    for (int32_t batch = 0; batch < input_dims->n; ++batch) {
        for (int32_t y = 0; y < output_dims->h; ++y) {
            for (int32_t x = 0; x < output_dims->w; ++x) {
                for (int32_t channel = 0; channel < output_dims->c; ++channel) {
                    const int32_t first = channel / group_outputs * filter_dims->c;
                    const int32_t sum =
                        bias_data[channel]
                        + window_sum(p, input_dims, input_data, filter_dims,
                                     filter_data + channel * filter_bytes, filter_dims->c, y, x,
                                     first, filter_dims->c);
                    *output_data++ = double_output(sum, quant_params->multiplier[channel],
                                                   quant_params->shift[channel], p->output_offset,
                                                   p->activation);
                }
            }
        }
        input_data += input_dims->h * input_dims->w * input_dims->c;
    }
    return ARM_CMSIS_NN_SUCCESS;
}

static cmsis_nn_conv_params as_convolution(const cmsis_nn_dw_conv_params *p)
{
    const cmsis_nn_conv_params same = {p->input_offset, p->output_offset, p->stride,
                                       p->padding,      p->dilation,      p->activation};
    return same;
}

static bool is_simple(const cmsis_nn_dw_conv_params *p, const cmsis_nn_dims *input,
                      const cmsis_nn_dims *output)
{
    return input->c == output->c && input->n == 1 && p->dilation.h == 1 && p->dilation.w == 1;
}

static bool is_3x3(const cmsis_nn_dw_conv_params *p, const cmsis_nn_dims *filter)
{
    return filter->h == 3 && filter->w == 3 && p->padding.h <= 1 && p->padding.w <= 1;
}

int32_t arm_depthwise_conv_wrapper_s8_get_buffer_size(const cmsis_nn_dw_conv_params *dw_conv_params,
                                                      const cmsis_nn_dims *input_dims,
                                                      const cmsis_nn_dims *filter_dims,
                                                      const cmsis_nn_dims *output_dims)
{
    const int32_t taps = filter_dims->h * filter_dims->w;
    int32_t dsp = 0, mve = 0;
    if (is_simple(dw_conv_params, input_dims, output_dims)) {
        dsp = is_3x3(dw_conv_params, filter_dims) ? 0 : 2 * input_dims->c * taps;
        mve = 4 * 124 * taps;
    }
    if (input_dims->c == 1 && output_dims->c > 1) {
        const cmsis_nn_conv_params p = as_convolution(dw_conv_params);
        const cmsis_nn_dims filter = {filter_dims->c, filter_dims->h, filter_dims->w, 1};
        mve = arm_convolve_wrapper_s8_get_buffer_size(&p, input_dims, &filter, output_dims)
              - DOUBLE_EXTRA_BYTES + taps * filter_dims->c;
    }
    return double_max(dsp, mve) + DOUBLE_EXTRA_BYTES;
}

static bool depthwise_is_right(const cmsis_nn_dw_conv_params *p, const cmsis_nn_dims *input,
                               const cmsis_nn_dims *filter, const cmsis_nn_dims *output)
{
    if (input->c == 1 && output->c > 1) {
        const cmsis_nn_conv_params same = as_convolution(p);
        const cmsis_nn_dims turned = {filter->c, filter->h, filter->w, 1};
        if (!wrapper_is_right(&same, input, &turned, output)) {
            return false;
        }
    }
    if (is_simple(p, input, output)) {
        const int32_t last_y = (output->h - 1) * p->stride.h - p->padding.h;
        const int32_t last_x = (output->w - 1) * p->stride.w - p->padding.w;
        return p->padding.h < filter->h && last_y < input->h
               && (!is_3x3(p, filter) || last_x + 1 < input->w);
    }
    return true;
}

arm_cmsis_nn_status arm_depthwise_conv_wrapper_s8(
    const cmsis_nn_context *ctx, const cmsis_nn_dw_conv_params *dw_conv_params,
    const cmsis_nn_per_channel_quant_params *quant_params, const cmsis_nn_dims *input_dims,
    const int8_t *input_data, const cmsis_nn_dims *filter_dims, const int8_t *filter_data,
    const cmsis_nn_dims *bias_dims, const int32_t *bias_data, const cmsis_nn_dims *output_dims,
    int8_t *output_data)
{
    DOUBLE_DEMAND(dw_conv_params != NULL);
    const cmsis_nn_conv_params p = as_convolution(dw_conv_params);
    const int32_t limit = LIMIT_DEPTHWISE;
    DOUBLE_DEMAND(is_convolution(&p, quant_params, input_dims, filter_dims, output_dims, limit));
    DOUBLE_DEMAND(input_data != NULL && filter_data != NULL && output_data != NULL);
    DOUBLE_DEMAND(bias_dims != NULL && bias_dims->c == output_dims->c && bias_data != NULL);
    DOUBLE_DEMAND(filter_dims->n == 1 && filter_dims->c == output_dims->c);
    DOUBLE_DEMAND(dw_conv_params->ch_mult * input_dims->c == output_dims->c);
    DOUBLE_DEMAND(depthwise_is_right(dw_conv_params, input_dims, filter_dims, output_dims));
    DOUBLE_DEMAND(double_take_scratch(ctx, arm_depthwise_conv_wrapper_s8_get_buffer_size(
                                               dw_conv_params, input_dims, filter_dims,
                                               output_dims)));
    double_spoil(output_data, output_dims);

    /* Whole vectors are read from these: the sanitizers tell where they are not there. */
    const int32_t depth = output_dims->c;
    volatile int32_t seen = 0;
    (void)seen;
    for (int32_t i = depth; i % 4 != 0; ++i) {
        seen += bias_data[i] + quant_params->multiplier[i] + quant_params->shift[i];
        seen += filter_data[(filter_dims->h * filter_dims->w - 1) * depth + i];
    }
    for (int32_t batch = 0; batch < input_dims->n; ++batch) {
        for (int32_t y = 0; y < output_dims->h; ++y) {
            for (int32_t x = 0; x < output_dims->w; ++x) {
                for (int32_t channel = 0; channel < depth; ++channel) {
                    const int32_t source = channel / dw_conv_params->ch_mult;
                    const int32_t sum =
                        bias_data[channel]
                        + window_sum(&p, input_dims, input_data, filter_dims,
                                     filter_data + channel, depth, y, x, source, 1);
                    *output_data++ = double_output(sum, quant_params->multiplier[channel],
                                                   quant_params->shift[channel], p.output_offset,
                                                   p.activation);
                }
            }
        }
        input_data += input_dims->h * input_dims->w * input_dims->c;
    }
    return ARM_CMSIS_NN_SUCCESS;
}
