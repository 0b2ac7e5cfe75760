/* shape.h: SHAPE, of a tensor of any type. */
#ifndef TINYRT_SHAPE_H
#define TINYRT_SHAPE_H

#include "tinyrt.h"

typedef struct {
    int32_t rank;
    const int32_t *sizes; /* [rank] */
    int32_t output_bytes; /* of an element: 4 (int32_t) or 8 (int64_t) */
} tinyrt_shape_params;

/* output: [rank], aligned for its elements. */
void tinyrt_shape(const tinyrt_shape_params *params, void *output);

#endif /* TINYRT_SHAPE_H */
