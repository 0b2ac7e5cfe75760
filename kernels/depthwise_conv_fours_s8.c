/* depthwise_conv_fours_s8.c: DEPTHWISE_CONV_2D, four channels of a pixel at a time. Padding adds nothing. */
#include "depthwise_conv_fours_s8.h"

#include "tinyrt_dsp.h"
#include "tinyrt_fixedpoint.h"
#include "tinyrt_mve.h"
#include "tinyrt_window.h"

/* The taps of a window that lie inside the input; steps are in bytes. The assembly knows the offsets. */
typedef struct {
    const int8_t *input;     /* 0 */
    const int8_t *filter;    /* 4 */
    int32_t height;          /* 8 */
    int32_t width;           /* 12 */
    int32_t input_row_step;  /* 16: from row to row of taps, */
    int32_t input_step;      /* 20: and from tap to tap */
    int32_t filter_row_step; /* 24 */
    int32_t filter_step;     /* 28 */
    int32_t input_offset;    /* 32 */
} taps;

#if TINYRT_HAS_MVE

/* Adds the products of up to four channels to their sums. */
static void add_products(const taps *t, int32_t count, int32_t *sums)
{
    register const taps *r0 __asm__("r0") = t;
    register int32_t *r1 __asm__("r1") = sums;
    register int32_t r2 __asm__("r2") = count;

    __asm__ volatile(
        "vctp.32 r2\n\t"
        "vldrw.u32 q0, [r1]\n\t"
        "ldrd r11, r12, [r0]\n\t"
        "ldrd r4, r5, [r0, #8]\n\t"
        "ldrd r6, r8, [r0, #16]\n\t"
        "ldrd r9, r10, [r0, #24]\n\t"
        "ldr r0, [r0, #32]\n\t"
        "1:\n\t" /* a row */
        "mov r2, r11\n\t"
        "mov r3, r12\n\t"
        "dls lr, r5\n\t"
        "2:\n\t"
        "vpstt\n\t"
        "vldrbt.s32 q1, [r2]\n\t"
        "vldrbt.s32 q2, [r3]\n\t"
        "vadd.i32 q1, q1, r0\n\t"
        "vmul.i32 q1, q1, q2\n\t"
        "add r2, r2, r8\n\t"
        "vadd.i32 q0, q0, q1\n\t"
        "add r3, r3, r10\n\t"
        "le lr, 2b\n\t"
        "add r11, r11, r6\n\t"
        "add r12, r12, r9\n\t"
        "subs r4, r4, #1\n\t"
        "bne 1b\n\t"
        "vstrw.32 q0, [r1]\n\t"
        : "+r"(r0), "+r"(r1), "+r"(r2)
        :
        : "r3", "r4", "r5", "r6", "r8", "r9", "r10", "r11", "r12", "lr", "cc", "q0", "q1", "q2",
          "memory");
}

#else

/* The same for fewer than four channels. */
static void add_products_of_some(const taps *t, int32_t count, int32_t *sums)
{
    for (int32_t channel = 0; channel < count; ++channel) {
        const int8_t *input_row = t->input + channel;
        const int8_t *filter_row = t->filter + channel;
        int32_t sum = sums[channel];
        for (int32_t y = t->height; y > 0; --y) {
            const int8_t *input = input_row;
            const int8_t *filter = filter_row;
            for (int32_t x = t->width; x > 0; --x) {
                sum += (*input + t->input_offset) * *filter;
                input += t->input_step;
                filter += t->filter_step;
            }
            input_row += t->input_row_step;
            filter_row += t->filter_row_step;
        }
        sums[channel] = sum;
    }
}

/* Adds the products of four channels to their sums. */
static void add_products(const taps *t, int32_t count, int32_t *sums)
{
    const int8_t *input_row = t->input;
    const int8_t *filter_row = t->filter;
    int32_t sum_0 = sums[0];
    int32_t sum_1 = sums[1];
    int32_t sum_2 = sums[2];
    int32_t sum_3 = sums[3];
#if TINYRT_HAS_DSP
    const uint32_t offsets = ((uint32_t)t->input_offset & 0xFFFFu) * 0x10001u;
#endif

    if (count < 4) {
        add_products_of_some(t, count, sums);
        return;
    }
    for (int32_t y = t->height; y > 0; --y) {
        const int8_t *input = input_row;
        const int8_t *filter = filter_row;
        for (int32_t x = t->width; x > 0; --x) {
#if TINYRT_HAS_DSP
            const uint32_t values = tinyrt_load_4(input);
            const uint32_t weights = tinyrt_load_4(filter);
            const int32_t even = (int32_t)tinyrt_sxtab16(offsets, values);
            const int32_t odd = (int32_t)tinyrt_sxtab16_ror8(offsets, values);
            const int32_t even_weights = (int32_t)tinyrt_sxtb16(weights);
            const int32_t odd_weights = (int32_t)tinyrt_sxtb16_ror8(weights);
            sum_0 += (int16_t)even * (int16_t)even_weights;
            sum_1 += (int16_t)odd * (int16_t)odd_weights;
            sum_2 += (even >> 16) * (even_weights >> 16); /* >> drops the lower halves */
            sum_3 += (odd >> 16) * (odd_weights >> 16);
#else
            sum_0 += (input[0] + t->input_offset) * filter[0];
            sum_1 += (input[1] + t->input_offset) * filter[1];
            sum_2 += (input[2] + t->input_offset) * filter[2];
            sum_3 += (input[3] + t->input_offset) * filter[3];
#endif
            input += t->input_step;
            filter += t->filter_step;
        }
        input_row += t->input_row_step;
        filter_row += t->filter_row_step;
    }
    sums[0] = sum_0;
    sums[1] = sum_1;
    sums[2] = sum_2;
    sums[3] = sum_3;
}

#endif

#if TINYRT_HAS_MVE && TINYRT_NUMERICS == TINYRT_NUMERICS_TFLM

/* Writes up to four outputs from their sums: shifted left, or scaled and shifted right. */
static void put(const tinyrt_depthwise_conv_fours_s8_params *p, const int32_t *sums, int32_t channel,
                int32_t count, int8_t *output)
{
    __asm__ volatile(
        "vctp.32 %[count]\n\t"
        "vpsttt\n\t"
        "vldrwt.u32 q0, [%[bias]]\n\t"
        "vldrwt.u32 q1, [%[multipliers]]\n\t"
        "vldrbt.s32 q2, [%[shifts]]\n\t"
        "vldrw.u32 q3, [%[sums]]\n\t"
        "vadd.i32 q0, q0, q3\n\t"
        "vdup.32 q3, %[zero]\n\t"
        "vmax.s32 q3, q2, q3\n\t"
        "vshl.s32 q0, q0, q3\n\t" /* to the left */
        "vsub.i32 q2, q2, q3\n\t" /* what is left of the shift, to the right */
        "vqrdmulh.s32 q0, q0, q1\n\t"
        "vand q1, q0, q2\n\t" /* both negative: halves away from zero are one less */
        "vshr.s32 q1, q1, #31\n\t"
        "vadd.i32 q0, q0, q1\n\t"
        "vrshl.s32 q0, q0, q2\n\t"
        "vdup.32 q1, %[low]\n\t"
        "vdup.32 q2, %[high]\n\t"
        "vadd.i32 q0, q0, %[offset]\n\t"
        "vmax.s32 q0, q0, q1\n\t"
        "vmin.s32 q0, q0, q2\n\t"
        "vpst\n\t"
        "vstrbt.32 q0, [%[output]]\n\t"
        :
        : [count] "r"(count), [bias] "r"(p->bias + channel), [multipliers] "r"(p->multipliers + channel),
          [shifts] "l"(p->shifts + channel), [sums] "r"(sums), [zero] "r"(0),
          [low] "r"(p->activation_min), [high] "r"(p->activation_max),
          [offset] "r"(p->output_offset), [output] "l"(output + channel)
        : "cc", "q0", "q1", "q2", "q3", "memory");
}

#else

/* Writes up to four outputs from their sums. */
static void put(const tinyrt_depthwise_conv_fours_s8_params *p, const int32_t *sums, int32_t channel,
                int32_t count, int8_t *output)
{
    for (int32_t i = 0; i < count; ++i) {
        const int32_t place = channel + i;
        output[place] = tinyrt_output_s8(sums[i] + p->bias[place], p->multipliers[place],
                                         p->shifts[place], p->output_offset, p->activation_min,
                                         p->activation_max);
    }
}

#endif

/* Up to four channels of a pixel, from `channel` on. */
static void pixel(const tinyrt_depthwise_conv_fours_s8_params *p, taps *t, int32_t channel,
                  int8_t *output)
{
    const int32_t left = p->input_depth - channel;
    const int32_t count = left < 4 ? left : 4;
    int32_t sums[4] = {0, 0, 0, 0};

    if (t->height > 0 && t->width > 0) {
        t->input += channel;
        t->filter += channel;
        add_products(t, count, sums);
        t->input -= channel;
        t->filter -= channel;
    }
    put(p, sums, channel, count, output);
}

void tinyrt_depthwise_conv_fours_s8(const tinyrt_depthwise_conv_fours_s8_params *params,
                                    const int8_t *input, int8_t *output)
{
    const tinyrt_depthwise_conv_fours_s8_params *const p = params;
    const int32_t depth = p->input_depth;
    const int32_t fours = (depth + 3) / 4;
    const int32_t pixels = p->output_height * p->output_width;
    taps t;

    t.input_row_step = p->dilation_height * p->input_width * depth;
    t.input_step = p->dilation_width * depth;
    t.filter_row_step = p->filter_width * depth;
    t.filter_step = depth;
    t.input_offset = p->input_offset;
    for (int32_t turn = 0; turn < p->batches * pixels; ++turn) {
        const int32_t number = tinyrt_place(turn, p->batches * pixels, p->backward);
        const int32_t batch = number / pixels;
        const int32_t row = number / p->output_width - batch * p->output_height;
        const int32_t y = row * p->stride_height - p->pad_top;
        const int32_t x = number % p->output_width * p->stride_width - p->pad_left;
        const int32_t y_first = tinyrt_first_tap(y, p->dilation_height);
        const int32_t x_first = tinyrt_first_tap(x, p->dilation_width);
        t.height = tinyrt_end_tap(y, p->dilation_height, p->filter_height, p->input_height) - y_first;
        t.width = tinyrt_end_tap(x, p->dilation_width, p->filter_width, p->input_width) - x_first;
        t.input = input + ((batch * p->input_height + y + y_first * p->dilation_height) *
                               p->input_width +
                           x + x_first * p->dilation_width) *
                              depth;
        t.filter = p->filter + y_first * t.filter_row_step + x_first * depth;
        for (int32_t turn_4 = 0; turn_4 < fours; ++turn_4) {
            pixel(p, &t, 4 * tinyrt_place(turn_4, fours, p->backward), output + number * depth);
        }
    }
}
