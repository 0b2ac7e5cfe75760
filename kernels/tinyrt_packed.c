/* tinyrt_packed.c: products of columns of activations with pairs of channels. */
#include "tinyrt_packed.h"

#include "tinyrt_dsp.h"

#if TINYRT_HAS_DSP

/* Two depths of three pixels (r2-r4) and of two channels; the first ones begin the sums. */
#define WIDEN_AND_ADD_A(op, word, a_0, a_1, a_2)                                                    \
    "sxtb16 " word ", " word "\n\t"                                                                 \
    op " r8, r2, " word a_0 "\n\t"                                                                  \
    op " r9, r3, " word a_1 "\n\t"                                                                  \
    op " r10, r4, " word a_2 "\n\t"
#define DEPTH_2(word)                                                                               \
    "ldmia r0!, {r2, r3, r4}\n\t"                                                                   \
    "smlad r11, r2, " word ", r11\n\t"                                                              \
    "smlad r12, r3, " word ", r12\n\t"                                                              \
    "smlad lr, r4, " word ", lr\n\t"                                                                \
    WIDEN_AND_ADD_A("smlad", word, ", r8", ", r9", ", r10")
#define FIRST_DEPTH_2(word)                                                                         \
    "ldmia r0!, {r2, r3, r4}\n\t"                                                                   \
    "smlad r12, r3, " word ", r11\n\t"                                                              \
    "smlad lr, r4, " word ", r11\n\t"                                                               \
    "smlad r11, r2, " word ", r11\n\t"                                                              \
    WIDEN_AND_ADD_A("smuad", word, "", "", "")
#define DEPTH_4 "ldmia r1!, {r5, r6}\n\t" DEPTH_2("r5") DEPTH_2("r6")

#if TINYRT_NUMERICS == TINYRT_NUMERICS_SINGLE
#define HIGH_A "smmla "
#define HALF_B "0"
#else
#define HIGH_A "smmlar "
#define HALF_B "64"
#endif

/* r0 is the block, and found again after it has run through the columns; r1 is the stream. The sums of A
 * are in r8 to r10, those of both channels in r11, r12, lr. */
void tinyrt_packed_pairs(tinyrt_block *block, const int32_t *stream)
{
    register tinyrt_block *r0 __asm__("r0") = block;
    register const int32_t *r1 __asm__("r1") = stream;

    __asm__ volatile(
        "1:\n\t" /* a pair */
        "ldrd r0, r7, [r0, #24]\n\t" /* columns, groups */
        "ldr r11, [r1], #4\n\t"      /* 256 * bias of B */
        "ldmia r1!, {r5, r6}\n\t"
        FIRST_DEPTH_2("r5")
        DEPTH_2("r6")
        "subs r7, r7, #4\n\t"
        "bge 3f\n\t"
        "adds r7, r7, #3\n\t"
        "beq 5f\n\t"
        "b 4f\n\t"
        "2:\n\t" /* sixteen depths */
        DEPTH_4
        "3:\n\t"
        DEPTH_4 DEPTH_4 DEPTH_4
        "subs r7, r7, #4\n\t"
        "bge 2b\n\t"
        "adds r7, r7, #4\n\t"
        "beq 5f\n\t"
        "4:\n\t" /* four depths */
        DEPTH_4
        "subs r7, r7, #1\n\t"
        "bne 4b\n\t"
        "5:\n\t"
        "ldmia r1!, {r2, r3, r4}\n\t" /* bias of A and shifts; multipliers */
        "ldr r0, %[block]\n\t"
        "asr r5, r2, #8\n\t"
        "and r6, r2, #15\n\t"
        "ubfx r2, r2, #4, #4\n\t"
        "sub r11, r11, r8\n\t" /* 256 * sum of B */
        "sub r12, r12, r9\n\t"
        "sub lr, lr, r10\n\t"
        "add r8, r5, r8, lsl #1\n\t" /* 2 * sum of A */
        "add r9, r5, r9, lsl #1\n\t"
        "add r10, r5, r10, lsl #1\n\t"
        "ldrd r5, r7, [r0, #12]\n\t"
        "cmp r7, #0\n\t"
        "beq 7f\n\t"
        /* Nested floors merge: the rounded high product of A and, of B, one with 7 bits more. */
        "lsl r5, r5, r6\n\t"
        HIGH_A "r8, r8, r3, r5\n\t"
        HIGH_A "r9, r9, r3, r5\n\t"
        HIGH_A "r10, r10, r3, r5\n\t"
        "lsl r7, r7, r2\n\t"
        "add r7, r7, #" HALF_B "\n\t"
        "smmla r11, r11, r4, r7\n\t"
        "smmla r12, r12, r4, r7\n\t"
        "smmla lr, lr, r4, r7\n\t"
        "asr r8, r8, r6\n\t"
        "asr r9, r9, r6\n\t"
        "asr r10, r10, r6\n\t"
        "asr r11, r11, r2\n\t"
        "asr r12, r12, r2\n\t"
        "asr lr, lr, r2\n\t"
        "ssat r8, #8, r8, asr #1\n\t"
        "ssat r9, #8, r9, asr #1\n\t"
        "ssat r10, #8, r10, asr #1\n\t"
        "ssat r11, #8, r11, asr #8\n\t"
        "ssat r12, #8, r12, asr #8\n\t"
        "ssat lr, #8, lr, asr #8\n\t"
        "6:\n\t"
        "ldmia r0, {r2, r3, r4}\n\t"
        "strb r8, [r2], #1\n\t"
        "strb r9, [r3], #1\n\t"
        "strb r10, [r4], #1\n\t"
        "strb r11, [r2], #1\n\t"
        "strb r12, [r3], #1\n\t"
        "strb lr, [r4], #1\n\t"
        "stmia r0, {r2, r3, r4}\n\t"
        "ldr r7, [r0, #20]\n\t"
        "cmp r1, r7\n\t"
        "bne 1b\n\t"
        "b 8f\n\t"
        "7:\n\t" /* halves away from zero: one less for results below */
        "asr r11, r11, #7\n\t"
        "asr r12, r12, #7\n\t"
        "asr lr, lr, #7\n\t"
        "smmulr r8, r8, r3\n\t"
        "smmulr r9, r9, r3\n\t"
        "smmulr r10, r10, r3\n\t"
        "smmulr r11, r11, r4\n\t"
        "smmulr r12, r12, r4\n\t"
        "smmulr lr, lr, r4\n\t"
        "lsl r7, r5, r6\n\t"
        "lsl r5, r5, r2\n\t"
        "add r8, r8, r8, asr #31\n\t"
        "add r9, r9, r9, asr #31\n\t"
        "add r10, r10, r10, asr #31\n\t"
        "add r11, r11, r11, asr #31\n\t"
        "add r12, r12, r12, asr #31\n\t"
        "add lr, lr, lr, asr #31\n\t"
        "add r8, r8, r7\n\t"
        "add r9, r9, r7\n\t"
        "add r10, r10, r7\n\t"
        "add r11, r11, r5\n\t"
        "add r12, r12, r5\n\t"
        "add lr, lr, r5\n\t"
        "asr r8, r8, r6\n\t"
        "asr r9, r9, r6\n\t"
        "asr r10, r10, r6\n\t"
        "asr r11, r11, r2\n\t"
        "asr r12, r12, r2\n\t"
        "asr lr, lr, r2\n\t"
        "ssat r8, #8, r8, asr #1\n\t"
        "ssat r9, #8, r9, asr #1\n\t"
        "ssat r10, #8, r10, asr #1\n\t"
        "ssat r11, #8, r11, asr #1\n\t"
        "ssat r12, #8, r12, asr #1\n\t"
        "ssat lr, #8, lr, asr #1\n\t"
        "b 6b\n\t"
        "8:\n\t"
        : "+r"(r0), "+r"(r1)
        : [block] "m"(block)
        : "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "lr", "cc", "memory");
}

void tinyrt_packed_widen_3(const int8_t *input_0, const int8_t *input_1, const int8_t *input_2,
                           int32_t groups, int32_t *columns)
{
    register const int8_t *r0 __asm__("r0") = input_0;
    register const int8_t *r1 __asm__("r1") = input_1;
    register const int8_t *r2 __asm__("r2") = input_2;
    register int32_t r3 __asm__("r3") = groups;
    register int32_t *r12 __asm__("r12") = columns;

    __asm__ volatile(
        "1:\n\t"
        "ldr r4, [r0], #4\n\t"
        "ldr r5, [r1], #4\n\t"
        "ldr r6, [r2], #4\n\t"
        "sxtb16 r8, r4, ror #8\n\t"
        "sxtb16 r9, r5, ror #8\n\t"
        "sxtb16 r10, r6, ror #8\n\t"
        "sxtb16 r4, r4\n\t"
        "sxtb16 r5, r5\n\t"
        "sxtb16 r6, r6\n\t"
        "stmia r12!, {r4, r5, r6, r8, r9, r10}\n\t"
        "subs r3, r3, #1\n\t"
        "bne 1b\n\t"
        : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3), "+r"(r12)
        :
        : "r4", "r5", "r6", "r8", "r9", "r10", "cc", "memory");
}

void tinyrt_packed_widen(const int8_t *input, int32_t groups, int32_t *column)
{
    do {
        const uint32_t word = tinyrt_load_4(input);
        column[0] = (int32_t)tinyrt_sxtb16(word);
        column[TINYRT_COLUMNS] = (int32_t)tinyrt_sxtb16_ror8(word);
        input += 4;
        column += 2 * TINYRT_COLUMNS;
    } while (--groups != 0);
}

#else

typedef struct {
    int32_t both;
    int32_t a;
} sums;

/* One depth of a pair of channels and of three pixels. */
static inline void add_half(sums *pixels, const int32_t *word, const int32_t *column, int32_t half)
{
    const int32_t both = tinyrt_half(word, half);
    const int32_t a = tinyrt_weight_a(word, half);
    const int32_t x_0 = tinyrt_half(&column[0], half);
    const int32_t x_1 = tinyrt_half(&column[1], half);
    const int32_t x_2 = tinyrt_half(&column[2], half);

    pixels[0].both += both * x_0;
    pixels[1].both += both * x_1;
    pixels[2].both += both * x_2;
    pixels[0].a += a * x_0;
    pixels[1].a += a * x_1;
    pixels[2].a += a * x_2;
}

void tinyrt_packed_pairs(tinyrt_block *block, const int32_t *stream)
{
    const int32_t words = 2 * block->groups;

    while (stream != block->stream_end) {
        const int32_t *column = block->columns;
        const int32_t bias_b = *stream++;
        const int32_t *const tail = stream + words;
        sums pixels[TINYRT_COLUMNS] = {{bias_b, 0}, {bias_b, 0}, {bias_b, 0}};

        for (; stream != tail; stream += 2) {
            add_half(pixels, stream, column, 0);
            add_half(pixels, stream, column, 1);
            add_half(pixels, stream + 1, column + TINYRT_COLUMNS, 0);
            add_half(pixels, stream + 1, column + TINYRT_COLUMNS, 1);
            column += 2 * TINYRT_COLUMNS;
        }
        for (int32_t pixel = 0; pixel < TINYRT_COLUMNS; ++pixel) {
            block->outputs[pixel] =
                tinyrt_packed_outputs(pixels[pixel].both, pixels[pixel].a, tail,
                                      block->output_offset, block->rounding_b != 0,
                                      block->outputs[pixel]);
        }
        stream += 3;
    }
}

void tinyrt_packed_widen(const int8_t *input, int32_t groups, int32_t *column)
{
    do {
        column[0] = tinyrt_pair(input[0], input[2]);
        column[TINYRT_COLUMNS] = tinyrt_pair(input[1], input[3]);
        input += 4;
        column += 2 * TINYRT_COLUMNS;
    } while (--groups != 0);
}

void tinyrt_packed_widen_3(const int8_t *input_0, const int8_t *input_1, const int8_t *input_2,
                           int32_t groups, int32_t *columns)
{
    tinyrt_packed_widen(input_0, groups, columns);
    tinyrt_packed_widen(input_1, groups, columns + 1);
    tinyrt_packed_widen(input_2, groups, columns + 2);
}

#endif
