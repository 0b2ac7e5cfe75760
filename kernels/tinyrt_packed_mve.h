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
    int32_t sixteens;                       /* 20: of a column */
    int32_t pair_bytes;                     /* 24: of the weights of a pair */
    int32_t output_offset;                  /* 28 */
    int32_t signs;                          /* 32: 0 where the activation levels all results below zero */
    int8_t *output;                         /* 36 */
    const int32_t *stream;                  /* 40 */
    const int32_t *stream_end;              /* 44 */
} tinyrt_mve_block;

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
