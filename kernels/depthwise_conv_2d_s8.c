/* depthwise_conv_2d_s8.c: portable DEPTHWISE_CONV_2D. Padding taps add nothing. */
#include "depthwise_conv_2d_s8.h"

#include "tinyrt_fixedpoint.h"
#include "tinyrt_window.h"

void tinyrt_depthwise_conv_2d_s8(const tinyrt_depthwise_conv_2d_s8_params *params,
                                 const int8_t *input, int8_t *output)
{
    const tinyrt_depthwise_conv_2d_s8_params *const p = params;
    const int32_t row_bytes = p->input_width * p->input_depth;
    const int32_t channels = p->output_depth;
    const int32_t multiplier = channels / p->input_depth;
    const int32_t filter_row = p->filter_width * channels;

    for (int32_t turn = 0; turn < p->batches; ++turn) {
        const int32_t batch = tinyrt_place(turn, p->batches, p->backward);
        const int8_t *const image = input + batch * p->input_height * row_bytes;
        for (int32_t turn_y = 0; turn_y < p->output_height; ++turn_y) {
            const int32_t out_y = tinyrt_place(turn_y, p->output_height, p->backward);
            const int32_t origin_y = out_y * p->stride_height - p->pad_top;
            const int32_t y_first = tinyrt_first_tap(origin_y, p->dilation_height);
            const int32_t y_end =
                tinyrt_end_tap(origin_y, p->dilation_height, p->filter_height, p->input_height);
            for (int32_t turn_x = 0; turn_x < p->output_width; ++turn_x) {
                const int32_t out_x = tinyrt_place(turn_x, p->output_width, p->backward);
                const int32_t origin_x = out_x * p->stride_width - p->pad_left;
                const int32_t x_first = tinyrt_first_tap(origin_x, p->dilation_width);
                const int32_t x_end =
                    tinyrt_end_tap(origin_x, p->dilation_width, p->filter_width, p->input_width);
                int8_t *const out =
                    output +
                    ((batch * p->output_height + out_y) * p->output_width + out_x) * channels;
                for (int32_t turn_c = 0; turn_c < channels; ++turn_c) {
                    const int32_t channel = tinyrt_place(turn_c, channels, p->backward);
                    const int8_t *const in = image + channel / multiplier;
                    const int8_t *const filter = p->filter + channel;
                    int32_t sum = p->bias[channel];
                    for (int32_t y = y_first; y < y_end; ++y) {
                        const int32_t row = (origin_y + y * p->dilation_height) * row_bytes;
                        for (int32_t x = x_first; x < x_end; ++x) {
                            const int32_t pixel =
                                row + (origin_x + x * p->dilation_width) * p->input_depth;
                            sum += (in[pixel] + p->input_offset) *
                                   filter[y * filter_row + x * channels];
                        }
                    }
                    out[channel] = tinyrt_output_s8(sum, p->multipliers[channel], p->shifts[channel],
                                                    p->output_offset, p->activation_min,
                                                    p->activation_max);
                }
            }
        }
    }
}
