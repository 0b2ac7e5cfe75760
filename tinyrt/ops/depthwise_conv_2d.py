"""DEPTHWISE_CONV_2D."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from operator import add, mul
from typing import Self

from tinyrt import constraints, walks, weights, windows
from tinyrt.fast import windowed
from tinyrt.fast.arrange import alone
from tinyrt.fast.requantize import Requantization
from tinyrt.fixedpoint import Numerics, requantize_to_int8
from tinyrt.graph import DType, Node, Shape
from tinyrt.kernel import (
    Border,
    Cost,
    Int8Data,
    Int8s,
    Int32s,
    Kernel,
    Overlap,
    Run,
    Strip,
    Touch,
    Value,
)
from tinyrt.options import DepthwiseConv2DOptions
from tinyrt.planar import PlanarOperator
from tinyrt.scales import zero_point_of


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
class DepthwiseConv2D(Kernel):
    """DEPTHWISE_CONV_2D, int8: each input channel has `depth_multiplier` filters of its own.

    NHWC; output channel `c` sees input channel `c // depth_multiplier`. A tap outside of the
    input adds nothing. The multiplier follows from the shapes; the option of that name, which
    says it once more, is not looked at.

    **Source:** DepthwiseConvPerChannel in TFLM's reference/integer_ops/depthwise_conv.h.
    """

    opcode = "DEPTHWISE_CONV_2D"
    c_name = "depthwise_conv_2d_s8"
    arity = (2, 3)
    folded = (1, 2)
    constraints = (
        constraints.present(1, "filter"),
        constraints.input_is(1, "filter", DType.INT8),
        constraints.input_is(2, "bias", DType.INT32),
        constraints.output_type_as_input,
        constraints.rank(0, "input", 4),
        constraints.rank(1, "filter", 4),
        constraints.constant(1, "filter"),
        constraints.constant(2, "bias"),
        constraints.per_tensor(0, "input"),
        constraints.per_tensor_outputs,
        windows.positive("stride_h", lambda node: _options(node).stride_h),
        windows.positive("stride_w", lambda node: _options(node).stride_w),
        windows.positive("dilation_h_factor", lambda node: _options(node).dilation_h_factor),
        windows.positive("dilation_w_factor", lambda node: _options(node).dilation_w_factor),
        windows.fused_activation(lambda node: _options(node).fused_activation_function),
        one_filter,
        whole_multiplier,
        weights.filter_scales(3),
        weights.factors_fit,
        weights.bias_per_channel(3),
        weights.accumulators_fit(3),
    )

    batches: int
    input_height: int
    input_width: int
    input_depth: int
    filter_height: int
    filter_width: int
    depth_multiplier: int
    output_height: int
    output_width: int
    stride_height: int
    stride_width: int
    dilation_height: int
    dilation_width: int
    pad_top: int
    pad_left: int
    input_offset: int
    output_offset: int
    activation_min: int
    activation_max: int
    filter: Int8Data
    bias: Int32s
    multipliers: Int32s
    shifts: Int8s
    numerics: Numerics
    backward: int = 0
    """1 where the C is to walk from the last pixel to the first."""

    @staticmethod
    def _windows(node: Node) -> tuple[windows.Window, windows.Window]:
        options = _options(node)
        _, height, width, _ = node.input(0).shape
        _, filter_height, filter_width, _ = node.input(1).shape
        return (
            windows.window(
                height, filter_height, options.stride_h, options.dilation_h_factor, options.padding
            ),
            windows.window(
                width, filter_width, options.stride_w, options.dilation_w_factor, options.padding
            ),
        )

    @classmethod
    def infer(cls, node: Node) -> tuple[Shape, ...]:
        """[batches, output_height, output_width, input_depth · depth_multiplier]."""
        rows, columns = cls._windows(node)
        return ((node.input(0).shape[0], rows.output, columns.output, node.input(1).shape[3]),)

    @classmethod
    def prepare(cls, node: Node, numerics: Numerics) -> Self:
        """Fold geometry, weights and scales."""
        options = _options(node)
        source, filter_, output = node.input(0), node.input(1), node.outputs[0]
        assert filter_.data is not None
        rows, columns = cls._windows(node)
        channels = filter_.shape[3]
        multipliers, shifts = weights.channel_multipliers(node, channels, numerics)
        low, high = windows.activation_range(options.fused_activation_function, output)
        return cls(
            batches=source.shape[0],
            input_height=source.shape[1],
            input_width=source.shape[2],
            input_depth=source.shape[3],
            filter_height=filter_.shape[1],
            filter_width=filter_.shape[2],
            depth_multiplier=channels // source.shape[3],
            output_height=rows.output,
            output_width=columns.output,
            stride_height=options.stride_h,
            stride_width=options.stride_w,
            dilation_height=options.dilation_h_factor,
            dilation_width=options.dilation_w_factor,
            pad_top=rows.pad_before,
            pad_left=columns.pad_before,
            input_offset=-zero_point_of(source),
            output_offset=zero_point_of(output),
            activation_min=low,
            activation_max=high,
            filter=bytes(filter_.data),
            bias=weights.bias_or_zeros(node.optional_input(2), channels),
            multipliers=multipliers,
            shifts=shifts,
            numerics=numerics,
        )

    def reference(self, *operands: Value) -> tuple[Value, ...]:
        """Sum over the taps of each window, all channels of a pixel at a time."""
        source = memoryview(operands[0]).cast("b")
        output = bytearray()
        for batch in range(self.batches):
            for out_y in range(self.output_height):
                for out_x in range(self.output_width):
                    sums = list(self.bias)
                    for pixel, taps in self._window(source, batch, out_y, out_x):
                        # A pixel's channel meets the filters of all of its output channels.
                        inputs = [
                            value + self.input_offset
                            for value in pixel
                            for _ in range(self.depth_multiplier)
                        ]
                        sums = list(map(add, sums, map(mul, inputs, taps)))
                    for total, multiplier, shift in zip(
                        sums, self.multipliers, self.shifts, strict=True
                    ):
                        value = requantize_to_int8(
                            total,
                            multiplier,
                            shift,
                            self.output_offset,
                            self.activation_min,
                            self.activation_max,
                            self.numerics,
                        )
                        output.append(value & 0xFF)
        return (output,)

    def _window(
        self, source: memoryview, batch: int, out_y: int, out_x: int
    ) -> Iterator[tuple[list[int], list[int]]]:
        """Each pixel of one window that lies inside the input, and the taps that it meets."""
        filter_ = memoryview(self.filter).cast("b")
        channels = self.input_depth * self.depth_multiplier
        for filter_y in range(self.filter_height):
            y = out_y * self.stride_height - self.pad_top + filter_y * self.dilation_height
            for filter_x in range(self.filter_width):
                x = out_x * self.stride_width - self.pad_left + filter_x * self.dilation_width
                if 0 <= y < self.input_height and 0 <= x < self.input_width:
                    pixel = (batch * self.input_height + y) * self.input_width + x
                    start = pixel * self.input_depth
                    tap = (filter_y * self.filter_width + filter_x) * channels
                    yield (
                        source[start : start + self.input_depth].tolist(),
                        filter_[tap : tap + channels].tolist(),
                    )

    def _image(self) -> PlanarOperator | None:
        """One image, as a convolution of planes."""
        return windowed.depthwise(
            windowed.Window.of(
                self.input_height,
                self.output_height,
                self.stride_height,
                self.filter_height,
                self.dilation_height,
                self.pad_top,
            ),
            windowed.Window.of(
                self.input_width,
                self.output_width,
                self.stride_width,
                self.filter_width,
                self.dilation_width,
                self.pad_left,
            ),
            self.input_depth,
            -self.input_offset,
            self.filter,
            self.bias,
            Requantization(
                self.multipliers,
                self.shifts,
                self.output_offset,
                self.activation_min,
                self.activation_max,
                self.numerics,
            ),
        )

    def fast(self) -> Run:
        """Planes, one image after another."""
        image = self._image()
        return (image and alone(image, self.batches)) or self.reference

    def planar(self, shape: Shape) -> PlanarOperator | None:
        """Planes, where there is one image."""
        del shape
        return self._image() if self.batches == 1 else None

    def strip(self, rows: range, height: int) -> Strip | None:
        """The windows of some rows, over the input rows under them."""
        if self.batches != 1 or height != self.output_height:
            return None
        reach = (self.filter_height - 1) * self.dilation_height + 1
        band = windows.band(rows, self.stride_height, reach, self.pad_top, self.input_height)
        height, pad_top = len(band.read), band.pad_before
        part = replace(self, input_height=height, output_height=len(rows), pad_top=pad_top)
        return Strip(part, (band.read,))

    def cost(self) -> Cost:
        """Every tap of every window counts, inside or outside of the input."""
        return Cost(
            macs=self.batches
            * self.output_height
            * self.output_width
            * self.input_depth
            * self.depth_multiplier
            * self.filter_height
            * self.filter_width
        )

    def without_border(self, border: Border) -> Self | None:
        """A border of real zero adds as little as a tap outside of the input."""
        if border.value != -self.input_offset:
            return None
        return replace(
            self,
            input_height=self.input_height - border.top - border.bottom,
            input_width=self.input_width - border.left - border.right,
            pad_top=self.pad_top + border.top,
            pad_left=self.pad_left + border.left,
        )

    def _walk(self) -> walks.Walk:
        """How the C walks: pixel by pixel, channel by channel."""
        return walks.Walk(
            batches=self.batches,
            rows=walks.taps(
                self.output_height,
                self.input_height,
                self.filter_height,
                self.stride_height,
                self.dilation_height,
                self.pad_top,
            ),
            columns=walks.taps(
                self.output_width,
                self.input_width,
                self.filter_width,
                self.stride_width,
                self.dilation_width,
                self.pad_left,
            ),
            input_height=self.input_height,
            input_width=self.input_width,
            input_bytes=self.input_depth,
            output_bytes=self.input_depth * self.depth_multiplier,
            groups=self.input_depth,
        )

    def overlap(self) -> tuple[Overlap, ...]:
        """As far as the windows to come allow, forwards and backwards."""
        return (self._walk().overlap(backward=True),)

    def touches(self) -> Iterator[Touch]:
        """Window by window."""
        return self._walk().touches(backward=bool(self.backward))

    def walking(self, *, backward: bool) -> Self:
        """Either way."""
        return replace(self, backward=int(backward))
