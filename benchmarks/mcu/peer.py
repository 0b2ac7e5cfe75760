"""What TFLM takes for the models at hand: constants, as they were measured.

TFLM was built with its core at -Os and its kernels at -O2, without error strings, by gcc 12.2, and
counted under QEMU 7.2: executed instructions of one `Invoke`. On M4 and M55 it had CMSIS-NN, on M3
its reference kernels. The MLPerf Tiny four were counted first, on M4 and M55; the rest later, TFLM
at 90b983c with CMSIS-NN at 99f736a on the boards of `tinyrt.mcu`, where every output had our bytes,
and the counts of the four came out within 0.1 % of the first ones. The numbers stand here because
building the peer takes sources that this project does not hold; a ratio with them is right as long
as ours are counted in the same way, which `tinyrt.mcu` does.
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
    ("micro_speech_quantized", M3): 9_160_650,
    ("micro_speech_quantized", M4): 1_495_384,
    ("micro_speech_quantized", M55): 1_008_223,
    ("hello_world_int8", M3): 5_284,
    ("hello_world_int8", M4): 3_527,
    ("hello_world_int8", M55): 2_140,
    ("keywords", M3): 42_081_812,
    ("keywords", M4): 7_701_246,
    ("keywords", M55): 1_817_201,
    ("digits", M3): 1_843_030,
    ("digits", M4): 449_523,
    ("digits", M55): 151_468,
    ("anomaly", M3): 1_692_313,
    ("anomaly", M4): 595_938,
    ("anomaly", M55): 155_849,
    ("sine", M3): 5_089,
    ("sine", M4): 3_781,
    ("sine", M55): 2_252,
}
"""By model and core."""

CORES = (M3, M4, M55)
MODELS = ("kws_ref_model", "vww_96_int8", "pretrainedResnet_quant", "ad01_int8")
"""The MLPerf Tiny four."""

PER_MAC: Mapping[tuple[str, str], tuple[float, float]] = {
    ("CONV_2D", M4): (2.2, 2.6),
    ("DEPTHWISE_CONV_2D", M4): (7.8, 8.1),
    ("CONV_2D", M55): (0.36, 0.59),
    ("DEPTHWISE_CONV_2D", M55): (2.4, 3.2),
}
"""Least and most instructions per MAC in the four, by operator and core."""
