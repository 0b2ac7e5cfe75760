"""What TFLM takes for the MLPerf Tiny four: constants, as they were measured.

TFLM was built with its core at -Os and its kernels at -O2, without error strings, by gcc 12.2, and
counted under QEMU 7.2: executed instructions of one `Invoke`. On M4 and M55 it had CMSIS-NN and
int8 registrations only; on M3 it had its reference kernels (commit 90b983c, on the boards of
`tinyrt.mcu`, where it computed our bytes). The numbers stand here because building it takes sources
that this project does not hold; a ratio with them is right as long as ours are counted in the same
way, which `tinyrt.mcu` does.
"""

from collections.abc import Mapping

SOURCE = "TFLM + CMSIS-NN (M3: reference kernels), gcc 12.2, QEMU 7.2, one Invoke, as measured"

M3, M4, M55 = "cortex-m3", "cortex-m4", "cortex-m55"

INSTRUCTIONS: Mapping[tuple[str, str], int] = {
    ("kws_ref_model", M3): 42_091_271,
    ("vww_96_int8", M3): 99_028_282,
    ("pretrainedResnet_quant", M3): 105_769_499,
    ("ad01_int8", M3): 1_953_852,
    ("kws_ref_model", M4): 7_697_743,
    ("kws_ref_model", M55): 1_813_545,
    ("vww_96_int8", M4): 24_101_542,
    ("vww_96_int8", M55): 6_557_950,
    ("pretrainedResnet_quant", M4): 29_861_480,
    ("pretrainedResnet_quant", M55): 4_909_937,
    ("ad01_int8", M4): 582_884,
    ("ad01_int8", M55): 149_927,
}
"""By model and core."""

CORES = (M3, M4, M55)
MODELS = tuple(dict.fromkeys(model for model, _ in INSTRUCTIONS))

PER_MAC: Mapping[tuple[str, str], tuple[float, float]] = {
    ("CONV_2D", M4): (2.2, 2.6),
    ("DEPTHWISE_CONV_2D", M4): (7.8, 8.1),
    ("CONV_2D", M55): (0.36, 0.59),
    ("DEPTHWISE_CONV_2D", M55): (2.4, 3.2),
}
"""Least and most instructions per MAC in these models, by operator and core."""
