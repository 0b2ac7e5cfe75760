/* tinyrt_packed_mve.h: tinyrt_packed.h with vectors: four columns of bytes meet the same stream.
 *
 * A column holds sixteens of bytes; four columns lie interleaved, sixteen by sixteen. Of each four values
 * a b c d, the order is that of the stream, a c b d. Behind the last value a sixteen holds zeros. */
#ifndef TINYRT_PACKED_MVE_H
#define TINYRT_PACKED_MVE_H

#include "tinyrt_mve.h"

#if TINYRT_HAS_MVE

#define TINYRT_MVE_COLUMNS 4

/* What the products of a block need; the assembly knows the offsets. */
typedef struct {
    uint16_t lanes[2 * TINYRT_MVE_COLUMNS]; /* 0: where A and B of each pixel go, from `output` */
    const int8_t *columns;                  /* 16 */
    int32_t twos;                           /* 20: sixteens of a column by two, without the first or two */
    int32_t to_bias;                        /* 24: from behind the weights of a pair to its first word, */
    int32_t too_far;                        /* 28: and from where they end to behind the last sixteen */
    int32_t output_offset;                  /* 32 */
    int32_t nibble;                         /* 36: 0xF0 */
    int32_t odd;                            /* 40: whether a column has an odd number of sixteens */
    int8_t *output;                         /* 44 */
    const int32_t *stream_end;              /* 48 */
    const int32_t *stream;                  /* 52 */
    int32_t signs;                          /* 0 where the activation levels all results below zero */
} tinyrt_mve_block;

/* Bytes of all columns of so many groups. */
static inline int32_t tinyrt_mve_column_bytes(int32_t groups)
{
    return 16 * TINYRT_MVE_COLUMNS * ((groups + 3) / 4);
}

/* What is the same for all blocks of columns of so many groups. */
static inline void tinyrt_mve_columns_of(tinyrt_mve_block *block, int32_t groups)
{
    const int32_t sixteens = (groups + 3) / 4;
    block->twos = (sixteens - 1) / 2;
    block->odd = sixteens % 2;
    block->to_bias = -(32 * sixteens + 4);
    block->too_far = 32 * sixteens - 8 * groups;
    block->nibble = 0xF0;
}

/* Writes two channels of each pixel for every pair from `stream` to `stream_end`. Reads up to three words
 * behind the last pair. */
void tinyrt_mve_pairs(tinyrt_mve_block *block);

/* Rows of windows, which lie some bytes apart; the assembly knows the offsets. */
typedef struct {
    int32_t rows;       /* 0 */
    int32_t row_step;   /* 4 */
    int32_t row_groups; /* 8: of four values */
    int32_t step;       /* 12: from window to window */
    int32_t windows;    /* 16: 1 to 4 */
    int32_t first;      /* 20: group of the column */
    int32_t copied;     /* 24: groups of each row, of those that it takes */
} tinyrt_mve_windows;

/* Writes the rows of windows, one behind the other, to the columns from `column` on. */
void tinyrt_mve_gather(const tinyrt_mve_windows *windows, const int8_t *input, int8_t *column);

/* The same for four windows whose rows are sixteens of values, 256 at most. */
void tinyrt_mve_gather_sixteens(const tinyrt_mve_windows *windows, const int8_t *input,
                                int8_t *columns);

/* Writes a value so many times, sixteen of them at a time and so many bytes apart. */
static inline void tinyrt_mve_fill(int8_t *place, int32_t count, int32_t value, int32_t step)
{
    __asm__ volatile(
        "vdup.8 q0, %[value]\n\t"
        "dlstp.8 lr, %[count]\n\t"
        "1:\n\t"
        "vstrb.8 q0, [%[place]]\n\t"
        "add %[place], %[place], %[step]\n\t"
        "letp lr, 1b\n\t"
        : [place] "+r"(place)
        : [value] "r"(value), [count] "r"(count), [step] "r"(step)
        : "lr", "q0", "memory");
}

static inline void tinyrt_mve_copy(int8_t *output, const int8_t *input, int32_t count)
{
    __asm__ volatile(
        "wlstp.8 lr, %[count], 2f\n\t"
        "1:\n\t"
        "vldrb.8 q0, [%[input]], #16\n\t"
        "vstrb.8 q0, [%[output]], #16\n\t"
        "letp lr, 1b\n\t"
        "2:\n\t"
        : [output] "+r"(output), [input] "+r"(input)
        : [count] "r"(count)
        : "lr", "q0", "memory");
}

#endif

#endif /* TINYRT_PACKED_MVE_H */
