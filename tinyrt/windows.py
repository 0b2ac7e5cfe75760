"""Geometry of sliding windows, and the integer ranges of fused activations.

**Source:** tensorflow/lite/kernels/padding.h, and CalculateActivationRangeQuantized in
tensorflow/lite/kernels/kernel_util.cc.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tinyrt.constraints import rule
from tinyrt.fixedpoint import float32, round_half_away
from tinyrt.graph import Node, Tensor
from tinyrt.kernel import Constraint
from tinyrt.options import ActivationFunctionType, Padding

REACH = 1 << 29
"""Greatest size of an input and of a window, dilation included, along one axis.

With steps no greater, the sum of any three stays in int32: no executor overflows while it places a
window.
"""
INT16_MAX = (1 << 15) - 1
"""Greatest stride, dilation and padding of convolutions in TFLM, which holds them in 16 bits."""

_ACTIVATION_BOUNDS: Mapping[ActivationFunctionType, tuple[float | None, float | None]] = {
    ActivationFunctionType.NONE: (None, None),
    ActivationFunctionType.RELU: (0.0, None),
    ActivationFunctionType.RELU_N1_TO_1: (-1.0, 1.0),
    ActivationFunctionType.RELU6: (0.0, 6.0),
}


@dataclass(frozen=True, slots=True)
class Window:
    """One axis of a sliding window: sizes in elements of that axis."""

    output: int
    """Number of window positions."""
    pad_before: int
    """Virtual elements before the first; a window may reach beyond the end as well."""


def window(size: int, kernel: int, stride: int, dilation: int, padding: Padding) -> Window:
    """Place a window along one axis of `size` elements.

    Raises:
        ValueError: the window does not fit (VALID padding and a window larger than the input),
            an extent is beyond `REACH`, or the padding before the input beyond 16 bits.
    """
    effective = (kernel - 1) * dilation + 1
    if max(size, effective) > REACH:
        raise ValueError(f"a window of {effective} over {size} elements (at most {REACH} each)")
    if padding is Padding.SAME:
        output = -(-size // stride)
    else:
        output = (size + stride - effective) // stride
    if output < 1:
        raise ValueError(f"a window of {effective} over {size} elements without padding")
    pad_before = max(0, (output - 1) * stride + effective - size) // 2
    if pad_before > INT16_MAX:
        raise ValueError(f"padding of {pad_before} elements (at most {INT16_MAX})")
    return Window(output, pad_before)


@dataclass(frozen=True, slots=True)
class Band:
    """What some window positions of an axis reach over."""

    read: range
    """Elements of the axis."""
    pad_before: int
    """Virtual elements between the start of the first window and the first of those."""


def band(rows: range, stride: int, reach: int, pad_before: int, size: int) -> Band:
    """The part of an axis that is under some window positions.

    Args:
        rows: the window positions.
        stride: elements from one to the next.
        reach: elements that a window spans, dilation included.
        pad_before: virtual elements before the first.
        size: elements of the axis; every window covers one or more of them.
    """
    first = rows.start * stride - pad_before
    end = (rows.stop - 1) * stride - pad_before + reach
    read = range(max(first, 0), min(end, size))
    return Band(read, read.start - first)


def activation_range(activation: ActivationFunctionType, output: Tensor) -> tuple[int, int]:
    """The int8 interval that a fused activation leaves of an output.

    The quotient is a single-precision division, as in the source.
    """
    quantization = output.quantization
    assert quantization is not None
    low, high = _ACTIVATION_BOUNDS[activation]

    def quantize(real: float) -> int:
        # Beyond ±2^30 the value saturates all the same; it might not fit in a single any more.
        quotient = max(-float(1 << 30), min(float(1 << 30), real / quantization.scale))
        return quantization.zero_point + round_half_away(float32(quotient))

    return (
        -128 if low is None else max(-128, quantize(low)),
        127 if high is None else min(127, quantize(high)),
    )


def fused_activation(option: Callable[[Node], ActivationFunctionType]) -> Constraint:
    """The rule on which activations may be fused; `option` reads the node's choice."""

    def check(node: Node) -> str | None:
        value = option(node)
        if value in _ACTIVATION_BOUNDS:
            return None
        return node.option_found("fused_activation_function", value.name)

    return rule("The fused activation is NONE, RELU, RELU_N1_TO_1 or RELU6.", check)


def positive(field: str, option: Callable[[Node], int], limit: int = INT16_MAX) -> Constraint:
    """The rule that a stride, a dilation or a window's size is at least 1, at most `limit`."""

    def check(node: Node) -> str | None:
        value = option(node)
        return None if 1 <= value <= limit else node.option_found(field, value)

    return rule(f"The {field} is from 1 to {limit}.", check)
