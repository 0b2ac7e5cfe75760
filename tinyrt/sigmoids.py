"""What int8 LOGISTIC and TANH share: the way from an input value to fixed point, and saturation.

**Source:** TFLM's logistic_common.cc and tanh.cc; CalculateInputRadius in quantization_util.cc.
"""

import math
from collections.abc import Callable

from tinyrt.fixedpoint import Numerics, requantize
from tinyrt.graph import Node
from tinyrt.scales import scale_of, zero_point_of

INPUT_INTEGER_BITS = 4
"""The functions are computed for reals in [−16, 16)."""


def input_scale_in_range(node: Node) -> str | None:
    """The input scale is at least 2^−28 and less than 2^35."""
    scale = scale_of(node.input(0))
    return None if 2.0**-28 <= scale < 2.0**35 else f"scale {scale:g}"


def saturating(
    node: Node, numerics: Numerics, function: Callable[[int], int]
) -> Callable[[int], int]:
    """Extend `function`, of a raw value with `INPUT_INTEGER_BITS`, to all int8 inputs.

    From 15 in magnitude on, rounded to the input's steps, the output is −128 or 127.
    """
    zero_point = zero_point_of(node.input(0))
    fraction, shift = math.frexp(scale_of(node.input(0)) * (1 << (31 - INPUT_INTEGER_BITS)))
    multiplier = int(fraction * (1 << 31))  # exact: a single has 24 bits
    radius = ((1 << INPUT_INTEGER_BITS) - 1 << (31 - INPUT_INTEGER_BITS)) >> shift

    def mapped(value: int) -> int:
        steps = value - zero_point
        if steps <= -radius:
            return -128
        if steps >= radius:
            return 127
        # |steps| < 15 · 2^27 / 2^shift: nothing is lost to the left, and shift is at most 30.
        return function(requantize(steps, multiplier, shift, numerics))

    return mapped
