/* depthwise_conv_3x3_s8.c: DEPTHWISE_CONV_2D, 3x3, channel by channel through a plane.
 *
 * A channel's values lie far apart; copied into a plane of 16-bit values with its padding, they are
 * neighbours, and two of them make one operand. The stream holds, for each channel,
 *
 *     2 * bias << 8 | e         e: right shift of the requantization, less 1
 *     multiplier
 *     w0 w1 w1 w2 of each row   bytes 0 and 2, and 1 and 3, are what SXTB16 makes pairs of
 *
 * The biases have taken in the input's zero-point. */
#include "depthwise_conv_3x3_s8.h"

#include "depthwise_conv_3x3_lanes.h"
#include "depthwise_conv_3x3_mve.h"
#include "depthwise_conv_3x3_rows.h"
#include "tinyrt_dsp.h"
#include "tinyrt_fixedpoint.h"

typedef tinyrt_depthwise_conv_3x3_s8_params geometry;

#if TINYRT_HAS_MVE

static void band(const geometry *p, const int8_t *input, int8_t *output, int32_t first, int32_t rows,
                 int16_t *plane)
{
    tinyrt_mve_depthwise_band(p, input, output, first, rows, (int8_t *)plane);
}

#else

#if TINYRT_HAS_DSP

#if TINYRT_NUMERICS == TINYRT_NUMERICS_SINGLE
#define HIGH "smmla "
#else
#define HIGH "smmlar "
#endif

/* A row of taps for four outputs in r8 to r11, from six values at `place`, on top of `a` to `d`. */
#define ROW_4(place, offset, a, b, c, d)                                                            \
    "ldmia " place ", {r2, r3, r4}\n\t"                                                             \
    "ldrd r5, r6, [r1, #" offset "]\n\t"                                                            \
    "smlatb r9, r2, r5, " b "\n\t"                                                                  \
    "smlad r10, r3, r5, " c "\n\t"                                                                  \
    "smlatb r11, r3, r5, " d "\n\t"                                                                 \
    "smlad r8, r2, r5, " a "\n\t"                                                                   \
    "smlabt r8, r3, r6, r8\n\t"                                                                     \
    "smlad r9, r3, r6, r9\n\t"                                                                      \
    "smlabt r10, r4, r6, r10\n\t"                                                                   \
    "smlad r11, r4, r6, r11\n\t"
/* The same for outputs two values apart, from ten values. */
#define ROW_4_APART(place, offset, a, b, c, d)                                                      \
    "ldmia " place ", {r2, r3, r4}\n\t"                                                             \
    "ldrd r5, r6, [r1, #" offset "]\n\t"                                                            \
    "smlad r10, r4, r5, " c "\n\t"                                                                  \
    "smlad r9, r3, r5, " b "\n\t"                                                                   \
    "mov r11, " d "\n\t"                                                                            \
    "smlad r8, r2, r5, " a "\n\t"                                                                   \
    "smlabt r9, r4, r6, r9\n\t"                                                                     \
    "smlabt r8, r3, r6, r8\n\t"                                                                     \
    "ldrd r2, r3, [" place ", #12]\n\t"                                                             \
    "smlabt r10, r2, r6, r10\n\t"                                                                   \
    "smlad r11, r2, r5, r11\n\t"                                                                    \
    "smlabt r11, r3, r6, r11\n\t"
/* Two outputs of a row of four values. */
#define ROW_2(place, offset, a, b)                                                                  \
    "ldmia " place ", {r2, r3}\n\t"                                                                 \
    "ldrd r5, r6, [r1, #" offset "]\n\t"                                                            \
    "smlatb r9, r2, r5, " b "\n\t"                                                                  \
    "smlad r8, r2, r5, " a "\n\t"                                                                   \
    "smlad r9, r3, r6, r9\n\t"                                                                      \
    "smlabt r8, r3, r6, r8\n\t"
/* Two outputs, two values apart, of a row of six. */
#define ROW_2_APART(place, offset, a, b)                                                            \
    "ldmia " place ", {r2, r3, r4}\n\t"                                                             \
    "ldrd r5, r6, [r1, #" offset "]\n\t"                                                            \
    "smlad r9, r3, r5, " b "\n\t"                                                                   \
    "smlad r8, r2, r5, " a "\n\t"                                                                   \
    "smlabt r9, r4, r6, r9\n\t"                                                                     \
    "smlabt r8, r3, r6, r8\n\t"
#define TWO(row, advance)                                                                                    \
    "ldr r8, [r1, #44]\n\t"                                                                         \
    row("r0", "0", "r8", "r8")                                                                      \
    "add r12, r0, r7\n\t"                                                                           \
    row("r12", "8", "r8", "r9")                                                                     \
    "add r12, r12, r7\n\t"                                                                          \
    row("r12", "16", "r8", "r9")                                                                    \
    "ldrd r2, r3, [r1, #24]\n\t"                                                                    \
    "ldrd r4, r5, [r1, #32]\n\t"                                                                    \
    "subs r11, r11, #1\n\t"                                                                         \
    "it eq\n\t"                                                                                     \
    "ldreq r5, [r1, #40]\n\t"                                                                       \
    HIGH "r8, r8, r2, r3\n\t"                                                                       \
    HIGH "r9, r9, r2, r3\n\t"                                                                       \
    "asr r8, r8, r4\n\t"                                                                            \
    "asr r9, r9, r4\n\t"                                                                            \
    "ssat r8, #8, r8, asr #1\n\t"                                                                   \
    "ssat r9, #8, r9, asr #1\n\t"                                                                   \
    "strb r9, [lr, r5]\n\t"                                                                         \
    "strb r8, [lr]\n\t"                                                                             \
    "add lr, lr, r5, lsl #1\n\t"                                                                    \
    "add r0, r0, #" advance "\n\t"

#define FOUR(row, advance)                                                                          \
    "ldr r8, [r1, #44]\n\t"                                                                         \
    row("r0", "0", "r8", "r8", "r8", "r8")                                                          \
    "add r12, r0, r7\n\t"                                                                           \
    row("r12", "8", "r8", "r9", "r10", "r11")                                                       \
    "add r12, r12, r7\n\t"                                                                          \
    row("r12", "16", "r8", "r9", "r10", "r11")                                                      \
    "ldrd r2, r3, [r1, #24]\n\t"                                                                    \
    "ldrd r4, r5, [r1, #32]\n\t"                                                                    \
    HIGH "r8, r8, r2, r3\n\t"                                                                       \
    HIGH "r9, r9, r2, r3\n\t"                                                                       \
    HIGH "r10, r10, r2, r3\n\t"                                                                     \
    HIGH "r11, r11, r2, r3\n\t"                                                                     \
    "asr r8, r8, r4\n\t"                                                                            \
    "asr r9, r9, r4\n\t"                                                                            \
    "asr r10, r10, r4\n\t"                                                                          \
    "asr r11, r11, r4\n\t"                                                                          \
    "ssat r8, #8, r8, asr #1\n\t"                                                                   \
    "ssat r9, #8, r9, asr #1\n\t"                                                                   \
    "ssat r10, #8, r10, asr #1\n\t"                                                                 \
    "ssat r11, #8, r11, asr #1\n\t"                                                                 \
    "strb r8, [lr]\n\t"                                                                             \
    "strb r9, [lr, r5]\n\t"                                                                         \
    "add lr, lr, r5, lsl #1\n\t"                                                                    \
    "strb r10, [lr]\n\t"                                                                            \
    "strb r11, [lr, r5]\n\t"                                                                        \
    "add lr, lr, r5, lsl #1\n\t"                                                                    \
    "add r0, r0, #" advance "\n\t"

/* Rows of outputs. r0 runs through the plane, lr through the output. */
#define ROWS(four_row, four_advance, two_row, two_advance)                                          \
    "ldr r7, [r1, #76]\n\t"                                                                         \
    "ldrd r0, lr, [r1, #48]\n\t"                                                                    \
    "ldr r6, [r1, #64]\n\t"                                                                         \
    "b 2f\n\t"                                                                                      \
    "1:\n\t"                                                                                        \
    FOUR(four_row, four_advance)                                                                    \
    "ldr r6, [r1, #64]\n\t"                                                                         \
    "2:\n\t"                                                                                        \
    "cmp r0, r6\n\t"                                                                                \
    "bne 1b\n\t"                                                                                    \
    "ldr r11, [r1, #72]\n\t"                                                                        \
    "cmp r11, #0\n\t"                                                                               \
    "beq 4f\n\t"                                                                                    \
    "3:\n\t"                                                                                        \
    TWO(two_row, two_advance)                                                                       \
    "bne 3b\n\t"                                                                                    \
    "4:\n\t"                                                                                        \
    "add r0, r1, #48\n\t"                                                                           \
    "ldmia r0, {r2, r3, r4, r5, r6, r12}\n\t"                                                       \
    "add r2, r2, r4\n\t"                                                                            \
    "add r3, r3, r5\n\t"                                                                            \
    "add r6, r6, r4\n\t"                                                                            \
    "subs r12, r12, #1\n\t"                                                                         \
    "stmia r0, {r2, r3, r4, r5, r6, r12}\n\t"                                                       \
    "mov r0, r2\n\t"                                                                                \
    "mov lr, r3\n\t"                                                                                \
    "bne 2b\n\t"
#define CLOBBERED                                                                                   \
    "r0", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "lr", "cc", "memory"

static void tinyrt_depthwise_run(tinyrt_depthwise_channel *c)
{
    register tinyrt_depthwise_channel *r1 __asm__("r1") = c;

    if (c->stride == 1) {
        __asm__ volatile(ROWS(ROW_4, "8", ROW_2, "4") : "+r"(r1) : : CLOBBERED);
    } else {
        __asm__ volatile(ROWS(ROW_4_APART, "16", ROW_2_APART, "8") : "+r"(r1) : : CLOBBERED);
    }
}

/* Takes in the words of a channel. */
static const int32_t *tinyrt_depthwise_load(tinyrt_depthwise_channel *c, const int32_t *stream)
{
    register const int32_t *r1 __asm__("r1") = stream;
    register tinyrt_depthwise_channel *r0 __asm__("r0") = c;
    register int32_t r2 __asm__("r2") = 2 * c->output_offset + 1;

    __asm__ volatile(
        "mov r7, r2\n\t"
        "ldmia r1!, {r2, r3, r4, r5, r6}\n\t"
        "sxtb16 r8, r4\n\t"
        "sxtb16 r9, r4, ror #8\n\t"
        "sxtb16 r10, r5\n\t"
        "sxtb16 r11, r5, ror #8\n\t"
        "sxtb16 r12, r6\n\t"
        "sxtb16 lr, r6, ror #8\n\t"
        "sadd16 r8, r8, r8\n\t"
        "sadd16 r9, r9, r9\n\t"
        "sadd16 r10, r10, r10\n\t"
        "sadd16 r11, r11, r11\n\t"
        "sadd16 r12, r12, r12\n\t"
        "sadd16 lr, lr, lr\n\t"
        "stmia r0, {r8, r9, r10, r11, r12, lr}\n\t"
        "and r5, r2, #31\n\t"
        "asr r6, r2, #8\n\t"
        "lsl r4, r7, r5\n\t"
        "strd r3, r4, [r0, #24]\n\t"
        "str r5, [r0, #32]\n\t"
        "str r6, [r0, #44]\n\t"
        : "+r"(r0), "+r"(r1), "+r"(r2)
        :
        : "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "lr", "cc", "memory");
    return r1;
}

/* Copies rows of values that lie `step` bytes apart. */
static void tinyrt_depthwise_copy(const geometry *p, const int8_t *input, int32_t rows_left, int16_t *plane)
{
    const int32_t step = p->input_column_step;
    const int32_t step_3 = 3 * step;
    const int32_t count = p->input_columns;
    const int32_t fours = count / 4;
    const int32_t input_gap = p->input_row_step - count * step;
    const int32_t plane_gap = 2 * (p->pitch - count);
    int32_t a, b, c, d, left;

    __asm__ volatile(
        "1:\n\t"
        "movs %[left], %[fours]\n\t"
        "beq 3f\n\t"
        "2:\n\t"
        "ldrsb %[a], [%[input]]\n\t"
        "ldrsb %[b], [%[input], %[step]]\n\t"
        "ldrsb %[c], [%[input], %[step], lsl #1]\n\t"
        "ldrsb %[d], [%[input], %[step_3]]\n\t"
        "add %[input], %[input], %[step], lsl #2\n\t"
        "pkhbt %[a], %[a], %[b], lsl #16\n\t"
        "pkhbt %[c], %[c], %[d], lsl #16\n\t"
        "str %[a], [%[plane]], #4\n\t"
        "str %[c], [%[plane]], #4\n\t"
        "subs %[left], %[left], #1\n\t"
        "bne 2b\n\t"
        "3:\n\t"
        "lsls %[left], %[count], #31\n\t" /* carry: two more; negative: one more */
        "bcc 4f\n\t"
        "ldrsb %[a], [%[input]]\n\t"
        "ldrsb %[b], [%[input], %[step]]\n\t"
        "add %[input], %[input], %[step], lsl #1\n\t"
        "pkhbt %[a], %[a], %[b], lsl #16\n\t"
        "str %[a], [%[plane]], #4\n\t"
        "4:\n\t"
        "lsls %[left], %[count], #31\n\t"
        "bpl 5f\n\t"
        "ldrsb %[a], [%[input]]\n\t"
        "add %[input], %[input], %[step]\n\t"
        "strh %[a], [%[plane]], #2\n\t"
        "5:\n\t"
        "ldr %[a], %[input_gap]\n\t"
        "ldr %[b], %[plane_gap]\n\t"
        "add %[input], %[input], %[a]\n\t"
        "add %[plane], %[plane], %[b]\n\t"
        "subs %[rows_left], %[rows_left], #1\n\t"
        "bne 1b\n\t"
        : [a] "=&r"(a), [b] "=&r"(b), [c] "=&r"(c), [d] "=&r"(d), [left] "=&r"(left),
          [input] "+r"(input), [plane] "+r"(plane), [rows_left] "+r"(rows_left)
        : [step] "r"(step), [step_3] "r"(step_3), [fours] "r"(fours), [count] "r"(count),
          [input_gap] "m"(input_gap), [plane_gap] "m"(plane_gap)
        : "cc", "memory");
}

#endif

static void fill(int16_t *plane, int32_t words, int32_t zero_point)
{
    for (int32_t i = 0; i < words; ++i) {
        plane[2 * i] = (int16_t)zero_point;
        plane[2 * i + 1] = (int16_t)zero_point;
    }
}

/* Some rows of output, all channels. */
static void band(const geometry *p, const int8_t *input, int8_t *output, int32_t first, int32_t rows,
                 int16_t *plane)
{
    const int32_t plane_rows = (rows - 1) * p->stride + 3;
    const int32_t top = first * p->stride - p->pad_rows;
    const int32_t begin = top < 0 ? -top : 0;
    const int32_t end = top + plane_rows > p->input_rows ? p->input_rows - top : plane_rows;
    const int32_t pitch = p->pitch;
    const int32_t fours = p->output_columns / 4;
    /* The last window of a row may end in the padding before the next one: there is some behind the last. */
    const int32_t seen = (p->output_columns + p->output_columns % 2) * p->stride + 2;
    const int32_t behind = seen > pitch ? seen - pitch : 0;
    int16_t *const place = plane + begin * pitch + p->pad_columns;
    const int32_t *stream = p->stream;
    tinyrt_depthwise_channel c;

    fill(plane, (plane_rows * pitch + behind) / 2, p->input_zero_point);
    c.column_step = p->output_column_step;
    c.last_step = p->output_columns % 2 == 0 ? p->output_column_step : 0;
    c.row_bytes = 2 * p->stride * pitch;
    c.output_row_step = p->output_row_step;
    c.twos = (p->output_columns - 4 * fours + 1) / 2;
    c.pitch_bytes = 2 * pitch;
    c.stride = p->stride;
    c.columns = p->output_columns;
    c.output_offset = p->output_offset;
    input += (top + begin) * p->input_row_step;
    output += first * p->output_row_step;
    for (int32_t left = p->channels; left > 0; --left) {
        tinyrt_depthwise_copy(p, input, end - begin, place);
        stream = tinyrt_depthwise_load(&c, stream);
        c.row = plane;
        c.output = output++;
        c.fours_end = plane + 4 * p->stride * fours;
        c.rows = rows;
        tinyrt_depthwise_run(&c);
        ++input;
    }
}

#endif

void tinyrt_depthwise_conv_3x3_s8(const tinyrt_depthwise_conv_3x3_s8_params *params,
                                  const int8_t *input, int8_t *output, void *scratch)
{
    const geometry *const p = params;
    const int32_t most = p->band_rows;
    int32_t first = 0;

#if TINYRT_HAS_MVE
    if (p->lanes != 0) {
        tinyrt_mve_depthwise_lanes(p, input, output, scratch);
        return;
    }
#endif
    while (first < p->output_rows) {
        const int32_t left = p->output_rows - first;
        band(p, input, output, first, left < most ? left : most, (int16_t *)scratch);
        first += most;
    }
}
