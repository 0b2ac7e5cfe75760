/* tinyrt_float.h: what the kernels at a model's float boundary share. No libm. */
#ifndef TINYRT_FLOAT_H
#define TINYRT_FLOAT_H

#include <string.h>

#include "tinyrt.h"

typedef char tinyrt_float_has_32_bits[sizeof(float) == sizeof(int32_t) ? 1 : -1];

/* Beyond every int8 and int16 output, whatever its zero-point; floats of this size still have
 * fraction bits. */
#define TINYRT_FAR ((int32_t)1 << 20)

/* The IEEE single that has these 32 bits: parameters are integers, so that they are exact. */
static inline float tinyrt_float_of_bits(int32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* To the nearest integer, halves away from zero; saturates at TINYRT_FAR; 0 for a NaN. */
static inline int32_t tinyrt_round(float value)
{
    if (value >= (float)TINYRT_FAR) {
        return TINYRT_FAR;
    }
    if (value <= -(float)TINYRT_FAR) {
        return -TINYRT_FAR;
    }
    if (value != value) {
        return 0;
    }
    const int32_t whole = (int32_t)value;    /* towards zero */
    const float rest = value - (float)whole; /* exact */
    return whole + (rest >= 0.5f ? 1 : 0) - (rest <= -0.5f ? 1 : 0);
}

#endif /* TINYRT_FLOAT_H */
