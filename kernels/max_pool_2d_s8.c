/* max_pool_2d_s8.c: MAX_POOL_2D. Padding has no values. */
#include "max_pool_2d_s8.h"

#include "tinyrt_dsp.h"
#include "tinyrt_mve.h"
#include "tinyrt_window.h"

#if TINYRT_HAS_MVE

/* The greatest values of up to sixteen channels, from `low` to `high`; returns of how many. */
static int32_t pool_some(const tinyrt_window *w, int32_t left, int32_t low, int32_t high, int8_t *output)
{
    const int8_t *row = w->first;
    int32_t rows = w->height;
    const int8_t *pixel;

    __asm__ volatile(
        "vctp.8 %[left]\n\t"
        "vdup.8 q0, %[low]\n\t"
        "vdup.8 q2, %[high]\n\t"
        "1:\n\t"
        "mov %[pixel], %[row]\n\t"
        "dls lr, %[width]\n\t"
        "2:\n\t"
        "vpst\n\t"
        "vldrbt.u8 q1, [%[pixel]]\n\t"
        "add %[pixel], %[pixel], %[depth]\n\t"
        "vmax.s8 q0, q0, q1\n\t"
        "le lr, 2b\n\t"
        "add %[row], %[row], %[row_bytes]\n\t"
        "subs %[rows], %[rows], #1\n\t"
        "bne 1b\n\t"
        "vmin.s8 q0, q0, q2\n\t"
        "vpst\n\t"
        "vstrbt.8 q0, [%[output]]\n\t"
        : [row] "+r"(row), [rows] "+r"(rows), [pixel] "=&r"(pixel)
        : [left] "r"(left), [low] "r"(low), [high] "r"(high), [width] "r"(w->width),
          [depth] "r"(w->depth), [row_bytes] "r"(w->row_bytes), [output] "r"(output)
        : "lr", "cc", "q0", "q1", "q2", "memory");
    return left < 16 ? left : 16;
}

#elif TINYRT_HAS_DSP

/* The greater of each of four bytes. */
static inline uint32_t greater_4(uint32_t a, uint32_t b)
{
    uint32_t result;
    __asm__("ssub8 %0, %1, %2\n\tsel %0, %1, %2" : "=&r"(result) : "r"(a), "r"(b) : "cc");
    return result;
}

/* The greatest values of four channels, from `low` to `high`; none where fewer are left. */
static int32_t pool_some(const tinyrt_window *w, int32_t left, int32_t low, int32_t high, int8_t *output)
{
    const int8_t *row = w->first;
    uint32_t greatest = ((uint32_t)low & 0xFFu) * 0x01010101u;

    if (left < 4) {
        return 0;
    }
    for (int32_t y = w->height; y > 0; --y) {
        const int8_t *pixel = row;
        for (int32_t x = w->width; x > 0; --x) {
            greatest = greater_4(greatest, tinyrt_load_4(pixel));
            pixel += w->depth;
        }
        row += w->row_bytes;
    }
    /* The lesser of two bytes is the one that the greater one is not: ~ reverses their order. */
    const uint32_t most = ((uint32_t)high & 0xFFu) * 0x01010101u;
    tinyrt_store_4(output, ~greater_4(~greatest, ~most));
    return 4;
}

#else

static int32_t pool_some(const tinyrt_window *w, int32_t left, int32_t low, int32_t high, int8_t *output)
{
    (void)w;
    (void)left;
    (void)low;
    (void)high;
    (void)output;
    return 0;
}

#endif

/* The greatest value of one channel, from `low` to `high`. */
static int8_t pool_one(const tinyrt_window *w, int32_t low, int32_t high)
{
    const int8_t *row = w->first;
    int32_t greatest = low;

    for (int32_t y = w->height; y > 0; --y) {
        const int8_t *pixel = row;
        for (int32_t x = w->width; x > 0; --x) {
            greatest = *pixel > greatest ? *pixel : greatest;
            pixel += w->depth;
        }
        row += w->row_bytes;
    }
    return (int8_t)(greatest < high ? greatest : high);
}

/* All channels of a pixel. */
static int8_t *pool(const tinyrt_max_pool_2d_s8_params *p, tinyrt_window *w, int8_t *output)
{
    for (int32_t left = p->depth; left > 0;) {
        int32_t channels = pool_some(w, left, p->activation_min, p->activation_max, output);
        if (channels == 0) {
            *output = pool_one(w, p->activation_min, p->activation_max);
            channels = 1;
        }
        w->first += channels;
        output += channels;
        left -= channels;
    }
    return output;
}

void tinyrt_max_pool_2d_s8(const tinyrt_max_pool_2d_s8_params *params, const int8_t *input,
                           int8_t *output)
{
    const tinyrt_max_pool_2d_s8_params *const p = params;

    for (int32_t batch = 0; batch < p->batches; ++batch) {
        for (int32_t out_y = 0; out_y < p->output_height; ++out_y) {
            for (int32_t out_x = 0; out_x < p->output_width; ++out_x) {
                tinyrt_window w = tinyrt_window_inside(
                    input, p->input_height, p->input_width, p->depth,
                    out_y * p->stride_height - p->pad_top, out_x * p->stride_width - p->pad_left,
                    p->filter_height, p->filter_width);
                output = pool(p, &w, output);
            }
        }
        input += p->input_height * p->input_width * p->depth;
    }
}
