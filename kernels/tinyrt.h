/* tinyrt.h: version, numeric profile and the hooks that generated code and kernels share. */
#ifndef TINYRT_H
#define TINYRT_H

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

/* Generated code calls this after every operator with each tensor it wrote. Define it before this
 * header (for example with -DTINYRT_OBSERVE=my_probe) to trace, check or time a model on the target;
 * as it stands it costs nothing. */
#ifndef TINYRT_OBSERVE
#define TINYRT_OBSERVE(step, tensor, data, bytes) ((void)0)
#endif

#endif /* TINYRT_H */
