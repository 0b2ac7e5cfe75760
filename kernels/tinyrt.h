/* tinyrt.h: version, numeric profile and the hooks that generated code and kernels share. */
#ifndef TINYRT_H
#define TINYRT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Raised whenever generated code and kernels stop fitting together. */
#define TINYRT_KERNEL_ABI 1

#define TINYRT_NUMERICS_TFLM 1
#define TINYRT_NUMERICS_SINGLE 2

#include "tinyrt_config.h"

#if TINYRT_NUMERICS != TINYRT_NUMERICS_TFLM && TINYRT_NUMERICS != TINYRT_NUMERICS_SINGLE
#error "TINYRT_NUMERICS must be TINYRT_NUMERICS_TFLM or TINYRT_NUMERICS_SINGLE"
#endif

/* Return codes of <name>_init and <name>_run. */
#define TINYRT_OK 0
#define TINYRT_ERROR_ARENA_NULL (-1)
#define TINYRT_ERROR_ARENA_TOO_SMALL (-2)
#define TINYRT_ERROR_ARENA_MISALIGNED (-3)
#define TINYRT_ERROR_NOT_INITIALIZED (-4)
#define TINYRT_ERROR_KERNEL (-5)  /* a function of CMSIS-NN refused its arguments */
#define TINYRT_ERROR_SCRATCH (-6) /* CMSIS-NN as built asks for more working memory than planned */

/* Alignment of an arena's definition, where the compiler has a way to say it:
 *     static TINYRT_ALIGNED(16) uint8_t arena[...]; */
#if defined(__GNUC__) || defined(__clang__) || defined(__ARMCC_VERSION)
#define TINYRT_ALIGNED(bytes) __attribute__((aligned(bytes)))
#elif defined(_MSC_VER)
#define TINYRT_ALIGNED(bytes) __declspec(align(bytes))
#elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
#define TINYRT_ALIGNED(bytes) _Alignas(bytes)
#else
#define TINYRT_ALIGNED(bytes) /* align it in the linker script; <name>_init checks */
#endif

/* Generated code calls this after every operator with each tensor it wrote. Define it before this
 * header (for example with -DTINYRT_OBSERVE=my_probe) to trace, check or time a model on the target;
 * as it stands it costs nothing. */
#ifndef TINYRT_OBSERVE
#define TINYRT_OBSERVE(step, tensor, data, bytes) ((void)0)
#endif

#endif /* TINYRT_H */
