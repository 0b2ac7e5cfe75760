/* tinyrt_config.h: the choices that hold for every kernel of a build.
 *
 * `tinyrt emit` writes this file anew beside the kernels it copies. */
#ifndef TINYRT_CONFIG_H
#define TINYRT_CONFIG_H

/* Rounding of every requantization: TINYRT_NUMERICS_TFLM rounds twice, as TFLM's reference kernels
 * and CMSIS-NN do; TINYRT_NUMERICS_SINGLE rounds once, as LiteRT's default kernels do. */
#define TINYRT_NUMERICS TINYRT_NUMERICS_TFLM

#endif /* TINYRT_CONFIG_H */
