/* average_pool_rows_s8.c: AVERAGE_POOL_2D of a whole map that comes a few rows at a time. */
#include "average_pool_rows_s8.h"

#include "tinyrt_dsp.h"
#include "tinyrt_fixedpoint.h"

#define CHANNELS 4

/* Adds up the values of some channels next to each other. */
static void add_up(const tinyrt_average_pool_rows_s8_params *p, const int8_t *pixel,
                   int32_t channels, int32_t *sums)
{
#if TINYRT_HAS_DSP
    /* A half of 16 bits holds the sum of so many values. */
    if (channels == CHANNELS && p->pixels <= 256) {
        uint32_t even = 0;
        uint32_t odd = 0;
        for (int32_t count = p->pixels; count > 0; --count) {
            const uint32_t four = tinyrt_load_4(pixel);
            even = tinyrt_sxtab16(even, four);
            odd = tinyrt_sxtab16_ror8(odd, four);
            pixel += p->depth;
        }
        sums[0] += (int16_t)even;
        sums[1] += (int16_t)odd;
        sums[2] += (int32_t)even >> 16;
        sums[3] += (int32_t)odd >> 16;
        return;
    }
#endif
    for (int32_t count = p->pixels; count > 0; --count) {
        for (int32_t channel = 0; channel < channels; ++channel) {
            sums[channel] += pixel[channel];
        }
        pixel += p->depth;
    }
}

void tinyrt_average_pool_rows_s8(const tinyrt_average_pool_rows_s8_params *params,
                                 const void *const *inputs, void *output)
{
    const tinyrt_average_pool_rows_s8_params *const p = params;
    const int8_t *const rows = (const int8_t *)inputs[0];

    for (int32_t first = 0; first < p->depth; first += CHANNELS) {
        const int32_t left = p->depth - first;
        const int32_t channels = left < CHANNELS ? left : CHANNELS;
        int32_t sums[CHANNELS] = {0};

        for (int32_t channel = 0; p->input_count > 1 && channel < channels; ++channel) {
            sums[channel] = ((const int32_t *)inputs[1])[first + channel];
        }
        add_up(p, rows + first, channels, sums);
        for (int32_t channel = 0; channel < channels; ++channel) {
            if (p->count) {
                const int32_t mean = tinyrt_rounded_quotient(sums[channel], p->count);
                ((int8_t *)output)[first + channel] =
                    (int8_t)tinyrt_clamp(mean, p->activation_min, p->activation_max);
            } else {
                ((int32_t *)output)[first + channel] = sums[channel];
            }
        }
    }
}
