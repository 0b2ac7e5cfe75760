"""What AVERAGE_POOL_2D and MAX_POOL_2D share: all but what they make of a window's values.

**Source:** CalculateOpDataPooling and PoolingPrepare in micro/kernels/pooling_common.cc.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Self

from tinyrt import constraints, walks, windows
from tinyrt.fast.windowed import Window
from tinyrt.fixedpoint import Numerics
from tinyrt.graph import Node, Shape
from tinyrt.kernel import Kernel, Overlap, Strip, Touch, Value
from tinyrt.options import Pool2DOptions
from tinyrt.scales import scale_of, single, zero_point_of

WINDOW_LIMIT = 1 << 23
"""Most input pixels under one window: 2^23 · 128, half a divisor added, stays in int32."""


def _options(node: Node) -> Pool2DOptions:
    return node.options_as(Pool2DOptions)


def nearly_same_quantization(node: Node) -> str | None:
    """Input and output have the same zero-point, and scales at most 0.000001 apart."""
    source, output = node.input(0), node.outputs[0]
    # The difference of singles is a single in the source, before it is compared.
    apart = single(abs(scale_of(source) - scale_of(output)))
    if zero_point_of(source) == zero_point_of(output) and apart <= 1e-6:
        return None
    return f"{source} and {output} differ"


def window_within_limit(node: Node) -> str | None:
    """A window covers at most 2^23 input pixels."""
    options = _options(node)
    _, height, width, _ = node.input(0).shape
    rows, columns = min(options.filter_height, height), min(options.filter_width, width)
    return None if rows * columns <= WINDOW_LIMIT else f"{rows} times {columns}"


@dataclass(frozen=True, slots=True)
class Pool2D(Kernel):
    """A window slides over each channel of NHWC input; padding has no values and does not count.

    Every window holds at least one input pixel: SAME padding is less than half a window on the
    near side, and the last window begins inside the input.
    """

    constraints = (
        constraints.output_type_as_input,
        constraints.rank(0, "input", 4),
        constraints.per_tensor(0, "input"),
        constraints.per_tensor_outputs,
        nearly_same_quantization,
        windows.positive("stride_h", lambda node: _options(node).stride_h, windows.REACH),
        windows.positive("stride_w", lambda node: _options(node).stride_w, windows.REACH),
        windows.positive("filter_height", lambda node: _options(node).filter_height, windows.REACH),
        windows.positive("filter_width", lambda node: _options(node).filter_width, windows.REACH),
        windows.fused_activation(lambda node: _options(node).fused_activation_function),
        window_within_limit,
    )

    batches: int
    input_height: int
    input_width: int
    depth: int
    filter_height: int
    filter_width: int
    output_height: int
    output_width: int
    stride_height: int
    stride_width: int
    pad_top: int
    pad_left: int
    activation_min: int
    activation_max: int

    @staticmethod
    def _axes(node: Node) -> tuple[windows.Window, windows.Window]:
        options = _options(node)
        _, height, width, _ = node.input(0).shape
        return (
            windows.window(height, options.filter_height, options.stride_h, 1, options.padding),
            windows.window(width, options.filter_width, options.stride_w, 1, options.padding),
        )

    @classmethod
    def infer(cls, node: Node) -> tuple[Shape, ...]:
        """[batches, output_height, output_width, depth]."""
        rows, columns = cls._axes(node)
        batches, _, _, depth = node.input(0).shape
        return ((batches, rows.output, columns.output, depth),)

    @classmethod
    def prepare(cls, node: Node, numerics: Numerics) -> Self:
        """Fold geometry; there is no scale in pooling."""
        del numerics
        options = _options(node)
        batches, height, width, depth = node.input(0).shape
        rows, columns = cls._axes(node)
        low, high = windows.activation_range(options.fused_activation_function, node.outputs[0])
        return cls(
            batches=batches,
            input_height=height,
            input_width=width,
            depth=depth,
            filter_height=options.filter_height,
            filter_width=options.filter_width,
            output_height=rows.output,
            output_width=columns.output,
            stride_height=options.stride_h,
            stride_width=options.stride_w,
            pad_top=rows.pad_before,
            pad_left=columns.pad_before,
            activation_min=low,
            activation_max=high,
        )

    def axes(self) -> tuple[Window, Window]:
        """The windows along height and width."""
        return (
            Window.of(
                self.input_height,
                self.output_height,
                self.stride_height,
                self.filter_height,
                1,
                self.pad_top,
            ),
            Window.of(
                self.input_width,
                self.output_width,
                self.stride_width,
                self.filter_width,
                1,
                self.pad_left,
            ),
        )

    def strip(self, rows: range, height: int) -> Strip | None:
        """The windows of some rows, over the input rows under them."""
        if self.batches != 1 or height != self.output_height:
            return None
        band = windows.band(
            rows, self.stride_height, self.filter_height, self.pad_top, self.input_height
        )
        height, pad_top = len(band.read), band.pad_before
        part = replace(self, input_height=height, output_height=len(rows), pad_top=pad_top)
        return Strip(part, (band.read,))

    def covered(self, operand: Value) -> Iterator[list[list[int]]]:
        """The input pixels under each window, row-major; a pixel is the values of its channels."""
        source = memoryview(operand).cast("b")
        for batch in range(self.batches):
            for out_y in range(self.output_height):
                top = out_y * self.stride_height - self.pad_top
                rows = range(max(top, 0), min(top + self.filter_height, self.input_height))
                for out_x in range(self.output_width):
                    left = out_x * self.stride_width - self.pad_left
                    columns = range(max(left, 0), min(left + self.filter_width, self.input_width))
                    yield [
                        source[start : start + self.depth].tolist()
                        for y in rows
                        for x in columns
                        for start in (
                            ((batch * self.input_height + y) * self.input_width + x) * self.depth,
                        )
                    ]

    def _walk(self) -> walks.Walk:
        """How the C walks: pixel by pixel, channel by channel."""
        return walks.Walk(
            batches=self.batches,
            rows=walks.taps(
                self.output_height,
                self.input_height,
                self.filter_height,
                self.stride_height,
                1,
                self.pad_top,
            ),
            columns=walks.taps(
                self.output_width,
                self.input_width,
                self.filter_width,
                self.stride_width,
                1,
                self.pad_left,
            ),
            input_height=self.input_height,
            input_width=self.input_width,
            input_bytes=self.depth,
            output_bytes=self.depth,
            groups=self.depth,
        )

    def overlap(self) -> tuple[Overlap, ...]:
        """As far as the windows to come allow."""
        return (self._walk().overlap(),)

    def touches(self) -> Iterator[Touch]:
        """Window by window."""
        return self._walk().touches()
