/* depthwise_conv_3x3_mve.c: one gathering load sees the windows of two outputs side by side.
 *
 * Two channels at a time are copied into a plane, interleaved, with their padding. Its pitch is limited,
 * for vectors of bytes have offsets of a byte: wider planes are cut into strips, one below the other, each
 * with all columns that its outputs see. A window of 3 rows and 5 columns takes lanes 4 * row + column,
 * and its last column lanes 12 + row; with stride 1 it has 4. The taps of the first output and of the
 * second one are vectors. */
#include "depthwise_conv_3x3_mve.h"

#include "tinyrt_fixedpoint.h"

#if TINYRT_HAS_MVE

#define LANES 16
#define STREAM_WORDS 5

/* What a strip of a channel needs; the assembly knows the offsets. */
typedef struct {
    uint8_t window[LANES];     /* 0: offsets of a window, */
    uint8_t next[LANES];       /* 16: and of that two outputs later */
    uint16_t lanes_8[8];       /* 32: bytes from the first output to each, */
    uint32_t lanes_4[4];       /* 48: likewise */
    uint8_t taps_0[LANES];     /* 64: where the stream has the taps of the first output, */
    uint8_t taps_1[LANES];     /* 80: and of the second */
    int32_t mask_0;            /* 96: which lanes have such taps */
    int32_t mask_1;            /* 100 */
    const int32_t *stream;     /* 104 */
    int32_t columns;           /* 108: outputs of a row */
    int32_t bias;              /* 112 */
    int32_t output_offset;     /* 116 */
    int32_t step_8;            /* 120: bytes of eight outputs, */
    int32_t plane_8;           /* 124: and of what they see */
    const int8_t *plane;       /* 128: where the row of outputs begins */
    int8_t *outputs;           /* 132 */
    int32_t plane_row;         /* 136: bytes from row to row of outputs */
    int32_t output_row;        /* 140 */
    int32_t rows;              /* 144 */
} strip;

#define TAPS(q, taps, mask)                                                                         \
    "vldrb.8 q4, [r11, #" taps "]\n\t"                                                              \
    "ldr r2, [r11, #" mask "]\n\t"                                                                  \
    "vmsr p0, r2\n\t"                                                                               \
    "vpst\n\t"                                                                                      \
    "vldrbt.u8 " q ", [r0, q4]\n\t"
/* The sums of two outputs. */
#define TWO(window, a, b)                                                                           \
    "vldrb.u8 q4, [r1, " window "]\n\t"                                                             \
    "vmladav.s8 " a ", q4, q1\n\t"                                                                  \
    "vmladav.s8 " b ", q4, q2\n\t"
#define SCALE(q)                                                                                    \
    "vadd.i32 " q ", " q ", r0\n\t" TINYRT_MVE_HIGH q ", " q ", r7\n\t"                             \
    "vrshl.s32 " q ", r9\n\t"
/* Eight outputs in q4, the bytes of a step in r4 and r6. */
#define EIGHT                                                                                       \
    TWO("q0", "r0", "r2")                                                                           \
    TWO("q3", "r4", "r6")                                                                           \
    "ldr r8, [r11, #124]\n\t"                                                                       \
    "add r1, r1, r8, asr #1\n\t"                                                                    \
    TWO("q0", "r8", "r10")                                                                          \
    TWO("q3", "r12", "lr")                                                                          \
    "vmov q4[2], q4[0], r0, r8\n\t"                                                                 \
    "vmov q4[3], q4[1], r4, r12\n\t"                                                                \
    "vmov q5[2], q5[0], r2, r10\n\t"                                                                \
    "vmov q5[3], q5[1], r6, lr\n\t"                                                                 \
    "ldrd r0, r2, [r11, #112]\n\t"                                                                  \
    "ldrd r4, r6, [r11, #120]\n\t" SCALE("q4") SCALE("q5")                                          \
    "vqmovnb.s32 q4, q4\n\t"                                                                        \
    "vqmovnt.s32 q4, q5\n\t"                                                                        \
    "vqadd.s16 q4, q4, r2\n\t"                                                                      \
    "vqmovnb.s16 q4, q4\n\t"

/* r1 runs through the plane, r3 through the outputs, r5 are those left of a row. */
static void run(strip *s)
{
    register strip *r11 __asm__("r11") = s;

    __asm__ volatile(
        "ldr r0, [r11, #104]\n\t"
        TAPS("q1", "64", "96")
        TAPS("q2", "80", "100")
        "ldrd r2, r7, [r0]\n\t"
        "asrs r4, r2, #9\n\t"
        "str r4, [r11, #112]\n\t"
        "and r2, r2, #31\n\t"
        "mvn r9, r2\n\t"
        "vldrb.8 q0, [r11]\n\t"
        "vldrb.8 q3, [r11, #16]\n\t"
        "vldrb.8 q6, [r11, #32]\n\t"
        "1:\n\t" /* a row */
        "ldrd r1, r3, [r11, #128]\n\t"
        "ldr r5, [r11, #108]\n\t"
        "b 3f\n\t"
        "2:\n\t" EIGHT "vstrb.16 q4, [r3, q6]\n\t"
        "add r3, r3, r4\n\t"
        "add r1, r1, r6, asr #1\n\t"
        "3:\n\t"
        "subs r5, r5, #8\n\t"
        "bge 2b\n\t"
        "adds r5, r5, #8\n\t"
        "beq 5f\n\t"
        "cmp r5, #4\n\t"
        "ble 4f\n\t" EIGHT "vctp.16 r5\n\t"
        "vpst\n\t"
        "vstrbt.16 q4, [r3, q6]\n\t"
        "b 5f\n\t"
        "4:\n\t" /* four outputs */
        TWO("q0", "r0", "r2")
        TWO("q3", "r4", "r6")
        "vmov q4[2], q4[0], r0, r4\n\t"
        "vmov q4[3], q4[1], r2, r6\n\t"
        "ldrd r0, r2, [r11, #112]\n\t"
        "vldrw.u32 q5, [r11, #48]\n\t"
        SCALE("q4")
        "vqmovnb.s32 q4, q4\n\t"
        "vqadd.s16 q4, q4, r2\n\t"
        "vctp.32 r5\n\t"
        "vqmovnb.s16 q4, q4\n\t"
        "vpst\n\t"
        "vstrbt.32 q4, [r3, q5]\n\t"
        "5:\n\t"
        "ldrd r0, r2, [r11, #128]\n\t"
        "ldrd r4, r6, [r11, #136]\n\t"
        "ldr r8, [r11, #144]\n\t"
        "adds r0, r0, r4\n\t"
        "adds r2, r2, r6\n\t"
        "strd r0, r2, [r11, #128]\n\t"
        "subs r8, r8, #1\n\t"
        "str r8, [r11, #144]\n\t"
        "bne 1b\n\t"
        : "+r"(r11)
        :
        : "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r12", "lr", "cc", "q0",
          "q1", "q2", "q3", "q4", "q5", "q6", "memory");
}

/* How rows of a plane are copied; the assembly knows the offsets. */
typedef struct {
    uint16_t from[8];    /* 0: offsets of eight columns of the input, */
    uint16_t to[8];      /* 16: and of the plane */
    int32_t step_8;      /* 32: bytes of eight columns of the input */
    int32_t columns;     /* 36 */
    int32_t row_step;    /* 40: of the input */
    int32_t pitch_bytes; /* 44 */
    int32_t rows;        /* 48 */
} copied;

#define COPY(name, load, store)                                                                     \
    static void name(const copied *c, const int8_t *input, int8_t *plane)                           \
    {                                                                                               \
        register const copied *r12 __asm__("r12") = c;                                              \
        __asm__ volatile(                                                                           \
            "vldrb.8 q1, [r12]\n\t"                                                                 \
            "vldrb.8 q2, [r12, #16]\n\t"                                                            \
            "ldrd r4, r5, [r12, #32]\n\t"                                                           \
            "ldrd r6, r8, [r12, #40]\n\t"                                                           \
            "ldr r9, [r12, #48]\n\t"                                                                \
            "1:\n\t"                                                                                \
            "mov r10, %[input]\n\t"                                                                 \
            "mov r12, %[plane]\n\t"                                                                 \
            "dlstp.16 lr, r5\n\t"                                                                   \
            "2:\n\t" load " q0, [r10, q1]\n\t" store "add r10, r10, r4\n\t"                         \
            "letp lr, 2b\n\t"                                                                       \
            "add %[input], %[input], r6\n\t"                                                        \
            "add %[plane], %[plane], r8\n\t"                                                        \
            "subs r9, r9, #1\n\t"                                                                   \
            "bne 1b\n\t"                                                                            \
            : [input] "+r"(input), [plane] "+r"(plane), "+r"(r12)                                   \
            :                                                                                       \
            : "r4", "r5", "r6", "r8", "r9", "r10", "lr", "cc", "q0", "q1", "q2", "memory");         \
    }

COPY(copy_pair, "vldrh.u16", "vstrh.16 q0, [r12], #16\n\t")
COPY(copy_one, "vldrb.u16", "vstrb.16 q0, [r12, q2]\n\tadd r12, r12, #16\n\t")

static void fill(int8_t *plane, int32_t count, int32_t value)
{
    __asm__ volatile(
        "vdup.8 q0, %[value]\n\t"
        "dlstp.8 lr, %[count]\n\t"
        "1:\n\t"
        "vstrb.8 q0, [%[plane]], #16\n\t"
        "letp lr, 1b\n\t"
        : [plane] "+r"(plane)
        : [value] "r"(value), [count] "r"(count)
        : "lr", "q0", "memory");
}

/* The tables of a plane. */
static void prepare(strip *s, int32_t stride, int32_t pitch, int32_t output_step)
{
    for (int32_t lane = 0; lane < LANES; ++lane) {
        const int32_t row = lane < 12 ? lane / 4 : lane % 4 % 3;
        const int32_t column = lane < 12 ? lane % 4 : 2 + stride; /* stride 1 needs no fifth one */
        /* A row of taps is w0 w1 w1 w2. The window of the second output begins a stride later. */
        const int32_t second = column - stride;
        s->window[lane] = (uint8_t)(2 * (row * pitch + column));
        s->next[lane] = (uint8_t)(s->window[lane] + 4 * stride);
        s->taps_0[lane] = (uint8_t)(8 + 4 * row + (column < 2 ? column : 3));
        s->taps_1[lane] = (uint8_t)(8 + 4 * row + (second < 2 ? (second < 0 ? 0 : second) : 3));
    }
    s->mask_0 = 0x0777;
    s->mask_1 = stride == 1 ? 0x0EEE : 0x7CCC;
    for (int32_t lane = 0; lane < 8; ++lane) {
        s->lanes_8[lane] = (uint16_t)(lane * output_step);
        s->lanes_4[lane % 4] = (uint32_t)(lane % 4 * output_step);
    }
    s->step_8 = 8 * output_step;
    s->plane_8 = 16 * stride;
    s->plane_row = 2 * stride * pitch;
}

void tinyrt_mve_depthwise_band(const tinyrt_depthwise_conv_3x3_s8_params *params, const int8_t *input,
                               int8_t *output, int32_t first, int32_t rows, int8_t *plane)
{
    const tinyrt_depthwise_conv_3x3_s8_params *const p = params;
    const int32_t pitch = (p->strip_columns - 1) * p->stride + 3;
    const int32_t plane_rows = (rows - 1) * p->stride + 3;
    const int32_t strip_bytes = 2 * plane_rows * pitch;
    const int32_t strips = (p->output_columns + p->strip_columns - 1) / p->strip_columns;
    const int32_t top = first * p->stride - p->pad_rows;
    const int32_t begin = top < 0 ? -top : 0;
    const int32_t end = top + plane_rows > p->input_rows ? p->input_rows - top : plane_rows;
    const bool pairs = (((uintptr_t)input | (uint32_t)p->input_row_step |
                         (uint32_t)p->input_column_step) & 1u) == 0;
    strip s;
    copied c;

    fill(plane, strips * strip_bytes, p->input_zero_point);
    prepare(&s, p->stride, pitch, p->output_column_step);
    for (int32_t i = 0; i < 8; ++i) {
        c.from[i] = (uint16_t)(i * p->input_column_step);
        c.to[i] = (uint16_t)(2 * i);
    }
    c.step_8 = 8 * p->input_column_step;
    c.row_step = p->input_row_step;
    c.pitch_bytes = 2 * pitch;
    c.rows = end - begin;
    s.stream = p->stream;
    s.output_offset = p->output_offset;
    s.output_row = p->output_row_step;
    input += (top + begin) * p->input_row_step;
    output += first * p->output_row_step;
    for (int32_t channel = 0; channel < p->channels; channel += 2) {
        const int32_t left = p->channels - channel;
        const int32_t count = left < 2 ? left : 2;
        for (int32_t number = 0; c.rows > 0 && number < strips; ++number) {
            const int32_t column = number * p->strip_columns * p->stride - p->pad_columns;
            const int32_t skipped = column < 0 ? -column : 0;
            const int32_t in_strip = p->input_columns - column;
            int8_t *const place = plane + number * strip_bytes + 2 * (begin * pitch + skipped);
            const int8_t *const from = input + (column + skipped) * p->input_column_step;
            c.columns = (in_strip < pitch ? in_strip : pitch) - skipped;
            if (c.columns <= 0) {
                continue;
            }
            if (pairs && count == 2) {
                copy_pair(&c, from, place);
                continue;
            }
            for (int32_t i = 0; i < count; ++i) {
                copy_one(&c, from + i, place + i);
            }
        }
        for (int32_t i = 0; i < count; ++i) {
            for (int32_t number = 0; number < strips; ++number) {
                const int32_t column = number * p->strip_columns;
                const int32_t right = p->output_columns - column;
                s.columns = right < p->strip_columns ? right : p->strip_columns;
                s.plane = plane + number * strip_bytes + i;
                s.outputs = output + column * p->output_column_step;
                s.rows = rows;
                run(&s);
            }
            s.stream += STREAM_WORDS;
            ++output;
        }
        input += 2;
    }
}

#endif
