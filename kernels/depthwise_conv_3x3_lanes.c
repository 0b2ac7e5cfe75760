/* depthwise_conv_3x3_lanes.c: sixteen channels at a time, a pixel at a time.
 *
 * Sixteen channels are copied into a plane with their padding; nine vectors of it meet nine vectors of
 * taps. Products have 16 bits, and so have sums of two, as no tap is -128. Two channels share a word: the
 * upper half is added to its sum by a high product with 2^15, the lower one is widened before. */
#include "depthwise_conv_3x3_lanes.h"

#include <string.h>

#include "tinyrt_fixedpoint.h"

#if TINYRT_HAS_MVE

#define LANES 16
#define TAPS 9
#define STREAM_BYTES 20

/* What sixteen channels need; the assembly knows the offsets. Of vectors of words, the first has the channels
 * 4 * lane, the others 2, 1 and 3 more. */
typedef struct {
    int32_t start[4][4];      /* 0: of the sums */
    int32_t multiplier[4][4]; /* 64 */
    int32_t shift[4][4];      /* 128: negative, to the right, in the low byte */
    int8_t taps[TAPS][LANES]; /* 192 */
} channels;

/* Takes in the words of sixteen channels. */
static void load(channels *c, const int32_t *stream)
{
    register channels *r0 __asm__("r0") = c;
    register const int32_t *r1 __asm__("r1") = stream;

#define WORDS(first, second, start)                                                                 \
    "add r2, r1, #" first "\n\t"                                                                    \
    "vldrw.u32 q1, [r2, q0]\n\t" /* bias and shift */                                               \
    "add r3, r1, #" second "\n\t"                                                                   \
    "vldrw.u32 q2, [r3, q0]\n\t"                                                                    \
    "adds r2, r2, #4\n\t"                                                                           \
    "vmvn q3, q1\n\t"                                                                               \
    "vstrw.32 q3, [r0, #128 + " start "]\n\t"                                                       \
    "vmvn q3, q2\n\t"                                                                               \
    "vstrw.32 q3, [r0, #144 + " start "]\n\t"                                                       \
    "vshr.s32 q1, q1, #9\n\t"                                                                       \
    "vshr.s32 q2, q2, #9\n\t"                                                                       \
    "vstrw.32 q2, [r0, #16 + " start "]\n\t"                                                        \
    "vstrw.32 q1, [r0, #" start "]\n\t"                                                             \
    "adds r3, r3, #4\n\t"                                                                           \
    "vldrw.u32 q1, [r2, q0]\n\t"                                                                    \
    "vldrw.u32 q2, [r3, q0]\n\t"                                                                    \
    "vstrw.32 q1, [r0, #64 + " start "]\n\t"                                                        \
    "vstrw.32 q2, [r0, #80 + " start "]\n\t"
#define TAP(place, number)                                                                          \
    "add r2, r1, #" place "\n\t"                                                                    \
    "vldrb.u16 q1, [r2, q0]\n\t"                                                                    \
    "vstrb.16 q1, [r0, #16 * " number "]\n\t"                                                       \
    "add r2, r2, #160\n\t"                                                                          \
    "vldrb.u16 q1, [r2, q0]\n\t"                                                                    \
    "vstrb.16 q1, [r0, #16 * " number " + 8]\n\t"

    __asm__ volatile(
        "movs r2, #0\n\t"
        "vidup.u32 q0, r2, #1\n\t"
        "movs r3, #80\n\t"
        "vmul.i32 q0, q0, r3\n\t"
        WORDS("0", "40", "0")
        WORDS("20", "60", "32")
        "movs r2, #0\n\t"
        "vidup.u16 q0, r2, #1\n\t"
        "movs r3, #20\n\t"
        "vmul.i16 q0, q0, r3\n\t"
        "adds r0, r0, #192\n\t"
        TAP("8", "0") TAP("9", "1") TAP("11", "2")
        TAP("12", "3") TAP("13", "4") TAP("15", "5")
        "adds r0, r0, #96\n\t"
        TAP("16", "0") TAP("17", "1") TAP("19", "2")
        : "+r"(r0), "+r"(r1)
        :
        : "r2", "r3", "cc", "q0", "q1", "q2", "q3", "memory");
}

/* Adds words to the sums of their halves. */
#define ADD(q, low, high)                                                                           \
    "vqdmlah.s32 " high ", " q ", r6\n\t"                                                           \
    "vmovlb.s16 " q ", " q "\n\t"                                                                   \
    "vadd.i32 " low ", " low ", " q "\n\t"
#define ADD_BOTH ADD("q2", "q4", "q5") ADD("q3", "q6", "q7")
/* Products of even channels in q2, of odd ones in q3. */
#define ONE(x, tap)                                                                                 \
    "vldrb.8 q0, " x "\n\t"                                                                         \
    "vldrb.8 q1, [r3, #" tap "]\n\t"                                                                \
    "vmullb.s8 q2, q0, q1\n\t"                                                                      \
    "vmullt.s8 q3, q0, q1\n\t"
/* The same on top of them; the first load leaves the pointer where it is. */
#define MORE(x, again, tap)                                                                         \
    "vldrb.8 q0, " x "\n\t"                                                                         \
    "vldrb.8 q1, [r3, #" tap "]\n\t"                                                                \
    "vmullb.s8 q0, q0, q1\n\t"                                                                      \
    "vadd.i16 q2, q2, q0\n\t"                                                                       \
    "vldrb.8 q0, " again "\n\t"                                                                     \
    "vmullt.s8 q0, q0, q1\n\t"                                                                      \
    "vadd.i16 q3, q3, q0\n\t"
#define SCALE(q, number)                                                                            \
    "vldrw.u32 q0, [r5, #64 + 16 * " number "]\n\t"                                                 \
    TINYRT_MVE_HIGH q ", " q ", q0\n\t"                                                             \
    "vldrw.u32 q0, [r5, #128 + 16 * " number "]\n\t"                                                \
    "vrshl.s32 " q ", " q ", q0\n\t"

/* A row of pixels, whose windows are `step` bytes apart. */
#define ROW(step)                                                                                   \
    __asm__ volatile(                                                                               \
        "add r1, r0, r2\n\t"                                                                        \
        "add r2, r1, r2\n\t"                                                                        \
        "add r3, r5, #256\n\t"                                                                      \
        "mov r6, #0x8000\n\t"                                                                       \
        "dls lr, r8\n\t"                                                                            \
        "1:\n\t"                                                                                    \
        "vldrw.u32 q4, [r5]\n\t"                                                                    \
        "vldrw.u32 q5, [r5, #16]\n\t"                                                               \
        "vldrw.u32 q6, [r5, #32]\n\t"                                                               \
        "vldrw.u32 q7, [r5, #48]\n\t"                                                               \
        ONE("[r0], #" step, "-64")                                                                  \
        MORE("[r0, #16 - " step "]", "[r0, #16 - " step "]", "-48") ADD_BOTH                        \
        ONE("[r0, #32 - " step "]", "-32")                                                          \
        MORE("[r1]", "[r1], #" step, "-16") ADD_BOTH                                                \
        ONE("[r1, #16 - " step "]", "0")                                                            \
        MORE("[r1, #32 - " step "]", "[r1, #32 - " step "]", "16") ADD_BOTH                         \
        ONE("[r2], #" step, "32")                                                                   \
        MORE("[r2, #16 - " step "]", "[r2, #16 - " step "]", "48") ADD_BOTH                         \
        ONE("[r2, #32 - " step "]", "64") ADD_BOTH                                                  \
        SCALE("q4", "0") SCALE("q5", "1") SCALE("q6", "2") SCALE("q7", "3")                         \
        "vqmovnb.s32 q4, q4\n\t"                                                                    \
        "vqmovnt.s32 q4, q5\n\t"                                                                    \
        "vqmovnb.s32 q6, q6\n\t"                                                                    \
        "vqmovnt.s32 q6, q7\n\t"                                                                    \
        "vqadd.s16 q4, q4, r10\n\t"                                                                 \
        "vqadd.s16 q6, q6, r10\n\t"                                                                 \
        "vqmovnb.s16 q4, q4\n\t"                                                                    \
        "vqmovnt.s16 q4, q6\n\t"                                                                    \
        "vstrb.8 q4, [r4]\n\t"                                                                      \
        "add r4, r4, r9\n\t"                                                                        \
        "le lr, 1b\n\t"                                                                             \
        : "+r"(r0), "+r"(r2), "+r"(r4)                                                              \
        : "r"(r5), "r"(r8), "r"(r9), "r"(r10)                                                       \
        : "r1", "r3", "r6", "lr", "cc", "q0", "q1", "q2", "q3", "q4", "q5", "q6", "q7", "memory")

static void row(const tinyrt_depthwise_conv_3x3_s8_params *p, const channels *c, const int8_t *plane,
                int32_t pitch, int8_t *output)
{
    register const int8_t *r0 __asm__("r0") = plane;
    register int32_t r2 __asm__("r2") = pitch;
    register int8_t *r4 __asm__("r4") = output;
    register const channels *r5 __asm__("r5") = c;
    register int32_t r8 __asm__("r8") = p->output_columns;
    register int32_t r9 __asm__("r9") = p->output_column_step;
    register int32_t r10 __asm__("r10") = p->output_offset;

    if (p->stride == 1) {
        ROW("16");
    } else {
        ROW("32");
    }
}

/* How sixteen channels are copied; the assembly knows the offsets. */
typedef struct {
    int32_t rows;        /* 0 */
    int32_t columns;     /* 4 */
    int32_t row_step;    /* 8: of the input */
    int32_t column_step; /* 12 */
    int32_t pitch;       /* 16 */
} copied;

static void copy(const copied *what, const int8_t *input, int8_t *plane)
{
    register const copied *r0 __asm__("r0") = what;
    register const int8_t *r1 __asm__("r1") = input;
    register int8_t *r2 __asm__("r2") = plane;

    __asm__ volatile(
        "ldrd r3, r4, [r0]\n\t"
        "ldrd r5, r6, [r0, #8]\n\t"
        "ldr r0, [r0, #16]\n\t"
        "1:\n\t"
        "mov r8, r1\n\t"
        "mov r9, r2\n\t"
        "dls lr, r4\n\t"
        "2:\n\t"
        "vldrb.8 q0, [r8]\n\t"
        "add r8, r8, r6\n\t"
        "vstrb.8 q0, [r9], #16\n\t"
        "le lr, 2b\n\t"
        "add r1, r1, r5\n\t"
        "add r2, r2, r0\n\t"
        "subs r3, r3, #1\n\t"
        "bne 1b\n\t"
        : "+r"(r0), "+r"(r1), "+r"(r2)
        :
        : "r3", "r4", "r5", "r6", "r8", "r9", "lr", "cc", "q0", "memory");
}

void tinyrt_mve_depthwise_lanes(const tinyrt_depthwise_conv_3x3_s8_params *params, const int8_t *input,
                                int8_t *output, void *scratch)
{
    const tinyrt_depthwise_conv_3x3_s8_params *const p = params;
    const int32_t columns = (p->output_columns - 1) * p->stride + 3;
    const int32_t rows = (p->output_rows - 1) * p->stride + 3;
    const int32_t pitch = LANES * columns;
    channels *const c = (channels *)scratch;
    int8_t *const plane = (int8_t *)(c + 1);
    copied what;

    what.rows = rows - p->pad_rows < p->input_rows ? rows - p->pad_rows : p->input_rows;
    what.columns =
        columns - p->pad_columns < p->input_columns ? columns - p->pad_columns : p->input_columns;
    what.row_step = p->input_row_step;
    what.column_step = p->input_column_step;
    what.pitch = pitch;
    memset(plane, p->input_zero_point & 0xFF, (size_t)(rows * pitch));
    for (int32_t channel = 0; channel < p->channels; channel += LANES) {
        copy(&what, input + channel, plane + p->pad_rows * pitch + p->pad_columns * LANES);
        load(c, p->stream + channel * (STREAM_BYTES / 4));
        for (int32_t y = 0; y < p->output_rows; ++y) {
            row(p, c, plane + y * p->stride * pitch, pitch,
                output + channel + y * p->output_row_step);
        }
    }
}

#endif
