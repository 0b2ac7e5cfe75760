/* average_pool_2d_s8.c: AVERAGE_POOL_2D. Padding has no values and does not count. */
#include "average_pool_2d_s8.h"

#include "tinyrt_dsp.h"
#include "tinyrt_fixedpoint.h"
#include "tinyrt_window.h"

#if TINYRT_HAS_DSP

/* Values that a half of 16 bits can add up. */
#define FOUR_AT_ONCE 256

static int8_t *four_channels(const tinyrt_average_pool_2d_s8_params *p, const int8_t *window,
                             int32_t height, int32_t width, int8_t *output)
{
    uint32_t even = 0;
    uint32_t odd = 0;

    for (int32_t y = 0; y < height; ++y) {
        const int8_t *pixel = window;
        for (int32_t x = 0; x < width; ++x) {
            const uint32_t four = tinyrt_load_4(pixel);
            even = tinyrt_sxtab16(even, four);
            odd = tinyrt_sxtab16_ror8(odd, four);
            pixel += p->depth;
        }
        window += p->input_width * p->depth;
    }
    const int32_t sums[4] = {(int16_t)even, (int16_t)odd, (int32_t)even >> 16, (int32_t)odd >> 16};
    for (int32_t channel = 0; channel < 4; ++channel) {
        *output++ = (int8_t)tinyrt_clamp(tinyrt_rounded_quotient(sums[channel], height * width),
                                         p->activation_min, p->activation_max);
    }
    return output;
}

#endif

void tinyrt_average_pool_2d_s8(const tinyrt_average_pool_2d_s8_params *params, const int8_t *input,
                               int8_t *output)
{
    const tinyrt_average_pool_2d_s8_params *const p = params;
    const int32_t row_bytes = p->input_width * p->depth;

    for (int32_t batch = 0; batch < p->batches; ++batch) {
        for (int32_t out_y = 0; out_y < p->output_height; ++out_y) {
            const int32_t origin_y = out_y * p->stride_height - p->pad_top;
            const int32_t y_first = tinyrt_first_tap(origin_y, 1);
            const int32_t y_end = tinyrt_end_tap(origin_y, 1, p->filter_height, p->input_height);
            for (int32_t out_x = 0; out_x < p->output_width; ++out_x) {
                const int32_t origin_x = out_x * p->stride_width - p->pad_left;
                const int32_t x_first = tinyrt_first_tap(origin_x, 1);
                const int32_t x_end = tinyrt_end_tap(origin_x, 1, p->filter_width, p->input_width);
                const int32_t count = (y_end - y_first) * (x_end - x_first);
                int32_t channel = 0;
#if TINYRT_HAS_DSP
                if (count <= FOUR_AT_ONCE) {
                    const int8_t *const window =
                        input + (origin_y + y_first) * row_bytes + (origin_x + x_first) * p->depth;
                    for (; channel + 4 <= p->depth; channel += 4) {
                        output = four_channels(p, window + channel, y_end - y_first,
                                               x_end - x_first, output);
                    }
                }
#endif
                for (; channel < p->depth; ++channel) {
                    int32_t sum = 0;
                    for (int32_t y = y_first; y < y_end; ++y) {
                        const int8_t *const row = input + (origin_y + y) * row_bytes + channel;
                        for (int32_t x = x_first; x < x_end; ++x) {
                            sum += row[(origin_x + x) * p->depth];
                        }
                    }
                    *output++ = (int8_t)tinyrt_clamp(tinyrt_rounded_quotient(sum, count),
                                                     p->activation_min, p->activation_max);
                }
            }
        }
        input += p->input_height * row_bytes;
    }
}
