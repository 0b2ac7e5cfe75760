/* add_same_s8.c: ADD of two tensors of one shape. */
#include "add_same_s8.h"

#include "tinyrt_dsp.h"
#include "tinyrt_fixedpoint.h"
#include "tinyrt_mve.h"

#if TINYRT_HAS_MVE

/* Four elements at a time; the assembly knows the offsets. */
typedef struct {
    const int8_t *half;    /* 0 */
    const int8_t *other;   /* 4 */
    int8_t *output;        /* 8 */
    int32_t left;          /* 12 */
    int32_t half_base;     /* 16 */
    int32_t other_base;    /* 20 */
    int32_t multiplier;    /* 24: of the output */
    int32_t shift;         /* 28: of the output, negative */
    int32_t output_offset; /* 32 */
    int32_t one;           /* 36: one of half, */
    int32_t factor;        /* 40: and of the other one */
    int32_t scale;         /* 44: of the other one */
    int32_t low;           /* 48 */
    int32_t high;          /* 52 */
} fours;

/* `below_zero`: where results below the offset survive, halves go away from zero. The first high product
 * rounds at bit 32, half up. */
#define RUN(below_zero)                                                                             \
    __asm__ volatile(                                                                               \
        "ldrd r0, r1, [r3, #36]\n\t"                                                                \
        "ldrd r2, r4, [r3, #44]\n\t"                                                                \
        "ldr r5, [r3, #52]\n\t"                                                                     \
        "vdup.32 q3, r0\n\t"                                                                        \
        "vdup.32 q4, r1\n\t"                                                                        \
        "vdup.32 q5, r2\n\t"                                                                        \
        "vdup.32 q6, r4\n\t"                                                                        \
        "vdup.32 q7, r5\n\t"                                                                        \
        "ldrd r0, r1, [r3]\n\t"                                                                     \
        "ldrd r2, r4, [r3, #8]\n\t"                                                                 \
        "ldrd r5, r6, [r3, #16]\n\t"                                                                \
        "ldrd r8, r9, [r3, #24]\n\t"                                                                \
        "ldr r10, [r3, #32]\n\t"                                                                    \
        "dlstp.32 lr, r4\n\t"                                                                       \
        "1:\n\t"                                                                                    \
        "vldrb.s32 q0, [r1], #4\n\t"                                                                \
        "vldrb.s32 q1, [r0], #4\n\t"                                                                \
        "vmlas.s32 q0, q4, r6\n\t"                                                                  \
        "vmlas.s32 q1, q3, r5\n\t"                                                                  \
        "vrmulh.s32 q0, q0, q5\n\t"                                                                 \
        "vadd.i32 q0, q0, q1\n\t"                                                                   \
        TINYRT_MVE_HIGH "q0, q0, r8\n\t"                                                            \
        below_zero                                                                                  \
        "vrshl.s32 q0, r9\n\t"                                                                      \
        "vadd.i32 q0, q0, r10\n\t"                                                                  \
        "vmax.s32 q0, q0, q6\n\t"                                                                   \
        "vmin.s32 q0, q0, q7\n\t"                                                                   \
        "vstrb.32 q0, [r2], #4\n\t"                                                                 \
        "letp lr, 1b\n\t"                                                                           \
        : "+r"(r3)                                                                                  \
        :                                                                                           \
        : "r0", "r1", "r2", "r4", "r5", "r6", "r8", "r9", "r10", "lr", "cc", "q0", "q1", "q3", "q4",\
          "q5", "q6", "q7", "memory")

static void run(const fours *f, bool level)
{
    register const fours *r3 __asm__("r3") = f;

    if (level) {
        RUN("");
    } else {
        RUN("vshr.s32 q1, q0, #31\n\t"
            "vadd.i32 q0, q0, q1\n\t");
    }
}

void tinyrt_add_same_s8(const tinyrt_add_same_s8_params *params, const int8_t *input1,
                        const int8_t *input2, int8_t *output)
{
    const tinyrt_add_same_s8_params *const p = params;
    fours f;

    f.half = p->half_input == 0 ? input1 : input2;
    f.other = p->half_input == 0 ? input2 : input1;
    f.output = output;
    f.left = p->elements;
    f.half_base = p->half_offset * ((int32_t)1 << 19);
    f.other_base = p->other_offset * p->other_factor;
    f.multiplier = p->output_multiplier;
    f.shift = -p->output_shift;
    f.output_offset = p->output_offset;
    f.one = (int32_t)1 << 19;
    f.factor = p->other_factor;
    f.scale = p->other_multiplier;
    f.low = p->activation_min;
    f.high = p->activation_max;
    run(&f, TINYRT_NUMERICS == TINYRT_NUMERICS_SINGLE || p->activation_min >= p->output_offset);
}

#else

void tinyrt_add_same_s8(const tinyrt_add_same_s8_params *params, const int8_t *input1,
                        const int8_t *input2, int8_t *output)
{
    const tinyrt_add_same_s8_params *const p = params;
    const int8_t *half = p->half_input == 0 ? input1 : input2;
    const int8_t *other = p->half_input == 0 ? input2 : input1;
    int32_t left = p->elements;

    const int32_t other_base = p->other_offset * p->other_factor;

#if TINYRT_HAS_DSP && TINYRT_NUMERICS == TINYRT_NUMERICS_TFLM
    if (p->activation_min >= p->output_offset && p->activation_min == -128 && p->activation_max == 127) {
        /* Copies: as far as the compiler knows, the output may overlap the parameters. */
        const int32_t factor = p->other_factor;
        const int32_t other_multiplier = p->other_multiplier;
        const int32_t output_multiplier = p->output_multiplier;
        const int32_t half_base = p->half_offset * (1 << 20);
        const int32_t shift = p->output_shift - 1;
        const int32_t addend = tinyrt_shift_left(2 * p->output_offset + 1, shift);
        /* The sum is doubled, for the high product rounds at bit 32. */
#define ONE(i)                                                                                      \
    (int8_t)tinyrt_ssat8_asr1(                                                                      \
        tinyrt_smmlar(half_base + half[i] * (1 << 20) +                                             \
                          tinyrt_smmulr(other_base + other[i] * factor, other_multiplier) * 2,      \
                      output_multiplier, addend) >>                                                 \
        shift)
        for (; left >= 4; left -= 4) {
            output[0] = ONE(0);
            output[1] = ONE(1);
            output[2] = ONE(2);
            output[3] = ONE(3);
            half += 4;
            other += 4;
            output += 4;
        }
        for (; left > 0; --left) {
            *output++ = ONE(0);
            ++half;
            ++other;
        }
    }
#endif
    for (; left > 0; --left) {
        const int32_t other_doubled = other_base + *other++ * p->other_factor;
        /* Rounded at bit 32, half up. */
        const int32_t scaled =
            (int32_t)(((int64_t)other_doubled * p->other_multiplier + ((int64_t)1 << 31)) >> 32);
        *output++ = tinyrt_output_s8((*half++ + p->half_offset) * ((int32_t)1 << 19) + scaled,
                                     p->output_multiplier, -p->output_shift, p->output_offset,
                                     p->activation_min, p->activation_max);
    }
}

#endif
