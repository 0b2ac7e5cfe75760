"""Feature maps as integers, the form in which fast kernels hand them on.

One channel of one image is a *plane*: a vector of lanes (`tinyrt.lanes`), one position a lane, each
holding the unsigned byte `value + 128`. Positions follow one another along rows, or along columns
where those are longer; behind each row lies a gap of lanes that are zero, so that a window that
reaches beyond a row meets neither neighbour.

Which tensors take this form, and on which grid, is decided at prepare time (`fast.arrange`); an
operator that can take part says so with a `PlanarOperator`.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeVar

from tinyrt import lanes

FLIP = bytes(value ^ 0x80 for value in range(256))
"""The table from two's complement to `value + 128`, and back."""

_Row = TypeVar("_Row")


@dataclass(frozen=True, slots=True)
class Image:
    """Sizes of one image of a feature map."""

    height: int
    width: int
    channels: int


@dataclass(frozen=True, slots=True)
class Pitch:
    """What the grids of feature maps have in common that share lanes."""

    row_lanes: int
    """Lanes from the start of a row to the start of the next."""
    lane_bits: int
    turned: bool = False
    """Whether rows of the grid are columns of the image."""
    bands: int = 1
    """Rows r, r + bands, … lie together, one band behind the other (see `fast.winograd`)."""


@dataclass(frozen=True, slots=True)
class Grid:
    """How the positions of an image lie in lanes."""

    rows: int
    columns: int
    """Positions of a row; at most `pitch.row_lanes`."""
    pitch: Pitch

    @classmethod
    def of(cls, image: Image, pitch: Pitch) -> "Grid":
        """The grid of a whole image."""
        sizes = (image.width, image.height) if pitch.turned else (image.height, image.width)
        return cls(*sizes, pitch)

    @property
    def band_rows(self) -> int:
        """Rows of a band, filled up where the rows cannot be shared out evenly."""
        return -(-self.rows // self.pitch.bands)

    @property
    def places(self) -> list[int]:
        """How many rows lie below each row."""
        bands, height = self.pitch.bands, self.band_rows
        return [row % bands * height + row // bands for row in range(self.rows)]

    @property
    def lanes(self) -> int:
        """Lanes from the first position up to the end of the last row's gap."""
        return self.pitch.bands * self.band_rows * self.pitch.row_lanes

    def vector(self, phase: int = 0, phases: int = 1) -> int:
        """One at every position on lane `phase`, `phase + phases`, …, nothing elsewhere."""
        marks = bytearray(self.lanes)
        row = b"\x01" * self.columns
        for place in self.places:
            start = place * self.pitch.row_lanes
            marks[start : start + self.columns] = row
        if phases > 1:
            kept = bytearray(self.lanes)
            kept[phase::phases] = marks[phase::phases]
            marks = kept
        return lanes.of_bytes(marks, self.pitch.lane_bits)


@dataclass(frozen=True, slots=True)
class Channel:
    """What is known of a channel at prepare time: the range of its bytes, or all of them."""

    least: int = 0
    greatest: int = 255
    plane: int | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a tensor's channels at prepare time."""

    channels: Sequence[Channel]
    grid: Grid | None = None
    """Of the planes that are known; None where there are none."""

    @classmethod
    def none(cls, channels: int) -> "Facts":
        """Nothing known of so many channels."""
        return cls((Channel(),) * channels)


@dataclass(frozen=True, slots=True)
class Planes:
    """The value of a tensor of one image: a plane for each channel."""

    grid: Grid
    channels: Sequence[int]
    phases: dict[tuple[object, ...], list[int]] = field(default_factory=dict, compare=False)
    """What operators with strides made of it, for others with the same ones."""

    def to_bytes(self) -> bytes:
        """The tensor's bytes: int8, height by width by channels."""
        return self.pixels(self.channels).translate(FLIP)

    def pixels(self, chosen: Sequence[int]) -> bytes:
        """The unsigned bytes of these planes, in the order of the image, planes innermost."""
        grid, channels = self.grid, len(chosen)
        data = lanes.unpack(chosen, grid.lanes, grid.pitch.lane_bits)
        unsigned = interleave(data, channels)
        row, stored = grid.pitch.row_lanes * channels, grid.columns * channels
        if not grid.pitch.turned and grid.pitch.bands == 1 and row == stored:
            return unsigned
        starts = [place * row for place in grid.places]
        if not grid.pitch.turned:
            return b"".join([unsigned[start : start + stored] for start in starts])
        return b"".join(
            [
                unsigned[start + column : start + column + channels]
                for column in range(0, stored, channels)
                for start in starts
            ]
        )


def interleave(data: bytes, vectors: int) -> bytes:
    """The bytes of vectors, one behind the other, in turn: the first of each, then the second."""
    count = len(data) // vectors
    if count == 1 or vectors == 1:
        return data
    result = bytearray(len(data))
    if vectors <= count:
        for number in range(vectors):
            result[number::vectors] = data[number * count : (number + 1) * count]
    else:
        for place in range(count):
            result[place * vectors : (place + 1) * vectors] = data[place::count]
    return bytes(result)


@dataclass(frozen=True, slots=True)
class Phases:
    """The input planes that an operator works on: every `stride`-th row and column."""

    image: Image
    pitch: Pitch
    row_stride: int
    column_stride: int
    """Along the rows of the grid."""
    wanted: Sequence[tuple[int, int]]
    """Phase of the row, phase of the column; each has a plane for every channel."""
    used: Sequence[int]
    """The channels that are looked at; the planes of others are zero."""
    stacked: bool = False
    """Whether the planes of a phase are one integer, channel upon channel of as many rows."""

    @property
    def takes_planes(self) -> bool:
        """Whether planes of the same pitch are what is wanted."""
        return self.row_stride == self.column_stride == 1

    def planes(self, value: bytes | bytearray | memoryview | Planes) -> Sequence[int]:
        """The planes of one image, which comes as planes or as int8 bytes."""
        if isinstance(value, Planes):
            if self.takes_planes and value.grid.pitch == self.pitch:
                return value.channels
            if value.grid.pitch.turned == self.pitch.turned:
                key = self.pitch, self.row_stride, self.column_stride, self.stacked, *self.used
                missing = [phase for phase in self.wanted if (phase, *key) not in value.phases]
                size = 1 if self.stacked else self.image.channels
                made = replace(self, wanted=missing)._of_planes(value) if missing else []
                for number, phase in enumerate(missing):
                    value.phases[phase, *key] = made[number * size : (number + 1) * size]
                return [plane for phase in self.wanted for plane in value.phases[phase, *key]]
            value = value.to_bytes()
        return self._of_bytes(bytes(value))

    def _of_planes(self, value: Planes) -> list[int]:
        grid = value.grid
        if grid.pitch.bands > 1 or self.pitch.bands > 1:
            return self._of_bands(value)
        source, target = grid.pitch.row_lanes, self.pitch.row_lanes
        rows = -(-grid.rows // self.row_stride)
        chosen = [value.channels[channel] for channel in self.used]
        # Whole groups of rows for every channel, so that one slice takes them from all channels.
        count = rows * self.row_stride * source
        data = lanes.unpack(chosen, count, grid.pitch.lane_bits)
        planes: list[int] = []
        for row, column in self.wanted:
            phase = bytearray(len(chosen) * rows * target)
            for place, start in enumerate(range(column, grid.columns, self.column_stride)):
                phase[place::target] = data[row * source + start :: self.row_stride * source]
            planes += self._spread(bytes(phase))
        return planes

    def _of_bands(self, value: Planes) -> list[int]:
        """Row by row, for their order changes."""
        grid = value.grid
        source, target = grid.pitch.row_lanes, self.pitch.row_lanes
        chosen = [value.channels[channel] for channel in self.used]
        data = lanes.unpack(chosen, grid.lanes, grid.pitch.lane_bits)
        rows: dict[int, bytes] = {}
        for row in {row for row, _ in self.wanted}:
            starts: list[int | None] = [
                place * source for place in grid.places[row :: self.row_stride]
            ]
            runs = _runs(self._banded(starts, None), source)
            rows[row] = b"".join(
                [
                    bytes(size) if start is None else data[plane + start : plane + start + size]
                    for plane in range(0, len(data), grid.lanes)
                    for start, size in runs
                ]
            )
        planes: list[int] = []
        for row, column in self.wanted:
            phase = bytearray(len(rows[row]) // source * target)
            for place, start in enumerate(range(column, grid.columns, self.column_stride)):
                phase[place::target] = rows[row][start::source]
            planes += self._spread(bytes(phase))
        return planes

    def _banded(self, rows: list[_Row], empty: _Row) -> list[_Row]:
        """The rows of a phase band by band; an empty one where there are too few."""
        bands = self.pitch.bands
        if bands == 1 and not self.stacked:
            return rows
        size = self.image.width if self.pitch.turned else self.image.height
        stored = -(-size // self.row_stride)
        height = -(-stored // bands)
        filled = rows + [empty] * (bands * height - len(rows))
        return [row for band in range(bands) for row in filled[band::bands]]

    def _of_bytes(self, data: bytes) -> list[int]:
        channels = self.image.channels
        row_lanes = self.pitch.row_lanes
        rows = self._rows(data.translate(FLIP))
        length = row_lanes * self.column_stride * channels
        step = self.column_stride * channels
        planes: list[int] = []
        for row, column in self.wanted:
            # A row may be longer than what its lanes hold, or end before them.
            first = column * channels
            kept = [part[first : first + length] for part in rows[row :: self.row_stride]]
            pixels = b"".join([part.ljust(length, b"\0") for part in self._banded(kept, b"")])
            planes += self._spread(b"".join([pixels[channel::step] for channel in self.used]))
        return planes

    def _spread(self, data: bytes) -> list[int]:
        """The planes of the used channels in the places of all channels; or one of all, stacked."""
        if self.stacked:
            return [lanes.of_bytes(data, self.pitch.lane_bits)]
        if not self.used:
            return [0] * self.image.channels
        packed = lanes.pack(data, len(self.used), self.pitch.lane_bits)
        if len(self.used) == self.image.channels:
            return packed
        planes = [0] * self.image.channels
        for channel, plane in zip(self.used, packed, strict=True):
            planes[channel] = plane
        return planes

    def _rows(self, unsigned: bytes) -> list[bytes]:
        """The rows of the grid: pixel after pixel, channels innermost."""
        channels = self.image.channels
        width = self.image.width * channels
        if not self.pitch.turned:
            return [unsigned[start : start + width] for start in range(0, len(unsigned), width)]
        if channels == 1:
            return [unsigned[start::width] for start in range(width)]
        return [
            b"".join([unsigned[s : s + channels] for s in range(start, len(unsigned), width)])
            for start in range(0, width, channels)
        ]


def _runs(starts: Sequence[int | None], size: int) -> list[tuple[int | None, int]]:
    """Rows of one size that follow one another, together."""
    runs: list[tuple[int | None, int]] = []
    for start in starts:
        last, length = runs[-1] if runs else (None, 0)
        if start is not None and last is not None and last + length == start:
            runs[-1] = last, length + size
        else:
            runs.append((start, size))
    return runs


class Intake(Protocol):
    """How an operand comes into a planar operator."""

    def planes(self, value: bytes | bytearray | memoryview | Planes) -> Sequence[int]:
        """What the operator works on; planes, or the bytes of one image, each plus 128."""


class PlanarRun(ABC):
    """An operator prepared for a grid."""

    phases: Intake
    """How an operand becomes input planes."""
    channels: Sequence[Channel]
    """What is known of each output channel."""

    @abstractmethod
    def run(self, *operands: Sequence[int]) -> list[int]:
        """The output planes of the input planes of each operand."""


class PlanarOperator(ABC):
    """How an operator works on planes, before grids are chosen."""

    source: Image
    """One image of every operand."""
    target: Image
    """One image of the output."""

    @property
    @abstractmethod
    def takes_planes(self) -> bool:
        """Whether operands may come as planes, of the output's pitch; bytes always may."""

    @abstractmethod
    def lane_bits(self) -> int:
        """Width of the lanes that it works best on."""

    @abstractmethod
    def row_lanes(self, turned: bool) -> int:
        """Least number of lanes of a row."""

    @abstractmethod
    def nanoseconds(self, pitch: Pitch) -> float | None:
        """What it takes on a pitch, of what depends on the bands; None where it cannot be."""

    @abstractmethod
    def build(self, pitch: Pitch, facts: Sequence[Facts]) -> PlanarRun | None:
        """Prepare the operator.

        Args:
            pitch: of the output, and of the operands that are taken as planes.
            facts: what is known of each operand.

        Returns:
            The executor, or None where lanes of this width cannot hold what it computes.
        """
