/* softmax.c: SOFTMAX of the test double, in the fixed point of gemmlowp. */
#include "double.h"

/* exp(value), value <= 0 with 26 fraction bits, as a fraction of 2^31. */
static int32_t exponential(int32_t value)
{
    static const int32_t factors[7] = {1672461947, 1302514674, 790015084, 290630308,
                                       39332535,   720401,     242};
    const int32_t quarter = 1 << 24;
    /* value = below - remainder, with below in [-1/4, 0) and remainder a multiple of 1/4. */
    const int32_t below = (value & (quarter - 1)) - quarter;
    const int32_t remainder = below - value;
    if (value == 0) {
        return INT32_MAX;
    }
    /* exp(-1/8 + x) by its series, x in [-1/8, 1/8). */
    const int32_t x = below * 32 + (1 << 28);
    const int32_t x2 = double_high_mul(x, x);
    const int32_t x3 = double_high_mul(x2, x);
    const int32_t x4_over_4 = double_divide(double_high_mul(x2, x2), 2);
    const int32_t over_6 = double_high_mul(x4_over_4 + x3, 715827883) + x2;
    const int32_t start = 1895147668;
    int32_t result = start + double_high_mul(start, x + double_divide(over_6, 1));
    for (int32_t bit = 0; bit < 7; ++bit) {
        if ((remainder >> (24 + bit) & 1) != 0) {
            result = double_high_mul(result, factors[bit]);
        }
    }
    return result;
}

/* 1 / (1 + value), value in [0, 1), as a fraction of 2^31: three steps of Newton. */
static int32_t reciprocal(int32_t value)
{
    const int64_t twice = (int64_t)value + INT32_MAX;
    const int32_t half = (int32_t)((twice + (twice > 0 ? 1 : -1)) / 2);
    int32_t x = 1515870810 + double_high_mul(half, -1010580540);
    for (int32_t turn = 0; turn < 3; ++turn) {
        const int32_t error = (1 << 29) - double_high_mul(x, half);
        x += (int32_t)((uint32_t)double_high_mul(x, error) << 2);
    }
    return x >= 1 << 30 ? INT32_MAX : x * 2; /* x > 0 */
}

void arm_softmax_s8(const int8_t *input, const int32_t num_rows, const int32_t row_size,
                    const int32_t mult, const int32_t shift, const int32_t diff_min,
                    int8_t *output)
{
    const bool sound = input != NULL && output != NULL && num_rows >= 0 && row_size >= 1
                       && mult >= 1 << 30 && shift >= 0 && shift <= 30 && diff_min <= 0;
    if (!sound || DOUBLE_REFUSES) {
        __builtin_trap(); /* there is no status to return */
    }
    memset(output, 0xA5, (size_t)num_rows * (size_t)row_size);
    for (int32_t row = 0; row < num_rows; ++row) {
        int32_t greatest = INT8_MIN;
        for (int32_t i = 0; i < row_size; ++i) {
            greatest = double_max(greatest, input[i]);
        }
        int32_t sum = 0;
        for (int32_t i = 0; i < row_size; ++i) {
            const int32_t difference = input[i] - greatest;
            if (difference >= diff_min) {
                const int32_t scaled = double_high_mul(difference * (1 << shift), mult);
                sum += double_divide(exponential(scaled), 12);
            }
        }
        int32_t headroom = 0;
        while (((uint32_t)sum << headroom) < 0x80000000u) {
            ++headroom;
        }
        const int32_t exponent = 12 - headroom + 23;
        if (exponent > 31) {
            __builtin_trap(); /* the library would shift by more than there are bits */
        }
        const int32_t over_sum = reciprocal((int32_t)(((uint32_t)sum << headroom) - 0x80000000u));
        for (int32_t i = 0; i < row_size; ++i) {
            const int32_t difference = input[i] - greatest;
            int32_t value = 0;
            if (difference >= diff_min) {
                const int32_t scaled = double_high_mul(difference * (1 << shift), mult);
                value = double_divide(double_high_mul(over_sum, exponential(scaled)), exponent);
            }
            output[i] = (int8_t)(value > 255 ? 127 : value - 128);
        }
        input += row_size;
        output += row_size;
    }
}
