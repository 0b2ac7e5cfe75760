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
#define HIGH(sum, multiplier) "smmul " sum ", " sum ", " multiplier "\n\t"
#else /* halves away from zero: one less for results below */
#define HIGH(sum, multiplier)                                                                       \
    "smmulr " sum ", " sum ", " multiplier "\n\t"                                                   \
    "add " sum ", " sum ", " sum ", asr #31\n\t"
#endif
#define OUTPUT(sum, multiplier)                                                                     \
    HIGH(sum, multiplier)                                                                           \
    "lsl r3, r0, r5\n\t"                                                                            \
    "add " sum ", " sum ", r3\n\t"                                                                  \
    "asr " sum ", " sum ", r5\n\t"                                                                  \
    "ssat " sum ", #8, " sum ", asr #1\n\t"
#define OUTPUTS(a, both)                                                                            \
    "ldmia r1!, {r2, r3, r4}\n\t"                                                                   \
    "sub " both ", " both ", " a "\n\t"                                                             \
    "asr r5, r2, #8\n\t"                                                                            \
    "add " a ", r5, " a ", lsl #1\n\t"                                                              \
    "asr " both ", " both ", #7\n\t"                                                                \
    "and r5, r2, #15\n\t" OUTPUT(a, "r3") "ubfx r5, r2, #4, #4\n\t" OUTPUT(both, "r4")             \
    "ldr r2, %[output]\n\t"                                                                         \
    "strb " a ", [r2], #1\n\t"                                                                      \
    "strb " both ", [r2], #1\n\t"                                                                   \
    "str r2, %[output]\n\t"

/* The next eight outputs; returns the rest of the stream. */
static const int32_t *eight(const int8_t *input, int32_t depth, const int32_t *stream,
                            int32_t output_offset, int8_t *output)
{
    const int8_t *const begin = input;
    const int8_t *const end_16 = input + (depth & ~15);
    const int8_t *const end = input + depth;
    const int32_t rounding = 2 * output_offset + 1;
    register const int32_t *r1 __asm__("r1") = stream;

    __asm__ volatile(
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
        OUTPUTS("r6", "r10") OUTPUTS("r7", "r11") OUTPUTS("r8", "r12") OUTPUTS("r9", "lr")
        : "+r"(r1), [output] "+m"(output)
        : [begin] "m"(begin), [end_16] "m"(end_16), [end] "m"(end), [rounding] "m"(rounding)
        : "r0", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "lr", "cc", "memory");
    return r1;
}

#else

static const int32_t *eight(const int8_t *input, int32_t depth, const int32_t *stream,
                            int32_t output_offset, int8_t *output)
{
    uint32_t sums_a[CHANNELS / 2] = {0, 0, 0, 0};
    uint32_t sums[CHANNELS / 2];

    for (int32_t pair = 0; pair < CHANNELS / 2; ++pair) {
        sums[pair] = (uint32_t)*stream++;
    }
    for (int32_t i = 0; i < depth; i += 4) {
        for (int32_t pair = 0; pair < CHANNELS / 2; ++pair) {
            uint32_t both = sums[pair];
            uint32_t a = sums_a[pair];
            tinyrt_add_products(&both, &a, *stream++, input[i], input[i + 2]);
            tinyrt_add_products(&both, &a, *stream++, input[i + 1], input[i + 3]);
            sums[pair] = both;
            sums_a[pair] = a;
        }
    }
    for (int32_t pair = 0; pair < CHANNELS / 2; ++pair) {
        output = tinyrt_packed_outputs(sums[pair], sums_a[pair], stream, output_offset, output);
        stream += 3;
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
        int32_t left = p->output_depth;
        for (; left >= CHANNELS; left -= CHANNELS) {
            stream = eight(input, p->input_depth, stream, p->output_offset, output);
            output += CHANNELS;
        }
        if (left > 0) {
            int8_t last[CHANNELS];
            (void)eight(input, p->input_depth, stream, p->output_offset, last);
            for (int32_t i = 0; i < left; ++i) {
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
