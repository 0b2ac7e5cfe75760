"""DEPTHWISE_CONV_2D with 3x3 taps, one channel at a time through a plane of its values."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

from tinyrt.fixedpoint import Numerics, wrap32
from tinyrt.kernel import CKernel, Cost, Int32s, Overlap, Touch
from tinyrt.lower.channels import Channel, channels
from tinyrt.ops.depthwise_conv_2d import DepthwiseConv2D

GREATEST_SHIFT = 20
"""The offset is shifted left by one less, as a 32-bit value of 9 bits."""
LEAST_PLANE_BYTES = 640
"""A plane for some rows may take as much, even where it enlarges the arena."""
_ALIGNMENT = 16
"""Of tensors in the arena."""
_REACH = 1 << 16
"""Offsets within a vector take 16 bits."""
_STRIP_PITCH = 59
"""Values of a row of a strip: with it, offsets in a window of two channels take 8 bits."""
_WORDS = 5
"""Of a channel in the stream."""
_LANES = 16
_LANES_COLUMNS = 8
"""Longer rows of pixels of a channel fill vectors well."""
_ANYWHERE = -(1 << 31)
"""A distance that is no condition."""


@dataclass(frozen=True, slots=True)
class _Axis:
    """One axis of the plane; steps are bytes from value to value."""

    inputs: int
    outputs: int
    input_step: int
    output_step: int
    pad: int

    @property
    def even_outputs(self) -> int:
        """What is computed along this axis if it is the inner one."""
        return self.outputs + self.outputs % 2

    @property
    def reach(self) -> int:
        """Bytes from the first to the last of eight values."""
        return 7 * max(self.input_step, self.output_step)


@dataclass(frozen=True, slots=True)
class DepthwiseConv3x3(CKernel):
    """DEPTHWISE_CONV_2D, int8, 3x3, with stride 1 or 2 and an activation without negatives."""

    c_name = "depthwise_conv_3x3_s8"

    channels: int
    input_rows: int
    input_columns: int
    output_rows: int
    output_columns: int
    input_row_step: int
    input_column_step: int
    output_row_step: int
    output_column_step: int
    stride: int
    pad_rows: int
    pad_columns: int
    band_rows: int
    pitch: int
    strip_columns: int
    lanes: int
    input_zero_point: int
    output_offset: int
    stream: Int32s

    @classmethod
    def of(
        cls,
        operator: DepthwiseConv2D,
        room: int | None,
        known: CKernel | None = None,
        *,
        alike: bool = False,
    ) -> Self | None:
        """The kernel for an operator, if it can be computed so.

        Args:
            operator: what it is to compute.
            room: bytes that its plane may take; None: as many as it likes.
            known: the kernel for the same weights on other rows, if there is one.
            alike: whether both must read the same stream.
        """
        if not _is_plain(operator):
            return None
        depth, stride = operator.input_depth, operator.stride_height
        stream = known._upright() if isinstance(known, cls) else None
        stream = stream or _stream(operator)
        if stream is None:
            return None
        rows = _Axis(
            operator.input_height,
            operator.output_height,
            operator.input_width * depth,
            operator.output_width * depth,
            operator.pad_top,
        )
        columns = _Axis(
            operator.input_width, operator.output_width, depth, depth, operator.pad_left
        )
        # An even number of outputs is computed in a row: take the axis that wastes less.
        sideways = rows.even_outputs * columns.outputs < columns.even_outputs * rows.outputs
        if alike and isinstance(known, cls) and known.input_row_step != known.input_column_step:
            sideways = known.input_row_step < known.input_column_step
        if sideways and stride == 1 and rows.reach < _REACH:
            rows, columns = columns, rows
            stream = _transposed(stream)
        if columns.reach >= _REACH:
            return None
        # Vectors compute eight outputs of a row, which see so many values; bytes, that is.
        pitch = max(stride * columns.even_outputs + 2, 10)
        if stride == 1:
            # The padding before a row is also the padding behind the one above.
            seen = columns.outputs + 2 - columns.pad
            pitch = max(seen, columns.pad + min(columns.inputs, seen), 6)
            pitch += pitch % 2
        band_rows = rows.outputs
        if stride == 2 and room is not None:
            plane_rows = max(room, LEAST_PLANE_BYTES) // (2 * pitch)
            band_rows = min(band_rows, max(1, (plane_rows - 3) // stride + 1))
        return cls(
            channels=depth,
            input_rows=rows.inputs,
            input_columns=min(columns.inputs, pitch - columns.pad),
            output_rows=rows.outputs,
            output_columns=columns.outputs,
            input_row_step=rows.input_step,
            input_column_step=columns.input_step,
            output_row_step=rows.output_step,
            output_column_step=columns.output_step,
            stride=stride,
            pad_rows=rows.pad,
            pad_columns=columns.pad,
            band_rows=band_rows,
            pitch=pitch,
            strip_columns=_strip_columns(columns.outputs, stride),
            lanes=int(_takes_lanes(operator, rows, columns, room)),
            input_zero_point=-operator.input_offset,
            output_offset=operator.output_offset,
            stream=stream,
        )

    def _upright(self) -> Int32s | None:
        """The weights as they are where rows are those of the map; None where that is not known."""
        if self.input_row_step == self.input_column_step:
            return None
        sideways = self.input_row_step < self.input_column_step
        return _transposed(self.stream) if sideways else self.stream

    def cost(self) -> Cost:
        """The plane: 16-bit values, or bytes of two channels, in strips."""
        rows = (self.band_rows - 1) * self.stride + 3
        pitch = (self.strip_columns - 1) * self.stride + 3
        strips = -(-self.output_columns // self.strip_columns)
        # Eight or four outputs are computed at a time.
        eights, rest = divmod(self.strip_columns, 8)
        computed = 8 * (eights + (rest > 4)) + 4 * (1 <= rest <= 4)
        behind = max(0, (computed - 1) * self.stride + 3 - pitch)
        seen = (self.output_columns + self.output_columns % 2) * self.stride + 2
        plane = rows * self.pitch + max(0, seen - self.pitch)
        bytes_ = 2 * max(plane, strips * rows * pitch + behind)
        lanes = _lanes_bytes(self.output_rows, self.output_columns, self.stride)
        return Cost(scratch_bytes=max(bytes_, lanes if self.lanes else 0))

    def overlap(self) -> tuple[Overlap, ...]:
        """A channel is read before it is written, and written only where it was read.

        That holds at all distances that are multiples of a pixel, as all in the arena are where
        pixels divide its alignment. With bands, the rows that one writes must lie before those
        that the next one reads, which holds in place for stride 2.
        """
        if _ALIGNMENT % self.channels == 0:
            whole = self.band_rows == self.output_rows
            return (Overlap(operand=0, forward=_ANYWHERE if whole else 0),)
        if self.stride == 1:
            return (Overlap(operand=0, forward=0, only_in_place=True),)
        return ()

    def touches(self) -> Iterator[Touch]:
        """Band by band, channel by channel: into the plane, then out of it."""
        extent = (self.input_columns - 1) * self.input_column_step + 1
        for first in range(0, self.output_rows, self.band_rows):
            rows = min(self.band_rows, self.output_rows - first)
            top = first * self.stride - self.pad_rows
            end = min(top + (rows - 1) * self.stride + 3, self.input_rows)
            starts = range(max(top, 0), end)
            # Rows of outputs are as long as their columns, or one band has all of them.
            begin = first * self.output_columns * self.channels
            written = range(begin, begin + rows * self.output_columns * self.channels)
            for channel in range(self.channels):
                reads = tuple(
                    (0, range(start, start + extent, self.input_column_step))
                    for start in (row * self.input_row_step + channel for row in starts)
                )
                yield Touch(reads, written[channel :: self.channels])


def _is_plain(operator: DepthwiseConv2D) -> bool:
    """Whether shape and activation are of the kind that the kernel is for."""
    return (
        (operator.filter_height, operator.filter_width) == (3, 3)
        and operator.batches == operator.depth_multiplier == 1
        and operator.dilation_height == operator.dilation_width == 1
        and operator.stride_height == operator.stride_width <= 2
        and (operator.activation_min, operator.activation_max) == (-128, 127)
        and (operator.output_offset == -128 or operator.numerics is Numerics.SINGLE)
    )


def _lanes_bytes(output_rows: int, output_columns: int, stride: int) -> int:
    """The plane of sixteen channels, and their weights and scales."""
    return _LANES * ((output_rows - 1) * stride + 3) * ((output_columns - 1) * stride + 3) + 336


def _takes_lanes(operator: DepthwiseConv2D, rows: _Axis, columns: _Axis, room: int | None) -> bool:
    """Whether vectors do better with the channels of a pixel than with the pixels of a channel."""
    stride = operator.stride_height
    if operator.input_depth % _LANES or columns.outputs > _LANES_COLUMNS:
        return False
    # Two products fit in 16 bits where no weight is -128.
    if 0x80 in operator.filter:
        return False
    return room is None or _lanes_bytes(rows.outputs, columns.outputs, stride) <= room


def _strip_columns(outputs: int, stride: int) -> int:
    """Outputs of a row that share a strip, alike in all; several are multiples of eight."""
    most = (_STRIP_PITCH - 3) // stride + 1
    if outputs <= most:
        return outputs
    strips = -(-outputs // (most // 8 * 8))
    return -(-outputs // (8 * strips)) * 8


def _stream(operator: DepthwiseConv2D) -> Int32s | None:
    """The weights as the kernel reads them where its rows are those of the map, if it can."""
    depth = operator.input_depth
    weights = memoryview(operator.filter).cast("b").tolist()
    filters = [weights[channel::depth] for channel in range(depth)]
    found = channels(operator, filters, operator.multipliers, operator.shifts, GREATEST_SHIFT)
    return None if found is None else tuple(w for channel in found for w in _words(channel))


def _words(channel: Channel) -> tuple[int, ...]:
    """Bias and shift, multiplier, and each row of taps with the middle one twice."""
    head = channel.bias << 9 | (channel.shift - 1)
    return (head, channel.multiplier, *_rows(channel.weights))


def _rows(taps: Sequence[int]) -> Iterator[int]:
    for a, b, c in (taps[0:3], taps[3:6], taps[6:9]):
        yield wrap32(sum((tap & 0xFF) << 8 * place for place, tap in enumerate((a, b, b, c))))


def _transposed(stream: Int32s) -> Int32s:
    """The weights where rows and columns change places."""
    found: list[int] = []
    for start in range(0, len(stream), _WORDS):
        head, multiplier, *rows = stream[start : start + _WORDS]
        found += head, multiplier
        found += _rows([row >> place for place in (0, 8, 24) for row in rows])
    return tuple(found)
