"""Pools with strides, the same for all channels: one vector holds the planes of all of them.

With strides, the input is split by phase as bytes anyway. Laid channel upon channel
into one integer for each phase, it takes a handful of operations where there were as many for every
channel; and the planes of small images, which pools make, are too short to be worth an operation.

A window that reached below its image would meet the next channel. So this form is for windows that
all lie inside. What lanes between the images hold is nobody's, and left out.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from tinyrt import lanes
from tinyrt.fast.frame import Axis, Frame
from tinyrt.planar import Channel, Facts, Grid, Image, Phases, Pitch, PlanarRun

CombineTaps = Callable[[Sequence[int]], int]
"""From a vector for each tap to the vector of outputs, each a byte at a lane of the grid."""


@dataclass(frozen=True)
class StackedRun(PlanarRun):
    """A pool prepared for a grid."""

    phases: Phases
    channels: Sequence[Channel]
    taps: tuple[tuple[int, int], ...]
    """Of each tap, the phase, and bits that its vector is moved down by."""
    combine: CombineTaps
    grid: Grid
    """Of all channels."""
    image: Grid
    """Of the output."""

    def run(self, *operands: Sequence[int]) -> list[int]:
        """All channels at once, then apart."""
        (vectors,) = operands
        met = [vectors[phase] >> down if down else vectors[phase] for phase, down in self.taps]
        bits, count = self.grid.pitch.lane_bits, len(self.channels)
        data = lanes.to_bytes(self.combine(met), self.grid.lanes, bits)
        stored, kept = self.grid.lanes // count, self.image.lanes
        if kept < stored:
            starts = range(0, len(data), stored)
            data = b"".join([data[start : start + kept] for start in starts])
        return lanes.pack(data, count, bits)


def stack(rows: Axis, columns: Axis, channels: int, pitch: Pitch) -> Grid | None:
    """The grid of all channels' windows; None where one reaches outside, or none is skipped.

    Args:
        rows: windows along the height.
        columns: windows along the width.
        channels: of the image.
        pitch: of one channel.
    """
    if rows.padded or columns.padded or pitch.bands > 1 or rows.stride == columns.stride == 1:
        return None
    if pitch.turned:
        rows, columns = columns, rows
    return Grid(channels * rows.stored, columns.output, pitch)


def stacked_run(
    rows: Axis,
    columns: Axis,
    source: Image,
    target: Image,
    grid: Grid,
    fact: Channel,
    combine: CombineTaps,
) -> StackedRun:
    """Prepare a pool.

    Args:
        rows: windows along the height.
        columns: windows along the width.
        source: one image of the input.
        target: one image of the output.
        grid: of all channels, as `stack` gives it.
        fact: what is known of every output channel.
        combine: taps to outputs.
    """
    pitch = grid.pitch
    if pitch.turned:
        rows, columns = columns, rows
    frame = Frame(rows, columns, source, target, 0, pitch, Facts.none(source.channels))
    taps = [
        (frame.wanted.index((row, column)), row_offset * pitch.row_lanes + column_offset)
        for row, row_offset in rows.taps
        for column, column_offset in columns.taps
    ]
    return StackedRun(
        phases=replace(frame.phases(range(source.channels)), stacked=True),
        channels=(fact,) * source.channels,
        taps=tuple((phase, beyond * pitch.lane_bits) for phase, beyond in taps),
        combine=combine,
        grid=grid,
        image=Grid.of(target, pitch),
    )
