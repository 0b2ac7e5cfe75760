"""Convolutions the other way round: lanes of output channels, for few positions and many channels.

The weights with which one input channel of a pixel reaches all output channels, through all taps,
are one integer; the pixel's values are the scalars. So a pixel's whole contribution to the layer is
one sum of products, a block of lanes for each tap, and every output position adds up the blocks of
the pixels under its window. An input byte of −128 is no term at all: behind a ReLU, half of them.

**Bounds.** A bias makes every lane of a block non-negative; a tap that lies outside of the image
leaves its bias behind, less what the zero-point takes from the others, so that a sum begins alike
at every position. Lanes have 24 bits, and the staircase of each channel says whether they hold it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import compress
from operator import mul

from tinyrt import lanes
from tinyrt.fast.block import Block, BlockBuilder, Output, channel_range
from tinyrt.fast.costs import ADD, CALL, DIGIT_BITS, MULTIPLY
from tinyrt.fast.frame import Frame
from tinyrt.fast.requantize import Masks, converter, least_bits
from tinyrt.fast.straight import Convert, ConvertAll, convert_all, convert_cost
from tinyrt.kernel import Held
from tinyrt.planar import FLIP, Channel, Grid, Pitch, PlanarRun, Planes, interleave

LANE_BITS = 24
"""Three bytes a lane are moved by slices."""
LANE_BYTES = LANE_BITS // 8
PIXEL = 600.0
"""Nanoseconds for a sum of products, and to have it as bytes."""
VISIT = 15.0
"""Nanoseconds to tell whether an input is zero."""
BLOCK = 150.0
"""Nanoseconds to take a block from a contribution, besides its digits."""
NOWHERE = -1
"""In place of a pixel."""
MOVE = 6.0
"""Nanoseconds to bring an element from planes to pixels, or from sums to planes."""


@dataclass(frozen=True, slots=True)
class Pixels:
    """An operand as bytes, each value plus 128: pixel by pixel, the used channels innermost."""

    depth: int
    """Channels of the operand."""
    used: tuple[int, ...]

    def planes(self, value: Held) -> Sequence[int]:
        """The bytes, in the order of the image."""
        every = len(self.used) == self.depth
        if isinstance(value, Planes):
            channels = value.channels
            return value.pixels(channels if every else [channels[n] for n in self.used])
        data = bytes(value).translate(FLIP)
        if every:
            return data
        chosen = b"".join([data[n :: self.depth] for n in self.used])
        return interleave(chosen, len(self.used))


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
    known: tuple[tuple[int, int], ...]
    """Output channels that do not depend on the input, with their planes."""
    live: tuple[int, ...]
    """The others, in the order of the lanes of a block."""
    weights: tuple[tuple[int, ...], ...]
    """For each phase, of each used channel: the lanes of the blocks of the taps that meet it."""
    biases: tuple[int, ...]
    """For each phase."""
    pixels: tuple[tuple[int, int, int], ...]
    """Of each pixel that is looked at: its number, its phase, the bytes of its contribution."""
    below: tuple[int, ...]
    """For each phase, ones in all lanes of a contribution."""
    windows: tuple[_Window, ...]
    """In the order of the grid's lanes; those in gaps add up nothing."""
    vectors: tuple[int, ...]
    """What is added to the sums of each live channel."""
    converts: tuple[Convert, ...]
    """Likewise."""
    lane_bits: int
    """Of the planes that are handed on."""

    @cached_property
    def convert(self) -> ConvertAll:
        """The conversions of all live channels."""
        return convert_all(self.converts)

    def run(self, *operands: Sequence[int]) -> list[int]:
        """Contributions of all pixels, then sums of all windows, then planes."""
        (values,) = operands
        sums = self._windows(self._contributions(bytes(values)))
        positions = len(self.windows)
        turned = bytearray(len(sums))
        for byte in range(LANE_BYTES):
            turned[byte::LANE_BYTES] = interleave(sums[byte::LANE_BYTES], positions)
        length = positions * LANE_BYTES
        starts = range(0, len(turned), length)
        from_bytes = int.from_bytes
        planes = self.convert(
            [
                from_bytes(turned[start : start + length], "little") + vector
                for start, vector in zip(starts, self.vectors, strict=True)
            ]
        )
        if self.lane_bits != LANE_BITS:
            data = lanes.unpack(planes, positions, LANE_BITS)
            planes = lanes.pack(data, len(planes), self.lane_bits)
        results = [0] * len(self.channels)
        for channel, plane in self.known:
            results[channel] = plane
        for channel, plane in zip(self.live, planes, strict=True):
            results[channel] = plane
        return results

    def _contributions(self, data: bytes) -> dict[int, bytes]:
        """The blocks of each pixel."""
        depth, weights, biases = len(self.phases.used), self.weights, self.biases
        below = self.below
        parts: dict[int, bytes] = {}
        for pixel, phase, size in self.pixels:
            row = data[pixel * depth : (pixel + 1) * depth]
            products = map(mul, compress(weights[phase], row), row.translate(None, b"\0"))
            parts[pixel] = (sum(products, biases[phase]) & below[phase]).to_bytes(size, "little")
        return parts

    def _windows(self, parts: dict[int, bytes]) -> bytes:
        """The sum of each window, one behind the other."""
        size = len(self.live) * LANE_BYTES
        if self.pixel_of_window is not None:
            parts[NOWHERE] = bytes(size)
            return b"".join([parts[pixel] for pixel in self.pixel_of_window])
        from_bytes = int.from_bytes
        return b"".join(
            [
                sum(
                    [from_bytes(parts[pixel][place], "little") for pixel, place in window.blocks],
                    window.outside,
                ).to_bytes(size, "little")
                for window in self.windows
            ]
        )

    @cached_property
    def pixel_of_window(self) -> tuple[int, ...] | None:
        """The pixel of each window, `NOWHERE` of an empty one; None where there is more to add."""
        if any(size != len(self.live) * LANE_BYTES for *_, size in self.pixels):
            return None
        if any(len(window.blocks) > 1 or window.outside for window in self.windows):
            return None
        return tuple(window.blocks[0][0] if window.blocks else NOWHERE for window in self.windows)


def scatter_cost(frame: Frame, outputs: Sequence[Output], inputs: Sequence[int]) -> float:
    """Nanoseconds from planes to planes, as far as can be said beforehand.

    Args:
        frame: the windows on a grid.
        outputs: the channels that depend on the data.
        inputs: those that they depend on.
    """
    taps = len(frame.rows.offsets) * len(frame.columns.offsets)
    strides = frame.rows.stride * frame.columns.stride
    positions = frame.rows.output * frame.columns.output
    met = max(1.0, taps / strides)
    pixels = positions * taps / met
    digits = met * len(outputs) * LANE_BITS / DIGIT_BITS
    # Behind a ReLU, half of the inputs are zero.
    share = 0.5 if frame.zero_point == 0 else 1.0
    each = share * (2 * CALL + (MULTIPLY + ADD) * digits) + VISIT
    blocks = positions * taps * (BLOCK + 3 * ADD * digits / met) if taps > 1 else 0.0
    moved = MOVE * (positions * len(outputs) + pixels * len(inputs))
    lanes_ = frame.masks.grid.lanes
    return (
        pixels * (len(inputs) * each + PIXEL)
        + blocks
        + moved
        + convert_cost(len(outputs), lanes_ * LANE_BITS / DIGIT_BITS)
    )


def scatter(builder: BlockBuilder, block: Block) -> Scatter | None:
    """Prepare a convolution whose channels are all in one block.

    Args:
        builder: of the block, on a grid.
        block: all output channels.

    Returns:
        The run; None where lanes are too narrow, or nothing depends on the data.
    """
    frame = builder.shared
    pitch = Pitch(frame.pitch.row_lanes, LANE_BITS, frame.pitch.turned)
    masks = Masks(Grid.of(frame.target, pitch))
    everywhere = lanes.ones(masks.grid.lanes, LANE_BITS)
    middles = [channel.least + channel.greatest for channel in frame.inputs]
    spans = [channel.greatest - channel.least for channel in frame.inputs]
    facts: list[Channel] = []
    live: list[Output] = []
    bounds: list[_Bounds] = []
    vectors: list[int] = []
    converts: list[Convert] = []
    for output in block.outputs:
        _, steps = builder.staircase(output)
        if steps is None:
            return None
        if not steps.steps:
            facts.append(frame.constant(steps.base))
            continue
        if least_bits(steps) > LANE_BITS:
            return None
        found = _Bounds.of(frame, middles, spans, output)
        added, convert = converter(steps, masks)
        facts.append(channel_range(steps))
        live.append(output)
        bounds.append(found)
        vectors.append(everywhere * (found.begin + added))
        converts.append(convert)
    used = used_inputs(frame, live)
    if not used:
        return None
    taps = _Taps.of(frame)
    outside = [
        lanes.of_integers([found.outside[tap] for found in bounds], LANE_BITS)
        for tap in range(len(taps.offsets))
    ]
    pixels, windows = taps.place(outside, len(live))
    return Scatter(
        phases=Pixels(frame.source.channels, tuple(used)),
        channels=facts,
        known=tuple((n, fact.plane) for n, fact in enumerate(facts) if fact.plane is not None),
        live=tuple(output.channel for output in live),
        weights=tuple(_weights(live, phase, used) for phase in taps.phases),
        biases=tuple(
            lanes.of_integers([-found.lowest[tap] for tap in phase for found in bounds], LANE_BITS)
            for phase in taps.phases
        ),
        pixels=pixels,
        below=tuple((1 << len(phase) * len(live) * LANE_BITS) - 1 for phase in taps.phases),
        windows=windows,
        vectors=tuple(vectors),
        converts=tuple(converts),
        lane_bits=frame.pitch.lane_bits,
    )


@dataclass(frozen=True, slots=True)
class _Bounds:
    """Of the lanes of one output channel."""

    lowest: tuple[int, ...]
    """For each tap, at most its least sum of weights times bytes, and, where windows reach outside
    of the image, what stands for it there."""
    outside: tuple[int, ...]
    """For each tap outside of the image, what its lane holds."""
    begin: int
    """The accumulator of which a window's lane is zero."""

    @classmethod
    def of(
        cls, frame: Frame, middles: Sequence[int], spans: Sequence[int], output: Output
    ) -> "_Bounds":
        """From the ranges of the inputs: least plus greatest, and greatest less least, of each.

        A window's lane is not negative then, and not more than its staircase is long: that reckons
        with the same ranges or wider ones, input by input, and so begins no later and ends no
        earlier. A zero in a gap is an accumulator that there can be.
        """
        lowest, outside = [], []
        for tap in output.filter:
            middle, span = sum(map(mul, tap, middles)), sum(map(mul, map(abs, tap), spans))
            least, virtual = (middle - span) >> 1, frame.zero_point * sum(tap)
            if frame.padded:
                least = min(least, virtual)
            lowest.append(least)
            outside.append(virtual - least)
        return cls(tuple(lowest), tuple(outside), output.bias - sum(outside))


def used_inputs(frame: Frame, outputs: Sequence[Output]) -> list[int]:
    """The input channels that count: neither zero everywhere nor without weights."""
    return [
        n
        for n, channel in enumerate(frame.inputs)
        if channel.plane != 0 and any(tap[n] for output in outputs for tap in output.filter)
    ]


def _weights(
    outputs: Sequence[Output], taps: Sequence[int], used: Sequence[int]
) -> tuple[int, ...]:
    """For each used channel, its weights in lanes: tap by tap, all output channels of each.

    They are taken modulo the power of two above all lanes: so no integer is negative, for CPython
    adds faster than it subtracts, and what a sum has above its lanes is cut off.
    """
    rows = [
        bytes([output.filter[tap][n] + 128 for tap in taps for output in outputs]) for n in used
    ]
    count = len(taps) * len(outputs)
    offset, below = lanes.ones(count, LANE_BITS) * 128, (1 << count * LANE_BITS) - 1
    packed = lanes.pack(b"".join(rows), len(rows), LANE_BITS)
    return tuple([(vector - offset) & below for vector in packed])


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
        nothing = _Window((), 0)
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
