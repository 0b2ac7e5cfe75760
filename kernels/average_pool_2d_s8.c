/* average_pool_2d_s8.c: AVERAGE_POOL_2D. Padding has no values and does not count. */
#include "average_pool_2d_s8.h"

#include "tinyrt_dsp.h"
#include "tinyrt_fixedpoint.h"
#include "tinyrt_mve.h"
#include "tinyrt_window.h"

/* Values that 16 bits can add up. */
#define VALUES_AT_ONCE 256

#if TINYRT_HAS_MVE

#define CHANNELS 8

/* Adds up eight channels, or those that are left. */
static int32_t add_up(const tinyrt_window *w, int32_t left, int32_t *sums)
{
    const int8_t *row = w->first;
    int16_t found[CHANNELS];
    int32_t rows = w->height;
    const int8_t *pixel;

    __asm__ volatile(
        "vctp.16 %[left]\n\t"
        "vmov.i16 q0, #0\n\t"
        "1:\n\t"
        "mov %[pixel], %[row]\n\t"
        "dls lr, %[width]\n\t"
        "2:\n\t"
        "vpst\n\t"
        "vldrbt.s16 q1, [%[pixel]]\n\t"
        "add %[pixel], %[pixel], %[depth]\n\t"
        "vadd.i16 q0, q0, q1\n\t"
        "le lr, 2b\n\t"
        "add %[row], %[row], %[row_bytes]\n\t"
        "subs %[rows], %[rows], #1\n\t"
        "bne 1b\n\t"
        "vstrh.16 q0, [%[found]]\n\t"
        : [row] "+r"(row), [rows] "+r"(rows), [pixel] "=&l"(pixel)
        : [left] "r"(left), [width] "r"(w->width), [depth] "r"(w->depth),
          [row_bytes] "r"(w->row_bytes), [found] "r"(found)
        : "lr", "cc", "q0", "q1", "memory");
    for (int32_t i = 0; i < CHANNELS; ++i) {
        sums[i] = found[i];
    }
    return left < CHANNELS ? left : CHANNELS;
}

#elif TINYRT_HAS_DSP

#define CHANNELS 4

/* Adds up four channels; none where fewer are left. */
static int32_t add_up(const tinyrt_window *w, int32_t left, int32_t *sums)
{
    const int8_t *row = w->first;
    uint32_t even = 0;
    uint32_t odd = 0;

    if (left < CHANNELS) {
        return 0;
    }
    for (int32_t y = w->height; y > 0; --y) {
        const int8_t *pixel = row;
        for (int32_t x = w->width; x > 0; --x) {
            const uint32_t four = tinyrt_load_4(pixel);
            even = tinyrt_sxtab16(even, four);
            odd = tinyrt_sxtab16_ror8(odd, four);
            pixel += w->depth;
        }
        row += w->row_bytes;
    }
    sums[0] = (int16_t)even;
    sums[1] = (int16_t)odd;
    sums[2] = (int32_t)even >> 16; /* >> drops the lower half */
    sums[3] = (int32_t)odd >> 16;
    return CHANNELS;
}

#else

#define CHANNELS 1

static int32_t add_up(const tinyrt_window *w, int32_t left, int32_t *sums)
{
    (void)w;
    (void)left;
    (void)sums;
    return 0;
}

#endif

/* Adds up one channel of any number of values. */
static int32_t add_up_one(const tinyrt_window *w)
{
    const int8_t *row = w->first;
    int32_t sum = 0;

    for (int32_t y = w->height; y > 0; --y) {
        const int8_t *pixel = row;
        for (int32_t x = w->width; x > 0; --x) {
            sum += *pixel;
            pixel += w->depth;
        }
        row += w->row_bytes;
    }
    return sum;
}

/* All channels of a pixel. */
static int8_t *pool(const tinyrt_average_pool_2d_s8_params *p, tinyrt_window *w, int8_t *output)
{
    const int32_t count = w->height * w->width;

    for (int32_t left = p->depth; left > 0;) {
        int32_t sums[CHANNELS];
        int32_t channels = count <= VALUES_AT_ONCE ? add_up(w, left, sums) : 0;
        if (channels == 0) {
            sums[0] = add_up_one(w);
            channels = 1;
        }
        for (int32_t i = 0; i < channels; ++i) {
            *output++ = (int8_t)tinyrt_clamp(tinyrt_rounded_quotient(sums[i], count),
                                             p->activation_min, p->activation_max);
        }
        w->first += channels;
        left -= channels;
    }
    return output;
}

void tinyrt_average_pool_2d_s8(const tinyrt_average_pool_2d_s8_params *params, const int8_t *input,
                               int8_t *output)
{
    const tinyrt_average_pool_2d_s8_params *const p = params;

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
