/* depthwise_conv_3x3_rows.h: rows of outputs of a channel, in plain C where there are no DSP instructions. */
#ifndef TINYRT_DEPTHWISE_CONV_3X3_ROWS_H
#define TINYRT_DEPTHWISE_CONV_3X3_ROWS_H

#include "depthwise_conv_3x3_s8.h"
#include "tinyrt_dsp.h"
#include "tinyrt_fixedpoint.h"

#define TINYRT_DEPTHWISE_WORDS 5 /* of a channel */

/* What the rows of a channel need; the assembly knows the offsets. */
typedef struct {
    int32_t taps[6];          /* 0: (w0, w1) and (w1, w2) of each row, doubled */
    int32_t multiplier;       /* 24 */
    int32_t addend;           /* 28: half of the last rounding, and the output's offset */
    int32_t shift;            /* 32 */
    int32_t column_step;      /* 36: bytes from output to output */
    int32_t last_step;        /* 40: to the second of the last two; 0 where that is one */
    int32_t bias;             /* 44: doubled */
    const int16_t *row;       /* 48: of the plane, where the row of outputs begins */
    int8_t *output;           /* 52 */
    int32_t row_bytes;        /* 56: of the plane, from row to row of outputs */
    int32_t output_row_step;  /* 60 */
    const int16_t *fours_end; /* 64: of the plane, where a row has no four outputs any more */
    int32_t rows;             /* 68 */
    int32_t twos;             /* 72: of a row, behind the fours */
    int32_t pitch_bytes;      /* 76 */
    int32_t stride;           /* 80 */
    int32_t columns;          /* of the output; unknown to the assembly, as what follows */
    int32_t output_offset;
} tinyrt_depthwise_channel;

#if !TINYRT_HAS_DSP

/* An output from its doubled sum. */
static inline int8_t *tinyrt_depthwise_put(const tinyrt_depthwise_channel *c, int32_t sum, int8_t *output)
{
    *output = tinyrt_level_s8(sum, c->multiplier, c->addend, c->shift);
    return output + c->column_step;
}

/* Adds a row of taps to the sums of two outputs. */
static inline void tinyrt_depthwise_add_row(int32_t *sums, const int32_t *taps, const int16_t *x,
                                            int32_t stride)
{
    const int32_t tap_0 = taps[0];
    const int32_t tap_1 = taps[1];
    const int32_t tap_2 = taps[2];

    sums[0] += tap_0 * x[0];
    sums[0] += tap_1 * x[1];
    sums[0] += tap_2 * x[2];
    sums[1] += tap_0 * x[stride];
    sums[1] += tap_1 * x[stride + 1];
    sums[1] += tap_2 * x[stride + 2];
}

static inline void tinyrt_depthwise_rows(tinyrt_depthwise_channel *c, const int32_t *taps, int32_t stride)
{
    const int32_t pitch = c->pitch_bytes / 2;

    for (; c->rows > 0; --c->rows) {
        const int16_t *x = c->row;
        int8_t *output = c->output;
        for (int32_t left = c->columns; left > 0; left -= 2) {
            int32_t sums[2] = {c->bias, c->bias};
            tinyrt_depthwise_add_row(sums, taps, x, stride);
            tinyrt_depthwise_add_row(sums, taps + 3, x + pitch, stride);
            tinyrt_depthwise_add_row(sums, taps + 6, x + 2 * pitch, stride);
            output = tinyrt_depthwise_put(c, sums[0], output);
            if (left > 1) {
                output = tinyrt_depthwise_put(c, sums[1], output);
            }
            x += 2 * stride;
        }
        c->row += c->row_bytes / 2;
        c->output += c->output_row_step;
    }
}

static inline void tinyrt_depthwise_run(tinyrt_depthwise_channel *c)
{
    int32_t taps[9]; /* doubled */

    for (int32_t row = 0; row < 3; ++row) {
        const int32_t first = c->taps[2 * row];
        taps[3 * row] = (int16_t)(uint16_t)((uint32_t)first & 0xFFFFu);
        taps[3 * row + 1] = first >> 16; /* >> drops the other half */
        taps[3 * row + 2] = c->taps[2 * row + 1] >> 16;
    }
    if (c->stride == 1) {
        tinyrt_depthwise_rows(c, taps, 1);
    } else {
        tinyrt_depthwise_rows(c, taps, 2);
    }
}

/* The halves 2 * low and 2 * high of a word. */
static inline int32_t tinyrt_doubled_pair(uint32_t low, uint32_t high)
{
    const int32_t a = 2 * (int8_t)(uint8_t)(low & 0xFFu);
    const int32_t b = 2 * (int8_t)(uint8_t)(high & 0xFFu);
    return (int32_t)(((uint32_t)a & 0xFFFFu) | (uint32_t)b << 16);
}

/* Takes in the words of a channel. */
static inline const int32_t *tinyrt_depthwise_load(tinyrt_depthwise_channel *c, const int32_t *stream)
{
    c->bias = stream[0] >> 8;
    c->shift = stream[0] & 31;
    c->multiplier = stream[1];
    c->addend = tinyrt_shift_left(2 * c->output_offset + 1, c->shift);
    for (int32_t row = 0; row < 3; ++row) {
        const uint32_t bytes = (uint32_t)stream[2 + row];
        c->taps[2 * row] = tinyrt_doubled_pair(bytes, bytes >> 16);
        c->taps[2 * row + 1] = tinyrt_doubled_pair(bytes >> 8, bytes >> 24);
    }
    return stream + TINYRT_DEPTHWISE_WORDS;
}

/* Copies rows of values that lie some bytes apart. */
static inline void tinyrt_depthwise_copy(const tinyrt_depthwise_conv_3x3_s8_params *p,
                                         const int8_t *input, int32_t rows_left, int16_t *plane)
{
    const int32_t step = p->input_column_step;

    for (; rows_left > 0; --rows_left) {
        const int8_t *value = input;
        int32_t column = 0;
        for (; column + 4 <= p->input_columns; column += 4) {
            plane[column] = value[0];
            plane[column + 1] = value[step];
            plane[column + 2] = value[2 * step];
            plane[column + 3] = value[3 * step];
            value += 4 * step;
        }
        for (; column < p->input_columns; ++column) {
            plane[column] = *value;
            value += step;
        }
        input += p->input_row_step;
        plane += p->pitch;
    }
}

#endif

#endif /* TINYRT_DEPTHWISE_CONV_3X3_ROWS_H */
