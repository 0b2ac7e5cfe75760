"""CONV_2D as products of columns of input with pairs of channels."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from tinyrt import walks
from tinyrt.kernel import CKernel, Cost, Int32s, Overlap, Touch
from tinyrt.lower.channels import channels
from tinyrt.lower.pairs import GREATEST_SHIFT, pair_stream
from tinyrt.ops.conv_2d import Conv2D
from tinyrt.ops.depthwise_conv_2d import DepthwiseConv2D

_COLUMNS = 3
"""TINYRT_COLUMNS in C: windows gathered at a time."""


@dataclass(frozen=True, slots=True)
class Conv2DPacked(CKernel):
    """CONV_2D, int8, without groups and with two channels or more.

    A DEPTHWISE_CONV_2D of one input channel is one too: all its filters see that channel.
    """

    c_name = "conv_2d_packed_s8"

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
    input_zero_point: int
    output_offset: int
    activation_min: int
    activation_max: int
    row_groups: int
    inside_height: int
    inside_width: int
    stream: Int32s

    @classmethod
    def of(cls, operator: Conv2D | DepthwiseConv2D, known: CKernel | None = None) -> Self | None:
        """The kernel for an operator, if it can be computed so.

        Args:
            operator: what it is to compute.
            known: the kernel for the same weights on more rows, if there is one.
        """
        stream = known.stream if isinstance(known, cls) else _stream(operator)
        if stream is None:
            return None
        batches, height, width = operator.batches, operator.input_height, operator.input_width
        output_height, output_width = operator.output_height, operator.output_width
        window = (operator.filter_height, operator.filter_width)
        if (*window, operator.stride_height, operator.stride_width) == (1, 1, 1, 1):
            # All pixels are alike: one row of them.
            width = output_width = batches * height * width
            batches = height = output_height = 1
        groups = -(-operator.filter_width * operator.input_depth // 4)
        return cls(
            batches=batches,
            input_height=height,
            input_width=width,
            input_depth=operator.input_depth,
            filter_height=operator.filter_height,
            filter_width=operator.filter_width,
            output_height=output_height,
            output_width=output_width,
            output_depth=_output_depth(operator),
            stride_height=operator.stride_height,
            stride_width=operator.stride_width,
            dilation_height=operator.dilation_height,
            dilation_width=operator.dilation_width,
            pad_top=operator.pad_top,
            pad_left=operator.pad_left,
            input_zero_point=-operator.input_offset,
            output_offset=operator.output_offset,
            activation_min=operator.activation_min,
            activation_max=operator.activation_max,
            row_groups=groups,
            # A row of a window is read as whole groups, which must not leave the input's row.
            inside_height=height - 1 - (operator.filter_height - 1) * operator.dilation_height
            if operator.dilation_width == 1
            else -1,
            inside_width=(width * operator.input_depth - 4 * groups) // operator.input_depth,
            stream=stream,
        )

    def cost(self) -> Cost:
        """Three columns of 16-bit values, or four of bytes in groups of sixteen.

        Windows whose pixels are no whole groups, or lie apart, are gathered as bytes before: row
        by row, or all rows at once.
        """
        groups = self.filter_height * self.row_groups
        apart = self.input_depth % 4 != 0 or self.dilation_width != 1
        words = 8 * _COLUMNS * groups + 4 * self.row_groups * apart
        return Cost(scratch_bytes=max(words, 64 * -(-groups // 4) + 4 * groups * apart))

    def _walk(self) -> walks.Walk:
        """How the C walks: three windows are read before three pixels are written."""
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
            block=_COLUMNS,
        )

    def overlap(self) -> tuple[Overlap, ...]:
        """As far as the windows to come allow."""
        return (self._walk().overlap(),)

    def touches(self) -> Iterator[Touch]:
        """Block by block."""
        return self._walk().touches()


def _stream(operator: Conv2D | DepthwiseConv2D) -> Int32s | None:
    """The weights as the kernel reads them, if it can."""
    filters = _filters(operator)
    if len(filters) < 2:
        return None
    row = operator.filter_width * operator.input_depth
    found = channels(operator, filters, operator.multipliers, operator.shifts, GREATEST_SHIFT)
    return None if found is None else pair_stream(found, row)


def _output_depth(operator: Conv2D | DepthwiseConv2D) -> int:
    if isinstance(operator, DepthwiseConv2D):
        return operator.input_depth * operator.depth_multiplier
    return operator.output_depth


def _filters(operator: Conv2D | DepthwiseConv2D) -> list[list[int]]:
    """The weights of each channel, in the order of a window; none if one sees not all of it."""
    weights = memoryview(operator.filter).cast("b").tolist()
    if isinstance(operator, DepthwiseConv2D):
        channels = operator.depth_multiplier if operator.input_depth == 1 else 0
        return [weights[channel::channels] for channel in range(channels)]
    taps = operator.filter_height * operator.filter_width * operator.filter_depth
    if operator.filter_depth != operator.input_depth:
        return []
    return [weights[start : start + taps] for start in range(0, len(weights), taps)]
