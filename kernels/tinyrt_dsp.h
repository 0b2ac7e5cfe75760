/* tinyrt_dsp.h: the instructions of Armv7E-M and Armv8-M with DSP that C has no words for. */
#ifndef TINYRT_DSP_H
#define TINYRT_DSP_H

#include "tinyrt.h"

/* The assembly takes all registers but sp and pc. GCC grants them when it optimizes and keeps no frame
 * pointer in r7, as it does by default; clang wants r7 for itself. Define TINYRT_PORTABLE to do without
 * assembly: the results are the same. */
#if defined(__ARM_FEATURE_DSP) && defined(__thumb2__) && defined(__GNUC__) && \
    !defined(__clang__) && defined(__OPTIMIZE__) && !defined(TINYRT_PORTABLE)
#define TINYRT_HAS_DSP 1
#else
#define TINYRT_HAS_DSP 0
#endif

#include <string.h>

/* Four bytes from anywhere. */
static inline uint32_t tinyrt_load_4(const int8_t *place)
{
    uint32_t word;
    memcpy(&word, place, sizeof word);
    return word;
}

static inline void tinyrt_store_4(int8_t *place, uint32_t word)
{
    memcpy(place, &word, sizeof word);
}

#if TINYRT_HAS_DSP

/* Bytes 0 and 2, sign-extended to halves. */
static inline uint32_t tinyrt_sxtb16(uint32_t word)
{
    uint32_t result;
    __asm__("sxtb16 %0, %1" : "=r"(result) : "r"(word));
    return result;
}

/* Products of the halves, and a sum. */
static inline int32_t tinyrt_smlad(uint32_t a, uint32_t b, int32_t sum)
{
    int32_t result;
    __asm__("smlad %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(sum));
    return result;
}

/* (a * b + 2^31) / 2^32, floored. */
static inline int32_t tinyrt_smmulr(int32_t a, int32_t b)
{
    int32_t result;
    __asm__("smmulr %0, %1, %2" : "=r"(result) : "r"(a), "r"(b));
    return result;
}

/* The same, plus c. */
static inline int32_t tinyrt_smmlar(int32_t a, int32_t b, int32_t c)
{
    int32_t result;
    __asm__("smmlar %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(c));
    return result;
}

/* Half of a value, floored and limited to int8. */
static inline int32_t tinyrt_ssat8_asr1(int32_t value)
{
    int32_t result;
    __asm__("ssat %0, #8, %1, asr #1" : "=r"(result) : "r"(value));
    return result;
}

/* Adds bytes 0 and 2 to the halves of a sum. */
static inline uint32_t tinyrt_sxtab16(uint32_t sum, uint32_t word)
{
    uint32_t result;
    __asm__("sxtab16 %0, %1, %2" : "=r"(result) : "r"(sum), "r"(word));
    return result;
}

/* Adds bytes 1 and 3. */
static inline uint32_t tinyrt_sxtab16_ror8(uint32_t sum, uint32_t word)
{
    uint32_t result;
    __asm__("sxtab16 %0, %1, %2, ror #8" : "=r"(result) : "r"(sum), "r"(word));
    return result;
}

/* Bytes 1 and 3. */
static inline uint32_t tinyrt_sxtb16_ror8(uint32_t word)
{
    uint32_t result;
    __asm__("sxtb16 %0, %1, ror #8" : "=r"(result) : "r"(word));
    return result;
}

#endif

#endif /* TINYRT_DSP_H */
