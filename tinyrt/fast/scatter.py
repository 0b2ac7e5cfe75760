"""Convolutions the other way round: lanes of output channels, for few positions and many channels.

The weights with which one input channel of a pixel reaches all output channels, through all taps,
are one integer; the pixel's values are the scalars. So a pixel's whole contribution to the layer is
one sum of products, a block of lanes for each tap, and every output position adds up the blocks of
the pixels under its window. An input byte of −128 is no term at all: behind a ReLU, half of them.

**Bounds.** A bias makes every lane of a block non-negative; a tap that lies outside of the image
leaves its bias behind, so that the biases of a sum are the same at every position. Lanes are as
wide as the sum of all blocks' ranges asks for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import compress
from operator import mul

from tinyrt import lanes
from tinyrt.fast.block import Block, Output
from tinyrt.fast.costs import ADD, CALL, DIGIT_BITS, MULTIPLY
from tinyrt.fast.frame import Frame
from tinyrt.fast.requantize import (
    Convert,
    ConvertAll,
    Masks,
    convert_all,
    converter,
    least_bits,
)
from tinyrt.kernel import Held, as_bytes
from tinyrt.planar import FLIP, Channel, Grid, Pitch, PlanarRun, interleave

LANE_BITS = 24
"""Three bytes a lane are moved by slices."""
LANE_BYTES = LANE_BITS // 8
POSITION = 2500.0
"""Nanoseconds that a position takes besides its products."""


@dataclass(frozen=True, slots=True)
class Pixels:
    """An operand as bytes, each value plus 128, channels innermost."""

    def planes(self, value: Held) -> Sequence[int]:
        """The bytes, in the order of the image."""
        return bytes(as_bytes(value)).translate(FLIP)


@dataclass(frozen=True, slots=True)
class _Window:
    """An output position: whose blocks are added up, and what stands for those outside."""

    blocks: tuple[tuple[int, slice], ...]
    """Pixel, and the bytes of the block in its contribution."""
    outside: int


@dataclass(frozen=True)
class Scatter(PlanarRun):
    """A convolution prepared for a grid."""

    phases: Pixels
    channels: Sequence[Channel]
    depth: int
    weights: tuple[tuple[int, ...], ...]
    """For each phase, of each input channel: the lanes of the blocks of the taps that meet it."""
    biases: tuple[int, ...]
    """For each phase."""
    pixels: tuple[tuple[int, int, int], ...]
    """Of each pixel that is looked at: its number, its phase, the bytes of its contribution."""
    windows: tuple[_Window, ...]
    """In the order of the grid's lanes; those in the gaps are all outside."""
    converts: tuple[tuple[int, Convert], ...]
    """For each output channel a vector to add, and the conversion."""
    lane_bits: int
    """Of the planes that are handed on."""

    @cached_property
    def convert(self) -> ConvertAll:
        """The conversions of all output channels."""
        return convert_all([convert for _, convert in self.converts])

    def run(self, *operands: Sequence[int]) -> list[int]:
        """Contributions of all pixels, then sums of all windows, then planes."""
        (values,) = operands
        data = bytes(values)
        depth, weights, biases = self.depth, self.weights, self.biases
        parts: dict[int, bytes] = {}
        for pixel, phase, size in self.pixels:
            row = data[pixel * depth : (pixel + 1) * depth]
            products = map(mul, compress(weights[phase], row), filter(None, row))
            parts[pixel] = sum(products, biases[phase]).to_bytes(size, "little")
        from_bytes = int.from_bytes
        size = len(self.converts) * LANE_BYTES
        sums = b"".join(
            [
                sum(
                    [from_bytes(parts[pixel][place], "little") for pixel, place in window.blocks],
                    window.outside,
                ).to_bytes(size, "little")
                for window in self.windows
            ]
        )
        positions = len(self.windows)
        turned = bytearray(len(sums))
        for byte in range(LANE_BYTES):
            turned[byte::LANE_BYTES] = interleave(sums[byte::LANE_BYTES], positions)
        length = positions * LANE_BYTES
        starts = range(0, len(turned), length)
        planes = self.convert(
            [
                from_bytes(turned[start : start + length], "little") + vector
                for start, (vector, _) in zip(starts, self.converts, strict=True)
            ]
        )
        if self.lane_bits == LANE_BITS:
            return planes
        return lanes.pack(lanes.unpack(planes, positions, LANE_BITS), len(planes), self.lane_bits)


def scatter_cost(frame: Frame, block: Block) -> float:
    """Nanoseconds of all sums, as far as can be said beforehand."""
    taps = len(frame.rows.offsets) * len(frame.columns.offsets)
    strides = frame.rows.stride * frame.columns.stride
    positions = frame.rows.output * frame.columns.output
    met = max(1.0, taps / strides)
    pixels = positions * taps / met
    digits = met * len(block.outputs) * LANE_BITS / DIGIT_BITS
    # Behind a ReLU, half of the inputs are zero.
    share = 0.5 if frame.zero_point == 0 else 1.0
    each = share * (2 * CALL + (MULTIPLY + ADD) * digits) + 15
    return pixels * (frame.source.channels * each + 500) + positions * POSITION


def scatter(frame: Frame, block: Block) -> Scatter | None:
    """Prepare a convolution whose channels are all in one block; None where lanes are too narrow.

    Args:
        frame: its windows on a grid.
        block: all output channels.
    """
    pitch = Pitch(frame.pitch.row_lanes, LANE_BITS, frame.pitch.turned)
    masks = Masks(Grid.of(frame.target, pitch))
    everywhere = lanes.ones(masks.grid.lanes, LANE_BITS)
    converts: list[tuple[int, Convert]] = []
    facts: list[Channel] = []
    biases: list[list[int]] = [[] for _ in block.outputs[0].filter]
    outside: list[list[int]] = [[] for _ in biases]
    for output in block.outputs:
        first = last = output.bias
        for tap, weights in enumerate(output.filter):
            total, magnitude = sum(weights), sum(map(abs, weights))
            negative = (magnitude - total) >> 1
            # An input counts from the zero-point, which is from 0 to 255.
            lowest = -255 * negative - frame.zero_point * total
            first += min(lowest, 0)
            last += max(lowest + 255 * magnitude, 0)
            biases[tap].append(255 * negative)
            outside[tap].append(-lowest)
        steps = output.steps(first, last)
        # Lanes begin at the sum of all lowest products.
        begin = output.bias - sum(lane[-1] for lane in outside)
        if steps is None or least_bits(steps) > LANE_BITS or last - begin >= 1 << LANE_BITS:
            return None
        added, convert = converter(steps, masks)
        converts.append((everywhere * (begin + added), convert))
        facts.append(Channel(steps.base + 128, steps.top + 128))
    taps = _Taps.of(frame)
    pixels, windows = taps.place(
        [lanes.of_integers(values, LANE_BITS) for values in outside], len(block.outputs)
    )
    return Scatter(
        phases=Pixels(),
        channels=facts,
        depth=frame.source.channels,
        weights=tuple(_weights(block.outputs, phase) for phase in taps.phases),
        biases=tuple(
            lanes.of_integers([bias for tap in phase for bias in biases[tap]], LANE_BITS)
            for phase in taps.phases
        ),
        pixels=pixels,
        windows=windows,
        converts=tuple(converts),
        lane_bits=frame.pitch.lane_bits,
    )


def _weights(outputs: Sequence[Output], taps: Sequence[int]) -> tuple[int, ...]:
    """For each input channel, its weights in lanes: tap by tap, all output channels of each."""
    columns = [zip(*[output.filter[tap] for output in outputs], strict=True) for tap in taps]
    rows = [
        bytes([weight + 128 for part in parts for weight in part])
        for parts in zip(*columns, strict=True)
    ]
    offset = lanes.ones(len(taps) * len(outputs), LANE_BITS) * 128
    return tuple([packed - offset for packed in lanes.pack(b"".join(rows), len(rows), LANE_BITS)])


@dataclass(frozen=True, slots=True)
class _Taps:
    """Which taps meet which pixels."""

    frame: Frame
    phases: list[list[int]]
    """The taps that meet the pixels of one phase, by their place in a filter."""
    offsets: list[tuple[int, int]]
    """Of each tap: where it lies in the first window, by row and column of the grid."""

    @classmethod
    def of(cls, frame: Frame) -> "_Taps":
        """Sort the taps of the windows by the phase of the pixels that they meet."""
        rows, columns = frame.rows, frame.columns
        offsets = [(0, 0)] * (len(rows.offsets) * len(columns.offsets))
        phases: dict[tuple[int, int], list[int]] = {}
        for row, row_offset in enumerate(rows.offsets):
            for column, column_offset in enumerate(columns.offsets):
                tap = frame.tap(row, column)
                offsets[tap] = row_offset, column_offset
                phase = row_offset % rows.stride, column_offset % columns.stride
                phases.setdefault(phase, []).append(tap)
        return cls(frame, list(phases.values()), offsets)

    def place(
        self, outside: Sequence[int], outputs: int
    ) -> tuple[tuple[tuple[int, int, int], ...], tuple[_Window, ...]]:
        """The pixels that are looked at, and the windows over them.

        Args:
            outside: what stands for each tap that meets no pixel.
            outputs: output channels.
        """
        frame = self.frame
        size = outputs * LANE_BYTES
        places = {
            tap: (phase, slice(place * size, (place + 1) * size))
            for phase, taps in enumerate(self.phases)
            for place, tap in enumerate(taps)
        }
        pixels: dict[int, int] = {}
        windows: list[_Window] = []
        nothing = _Window((), sum(outside))
        for row in range(frame.rows.output):
            for column in range(frame.columns.output):
                blocks: list[tuple[int, slice]] = []
                missing = 0
                for tap, (row_offset, column_offset) in enumerate(self.offsets):
                    y = row * frame.rows.stride + row_offset
                    x = column * frame.columns.stride + column_offset
                    if 0 <= y < frame.rows.size and 0 <= x < frame.columns.size:
                        phase, place = places[tap]
                        number = (
                            x * frame.rows.size + y
                            if frame.pitch.turned
                            else (y * frame.columns.size + x)
                        )
                        pixels[number] = phase
                        blocks.append((number, place))
                    else:
                        missing += outside[tap]
                windows.append(_Window(tuple(blocks), missing))
            windows += [nothing] * (frame.pitch.row_lanes - frame.columns.output)
        sizes = [len(taps) * size for taps in self.phases]
        looked_at = [(number, phase, sizes[phase]) for number, phase in sorted(pixels.items())]
        return tuple(looked_at), tuple(windows)
