"""DEPTHWISE_CONV_2D."""

from dataclasses import dataclass
from operator import add, mul
from typing import Self

from tinyrt.convolution import SlidingConvolution, rules
from tinyrt.fast import windowed
from tinyrt.fixedpoint import Numerics
from tinyrt.graph import Node
from tinyrt.kernel import Value
from tinyrt.options import DepthwiseConv2DOptions
from tinyrt.planar import PlanarOperator


def _options(node: Node) -> DepthwiseConv2DOptions:
    return node.options_as(DepthwiseConv2DOptions)


def one_filter(node: Node) -> str | None:
    """The filter's first dimension is 1."""
    filter_ = node.input(1)
    return None if filter_.shape[0] == 1 else f"filter {filter_}"


def whole_multiplier(node: Node) -> str | None:
    """The output channels are a multiple of the input depth."""
    source, filter_ = node.input(0), node.input(1)
    depth, channels = source.shape[3], filter_.shape[3]
    return None if channels % depth == 0 else f"input {source} and filter {filter_}"


@dataclass(frozen=True, slots=True)
class DepthwiseConv2D(SlidingConvolution):
    """DEPTHWISE_CONV_2D, int8: each input channel has `depth_multiplier` filters of its own.

    NHWC; output channel `c` sees input channel `c // depth_multiplier`. A tap outside of the
    input adds nothing. The multiplier follows from the shapes; the option of that name, which
    says it once more, is not looked at.

    **Source:** DepthwiseConvPerChannel in TFLM's reference/integer_ops/depthwise_conv.h.
    """

    opcode = "DEPTHWISE_CONV_2D"
    c_name = "depthwise_conv_2d_s8"
    channel_axis = 3
    constraints = rules(_options, channel_axis, one_filter, whole_multiplier)

    @staticmethod
    def options(node: Node) -> DepthwiseConv2DOptions:
        """Those of a node."""
        return _options(node)

    @property
    def groups(self) -> int:
        """Every input channel is one."""
        return self.input_depth

    @property
    def depth_multiplier(self) -> int:
        """Output channels of each input channel."""
        return self.output_depth // self.input_depth

    @classmethod
    def prepare(cls, node: Node, numerics: Numerics) -> Self:
        """Fold geometry, weights and scales."""
        return cls.prepared(node, numerics)

    def reference(self, *operands: Value) -> tuple[Value, ...]:
        """Sum over the taps of each window, all channels of a pixel at a time."""
        source = memoryview(operands[0]).cast("b")
        filter_ = memoryview(self.filter).cast("b").tolist()
        depth, channels, multiplier = self.input_depth, self.output_depth, self.depth_multiplier
        taps = [filter_[start : start + channels] for start in range(0, len(filter_), channels)]
        output = bytearray()
        for position in self.positions():
            sums = list(self.bias)
            for pixel, tap in zip(self.pixels(*position), taps, strict=True):
                if pixel is None:
                    continue
                # A pixel's channel meets the filters of all of its output channels.
                inputs = [
                    value + self.input_offset
                    for value in source[pixel * depth : (pixel + 1) * depth].tolist()
                    for _ in range(multiplier)
                ]
                sums = list(map(add, sums, map(mul, inputs, tap)))
            output += bytes(
                [self.requantized(total, channel) for channel, total in enumerate(sums)]
            )
        return (output,)

    def image(self) -> PlanarOperator | None:
        """One image, as a convolution of planes."""
        return windowed.depthwise(
            *self.axes(),
            self.input_depth,
            -self.input_offset,
            self.filter,
            self.bias,
            self.requantization(),
        )
