/* sub_s32.h: SUB, int32 without scales, operands that broadcast. */
#ifndef TINYRT_SUB_S32_H
#define TINYRT_SUB_S32_H

#include "tinyrt.h"

typedef struct {
    int32_t loops; /* see tinyrt_broadcast.h */
    const int32_t *extents;
    const int32_t *strides1;
    const int32_t *strides2;
    int32_t activation_min;
    int32_t activation_max;
} tinyrt_sub_s32_params;

/* output = input1 - input2 modulo 2^32, limited */
void tinyrt_sub_s32(const tinyrt_sub_s32_params *params, const int32_t *input1,
                    const int32_t *input2, int32_t *output);

#endif /* TINYRT_SUB_S32_H */
