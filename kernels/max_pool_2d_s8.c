/* max_pool_2d_s8.c: portable MAX_POOL_2D. Padding has no values. */
#include "max_pool_2d_s8.h"

#include "tinyrt_window.h"

void tinyrt_max_pool_2d_s8(const tinyrt_max_pool_2d_s8_params *params, const int8_t *input,
                           int8_t *output)
{
    const tinyrt_max_pool_2d_s8_params *const p = params;
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
                for (int32_t channel = 0; channel < p->depth; ++channel) {
                    int32_t greatest = p->activation_min;
                    for (int32_t y = y_first; y < y_end; ++y) {
                        const int8_t *const row = input + (origin_y + y) * row_bytes + channel;
                        for (int32_t x = x_first; x < x_end; ++x) {
                            const int32_t value = row[(origin_x + x) * p->depth];
                            greatest = value > greatest ? value : greatest;
                        }
                    }
                    *output++ =
                        (int8_t)(greatest < p->activation_max ? greatest : p->activation_max);
                }
            }
        }
        input += p->input_height * row_bytes;
    }
}
