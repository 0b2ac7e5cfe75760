/* tinyrt_mve.h: what the kernels share on cores with M-profile vectors (MVE, Helium). */
#ifndef TINYRT_MVE_H
#define TINYRT_MVE_H

#include "tinyrt.h"

/* Inline assembly takes nearly all registers: compilers grant them when they optimize. */
#if defined(__ARM_FEATURE_MVE) && defined(__GNUC__) && defined(__OPTIMIZE__)
#define TINYRT_HAS_MVE 1

/* The doubled high product. With one rounding, nested floors merge: this one and the rounding shift's. With
 * two, halves go away from zero: one less for results below, unless the activation levels all of those. */
#if TINYRT_NUMERICS == TINYRT_NUMERICS_SINGLE
#define TINYRT_MVE_HIGH "vqdmulh.s32 "
#else
#define TINYRT_MVE_HIGH "vqrdmulh.s32 "
#endif

/* Limits int8 values. */
static inline void tinyrt_mve_clamp(int8_t *values, int32_t count, int32_t low, int32_t high)
{
    __asm__ volatile(
        "vdup.8 q1, %[low]\n\t"
        "vdup.8 q2, %[high]\n\t"
        "dlstp.8 lr, %[count]\n\t"
        "1:\n\t"
        "vldrb.8 q0, [%[values]]\n\t"
        "vmax.s8 q0, q0, q1\n\t"
        "vmin.s8 q0, q0, q2\n\t"
        "vstrb.8 q0, [%[values]], #16\n\t"
        "letp lr, 1b\n\t"
        : [values] "+r"(values)
        : [count] "r"(count), [low] "r"(low), [high] "r"(high)
        : "lr", "q0", "q1", "q2", "memory");
}

#else
#define TINYRT_HAS_MVE 0
#endif

#endif /* TINYRT_MVE_H */
