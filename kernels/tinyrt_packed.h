/* tinyrt_packed.h: products of columns of activations with pairs of channels.
 *
 * Activations. A *column* is what one output pixel sees, in groups of four values a b c d. A group
 * becomes two words of two 16-bit halves, (a, c) and (b, d): what SXTB16 makes of four bytes. Three
 * columns form a block and lie interleaved, word by word.
 *
 * Weights. The two channels of a pair, A and B, share their halves: h = 256 * B + A. One product with
 * h gives the sums of both, S = 256 * S_B + S_A; the low byte of h, sign-extended, is A and gives
 * S_A, so that S - S_A = 256 * S_B. tinyrt/lower/ proves that bias and sums stay below 2^22, from the
 * weights: as no product is bound to one sign, that holds for what is summed so far as well. The
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

#include <string.h>

#include "tinyrt_dsp.h"
#include "tinyrt_fixedpoint.h"

/* Columns of a block. */
#define TINYRT_COLUMNS 3

/* Half a word of weights or of a column: which half is a matter of byte order, but of the same for
 * both. */
static inline int32_t tinyrt_half(const int32_t *word, int32_t number)
{
    int16_t half;
    memcpy(&half, (const int8_t *)word + 2 * number, sizeof half);
    return half;
}

/* The weight of A in a half, read as the byte that it is: cheaper than cutting it out. */
static inline int32_t tinyrt_weight_a(const int32_t *word, int32_t number)
{
    const union {
        int16_t half;
        int8_t low;
    } first = {1};
    return ((const int8_t *)word)[2 * number + 1 - first.low];
}

/* Two values as a word of a column. */
static inline int32_t tinyrt_pair(int8_t first, int8_t second)
{
    const int16_t halves[2] = {first, second};
    int32_t word;
    memcpy(&word, halves, sizeof word);
    return word;
}

/* Writes the outputs of a pair from its sums and its last three words; `level`: whether the activation
 * levels all results below the offset. */
static inline int8_t *tinyrt_packed_outputs(int32_t sum, int32_t sum_a, const int32_t *tail,
                                            int32_t output_offset, bool level, int8_t *output)
{
    const int32_t a = sum_a + (tail[0] >> 9); /* >> drops the shifts and a zero bit */
    const int32_t b = (sum - sum_a) >> 8;     /* without rest */
    const int32_t shift_a = tail[0] & 15;
    const int32_t shift_b = (tail[0] >> 4) & 15;
    if (level) {
        const int32_t rounding = 2 * output_offset + 1;
        output[0] = tinyrt_level_s8(2 * a, tail[1], tinyrt_shift_left(rounding, shift_a), shift_a);
        output[1] = tinyrt_level_s8(2 * b, tail[2], tinyrt_shift_left(rounding, shift_b), shift_b);
    } else {
        output[0] = tinyrt_output_s8(a, tail[1], -1 - shift_a, output_offset, -128, 127);
        output[1] = tinyrt_output_s8(b, tail[2], -1 - shift_b, output_offset, -128, 127);
    }
    return output + 2;
}

/* What the products of a block need; the assembly knows the offsets. */
typedef struct {
    int8_t *outputs[TINYRT_COLUMNS]; /* 0: the next byte of each pixel */
    int32_t rounding;                /* 12: 2 * output_offset + 1 */
    int32_t rounding_b;              /* 16: 128 times as much; 0 where results below zero survive */
    const int32_t *stream_end;       /* 20 */
    int32_t *columns;                /* 24 */
    int32_t groups;                  /* 28: of a column */
    int32_t output_offset;           /* 32 */
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

/* Fills groups with one value; returns where the next one goes. */
static inline int32_t *tinyrt_packed_fill(int32_t value, int32_t groups, int32_t *column)
{
    const int32_t word = tinyrt_pair((int8_t)value, (int8_t)value);
    for (; groups > 0; --groups) {
        column[0] = word;
        column[TINYRT_COLUMNS] = word;
        column += 2 * TINYRT_COLUMNS;
    }
    return column;
}

/* The same for all three columns at once. */
void tinyrt_packed_widen_3(const int8_t *input_0, const int8_t *input_1, const int8_t *input_2,
                           int32_t groups, int32_t *columns);

#endif /* TINYRT_PACKED_H */
