/* rescale.c: element by element; only with int32 can the sums with zero-points wrap around. */
#include "rescale.h"

#include "tinyrt_fixedpoint.h"

static int32_t element(const void *input, int32_t index, int32_t bytes)
{
    if (bytes == 1) {
        return ((const int8_t *)input)[index];
    }
    if (bytes == 2) {
        return ((const int16_t *)input)[index];
    }
    return ((const int32_t *)input)[index];
}

static void set_element(void *output, int32_t index, int32_t bytes, int32_t value)
{
    if (bytes == 1) {
        ((int8_t *)output)[index] = (int8_t)value;
    } else if (bytes == 2) {
        ((int16_t *)output)[index] = (int16_t)value;
    } else {
        ((int32_t *)output)[index] = value;
    }
}

void tinyrt_rescale(const tinyrt_rescale_params *params, const void *input, void *output)
{
    const tinyrt_rescale_params *const p = params;

    for (int32_t i = 0; i < p->elements; ++i) {
        const int32_t steps =
            tinyrt_wrapping_add(element(input, i, p->input_bytes), p->input_offset);
        const int32_t scaled = tinyrt_requantize(steps, p->multiplier, p->shift);
        const int32_t value = tinyrt_wrapping_add(scaled, p->output_offset);
        set_element(output, i, p->output_bytes, tinyrt_clamp(value, p->output_min, p->output_max));
    }
}
