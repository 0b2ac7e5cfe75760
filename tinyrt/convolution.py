"""What CONV_2D and DEPTHWISE_CONV_2D share: all but the layout of the filter."""

from abc import abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from tinyrt import constraints, walks, weights, windows
from tinyrt.fast import windowed
from tinyrt.fast.arrange import alone
from tinyrt.fast.requantize import Requantization
from tinyrt.fixedpoint import Numerics, requantize_to_int8
from tinyrt.graph import DType, Node, Shape
from tinyrt.kernel import (
    Border,
    Constraint,
    Cost,
    Int8Data,
    Int8s,
    Int32s,
    Kernel,
    Overlap,
    Run,
    Strip,
    Touch,
)
from tinyrt.options import Conv2DOptions, DepthwiseConv2DOptions
from tinyrt.planar import PlanarOperator
from tinyrt.scales import zero_point_of

Options = Conv2DOptions | DepthwiseConv2DOptions


def rules(
    options: Callable[[Node], Options], axis: int, *shapes: Constraint
) -> tuple[Constraint, ...]:
    """The rules of a convolution.

    Args:
        options: those of a node.
        axis: of the filter's dimensions, the output channels.
        shapes: how the filter's shape fits the input's.
    """
    return (
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
        windows.positive("stride_h", lambda node: options(node).stride_h),
        windows.positive("stride_w", lambda node: options(node).stride_w),
        windows.positive("dilation_h_factor", lambda node: options(node).dilation_h_factor),
        windows.positive("dilation_w_factor", lambda node: options(node).dilation_w_factor),
        windows.fused_activation(lambda node: options(node).fused_activation_function),
        *shapes,
        weights.filter_scales(axis),
        weights.factors_fit,
        weights.bias_per_channel(axis),
        weights.accumulators_fit(axis),
    )


@dataclass(frozen=True, slots=True)
class SlidingConvolution(Kernel):
    """A filter slides over NHWC input, int8; a tap outside of the input adds nothing."""

    arity = (2, 3)
    folded = (1, 2)
    channel_axis: ClassVar[int]
    """Of the filter's dimensions, the output channels."""

    batches: int
    input_height: int
    input_width: int
    input_depth: int
    filter_height: int
    filter_width: int
    output_height: int
    output_width: int
    output_depth: int
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
    @abstractmethod
    def options(node: Node) -> Options:
        """Those of a node."""

    @property
    @abstractmethod
    def groups(self) -> int:
        """Into so many equal parts input and output channels fall; each sees its own only."""

    @classmethod
    def _windows(cls, node: Node) -> tuple[windows.Window, windows.Window]:
        options = cls.options(node)
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
        """[batches, output_height, output_width, output_depth]."""
        rows, columns = cls._windows(node)
        channels = node.input(1).shape[cls.channel_axis]
        return ((node.input(0).shape[0], rows.output, columns.output, channels),)

    @classmethod
    def prepared(cls, node: Node, numerics: Numerics, **more: int) -> Self:
        """Fold geometry, weights and scales; `more` are the fields that an operator adds."""
        options = cls.options(node)
        source, filter_, output = node.input(0), node.input(1), node.outputs[0]
        assert filter_.data is not None
        rows, columns = cls._windows(node)
        channels = filter_.shape[cls.channel_axis]
        multipliers, shifts = weights.channel_multipliers(node, channels, numerics)
        low, high = windows.activation_range(options.fused_activation_function, output)
        return cls(
            batches=source.shape[0],
            input_height=source.shape[1],
            input_width=source.shape[2],
            input_depth=source.shape[3],
            filter_height=filter_.shape[1],
            filter_width=filter_.shape[2],
            output_height=rows.output,
            output_width=columns.output,
            output_depth=channels,
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
            **more,
        )

    def requantized(self, total: int, channel: int) -> int:
        """The output byte, unsigned, of an accumulator with the bias in it."""
        value = requantize_to_int8(
            total,
            self.multipliers[channel],
            self.shifts[channel],
            self.output_offset,
            self.activation_min,
            self.activation_max,
            self.numerics,
        )
        return value & 0xFF

    def pixels(self, batch: int, out_y: int, out_x: int) -> Iterator[int | None]:
        """The input pixel under each tap of one window, in filter order; None outside."""
        for filter_y in range(self.filter_height):
            y = out_y * self.stride_height - self.pad_top + filter_y * self.dilation_height
            for filter_x in range(self.filter_width):
                x = out_x * self.stride_width - self.pad_left + filter_x * self.dilation_width
                if 0 <= y < self.input_height and 0 <= x < self.input_width:
                    yield (batch * self.input_height + y) * self.input_width + x
                else:
                    yield None

    def positions(self) -> Iterator[tuple[int, int, int]]:
        """Batch, row and column of every output pixel, in order."""
        for batch in range(self.batches):
            for out_y in range(self.output_height):
                for out_x in range(self.output_width):
                    yield batch, out_y, out_x

    @abstractmethod
    def image(self) -> PlanarOperator | None:
        """One image, as a convolution of planes."""

    def axes(self) -> tuple[windowed.Window, windowed.Window]:
        """The windows along the height and along the width."""
        return (
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
        )

    def requantization(self) -> Requantization:
        """What accumulators become, for the fast executors."""
        return Requantization(
            self.multipliers,
            self.shifts,
            self.output_offset,
            self.activation_min,
            self.activation_max,
            self.numerics,
        )

    def fast(self) -> Run:
        """Planes, one image after another."""
        image = self.image()
        return (image and alone(image, self.batches)) or self.reference

    def planar(self, shape: Shape) -> PlanarOperator | None:
        """Planes, where there is one image."""
        del shape
        return self.image() if self.batches == 1 else None

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
        outputs = self.batches * self.output_height * self.output_width * self.output_depth
        taps = self.filter_height * self.filter_width * (self.input_depth // self.groups)
        return Cost(macs=outputs * taps)

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
            output_bytes=self.output_depth,
            groups=self.groups,
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
