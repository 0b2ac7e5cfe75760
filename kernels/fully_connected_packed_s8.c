/* fully_connected_packed_s8.c: FULLY_CONNECTED on pairs of channels that share their halves.
 *
 * The stream holds, for each eight channels (the last ones may be for nothing):
 *
 *     256 * bias of B, for each of the four pairs (A, B)
 *     for each four depths, two words of each pair, as in a column of tinyrt_packed.h
 *     2 * bias of A << 8 | e_B << 4 | e_A, multiplier of A, multiplier of B, for each pair */
#include "fully_connected_packed_s8.h"

#include "fully_connected_mve.h"
#include "tinyrt_packed.h"

#if TINYRT_HAS_MVE

void tinyrt_fully_connected_packed_s8(const tinyrt_fully_connected_packed_s8_params *params,
                                      const int8_t *input, int8_t *output)
{
    const tinyrt_fully_connected_packed_s8_params *const p = params;

    for (int32_t batch = 0; batch < p->batches; ++batch) {
        tinyrt_mve_row row;
        row.input = input;
        row.depth = p->input_depth;
        row.output = output;
        row.left = p->output_depth;
        row.output_offset = p->output_offset;
        row.stream = p->stream;
        tinyrt_mve_fully_connected(&row);
        if (p->activation_min > -128 || p->activation_max < 127) {
            tinyrt_mve_clamp(output, p->output_depth, p->activation_min, p->activation_max);
        }
        input += p->input_depth;
        output += p->output_depth;
    }
}

#else

#define CHANNELS 8

#if TINYRT_HAS_DSP

/* Two depths each of a pair whose sums of A are in `a`, and of both in `both`. */
#define PAIR(a, both)                                                                               \
    "ldmia r1!, {r4, r5}\n\t"                                                                       \
    "smlad " both ", r2, r4, " both "\n\t"                                                          \
    "smlad " both ", r3, r5, " both "\n\t"                                                          \
    "sxtb16 r4, r4\n\t"                                                                             \
    "sxtb16 r5, r5\n\t"                                                                             \
    "smlad " a ", r2, r4, " a "\n\t"                                                                \
    "smlad " a ", r3, r5, " a "\n\t"
#define DEPTH_4                                                                                     \
    "ldr r3, [r0], #4\n\t"                                                                          \
    "sxtb16 r2, r3\n\t"                                                                             \
    "sxtb16 r3, r3, ror #8\n\t" PAIR("r6", "r10") PAIR("r7", "r11") PAIR("r8", "r12") PAIR("r9", "lr")

#if TINYRT_NUMERICS == TINYRT_NUMERICS_SINGLE
#define HIGH_PLUS "smmla "
#else
#define HIGH_PLUS "smmlar "
#endif
/* The sums of a pair, doubled, in `a` and `both`; r3 and r4: multipliers; r5 and r2: shifts. */
#define SUMS(a, both)                                                                               \
    "ldmia r1!, {r2, r3, r4}\n\t"                                                                   \
    "sub " both ", " both ", " a "\n\t"                                                             \
    "asr r5, r2, #8\n\t"                                                                            \
    "add " a ", r5, " a ", lsl #1\n\t"                                                              \
    "asr " both ", " both ", #7\n\t"                                                                \
    "and r5, r2, #15\n\t"                                                                           \
    "ubfx r2, r2, #4, #4\n\t"
#define SHIFTED(a, both)                                                                            \
    "asr " a ", " a ", r5\n\t"                                                                      \
    "asr " both ", " both ", r2\n\t"                                                                \
    "ssat " a ", #8, " a ", asr #1\n\t"                                                             \
    "ssat " both ", #8, " both ", asr #1\n\t"
/* Outputs of a pair where the activation levels results below zero. */
#define LEVEL(a, both)                                                                              \
    SUMS(a, both)                                                                                   \
    "lsl r0, r0, r5\n\t"                                                                            \
    HIGH_PLUS a ", " a ", r3, r0\n\t"                                                               \
    "ldr r0, %[rounding]\n\t"                                                                       \
    "lsl r3, r0, r2\n\t"                                                                            \
    HIGH_PLUS both ", " both ", r4, r3\n\t" SHIFTED(a, both)
/* Where they survive: halves away from zero are one less for them. */
#define SIGNED(a, both)                                                                             \
    SUMS(a, both)                                                                                   \
    "smmulr " a ", " a ", r3\n\t"                                                                   \
    "smmulr " both ", " both ", r4\n\t"                                                             \
    "lsl r3, r0, r5\n\t"                                                                            \
    "lsl r4, r0, r2\n\t"                                                                            \
    "add " a ", " a ", " a ", asr #31\n\t"                                                          \
    "add " both ", " both ", " both ", asr #31\n\t"                                                 \
    "add " a ", " a ", r3\n\t"                                                                      \
    "add " both ", " both ", r4\n\t" SHIFTED(a, both)

/* Eights of outputs; returns the rest of the stream. The sums of A are in r6 to r9, those of both
 * channels in r10, r11, r12, lr. */
static const int32_t *eights(const tinyrt_fully_connected_packed_s8_params *p, const int8_t *input,
                             const int32_t *stream, int8_t *output, const int8_t *output_end)
{
    const int8_t *const begin = input;
    const int8_t *const end_16 = input + (p->input_depth & ~15);
    const int8_t *const end = input + p->input_depth;
    const int8_t *const last = output_end;
    const int32_t rounding = 2 * p->output_offset + 1;
    const int32_t level =
        TINYRT_NUMERICS == TINYRT_NUMERICS_SINGLE || p->activation_min >= p->output_offset;
    register const int32_t *r1 __asm__("r1") = stream;

    __asm__ volatile(
        "0:\n\t"
        "ldr r0, %[begin]\n\t"
        "ldmia r1!, {r10, r11, r12, lr}\n\t"
        "movs r6, #0\n\t"
        "movs r7, #0\n\t"
        "mov r8, #0\n\t"
        "mov r9, #0\n\t"
        "b 2f\n\t"
        "1:\n\t" DEPTH_4 DEPTH_4 DEPTH_4 DEPTH_4
        "2:\n\t"
        "ldr r4, %[end_16]\n\t"
        "cmp r0, r4\n\t"
        "bne 1b\n\t"
        "b 4f\n\t"
        "3:\n\t" DEPTH_4
        "4:\n\t"
        "ldr r4, %[end]\n\t"
        "cmp r0, r4\n\t"
        "bne 3b\n\t"
        "ldr r0, %[rounding]\n\t"
        "ldr r4, %[level]\n\t"
        "cmp r4, #0\n\t"
        "beq 5f\n\t"
        LEVEL("r6", "r10") LEVEL("r7", "r11") LEVEL("r8", "r12") LEVEL("r9", "lr")
        "b 6f\n\t"
        "5:\n\t"
        SIGNED("r6", "r10") SIGNED("r7", "r11") SIGNED("r8", "r12") SIGNED("r9", "lr")
        "6:\n\t"
        "ldr r0, %[output]\n\t"
        "strb r10, [r0, #1]\n\t"
        "strb r7, [r0, #2]\n\t"
        "strb r11, [r0, #3]\n\t"
        "strb r8, [r0, #4]\n\t"
        "strb r12, [r0, #5]\n\t"
        "strb r9, [r0, #6]\n\t"
        "strb lr, [r0, #7]\n\t"
        "strb r6, [r0], #8\n\t"
        "str r0, %[output]\n\t"
        "ldr r4, %[last]\n\t"
        "cmp r0, r4\n\t"
        "bne 0b\n\t"
        : "+r"(r1), [output] "+m"(output)
        : [begin] "m"(begin), [end_16] "m"(end_16), [end] "m"(end), [rounding] "m"(rounding),
          [level] "m"(level), [last] "m"(last)
        : "r0", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "lr", "cc", "memory");
    return r1;
}

#else

#if defined(__thumb2__) && !defined(__ARMEB__)

/* One depth of a pair, whose half is `at` bytes behind the stream; r2: the input. */
#define PAIR(at, both, a)                                                                           \
    "ldrsb r12, [r1, #" at "]\n\t"                                                                  \
    "ldrsh r3, [r1, #" at "]\n\t"                                                                   \
    "mla " a ", r2, r12, " a "\n\t"                                                                 \
    "mla " both ", r2, r3, " both "\n\t"
#define DEPTH(at_0, at_1, at_2)                                                                     \
    "ldrsb r2, [r0], #1\n\t" PAIR(at_0, "r4", "r5") PAIR(at_1, "r6", "r7") PAIR(at_2, "r8", "r9")

/* Sums of four pairs of channels, each of both channels and of A. The stream is read from 2 bytes before
 * it on, so that the last half of a group takes it to the next. */
static void four_pairs(const int8_t *input, int32_t depth, const int32_t *stream, int32_t *sums)
{
    const int8_t *const end = input + depth;
    register const int8_t *r0 __asm__("r0") = input;
    register const int32_t *r1 __asm__("r1") = stream;

    __asm__ volatile(
        "ldmia r1!, {r4, r6, r8, r10}\n\t"
        "ldr lr, %[end]\n\t"
        "subs r1, r1, #2\n\t"
        "movs r5, #0\n\t"
        "movs r7, #0\n\t"
        "mov r9, #0\n\t"
        "mov r11, #0\n\t"
        "b 2f\n\t"
        "1:\n\t"
        DEPTH("2", "10", "18") PAIR("26", "r10", "r11")
        DEPTH("6", "14", "22") PAIR("30", "r10", "r11")
        DEPTH("4", "12", "20") PAIR("28", "r10", "r11")
        DEPTH("8", "16", "24")
        "ldrsb r12, [r1, #32]\n\t"
        "ldrsh r3, [r1, #32]!\n\t"
        "mla r11, r2, r12, r11\n\t"
        "mla r10, r2, r3, r10\n\t"
        "2:\n\t"
        "cmp r0, lr\n\t"
        "bne 1b\n\t"
        "ldr r2, %[sums]\n\t"
        "stmia r2, {r4, r5, r6, r7, r8, r9, r10, r11}\n\t"
        : "+r"(r0), "+r"(r1)
        : [end] "m"(end), [sums] "m"(sums)
        : "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "lr", "cc", "memory");
}

#else

/* One depth of two pairs of channels. */
#define ADD_HALF(word, half, input_value)                                                           \
    do {                                                                                            \
        const int32_t x = input_value;                                                              \
        const int32_t both = tinyrt_half(word, half);                                               \
        const int32_t next = tinyrt_half((word) + 2, half);                                         \
        first += both * x;                                                                          \
        first_a += tinyrt_weight_a(word, half) * x;                                                 \
        second += next * x;                                                                         \
        second_a += tinyrt_weight_a((word) + 2, half) * x;                                          \
    } while (0)

/* Sums of two pairs of channels, each of both channels and of A. */
static void two_pairs(const int8_t *input, int32_t depth, const int32_t *words, int32_t *sums)
{
    const int8_t *const end = input + depth;
    int32_t first = sums[0];
    int32_t first_a = 0;
    int32_t second = sums[2];
    int32_t second_a = 0;

    for (; input != end; input += 4) {
        ADD_HALF(words, 0, input[0]);
        ADD_HALF(words, 1, input[2]);
        ADD_HALF(words + 1, 0, input[1]);
        ADD_HALF(words + 1, 1, input[3]);
        words += CHANNELS;
    }
    sums[0] = first;
    sums[1] = first_a;
    sums[2] = second;
    sums[3] = second_a;
}

/* Sums of four pairs of channels. */
static void four_pairs(const int8_t *input, int32_t depth, const int32_t *stream, int32_t *sums)
{
    for (int32_t pair = 0; pair < CHANNELS / 2; pair += 2) {
        sums[2 * pair] = stream[pair];
        sums[2 * pair + 2] = stream[pair + 1];
        two_pairs(input, depth, stream + CHANNELS / 2 + 2 * pair, sums + 2 * pair);
    }
}

#endif

static const int32_t *eights(const tinyrt_fully_connected_packed_s8_params *p, const int8_t *input,
                             const int32_t *stream, int8_t *output, const int8_t *output_end)
{
    const bool level =
        TINYRT_NUMERICS == TINYRT_NUMERICS_SINGLE || p->activation_min >= p->output_offset;

    while (output != output_end) {
        const int32_t *tail = stream + CHANNELS / 2 + p->input_depth * (CHANNELS / 4);
        int32_t sums[CHANNELS];
        four_pairs(input, p->input_depth, stream, sums);
        for (int32_t i = 0; i < CHANNELS; i += 2) {
            output = tinyrt_packed_outputs(sums[i], sums[i + 1], tail, p->output_offset, level,
                                           output);
            tail += 3;
        }
        stream = tail;
    }
    return stream;
}

#endif

void tinyrt_fully_connected_packed_s8(const tinyrt_fully_connected_packed_s8_params *params,
                                      const int8_t *input, int8_t *output)
{
    const tinyrt_fully_connected_packed_s8_params *const p = params;

    for (int32_t batch = 0; batch < p->batches; ++batch) {
        const int32_t *stream = p->stream;
        int8_t *const row = output;
        int8_t *const whole = output + p->output_depth / CHANNELS * CHANNELS;
        const int32_t rest = p->output_depth % CHANNELS;
        if (whole != output) {
            stream = eights(p, input, stream, output, whole);
            output = whole;
        }
        if (rest > 0) {
            int8_t last[CHANNELS];
            (void)eights(p, input, stream, last, last + CHANNELS);
            for (int32_t i = 0; i < rest; ++i) {
                *output++ = last[i];
            }
        }
        if (p->activation_min > -128 || p->activation_max < 127) {
            for (int8_t *place = row; place != output; ++place) {
                *place = (int8_t)tinyrt_clamp(*place, p->activation_min, p->activation_max);
            }
        }
        input += p->input_depth;
    }
}

#endif
