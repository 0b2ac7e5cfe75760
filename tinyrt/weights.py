"""What CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED fold out of weights, biases and scales.

**Source:** PopulateConvolutionQuantizationParams in tensorflow/lite/kernels/kernel_util.cc, and
fully_connected_common.cc in tensorflow/lite/micro/kernels.
"""

from collections.abc import Sequence

from tinyrt.constraints import rule
from tinyrt.fixedpoint import INT32_MAX, INT32_MIN, Numerics, quantize_multiplier
from tinyrt.graph import Node, Tensor
from tinyrt.kernel import Constraint
from tinyrt.scales import factor_fits, scale_of


def bias_or_zeros(bias: Tensor | None, channels: int) -> tuple[int, ...]:
    """The bias of each output channel; zeros where the model leaves it out."""
    return (0,) * channels if bias is None else bias.integers()


def channel_multipliers(
    node: Node, channels: int, numerics: Numerics
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Multiplier and shift of each output channel, from the scales of input, filter and output.

    The product of input and filter scale is taken in double precision.
    """
    filter_ = node.input(1)
    assert filter_.quantization is not None
    source_scale, output_scale = scale_of(node.input(0)), scale_of(node.outputs[0])
    pairs = [
        quantize_multiplier(source_scale * filter_scale / output_scale, numerics)
        for filter_scale in filter_.quantization.scales
    ]
    if len(pairs) == 1:
        pairs *= channels
    multipliers, shifts = zip(*pairs, strict=True)
    return multipliers, shifts


def filter_scales(axis: int) -> Constraint:
    """The rule on how a filter is quantized; `axis` is its output channel dimension."""

    def check(node: Node) -> str | None:
        filter_ = node.input(1)
        quantization = filter_.quantization
        if quantization is None:
            return f"filter {filter_} has no quantization"
        if any(quantization.zero_points):
            return f"filter {filter_} has zero-points other than 0"
        count = len(quantization.scales)
        if count == 1 or (count == filter_.shape[axis] and quantization.axis == axis):
            return None
        return f"filter {filter_} has {count} scales along axis {quantization.axis}"

    return rule(f"The filter has zero-point 0 and one scale, or one along axis {axis}.", check)


def _greatest_factor(node: Node) -> float:
    filter_ = node.input(1)
    assert filter_.quantization is not None
    product = scale_of(node.input(0)) * max(filter_.quantization.scales)
    return product / scale_of(node.outputs[0])


factors_fit = factor_fits("input scale · filter scale / output scale", _greatest_factor)
"""The rule on the scales of input, filter and output; it relies on that of the filter."""


def bias_per_channel(axis: int) -> Constraint:
    """The rule on a bias's size; `axis` is the filter's output channel dimension."""

    def check(node: Node) -> str | None:
        bias = node.optional_input(2)
        channels = node.input(1).shape[axis]
        if bias is None or bias.elements == channels:
            return None
        return f"bias {bias} for {channels} channels"

    return rule("The bias has one value for each output channel.", check)


def accumulators_fit(axis: int) -> Constraint:
    """The rule that lets every executor add in int32; `axis` is the output channel dimension."""

    def check(node: Node) -> str | None:
        source, filter_ = node.input(0), node.input(1)
        assert filter_.data is not None
        assert source.quantization is not None
        channels = filter_.shape[axis]
        biases = bias_or_zeros(node.optional_input(2), channels)
        low, high = -128 - source.quantization.zero_point, 127 - source.quantization.zero_point
        reach = max(-low, high)
        taps = filter_.elements // channels
        if max(map(abs, biases)) + taps * 128 * reach <= INT32_MAX:
            return None
        values: Sequence[int] = filter_.data.cast("B").cast("b")
        for channel, bias in enumerate(biases):
            # Axis 0: a channel's weights lie together; last axis: every `channels`-th one.
            weights = (
                values[channel::channels] if axis else values[channel * taps : (channel + 1) * taps]
            )
            positive = sum(weight for weight in weights if weight > 0)
            negative = sum(weight for weight in weights if weight < 0)
            largest = max(bias, 0) + positive * max(high, 0) + negative * min(low, 0)
            smallest = min(bias, 0) + positive * min(low, 0) + negative * max(high, 0)
            if largest > INT32_MAX or smallest < INT32_MIN:
                return f"channel {channel} of filter {filter_} reaches [{smallest}, {largest}]"
        return None

    return rule("No input can make a 32-bit accumulator overflow.", check)
