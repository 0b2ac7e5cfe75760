/* depthwise_conv_3x3_mve.c: eight outputs of a channel at a time.
 *
 * The plane of a channel is cut into strips, one below the other, of as many columns as eight outputs see:
 * with stride 1, ten, with stride 2, seventeen. Of each row of a strip, the even columns come first, then
 * the odd ones: what four outputs see through one tap are then neighbours. */
#include "depthwise_conv_3x3_mve.h"

#include "tinyrt_fixedpoint.h"

#if TINYRT_HAS_MVE

#define OUTPUTS 8
#define STREAM_WORDS 5

/* What the strips of a channel need; the assembly knows the offsets. */
typedef struct {
    uint16_t output[OUTPUTS]; /* 0: the number of the output in each lane, */
    uint16_t lanes[OUTPUTS];  /* 16: and its bytes from the first one */
    const int32_t *stream;    /* 32 */
    const int8_t *plane;      /* 36 */
    int8_t *outputs;          /* 40 */
    int32_t left;             /* 44: outputs of a row */
    int32_t rows;             /* 48 */
    int32_t shift;            /* 52: negative, to the right */
    int32_t output_offset;    /* 56 */
    int32_t row_step;         /* 60 */
    int32_t strip_step;       /* 64 */
    int32_t multiplier;       /* 68 */
} channel;

/* With stride 1, a row of three taps for the even and the odd outputs of a row. */
#define EVEN_0(even, odd, w_0, w_1, w_2) "vmla.s32 " even ", q2, " w_0 "\n\t"
#define ODD_0(even, odd, w_0, w_1, w_2)                                                             \
    "vmla.s32 " odd ", q3, " w_0 "\n\t"                                                           \
    "vmla.s32 " even ", q3, " w_1 "\n\t"
#define EVEN_1(even, odd, w_0, w_1, w_2)                                                            \
    "vmla.s32 " odd ", q2, " w_1 "\n\t"                                                           \
    "vmla.s32 " even ", q2, " w_2 "\n\t"
#define ODD_1(even, odd, w_0, w_1, w_2) "vmla.s32 " odd ", q3, " w_2 "\n\t"
#define FIRST "q0", "q1"
#define SECOND "q6", "q7"
#define TAPS_0 "r3", "r4", "r5"
#define TAPS_1 "r6", "r7", "r8"
#define TAPS_2 "r9", "r10", "r11"
#define APPLY(part, ...) part(__VA_ARGS__)
#define LOAD(q, place) "vldrb.s32 " q ", [r0, #" place "]\n\t"
#define ROW_1(e_0, o_0, e_1, o_1, outputs, taps)                                                    \
    LOAD("q2", e_0) APPLY(EVEN_0, outputs, taps)                                                    \
    LOAD("q3", o_0) APPLY(ODD_0, outputs, taps)                                                     \
    LOAD("q2", e_1) APPLY(EVEN_1, outputs, taps)                                                    \
    LOAD("q3", o_1) APPLY(ODD_1, outputs, taps)
/* The same for two rows of outputs. */
#define ROW_1_OF_2(e_0, o_0, e_1, o_1, taps, taps_before)                                           \
    LOAD("q2", e_0) APPLY(EVEN_0, FIRST, taps) APPLY(EVEN_0, SECOND, taps_before)                   \
    LOAD("q3", o_0) APPLY(ODD_0, FIRST, taps) APPLY(ODD_0, SECOND, taps_before)                     \
    LOAD("q2", e_1) APPLY(EVEN_1, FIRST, taps) APPLY(EVEN_1, SECOND, taps_before)                   \
    LOAD("q3", o_1) APPLY(ODD_1, FIRST, taps) APPLY(ODD_1, SECOND, taps_before)
/* With stride 2, q0 has the first four outputs. */
#define ROW_2(e_0, e_1, e_4, e_5, o_0, o_4, w_0, w_1, w_2)                                          \
    LOAD("q2", e_0)                                                                                 \
    LOAD("q3", e_4)                                                                                 \
    "vmla.s32 q0, q2, " w_0 "\n\t"                                                                \
    LOAD("q2", o_0)                                                                                 \
    "vmla.s32 q1, q3, " w_0 "\n\t"                                                                \
    LOAD("q3", o_4)                                                                                 \
    "vmla.s32 q0, q2, " w_1 "\n\t"                                                                \
    LOAD("q2", e_1)                                                                                 \
    "vmla.s32 q1, q3, " w_1 "\n\t"                                                                \
    LOAD("q3", e_5)                                                                                 \
    "vmla.s32 q0, q2, " w_2 "\n\t"                                                                \
    "vmla.s32 q1, q3, " w_2 "\n\t"

#define BEGIN(q, r) "vmov " q ", q5\n\tvmov " r ", q5\n\t"
#define HIGH(q, r) TINYRT_MVE_HIGH q ", " q ", r2\n\t" TINYRT_MVE_HIGH r ", " r ", r2\n\t"
#define SHIFT(q, r) "vrshl.s32 " q ", r2\n\tvrshl.s32 " r ", r2\n\t"
#define NARROW(n, q, r) "vqmovnb.s32 " n ", " q "\n\tvqmovnt.s32 " n ", " r "\n\t"
#define OFFSET(n) "vqadd.s16 " n ", " n ", r2\n\tvqmovnb.s16 " n ", " n "\n\t"
#define STORE(n)                                                                                    \
    "vpst\n\t"                                                                                    \
    "vstrbt.16 " n ", [r1, q4]\n\t"                                                               \
    "add r1, r1, r2\n\t"
#define MULTIPLIER "ldr r2, [r12, #68]\n\t"
#define RIGHT "ldr r2, [r12, #52]\n\t"
#define OUTPUT_OFFSET "ldr r2, [r12, #56]\n\t"
#define ROW_STEP "ldr r2, [r12, #60]\n\t"
#define ONE                                                                                         \
    MULTIPLIER HIGH("q0", "q1") RIGHT SHIFT("q0", "q1") OUTPUT_OFFSET NARROW("q2", "q0", "q1")      \
        OFFSET("q2") ROW_STEP STORE("q2")

/* A row of outputs with either stride, and two rows with stride 1. */
#define ROWS_1                                                                                      \
    BEGIN("q0", "q1")                                                                               \
    ROW_1("0", "5", "1", "6", FIRST, TAPS_0)                                                        \
    ROW_1("10", "15", "11", "16", FIRST, TAPS_1)                                                    \
    ROW_1("20", "25", "21", "26", FIRST, TAPS_2)                                                    \
    "adds r0, r0, #10\n\t" ONE
#define ROWS_1_OF_2                                                                                 \
    BEGIN("q0", "q1")                                                                               \
    BEGIN("q6", "q7")                                                                               \
    ROW_1("0", "5", "1", "6", FIRST, TAPS_0)                                                        \
    ROW_1_OF_2("10", "15", "11", "16", TAPS_1, TAPS_0)                                              \
    ROW_1_OF_2("20", "25", "21", "26", TAPS_2, TAPS_1)                                              \
    ROW_1("30", "35", "31", "36", SECOND, TAPS_2)                                                   \
    "adds r0, r0, #20\n\t"                                                                        \
    MULTIPLIER HIGH("q0", "q1") HIGH("q6", "q7")                                                    \
    RIGHT SHIFT("q0", "q1") SHIFT("q6", "q7")                                                       \
    OUTPUT_OFFSET NARROW("q2", "q0", "q1") NARROW("q3", "q6", "q7") OFFSET("q2") OFFSET("q3")       \
    ROW_STEP STORE("q2") STORE("q3")
#define ROWS_2                                                                                      \
    BEGIN("q0", "q1")                                                                               \
    ROW_2("0", "1", "4", "5", "9", "13", "r3", "r4", "r5")                                          \
    ROW_2("17", "18", "21", "22", "26", "30", "r6", "r7", "r8")                                     \
    ROW_2("34", "35", "38", "39", "43", "47", "r9", "r10", "r11")                                   \
    "adds r0, r0, #34\n\t" ONE

#define LOOP_1                                                                                      \
    "lsr r2, lr, #1\n\t"                                                                          \
    "wls lr, r2, 3f\n\t"                                                                          \
    "2:\n\t" ROWS_1_OF_2 "le lr, 2b\n\t"                                                        \
    "3:\n\t"                                                                                      \
    "ldrb r2, [r12, #48]\n\t"                                                                     \
    "lsls r2, r2, #31\n\t"                                                                        \
    "beq 4f\n\t" ROWS_1 "4:\n\t"
#define LOOP_2                                                                                      \
    "dls lr, lr\n\t"                                                                              \
    "2:\n\t" ROWS_2 "le lr, 2b\n\t"

/* All strips of a channel; `behind`: of a strip, behind the last output's first row. The taps are in r3 to
 * r11, bias and lanes in q5 and q4. */
#define STRIPS(loop, behind)                                                                        \
    "ldr r0, [r12, #32]\n\t"                                                                      \
    "ldrd r1, r2, [r0]\n\t"                                                                       \
    "ldrsb r3, [r0, #8]\n\t"                                                                      \
    "ldrsb r4, [r0, #9]\n\t"                                                                      \
    "ldrsb r5, [r0, #11]\n\t"                                                                     \
    "ldrsb r6, [r0, #12]\n\t"                                                                     \
    "ldrsb r7, [r0, #13]\n\t"                                                                     \
    "ldrsb r8, [r0, #15]\n\t"                                                                     \
    "ldrsb r9, [r0, #16]\n\t"                                                                     \
    "ldrsb r10, [r0, #17]\n\t"                                                                    \
    "ldrsb r11, [r0, #19]\n\t"                                                                    \
    "str r2, [r12, #68]\n\t"                                                                      \
    "asrs r2, r1, #9\n\t"                                                                         \
    "vdup.32 q5, r2\n\t"                                                                          \
    "and r1, r1, #31\n\t"                                                                         \
    "mvns r1, r1\n\t"                                                                             \
    "str r1, [r12, #52]\n\t"                                                                      \
    "vldrh.u16 q4, [r12, #16]\n\t"                                                                \
    "ldr r0, [r12, #36]\n\t"                                                                      \
    "1:\n\t"                                                                                      \
    "vldrh.u16 q3, [r12]\n\t"                                                                     \
    "ldrd r1, r2, [r12, #40]\n\t"                                                                 \
    "vcmp.s16 lt, q3, r2\n\t"                                                                     \
    "ldr lr, [r12, #48]\n\t" loop                                                                 \
    "ldrd r1, r2, [r12, #40]\n\t"                                                                 \
    "ldr lr, [r12, #64]\n\t"                                                                      \
    "adds r0, r0, #" behind "\n\t"                                                                \
    "add r1, r1, lr\n\t"                                                                          \
    "subs r2, r2, #8\n\t"                                                                         \
    "strd r1, r2, [r12, #40]\n\t"                                                                 \
    "bgt 1b\n\t"

#define RUN(loop, behind)                                                                           \
    register channel *r12 __asm__("r12") = c;                                                       \
    __asm__ volatile(STRIPS(loop, behind)                                                           \
                     : "+r"(r12)                                                                    \
                     :                                                                              \
                     : "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11",    \
                       "lr", "cc", "q0", "q1", "q2", "q3", "q4", "q5", "q6", "q7", "memory")

static void run_1(channel *c)
{
    RUN(LOOP_1, "20");
}

static void run_2(channel *c)
{
    RUN(LOOP_2, "17");
}

/* How a channel is copied into strips; the assembly knows the offsets. */
typedef struct {
    uint16_t lanes[OUTPUTS]; /* 0: bytes from column to column of the input */
    int32_t odd;             /* 16: where the odd columns of a row of a strip are */
    int32_t twice_odd;       /* 20: twice as much, less 1 */
    int32_t row_step;        /* 24: of the input */
    int32_t pitch;           /* 28: of a strip */
    int32_t rows;            /* 32 */
} columns;

/* Copies up to eight columns of a channel, to a strip from column `column` on, which lies at
 * column / 2 + odd * (column % 2) = odd * column - (2 * odd - 1) * (column / 2). */
static void copy_columns(const columns *s, const int8_t *input, int8_t *strip, int32_t column,
                         int32_t count)
{
    register int32_t first __asm__("r4") = column; /* vidup changes an even one */
    int32_t a;
    int32_t b;

    __asm__ volatile(
        "vidup.u16 q2, %[first], #1\n\t"
        "ldrd %[a], %[b], [%[s], #16]\n\t"
        "vldrh.u16 q1, [%[s]]\n\t"
        "vshr.u16 q3, q2, #1\n\t"
        "vmul.i16 q2, q2, %[a]\n\t"
        "vmul.i16 q3, q3, %[b]\n\t"
        "ldr lr, [%[s], #32]\n\t"
        "ldrd %[a], %[b], [%[s], #24]\n\t"
        "vctp.16 %[count]\n\t"
        "vsub.i16 q2, q2, q3\n\t"
        "dls lr, lr\n\t"
        "1:\n\t"
        "vpstt\n\t"
        "vldrbt.u16 q0, [%[input], q1]\n\t"
        "vstrbt.16 q0, [%[strip], q2]\n\t"
        "add %[input], %[input], %[a]\n\t"
        "add %[strip], %[strip], %[b]\n\t"
        "le lr, 1b\n\t"
        : [input] "+r"(input), [strip] "+r"(strip), [first] "+r"(first), [a] "=&r"(a), [b] "=&r"(b)
        : [s] "r"(s), [count] "r"(count)
        : "lr", "cc", "q0", "q1", "q2", "q3", "memory");
}

/* Copies the first columns of each strip behind the last ones of the strip before. */
static void join_strips(const columns *s, int8_t *strip, int32_t rows, int32_t distance)
{
    const int8_t *next = strip + distance;
    int32_t pitch = s->pitch;
    int32_t five = 5;

    strip += s->odd - 1;
    if (pitch == 10) {
        __asm__ volatile(
            "movs r4, #0\n\t"
            "vidup.u8 q1, r4, #1\n\t"
            "vmul.i8 q1, q1, %[pitch]\n\t"
            "vadd.i8 q2, q1, %[five]\n\t"
            "dlstp.8 lr, %[rows]\n\t"
            "1:\n\t"
            "vldrb.u8 q0, [%[next], q1]\n\t"
            "vldrb.u8 q3, [%[next], q2]\n\t"
            "vstrb.8 q0, [%[strip], q1]\n\t"
            "vstrb.8 q3, [%[strip], q2]\n\t"
            "adds %[next], %[next], #160\n\t"
            "adds %[strip], %[strip], #160\n\t"
            "letp lr, 1b\n\t"
            : [next] "+l"(next), [strip] "+l"(strip)
            : [rows] "r"(rows), [pitch] "r"(pitch), [five] "r"(five)
            : "r4", "lr", "cc", "q0", "q1", "q2", "q3", "memory");
    } else {
        for (; rows > 0; rows -= 16) {
            __asm__ volatile(
                "movs r4, #0\n\t"
                "vidup.u8 q1, r4, #1\n\t"
                "vmul.i8 q1, q1, %[pitch]\n\t"
                "vctp.8 %[rows]\n\t"
                "vpstt\n\t"
                "vldrbt.u8 q0, [%[next], q1]\n\t"
                "vstrbt.8 q0, [%[strip], q1]\n\t"
                :
                : [next] "r"(next), [strip] "r"(strip), [rows] "r"(rows), [pitch] "r"(pitch)
                : "r4", "cc", "q0", "q1", "memory");
            next += 16 * pitch;
            strip += 16 * pitch;
        }
    }
}

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

void tinyrt_mve_depthwise_band(const tinyrt_depthwise_conv_3x3_s8_params *params, const int8_t *input,
                               int8_t *output, int32_t first, int32_t rows, int8_t *plane)
{
    const tinyrt_depthwise_conv_3x3_s8_params *const p = params;
    const int32_t pitch = p->stride == 1 ? 10 : 17;
    const int32_t plane_rows = (rows - 1) * p->stride + 3;
    const int32_t strips = (p->output_columns + OUTPUTS - 1) / OUTPUTS;
    const int32_t top = first * p->stride - p->pad_rows;
    const int32_t begin = top < 0 ? -top : 0;
    const int32_t end = top + plane_rows > p->input_rows ? p->input_rows - top : plane_rows;
    const int32_t *stream = p->stream;
    columns s;
    channel c;

    fill(plane, strips * plane_rows * pitch, p->input_zero_point);
    for (int32_t i = 0; i < OUTPUTS; ++i) {
        const int32_t number = p->stride == 1 ? i : i / 2 + 4 * (i % 2);
        c.output[i] = (uint16_t)number;
        c.lanes[i] = (uint16_t)(number * p->output_column_step);
        s.lanes[i] = (uint16_t)(i * p->input_column_step);
    }
    s.odd = p->stride == 1 ? 5 : 9;
    s.twice_odd = 2 * s.odd - 1;
    s.row_step = p->input_row_step;
    s.pitch = pitch;
    s.rows = end - begin;
    c.rows = rows;
    c.output_offset = p->output_offset;
    c.row_step = p->output_row_step;
    c.strip_step = OUTPUTS * p->output_column_step;
    input += (top + begin) * p->input_row_step;
    output += first * p->output_row_step;
    for (int32_t left = p->channels; left > 0; --left) {
        int8_t *strip = plane + begin * pitch;
        int32_t column = -p->pad_columns; /* of the input, where the strip begins */
        for (int32_t strips_left = strips; s.rows > 0 && strips_left > 0; --strips_left) {
            const int32_t in_strip = p->input_columns - column;
            const int32_t own = strips_left == 1 ? pitch : OUTPUTS * p->stride;
            const int32_t stop = in_strip < own ? in_strip : own;
            for (int32_t i = column < 0 ? -column : 0; i < stop; i += OUTPUTS) {
                copy_columns(&s, input + (column + i) * p->input_column_step, strip, i, stop - i);
            }
            strip += plane_rows * pitch;
            column += OUTPUTS * p->stride;
        }
        if (strips > 1) {
            join_strips(&s, plane, (strips - 1) * plane_rows, plane_rows * pitch);
        }
        c.stream = stream;
        c.plane = plane;
        c.outputs = output;
        c.left = p->output_columns;
        if (p->stride == 1) {
            run_1(&c);
        } else {
            run_2(&c);
        }
        stream += STREAM_WORDS;
        ++input;
        ++output;
    }
}

#endif
