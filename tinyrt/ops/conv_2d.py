"""CONV_2D."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from operator import mul
from typing import Self

from tinyrt.convolution import SlidingConvolution, rules
from tinyrt.fast import windowed
from tinyrt.fixedpoint import Numerics
from tinyrt.graph import Node
from tinyrt.kernel import Value
from tinyrt.options import Conv2DOptions
from tinyrt.planar import PlanarOperator


def _options(node: Node) -> Conv2DOptions:
    return node.options_as(Conv2DOptions)


def whole_groups(node: Node) -> str | None:
    """The filter depth divides the input depth, and the groups divide the output channels."""
    source, filter_ = node.input(0), node.input(1)
    depth, filter_depth, channels = source.shape[3], filter_.shape[3], filter_.shape[0]
    if filter_depth and depth % filter_depth == 0 and channels % (depth // filter_depth) == 0:
        return None
    return f"input {source} and filter {filter_}"


@dataclass(frozen=True, slots=True)
class Conv2D(SlidingConvolution):
    """CONV_2D, int8: a window slides over NHWC input; every output channel has its own filter.

    A tap outside of the input adds nothing. Grouped convolution follows from a filter that is
    shallower than the input.

    **Source:** ConvPerChannel in TFLM's reference/integer_ops/conv.h.
    """

    opcode = "CONV_2D"
    c_name = "conv_2d_s8"
    channel_axis = 0
    constraints = rules(_options, channel_axis, whole_groups)

    filter_depth: int = field(kw_only=True)
    """Input channels that one output channel sees."""

    @staticmethod
    def options(node: Node) -> Conv2DOptions:
        """Those of a node."""
        return _options(node)

    @property
    def groups(self) -> int:
        """As many as filters fit side by side into the input depth."""
        return self.input_depth // self.filter_depth

    @classmethod
    def prepare(cls, node: Node, numerics: Numerics) -> Self:
        """Fold geometry, weights and scales."""
        return cls.prepared(node, numerics, filter_depth=node.input(1).shape[3])

    def reference(self, *operands: Value) -> tuple[Value, ...]:
        """Gather each window once, then take its product with every filter."""
        source = memoryview(operands[0]).cast("b")
        taps = self.filter_height * self.filter_width * self.filter_depth
        weights_ = memoryview(self.filter).cast("b")
        filters = [
            weights_[start : start + taps].tolist()
            for start in range(0, taps * self.output_depth, taps)
        ]
        group_outputs = self.output_depth // self.groups
        output = bytearray()
        for position in self.positions():
            pixels = list(self.pixels(*position))
            for channel, filter_ in enumerate(filters):
                if channel % group_outputs == 0:
                    first = channel // group_outputs * self.filter_depth
                    patch = list(self._patch(source, pixels, first))
                total = self.bias[channel] + sum(map(mul, patch, filter_))
                output.append(self.requantized(total, channel))
        return (output,)

    def _patch(self, source: memoryview, pixels: list[int | None], first: int) -> Iterator[int]:
        """The offset inputs under one window, in filter order; zeros outside of the input."""
        for pixel in pixels:
            if pixel is None:
                yield from (0,) * self.filter_depth
            else:
                start = pixel * self.input_depth + first
                for value in source[start : start + self.filter_depth].tolist():
                    yield value + self.input_offset

    def image(self) -> PlanarOperator | None:
        """One image, as a convolution of planes."""
        return windowed.dense(
            *self.axes(),
            self.input_depth,
            self.filter_depth,
            -self.input_offset,
            self.filter,
            self.bias,
            self.requantization(),
        )
