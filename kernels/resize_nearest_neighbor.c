/* resize_nearest_neighbor.c: portable RESIZE_NEAREST_NEIGHBOR. */
#include "resize_nearest_neighbor.h"

#include "tinyrt_move.h"

void tinyrt_resize_nearest_neighbor(const tinyrt_resize_nearest_neighbor_params *params,
                                    const void *input, void *output)
{
    const tinyrt_resize_nearest_neighbor_params *const p = params;
    const int32_t row_bytes = p->input_width * p->pixel_bytes;
    const size_t pixel_bytes = (size_t)p->pixel_bytes;
    const size_t output_row_bytes = (size_t)p->output_width * pixel_bytes;
    const uint8_t *image = input;
    uint8_t *out = output;

    for (int32_t batch = 0; batch < p->batches; ++batch) {
        for (int32_t y = 0; y < p->output_height; ++y) {
            if (y > 0 && p->rows[y] == p->rows[y - 1]) {
                memcpy(out, out - output_row_bytes, output_row_bytes);
                out += output_row_bytes;
                continue;
            }
            const uint8_t *const row = image + p->rows[y] * row_bytes;
            for (int32_t x = 0; x < p->output_width; ++x) {
                tinyrt_move_down(out, row + p->columns[x] * p->pixel_bytes, p->pixel_bytes);
                out += pixel_bytes;
            }
        }
        image += p->input_height * row_bytes;
    }
}
