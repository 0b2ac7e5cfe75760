/* average_pool_rows_s8.h: AVERAGE_POOL_2D, int8, of a whole map that comes a few rows at a time. */
#ifndef TINYRT_AVERAGE_POOL_ROWS_S8_H
#define TINYRT_AVERAGE_POOL_ROWS_S8_H

#include "tinyrt.h"

typedef struct {
    int32_t input_count; /* 1: the first rows; 2: others */
    int32_t pixels;      /* in these rows */
    int32_t depth;
    int32_t count; /* pixels of the whole map with the last rows, else 0 */
    int32_t activation_min;
    int32_t activation_max;
} tinyrt_average_pool_rows_s8_params;

/* inputs: int8 rows [pixels][depth], then, if there are rows before them, their int32 sums [depth];
 * output: with the last rows the int8 means [depth], else the int32 sums, which may be in place. */
void tinyrt_average_pool_rows_s8(const tinyrt_average_pool_rows_s8_params *params,
                                 const void *const *inputs, void *output);

#endif /* TINYRT_AVERAGE_POOL_ROWS_S8_H */
