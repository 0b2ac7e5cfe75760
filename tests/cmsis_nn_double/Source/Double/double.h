/* double.h: the arithmetic of CMSIS-NN and what the test double demands of its arguments. */
#ifndef DOUBLE_H
#define DOUBLE_H

#include <limits.h>
#include <stddef.h>
#include <string.h>

#include "arm_nnfunctions.h"

/* More working memory than any core takes, as a later version of the library might. */
#ifndef DOUBLE_EXTRA_BYTES
#define DOUBLE_EXTRA_BYTES 0
#endif
/* Whether every function refuses its arguments. */
#ifndef DOUBLE_REFUSES
#define DOUBLE_REFUSES 0
#endif

#define DOUBLE_DEMAND(condition)                                                                   \
    do {                                                                                           \
        if (!(condition) || DOUBLE_REFUSES) {                                                      \
            return ARM_CMSIS_NN_ARG_ERROR;                                                         \
        }                                                                                          \
    } while (0)

static inline int32_t double_max(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

/* To the nearest, halves upwards: the high half of twice the product. */
static inline int32_t double_high_mul(int32_t a, int32_t b)
{
    if (a == INT32_MIN && b == INT32_MIN) {
        return INT32_MAX;
    }
    return (int32_t)(((int64_t)a * b + ((int64_t)1 << 30)) >> 31);
}

/* To the nearest, halves away from zero. */
static inline int32_t double_divide(int32_t value, int32_t exponent)
{
    const int64_t half = exponent > 0 ? (int64_t)1 << (exponent - 1) : 0;
    const int64_t magnitude = ((value < 0 ? -(int64_t)value : value) + half) >> exponent;
    return (int32_t)(value < 0 ? -magnitude : magnitude);
}

static inline int32_t double_requantize(int32_t value, int32_t multiplier, int32_t shift)
{
    const uint32_t left = (uint32_t)value << (shift > 0 ? shift : 0);
    return double_divide(double_high_mul((int32_t)left, multiplier), shift > 0 ? 0 : -shift);
}

static inline int8_t double_output(int32_t sum, int32_t multiplier, int32_t shift, int32_t offset,
                                   cmsis_nn_activation limits)
{
    const int64_t value = (int64_t)double_requantize(sum, multiplier, shift) + offset;
    return (int8_t)(value < limits.min ? limits.min : value > limits.max ? limits.max : value);
}

static inline bool double_is_input_offset(int32_t offset)
{
    return offset >= -127 && offset <= 128;
}

static inline bool double_is_limits(cmsis_nn_activation limits)
{
    return limits.min >= -128 && limits.min <= limits.max && limits.max <= 127;
}

static inline bool double_are_multipliers(const int32_t *multipliers, const int32_t *shifts,
                                          int32_t count)
{
    if (multipliers == NULL || shifts == NULL) {
        return false;
    }
    for (int32_t i = 0; i < count; ++i) {
        const bool normal = multipliers[i] >= 1 << 30 && shifts[i] >= -31 && shifts[i] <= 30;
        if (!normal && multipliers[i] != 0) {
            return false;
        }
    }
    return true;
}

static inline bool double_is_dims(const cmsis_nn_dims *dims, int32_t limit)
{
    return dims != NULL && dims->n >= 1 && dims->h >= 1 && dims->h <= limit && dims->w >= 1
           && dims->w <= limit && dims->c >= 1 && dims->c <= limit;
}

static inline size_t double_bytes(const cmsis_nn_dims *dims)
{
    return (size_t)dims->n * (size_t)dims->h * (size_t)dims->w * (size_t)dims->c;
}

/* Whether a context holds as much as is needed; what it holds is overwritten. */
static inline bool double_take_scratch(const cmsis_nn_context *ctx, int32_t needed)
{
    if (ctx == NULL || ctx->size < needed || (uintptr_t)ctx->buf % sizeof(int32_t) != 0) {
        return false;
    }
    if (ctx->buf == NULL) {
        return needed == 0 && ctx->size == 0;
    }
    memset(ctx->buf, 0x5A, (size_t)ctx->size);
    return true;
}

/* Nothing of the output's earlier bytes may matter, least of all to an input that lies in it. */
static inline void double_spoil(int8_t *output, const cmsis_nn_dims *dims)
{
    memset(output, 0xA5, double_bytes(dims));
}

#endif /* DOUBLE_H */
