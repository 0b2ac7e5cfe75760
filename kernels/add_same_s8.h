/* add_same_s8.h: ADD, int8, of two tensors of one shape. */
#ifndef TINYRT_ADD_SAME_S8_H
#define TINYRT_ADD_SAME_S8_H

#include "tinyrt.h"

/* One operand, `half`, has the larger scale, which halves it exactly; tinyrt/lower/ shows for the other
 * one that rounding once instead of twice changes no output. */
typedef struct {
    int32_t elements;
    int32_t half_input;  /* which operand that is: 0 or 1 */
    int32_t half_offset; /* -zero_point of the operand */
    int32_t other_offset;
    int32_t other_factor; /* 2^21 or less: more fraction bits, one of them for the rounding */
    int32_t other_multiplier;
    int32_t output_multiplier;
    int32_t output_shift; /* to the right, 1 or more */
    int32_t output_offset;
    int32_t activation_min;
    int32_t activation_max;
} tinyrt_add_same_s8_params;

/* output = input1 + input2, which may lie where either input lies. */
void tinyrt_add_same_s8(const tinyrt_add_same_s8_params *params, const int8_t *input1,
                        const int8_t *input2, int8_t *output);

#endif /* TINYRT_ADD_SAME_S8_H */
