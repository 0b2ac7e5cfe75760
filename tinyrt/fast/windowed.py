"""CONV_2D and DEPTHWISE_CONV_2D as convolutions of planes: from their fields to `Convolution`."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from tinyrt.fast.block import Block, Output
from tinyrt.fast.convolve import Convolution
from tinyrt.fast.frame import Axis
from tinyrt.fast.requantize import Requantization
from tinyrt.planar import Image


@dataclass(frozen=True, slots=True)
class Window:
    """A filter's taps along one axis, those that ever meet an input."""

    axis: Axis
    kernel: int
    """Taps of the filter."""
    kept: tuple[int, ...]
    """Their positions in the filter."""

    @classmethod
    def of(
        cls, size: int, output: int, stride: int, kernel: int, dilation: int, pad: int
    ) -> "Window":
        """Place a filter of `kernel` taps on an input of `size` elements, `output` times."""
        if output == 1:
            stride = 1  # never taken, and it may be very long
        last = (output - 1) * stride
        # Not before the input for the last window, not behind it for the first.
        first = max(0, -(-(pad - last) // dilation))
        kept = tuple(
            position
            for position in range(first, min(kernel, -(-(size + pad) // dilation)))
            # Of the windows in which the tap is not before the input, it is first inside.
            if max(position * dilation - pad, (position * dilation - pad) % stride) < size
        )
        kept = kept or (0,)
        offsets = tuple(position * dilation - pad for position in kept)
        return cls(Axis(size, output, stride, offsets), kernel, kept)

    @property
    def too_sparse(self) -> bool:
        """Whether rows of lanes would be mostly gaps: a wide dilation over a small input."""
        return self.axis.lanes > 3 * max(self.axis.stored, self.axis.output) + 8


def dense(
    rows: Window,
    columns: Window,
    depth: int,
    filter_depth: int,
    zero_point: int,
    filter_: bytes,
    bias: Sequence[int],
    requantization: Requantization,
) -> Convolution | None:
    """CONV_2D; None where its windows are too sparse for planes.

    Args:
        rows: windows along the height.
        columns: windows along the width.
        depth: input channels.
        filter_depth: input channels that one output channel sees.
        zero_point: of the input.
        filter_: int8 [output channels, filter height, filter width, filter depth].
        bias: of each output channel.
        requantization: likewise.
    """
    channels = len(bias)
    size = rows.kernel * columns.kernel * filter_depth

    def blocks() -> Iterator[Block]:
        weights = memoryview(filter_).cast("b").tolist()
        groups = depth // filter_depth
        outputs = channels // groups
        for group in range(groups):
            found = [
                Output(
                    channel,
                    bias[channel],
                    [
                        weights[start : start + filter_depth]
                        for start in (
                            channel * size + tap * filter_depth for tap in _taps(rows, columns)
                        )
                    ],
                    partial(requantization.steps, channel),
                )
                for channel in range(group * outputs, (group + 1) * outputs)
            ]
            yield Block(range(group * filter_depth, (group + 1) * filter_depth), found)

    return convolution(rows, columns, depth, channels, zero_point, blocks)


def depthwise(
    rows: Window,
    columns: Window,
    depth: int,
    zero_point: int,
    filter_: bytes,
    bias: Sequence[int],
    requantization: Requantization,
) -> Convolution | None:
    """DEPTHWISE_CONV_2D; None where its windows are too sparse for planes.

    Args:
        rows: windows along the height.
        columns: windows along the width.
        depth: input channels.
        zero_point: of the input.
        filter_: int8 [1, filter height, filter width, output channels].
        bias: of each output channel.
        requantization: likewise.
    """
    channels = len(bias)
    multiplier = channels // depth

    def blocks() -> Iterator[Block]:
        weights = memoryview(filter_).cast("b").tolist()
        for source in range(depth):
            found = [
                Output(
                    channel,
                    bias[channel],
                    [[weights[tap * channels + channel]] for tap in _taps(rows, columns)],
                    partial(requantization.steps, channel),
                )
                for channel in range(source * multiplier, (source + 1) * multiplier)
            ]
            yield Block((source,), found)

    return convolution(rows, columns, depth, channels, zero_point, blocks)


def _taps(rows: Window, columns: Window) -> Iterator[int]:
    """The places of the kept taps in a filter's window, row by row."""
    return (row * columns.kernel + column for row in rows.kept for column in columns.kept)


def convolution(
    rows: Window,
    columns: Window,
    depth: int,
    channels: int,
    zero_point: int,
    blocks: Callable[[], Iterator[Block]],
) -> Convolution | None:
    """A convolution of one image; None where its windows are too sparse for planes.

    Args:
        rows: windows along the height.
        columns: windows along the width.
        depth: input channels.
        channels: output channels.
        zero_point: of the input.
        blocks: all output channels.
    """
    if rows.too_sparse or columns.too_sparse:
        return None
    return Convolution(
        rows=rows.axis,
        columns=columns.axis,
        source=Image(rows.axis.size, columns.axis.size, depth),
        target=Image(rows.axis.output, columns.axis.output, channels),
        zero_point=zero_point + 128,
        made=blocks,
    )
