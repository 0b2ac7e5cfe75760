"""Where the windows of a convolution meet the lanes of planes: taps, phases and shifts."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from tinyrt import lanes
from tinyrt.fast.costs import ADD, DIGIT_BITS, MULTIPLY
from tinyrt.fast.requantize import Masks
from tinyrt.planar import Channel, Facts, Grid, Image, Phases, Pitch, Planes


@dataclass(frozen=True, slots=True)
class Axis:
    """Windows along one axis of an image."""

    size: int
    output: int
    """Number of windows."""
    stride: int
    offsets: tuple[int, ...]
    """Where the taps of the first window lie."""

    @property
    def taps(self) -> list[tuple[int, int]]:
        """Phase and offset within the phase of every tap."""
        return [(offset % self.stride, offset // self.stride) for offset in self.offsets]

    @property
    def padded(self) -> bool:
        """Whether any window reaches outside."""
        last = (self.output - 1) * self.stride
        return min(self.offsets) < 0 or last + max(self.offsets) >= self.size

    @property
    def stored(self) -> int:
        """Elements of the longest phase."""
        return -(-self.size // self.stride)

    @property
    def lanes(self) -> int:
        """Least number of lanes of a row, so that no window reaches into another row."""
        inside = [offset for _, offset in self.taps]
        return max(self.stored - min(0, *inside), self.output + max(0, *inside))


@dataclass(frozen=True, slots=True)
class Source:
    """A shifted input plane that polynomials are multiplied with."""

    plane: int
    """Which of the input planes."""
    shift: int
    """Bits to the right; negative to the left."""
    zero: int
    """What to subtract: the zero-point at every valid lane, shifted likewise."""

    def of(self, plane: int) -> int:
        """The shifted plane."""
        shift = self.shift
        moved = plane >> shift if shift > 0 else plane << -shift if shift else plane
        return moved - self.zero if self.zero else moved


@dataclass(frozen=True)
class Frame:
    """What the output channels of one convolution share: its windows on a grid."""

    rows: Axis
    columns: Axis
    """Along the rows and the columns of the grid."""
    source: Image
    target: Image
    zero_point: int
    """The input's, plus 128."""
    pitch: Pitch
    facts: Facts
    """Of the input."""

    @cached_property
    def padded(self) -> bool:
        """Whether some window meets virtual inputs, which count nothing."""
        return self.rows.padded or self.columns.padded

    @cached_property
    def skip(self) -> int:
        """Lanes below the first output: a polynomial of the columns' offsets puts them there."""
        return max(0, *(offset for _, offset in self.column_taps))

    @cached_property
    def column_taps(self) -> list[tuple[int, int]]:
        """Phase and offset within the phase of every column of a window."""
        return self.columns.taps

    @cached_property
    def terms(self) -> list[list[tuple[int, int]]]:
        """For each key, the taps of its polynomial: where in a filter, and shifted by how much."""
        terms = []
        for number, (_, _, column_phase) in enumerate(self.keys):
            row = number * len(self.rows.offsets) // len(self.keys)
            highest = self.highest(column_phase)
            terms.append(
                [
                    (self.tap(row, column), (highest - offset) * self.pitch.lane_bits)
                    for column, (phase, offset) in enumerate(self.column_taps)
                    if phase == column_phase
                ]
            )
        return terms

    @cached_property
    def keys(self) -> list[tuple[int, int, int]]:
        """Phase of the row, offset of the row, phase of the column: one product each."""
        columns = dict.fromkeys(phase for phase, _ in self.column_taps)
        return [(*row, phase) for row in self.rows.taps for phase in columns]

    @cached_property
    def wanted(self) -> list[tuple[int, int]]:
        """The phases that are used, of the row and of the column."""
        return list(dict.fromkeys((row, column) for row, _, column in self.keys))

    @cached_property
    def inputs(self) -> Sequence[Channel]:
        """What is known of each input channel."""
        return self.facts.channels

    def phases(self, used: Sequence[int]) -> Phases:
        """How the input becomes planes, of which only these channels are looked at."""
        return Phases(
            image=self.source,
            pitch=self.pitch,
            row_stride=self.rows.stride,
            column_stride=self.columns.stride,
            wanted=self.wanted,
            used=used,
        )

    @cached_property
    def known(self) -> Sequence[int]:
        """The input planes of the channels that are known."""
        which = [n for n, channel in enumerate(self.inputs) if channel.plane is not None]
        if not which or self.facts.grid is None:
            return ()
        planes = [0 if channel.plane is None else channel.plane for channel in self.inputs]
        return self.phases(which).planes(Planes(self.facts.grid, planes))

    @cached_property
    def everywhere(self) -> int:
        """One in every lane that a sum may reach.

        Lanes above the grid are garbage, but none may be negative and make the integer so; lanes
        below it belong to the polynomial's lower terms.
        """
        below = max(0, -min(offset for _, offset in self.rows.taps))
        stored = Grid(self.rows.stored, self.columns.stored, self.pitch).lanes
        beyond = self.pitch.row_lanes
        count = max(stored + below * beyond, self.masks.grid.lanes) + beyond + self.skip
        return lanes.ones(count, self.pitch.lane_bits)

    @cached_property
    def level(self) -> int:
        """One at every position of the output."""
        return self.masks.grid.vector()

    def constant(self, value: int) -> Channel:
        """A channel that is this int8 value everywhere."""
        return Channel(value + 128, value + 128, self.level * (value + 128))

    @cached_property
    def zeros(self) -> dict[tuple[int, int], int]:
        """The zero-point at every input of each phase; nothing where it need not be subtracted."""
        if not self.zero_point or not self.padded:
            return {}
        return {phase: self.valid(*phase) * self.zero_point for phase in self.wanted}

    @cached_property
    def masks(self) -> Masks:
        """Constants on the output's grid."""
        return Masks(Grid.of(self.target, self.pitch), self.skip)

    @cached_property
    def product_costs(self) -> list[float]:
        """Nanoseconds a digit of a plane, for the product and sum of each column phase."""
        places = [
            [offset for phase, offset in self.column_taps if phase == column_phase]
            for column_phase in dict.fromkeys(phase for phase, _ in self.column_taps)
        ]
        bits = [(max(taps) - min(taps)) * self.pitch.lane_bits + 8 for taps in places]
        return [-(-width // DIGIT_BITS) * MULTIPLY + ADD for width in bits]

    def highest(self, column_phase: int) -> int:
        """Greatest offset among the columns of a phase."""
        return max(offset for phase, offset in self.column_taps if phase == column_phase)

    def valid(self, row_phase: int, column_phase: int) -> int:
        """One at each lane that holds an input of this phase."""
        rows = max(0, -(-(self.rows.size - row_phase) // self.rows.stride))
        columns = max(0, -(-(self.columns.size - column_phase) // self.columns.stride))
        return Grid(rows, columns, self.pitch).vector()

    def values(self, channel: int) -> tuple[int, int]:
        """Least and greatest that a lane of an input contributes, before its weight."""
        known = self.inputs[channel]
        if self.padded:
            zero = self.zero_point
            return min(known.least - zero, 0), max(known.greatest - zero, 0)
        # Unsigned; lanes in gaps and behind the last element of a phase are zero.
        return 0, known.greatest

    def shifted(self, channel: int, key: tuple[int, int, int]) -> Source:
        """An input channel as a product needs it."""
        row_phase, row_offset, column_phase = key
        beyond = self.highest(column_phase) - self.skip
        shift = (row_offset * self.pitch.row_lanes + beyond) * self.pitch.lane_bits
        zero = self.zeros.get((row_phase, column_phase), 0)
        zero = zero >> shift if shift > 0 else zero << -shift
        phase = self.wanted.index((row_phase, column_phase))
        return Source(phase * self.source.channels + channel, shift, zero)

    def tap(self, row: int, column: int) -> int:
        """Where a tap of the grid's window stands in a filter, which is in the image's order."""
        if self.pitch.turned:
            return column * len(self.rows.offsets) + row
        return row * len(self.columns.offsets) + column
