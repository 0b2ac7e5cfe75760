/* fully_connected_wide_s8.c: FULLY_CONNECTED: a row of inputs with four channels at a time. */
#include "fully_connected_wide_s8.h"

#include "tinyrt_dsp.h"
#include "tinyrt_fixedpoint.h"
#include "tinyrt_mve.h"

#define CHANNELS 4

#if TINYRT_HAS_MVE

/* Adds the products of `depth` inputs with the weights of four channels. Where the last sixteen are not
 * whole, the inputs behind them are zeros; weights are there for all. */
static const int8_t *add_products(const int8_t *input, int32_t depth, const int8_t *filter,
                                  int32_t *sums)
{
    const int8_t *weights = filter;
    register int32_t r0 __asm__("r0") = sums[0];
    register int32_t r2 __asm__("r2") = sums[1];
    register int32_t r4 __asm__("r4") = sums[2];
    register int32_t r6 __asm__("r6") = sums[3];

    for (int32_t left = depth; left > 0; left -= 16) {
        __asm__ volatile(
            "vctp.8 %[left]\n\t"
            "vpst\n\t"
            "vldrbt.u8 q4, [%[input]], #16\n\t"
            "vld40.32 {q0, q1, q2, q3}, [%[weights]]\n\t"
            "vld41.32 {q0, q1, q2, q3}, [%[weights]]\n\t"
            "vld42.32 {q0, q1, q2, q3}, [%[weights]]\n\t"
            "vld43.32 {q0, q1, q2, q3}, [%[weights]]!\n\t"
            "vmladava.s8 %[a], q4, q0\n\t"
            "vmladava.s8 %[b], q4, q1\n\t"
            "vmladava.s8 %[c], q4, q2\n\t"
            "vmladava.s8 %[d], q4, q3\n\t"
            : [input] "+r"(input), [weights] "+r"(weights), [a] "+r"(r0), [b] "+r"(r2), [c] "+r"(r4),
              [d] "+r"(r6)
            : [left] "r"(left)
            : "q0", "q1", "q2", "q3", "q4", "memory");
    }
    sums[0] = r0;
    sums[1] = r2;
    sums[2] = r4;
    sums[3] = r6;
    return filter + (depth + 3) / 4 * 4 * CHANNELS;
}

#else

#if TINYRT_HAS_DSP

/* Adds the products of four inputs with four weights. */
static inline int32_t dot_4(int32_t sum, uint32_t even, uint32_t odd, uint32_t weights)
{
    return tinyrt_smlad(odd, tinyrt_sxtb16_ror8(weights),
                        tinyrt_smlad(even, tinyrt_sxtb16(weights), sum));
}

static inline void add_group(int32_t *sums, const int8_t *input, const int8_t *filter)
{
    const uint32_t word = tinyrt_load_4(input);
    const uint32_t even = tinyrt_sxtb16(word);
    const uint32_t odd = tinyrt_sxtb16_ror8(word);

    sums[0] = dot_4(sums[0], even, odd, tinyrt_load_4(filter));
    sums[1] = dot_4(sums[1], even, odd, tinyrt_load_4(filter + 4));
    sums[2] = dot_4(sums[2], even, odd, tinyrt_load_4(filter + 8));
    sums[3] = dot_4(sums[3], even, odd, tinyrt_load_4(filter + 12));
}

#else

/* Adds the products of four inputs with four weights. */
static inline int32_t dot_4(int32_t sum, const int8_t *input, const int8_t *weights)
{
    sum += input[0] * weights[0];
    sum += input[1] * weights[1];
    sum += input[2] * weights[2];
    return sum + input[3] * weights[3];
}

static inline void add_group(int32_t *sums, const int8_t *input, const int8_t *filter)
{
    sums[0] = dot_4(sums[0], input, filter);
    sums[1] = dot_4(sums[1], input, filter + 4);
    sums[2] = dot_4(sums[2], input, filter + 8);
    sums[3] = dot_4(sums[3], input, filter + 12);
}

#endif

/* Adds the products of `depth` inputs with the weights of four channels; returns what is behind them. */
static const int8_t *add_products(const int8_t *input, int32_t depth, const int8_t *filter,
                                  int32_t *sums)
{
    const int8_t *const whole = input + (depth & ~3);
    int32_t found[CHANNELS] = {sums[0], sums[1], sums[2], sums[3]};

    for (; input != whole; input += 4) {
        add_group(found, input, filter);
        filter += 4 * CHANNELS;
    }
    if (depth % 4 != 0) {
        int8_t last[4] = {0, 0, 0, 0};
        for (int32_t i = 0; i < depth % 4; ++i) {
            last[i] = input[i];
        }
        add_group(found, last, filter);
        filter += 4 * CHANNELS;
    }
    for (int32_t channel = 0; channel < CHANNELS; ++channel) {
        sums[channel] = found[channel];
    }
    return filter;
}

#endif

void tinyrt_fully_connected_wide_s8(const tinyrt_fully_connected_wide_s8_params *params,
                                    const int8_t *input, int8_t *output)
{
    const tinyrt_fully_connected_wide_s8_params *const p = params;

    for (int32_t batch = 0; batch < p->batches; ++batch) {
        const int8_t *filter = p->filter;
        for (int32_t first = 0; first < p->output_depth; first += CHANNELS) {
            const int32_t left = p->output_depth - first;
            const int32_t count = left < CHANNELS ? left : CHANNELS;
            int32_t sums[CHANNELS] = {0, 0, 0, 0};
            filter = add_products(input, p->input_depth, filter, sums);
            for (int32_t i = 0; i < count; ++i) {
                const int32_t scale = p->per_channel ? first + i : 0;
                *output++ = tinyrt_output_s8(sums[i] + p->bias[first + i], p->multipliers[scale],
                                             p->shifts[scale], p->output_offset,
                                             p->activation_min, p->activation_max);
            }
        }
        input += p->input_depth;
    }
}
