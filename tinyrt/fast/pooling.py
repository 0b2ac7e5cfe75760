"""Pooling on planes: maxima lane by lane; averages as convolutions with ones, or stacked sums."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

from tinyrt import lanes
from tinyrt.fast.block import Block, Output, channel_range
from tinyrt.fast.convolve import Convolution
from tinyrt.fast.frame import Axis, Frame
from tinyrt.fast.requantize import Masks, converter, least_bits
from tinyrt.fast.stacked import stack, stacked_run
from tinyrt.fast.windowed import Window, convolution
from tinyrt.planar import Channel, Facts, Grid, Image, Phases, Pitch, PlanarOperator, PlanarRun
from tinyrt.short_multiplier import Staircase

Combine = Callable[[int, int], int]


def greater(count: int, bits: int) -> Combine:
    """A function of two vectors of bytes: the greater byte in each of `count` lanes.

    With bit 8 set in every lane, a − b leaves it set just where a ≥ b, and borrows from no other
    lane. Where it is set, eight ones below it let a through.
    """
    ninth = lanes.ones(count, bits) << 8

    def combine(first: int, second: int) -> int:
        reached = (first | ninth) - second & ninth
        return second ^ (first ^ second) & (reached - (reached >> 8))

    return combine


@dataclass(frozen=True)
class MaxPooling(PlanarOperator):
    """MAX_POOL_2D of one image."""

    rows: Axis
    columns: Axis
    source: Image
    target: Image
    low: int
    """Least output, plus 128."""
    high: int
    """Greatest output, plus 128."""

    @property
    def takes_planes(self) -> bool:
        """Without strides, a tap is a shift."""
        return self.rows.stride == self.columns.stride == 1

    def lane_bits(self) -> int:
        """The narrowest."""
        return 20

    def nanoseconds(self, pitch: Pitch) -> float | None:
        """Rows must follow one another."""
        return None if pitch.bands > 1 else 0.0

    def row_lanes(self, turned: bool) -> int:
        """Least number of lanes of a row."""
        return self.rows.lanes if turned else self.columns.lanes

    def build(self, pitch: Pitch, facts: Sequence[Facts]) -> PlanarRun | None:
        """Prepare the masks; a plane outside of the image is zero, the least of all bytes."""
        del facts
        rows, columns = self.rows, self.columns
        grid = stack(rows, columns, self.source.channels, pitch)
        if grid is not None:
            fact, greatest = Channel(self.low, self.high), self._greatest(grid)
            return stacked_run(rows, columns, self.source, self.target, grid, fact, greatest)
        if pitch.turned:
            rows, columns = columns, rows
        nothing = Facts.none(self.source.channels)
        frame = Frame(rows, columns, self.source, self.target, 0, pitch, nothing)
        bits = pitch.lane_bits
        valid = frame.masks.grid.vector()
        # Planes that are shifted up, by rows or columns, are longer than the grid.
        count = frame.everywhere.bit_length() // bits + 1 + pitch.row_lanes
        return MaxPoolingRun(
            phases=frame.phases(range(self.source.channels)),
            channels=(Channel(self.low, self.high),) * self.source.channels,
            depth=self.source.channels,
            rows=tuple((phase, offset * pitch.row_lanes * bits) for phase, offset in rows.taps),
            columns={
                row: tuple(
                    (frame.wanted.index((row, column)), offset * bits)
                    for column, offset in columns.taps
                )
                for row, _ in rows.taps
            },
            greater=greater(count, bits),
            valid=valid,
            low=self.low,
            high=self.high,
        )

    def _greatest(self, grid: Grid) -> Callable[[Sequence[int]], int]:
        """The greatest of several vectors, limited."""
        valid = grid.vector()
        combine = greater(grid.lanes, grid.pitch.lane_bits)
        limited = limits(valid, combine, self.low, self.high)
        return lambda vectors: limited(reduce(combine, vectors))


@dataclass(frozen=True)
class MaxPoolingRun(PlanarRun):
    """MAX_POOL_2D on a grid."""

    phases: Phases
    channels: Sequence[Channel]
    depth: int
    rows: tuple[tuple[int, int], ...]
    """Of each row of a window, the phase, and bits that planes are shifted down by."""
    columns: Mapping[int, tuple[tuple[int, int], ...]]
    """For each phase of the row and each column of a window, which phase of both, and bits."""
    greater: Combine
    valid: int
    """One at every position of the output."""
    low: int
    high: int

    def run(self, *operands: Sequence[int]) -> list[int]:
        """The greatest along each row, then of the rows."""
        (planes,) = operands
        limited = limits(self.valid, self.greater, self.low, self.high)
        results = []
        for channel in range(self.depth):
            along = {
                phase: reduce(
                    self.greater,
                    [_down(planes[n * self.depth + channel], bits) for n, bits in columns],
                )
                for phase, columns in self.columns.items()
            }
            greatest = reduce(self.greater, [_down(along[n], bits) for n, bits in self.rows])
            results.append(limited(greatest))
        return results


def limits(valid: int, greater_of: Combine, low: int, high: int) -> Callable[[int], int]:
    """A function that keeps the byte in every valid lane, and limits it.

    Args:
        valid: one in each of them, nothing elsewhere.
        greater_of: of two vectors.
        low: least byte.
        high: greatest byte.
    """
    everything, lows, highs = valid * 0xFF, valid * low, valid * high

    def limited(vector: int) -> int:
        vector &= everything
        if low:
            vector = greater_of(vector, lows)
        # The lesser is what remains of the sum.
        return vector + highs - greater_of(vector, highs) if high < 255 else vector

    return limited


def _down(plane: int, bits: int) -> int:
    return plane >> bits if bits > 0 else plane << -bits


@dataclass(frozen=True)
class AveragePooling(Convolution):
    """AVERAGE_POOL_2D of one image: sums of all channels at once, or a convolution with ones."""

    count: int
    """Inputs of a window."""
    steps: Callable[[int, int], Staircase]
    """From a window's sum to its mean, given the least and the greatest sum."""

    def build(self, pitch: Pitch, facts: Sequence[Facts]) -> PlanarRun | None:
        """All channels in one vector, where that can be."""
        grid = stack(self.rows, self.columns, self.source.channels, pitch)
        least = -128 * self.count
        stairs = self.steps(least, 127 * self.count)
        if grid is None or least_bits(stairs) > pitch.lane_bits:
            return super().build(pitch, facts)
        added, convert = converter(stairs, Masks(grid))
        # Bytes count from −128. Lanes between the windows add up as many bytes, or fewer.
        bias = lanes.ones(grid.lanes, pitch.lane_bits) * (least + added)
        return stacked_run(
            self.rows,
            self.columns,
            self.source,
            self.target,
            grid,
            channel_range(stairs),
            lambda vectors: convert(sum(vectors, bias)),
        )


def average(rows: Window, columns: Window, depth: int, low: int, high: int) -> Convolution | None:
    """AVERAGE_POOL_2D with all windows inside of the image; None where one is not.

    Args:
        rows: windows along the height.
        columns: windows along the width.
        depth: channels.
        low: least output.
        high: greatest output.
    """
    if any(len(window.kept) < window.kernel or window.axis.padded for window in (rows, columns)):
        return None
    count = rows.kernel * columns.kernel

    def steps(first: int, last: int) -> Staircase:
        bottom, top = (min(max(mean(total, count), low), high) for total in (first, last))
        return Staircase(
            first=first,
            last=last,
            base=bottom,
            steps=tuple(least_total(value, count) for value in range(bottom + 1, top + 1)),
            # Halves are rounded away from zero: two lines, where there are halves.
            lower=0 if count % 2 else min(max(0, -bottom), top - bottom),
            multiplier=(1 << 50) // count,
            exponent=50,
            level_below=bottom == low,
            level_above=top == high,
        )

    def blocks() -> Iterator[Block]:
        for channel in range(depth):
            # Inputs count as they are: from −128, which is zero in a plane.
            output = Output(channel, -128 * count, [[1]] * count, steps)
            yield Block((channel,), (output,))

    plain = convolution(rows, columns, depth, depth, -128, blocks)
    if plain is None:
        return None
    return AveragePooling(
        plain.rows,
        plain.columns,
        plain.source,
        plain.target,
        plain.zero_point,
        plain.made,
        count,
        steps,
    )


def mean(total: int, count: int) -> int:
    """The quotient, rounded to nearest, halves away from zero."""
    magnitude = (abs(total) + count // 2) // count
    return magnitude if total > 0 else -magnitude


def least_total(value: int, count: int) -> int:
    """The least sum of `count` integers whose mean is `value` or more."""
    if value > 0:
        return value * count - count // 2
    return count // 2 - (1 - value) * count + 1
