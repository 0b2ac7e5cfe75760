/* tinyrt_packed.h: products of columns of activations with pairs of channels.
 *
 * Activations. A *column* is what one output pixel sees, in groups of four values a b c d. A group
 * becomes two words of two 16-bit halves, (a, c) and (b, d): what SXTB16 makes of four bytes. Three
 * columns form a block and lie interleaved, word by word.
 *
 * Weights. The two channels of a pair, A and B, share their halves: h = 256 * B + A. One product with
 * h gives the sums of both, S = 256 * S_B + S_A modulo 2^32; the low byte of h, sign-extended, is A
 * and gives S_A, so that S - S_A = 256 * S_B: exact, as tinyrt/lower/ proves that |S_B| < 2^22. The
 * stream of weights holds, for each pair of channels,
 *
 *     256 * bias of B
 *     the words of weights, in the order of a column's
 *     2 * bias of A << 8 | e_B << 4 | e_A      e: right shift of the requantization, less 1
 *     multiplier of A
 *     multiplier of B
 *
 * The biases have taken in the input's zero-point. */
#ifndef TINYRT_PACKED_H
#define TINYRT_PACKED_H

#include "tinyrt_dsp.h"
#include "tinyrt_fixedpoint.h"

/* Columns of a block. */
#define TINYRT_COLUMNS 3

/* The halves of a word, sign-extended. */
static inline int32_t tinyrt_low_half(int32_t word)
{
    return (int16_t)(uint16_t)((uint32_t)word & 0xFFFFu);
}

static inline int32_t tinyrt_high_half(int32_t word)
{
    return word >> 16; /* floors, which keeps the sign */
}

/* Adds two products to the sums of a pair of channels; each product fits, the sums wrap. */
static inline void tinyrt_add_products(uint32_t *sum, uint32_t *sum_a, int32_t word, int32_t x_low,
                                       int32_t x_high)
{
    const int32_t low = tinyrt_low_half(word);
    const int32_t high = tinyrt_high_half(word);
    *sum += (uint32_t)(low * x_low) + (uint32_t)(high * x_high);
    *sum_a += (uint32_t)((int8_t)(uint8_t)((uint32_t)low & 0xFFu) * x_low) +
              (uint32_t)((int8_t)(uint8_t)((uint32_t)high & 0xFFu) * x_high);
}

/* Writes the outputs of a pair from its sums and its last three words. */
static inline int8_t *tinyrt_packed_outputs(uint32_t sum, uint32_t sum_a, const int32_t *tail,
                                            int32_t output_offset, int8_t *output)
{
    const int32_t a = (int32_t)sum_a + (tail[0] >> 9); /* >> drops the shifts and a zero bit */
    const int32_t b = (int32_t)(sum - sum_a) >> 8;     /* without rest */
    *output++ = tinyrt_output_s8(a, tail[1], -1 - (tail[0] & 15), output_offset, -128, 127);
    *output++ = tinyrt_output_s8(b, tail[2], -1 - ((tail[0] >> 4) & 15), output_offset, -128, 127);
    return output;
}

/* What the products of a block need. It lies right behind the columns: the assembly arrives at it there,
 * and knows the offsets. */
typedef struct {
    int8_t *outputs[TINYRT_COLUMNS]; /* 0: the next byte of each pixel */
    int32_t rounding;                /* 12: 2 * output_offset + 1 */
    int32_t rounding_b;              /* 16: 128 times as much */
    int32_t signs;                   /* 20: 0 where the activation levels all results below zero */
    const int32_t *stream_end;       /* 24 */
    const int32_t *columns;          /* 28 */
    int32_t groups;                  /* 32: of a column */
    int32_t output_offset;           /* 36 */
} tinyrt_block;

/* Writes the next two channels of each pixel for every pair of a stream; results are limited to
 * int8 only. */
void tinyrt_packed_pairs(tinyrt_block *block, const int32_t *stream);

/* All channels, two or more: an odd last one is paired with its predecessor. */
static inline void tinyrt_packed_channels(tinyrt_block *block, const int32_t *stream, int32_t channels)
{
    const int32_t pair_words = 2 * block->groups + 4;
    block->stream_end = stream + (channels / 2) * pair_words;
    tinyrt_packed_pairs(block, stream);
    if (channels % 2 != 0) {
        const int32_t *const odd = block->stream_end;
        block->stream_end = odd + pair_words;
        for (int32_t pixel = 0; pixel < TINYRT_COLUMNS; ++pixel) {
            --block->outputs[pixel];
        }
        tinyrt_packed_pairs(block, odd);
    }
}

/* Widens `groups` groups of four values to the words of one of three columns. */
void tinyrt_packed_widen(const int8_t *input, int32_t groups, int32_t *column);

/* The same for all three columns at once. */
void tinyrt_packed_widen_3(const int8_t *input_0, const int8_t *input_1, const int8_t *input_2,
                           int32_t groups, int32_t *columns);

#endif /* TINYRT_PACKED_H */
