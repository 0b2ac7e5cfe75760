/* strided_copy.h: SLICE, STRIDED_SLICE and TRANSPOSE, of elements of any type. */
#ifndef TINYRT_STRIDED_COPY_H
#define TINYRT_STRIDED_COPY_H

#include "tinyrt.h"

typedef struct {
    int32_t offset;         /* byte of the input at which the first run begins */
    const int32_t *counts;  /* turns of each of the five loops, outermost first */
    const int32_t *strides; /* bytes of the input, of either sign, from turn to turn */
    int32_t run_bytes;
} tinyrt_strided_copy_params;

/* output: the runs one after the other, in the order of the loops. */
void tinyrt_strided_copy(const tinyrt_strided_copy_params *params, const void *input, void *output);

#endif /* TINYRT_STRIDED_COPY_H */
