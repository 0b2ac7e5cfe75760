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
from dataclasses import dataclass

from tinyrt import lanes

FLIP = bytes(value ^ 0x80 for value in range(256))
"""The table from two's complement to `value + 128`, and back."""


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
    def lanes(self) -> int:
        """Lanes from the first position up to the end of the last row's gap."""
        return self.rows * self.pitch.row_lanes

    def vector(self, phase: int = 0, phases: int = 1) -> int:
        """One at every position on lane `phase`, `phase + phases`, …, nothing elsewhere."""
        marks = bytearray(self.lanes)
        row = b"\x01" * self.columns
        for start in range(0, self.lanes, self.pitch.row_lanes):
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
class Planes:
    """The value of a tensor of one image: a plane for each channel."""

    grid: Grid
    channels: Sequence[int]

    def to_bytes(self) -> bytes:
        """The tensor's bytes: int8, height by width by channels."""
        grid, channels = self.grid, len(self.channels)
        buffer = bytearray(grid.lanes * channels)
        for channel, plane in enumerate(self.channels):
            buffer[channel::channels] = lanes.to_bytes(plane, grid.lanes, grid.pitch.lane_bits)
        data = bytes(buffer).translate(FLIP)
        row, stored = grid.pitch.row_lanes * channels, grid.columns * channels
        if not grid.pitch.turned:
            if row == stored:
                return data
            return b"".join([data[start : start + stored] for start in range(0, len(data), row)])
        starts = [
            start
            for column in range(0, stored, channels)
            for start in range(column, len(data), row)
        ]
        return b"".join([data[start : start + channels] for start in starts])


@dataclass(frozen=True, slots=True)
class Phases:
    """Which input planes a strided operator works on: every `stride`-th row and column."""

    image: Image
    pitch: Pitch
    row_stride: int
    column_stride: int
    """Along the rows of the grid."""
    wanted: Sequence[tuple[int, int]]
    """Phase of the row, phase of the column; each gives a plane for every channel."""

    def planes(self, data: bytes | bytearray | memoryview) -> list[int]:
        """The planes of one image of int8 bytes: for each wanted phase, every channel."""
        channels = self.image.channels
        row_lanes, bits = self.pitch.row_lanes, self.pitch.lane_bits
        planes: list[int] = []
        rows = self._rows(bytes(data).translate(FLIP))
        length = row_lanes * self.column_stride * channels
        for row_phase, column_phase in self.wanted:
            first = column_phase * channels
            # A row may be longer than the lanes it needs where its tail is no phase of interest.
            kept = rows[row_phase :: self.row_stride]
            phase = b"".join([row[first : first + length].ljust(length, b"\0") for row in kept])
            step = self.column_stride * channels
            planes += [lanes.of_bytes(phase[channel::step], bits) for channel in range(channels)]
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


class PlanarRun(ABC):
    """An operator prepared for a grid."""

    phases: Phases
    """How an operand that comes as bytes becomes input planes."""
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
    def build(self, pitch: Pitch, facts: Sequence[Sequence[Channel]]) -> PlanarRun | None:
        """Prepare the operator.

        Args:
            pitch: of the output, and of the operands that come as planes.
            facts: what is known of the channels of each operand.

        Returns:
            The executor, or None where lanes of this width cannot hold what it computes.
        """
