"""FULLY_CONNECTED: one position and many channels, so the lanes are the output channels.

An input channel's weights, one lane for each output channel, are one integer; the inputs are the
scalars. An input of −128 is no term of the sum: behind a ReLU that is half of them.

Looking up sums of weights that were made at prepare time, as `sums.LookupTable` does for planes,
was tried: on inputs that vary, the tables are never in the cache, and it took three times as long.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import compress
from operator import mul

from tinyrt import lanes
from tinyrt.fast.requantize import Masks, Requantization, converter, least_bits
from tinyrt.kernel import Run, Value
from tinyrt.planar import FLIP, Grid, Pitch
from tinyrt.short_multiplier import Staircase, fit_within

_PRODUCT_BITS = 96
_FACTOR_BITS = 32
"""So many that the model's own multiplier is among the factors: no lane limits the product."""

_LimitedLine = tuple[int, int, int, int, int, int, int]
"""Least and greatest x; factor, addend and shift; from which x on how much is added besides."""

Row = Callable[[bytes], bytes]
"""From one row of inputs, each plus 128, to one row of outputs likewise."""


def dense(
    depth: int,
    batches: int,
    zero_point: int,
    filter_: bytes,
    bias: Sequence[int],
    requantization: Requantization,
) -> Run | None:
    """FULLY_CONNECTED from bytes to bytes; None where lanes cannot hold it.

    Args:
        depth: input channels.
        batches: rows of inputs.
        zero_point: of the input.
        filter_: int8 [output channels, depth].
        bias: of each output channel.
        requantization: of each output channel, or one for all.
    """
    row = _row(depth, zero_point, filter_, bias, requantization)
    if row is None:
        return None

    def run(source: Value) -> tuple[Value, ...]:
        inputs = bytes(source).translate(FLIP)
        if batches == 1:
            return (row(inputs).translate(FLIP),)
        rows = [row(inputs[n * depth : (n + 1) * depth]) for n in range(batches)]
        return (b"".join(rows).translate(FLIP),)

    return run


def _row(
    depth: int,
    zero_point: int,
    filter_: bytes,
    bias: Sequence[int],
    requantization: Requantization,
) -> Row | None:
    channels = len(bias)
    weights = memoryview(filter_).cast("b")
    # An accumulator is a constant plus the sum of the weights times (input + 128).
    constants, ranges = [], []
    for channel, start in enumerate(bias):
        taps = weights[channel * depth : (channel + 1) * depth].tolist()
        total, magnitude = sum(taps), sum(map(abs, taps))
        constant = start - (zero_point + 128) * total
        constants.append(constant)
        negative, positive = (total - magnitude) >> 1, (total + magnitude) >> 1
        ranges.append((constant + 255 * negative, constant + 255 * positive))
    least, greatest = min(low for low, _ in ranges), max(high for _, high in ranges)
    if len(requantization.multipliers) > 1:
        return _channel_by_channel(depth, zero_point, filter_, constants, ranges, requantization)
    stairs = requantization.steps(0, least, greatest)
    if stairs is None:
        return None
    bits = next((width for width in (16, 20, 22, 24, 32) if width >= least_bits(stairs)), None)
    if bits is None:
        return None
    masks = Masks(Grid(1, channels, Pitch(channels, bits)))
    added, convert = converter(stairs, masks)
    accumulate = _sums(depth, channels, filter_, bits, [c + added for c in constants], zero_point)

    def row(inputs: bytes) -> bytes:
        return lanes.to_bytes(convert(accumulate(inputs)), channels, bits)

    return row


def _channel_by_channel(
    depth: int,
    zero_point: int,
    filter_: bytes,
    constants: Sequence[int],
    ranges: Sequence[tuple[int, int]],
    requantization: Requantization,
) -> Row | None:
    """Each channel has its own scale: its lane is read out and scaled by itself."""
    span = max(high - low for low, high in ranges)
    bits = next((width for width in (16, 24, 32, 40) if span < 1 << width), None)
    if bits is None:
        return None
    steps: list[Staircase] = []
    for channel, (low, high) in enumerate(ranges):
        stairs = requantization.steps(channel, low, high)
        if stairs is None:
            return None
        # Lanes begin at each channel's least accumulator.
        steps.append(stairs.moved(-low, 128))
    channels, width = len(constants), bits // 8
    biases = [constant - low for constant, (low, _) in zip(constants, ranges, strict=True)]
    accumulate = _sums(depth, channels, filter_, bits, biases, zero_point)

    def totals(inputs: bytes) -> list[int]:
        data = accumulate(inputs).to_bytes(channels * width, "little")
        from_bytes = int.from_bytes
        return [from_bytes(data[at : at + width], "little") for at in range(0, len(data), width)]

    lines = [line for line in map(_limited_line, steps) if line is not None]
    return _by_lines(totals, lines) if len(lines) == channels else _by_steps(totals, steps)


def _by_steps(totals: Callable[[bytes], list[int]], staircases: Sequence[Staircase]) -> Row:
    scalings = [(stairs.base, stairs.steps) for stairs in staircases]

    def row(inputs: bytes) -> bytes:
        pairs = zip(totals(inputs), scalings, strict=True)
        return bytes([base + bisect_right(steps, x) for x, (base, steps) in pairs])

    return row


def _limited_line(stairs: Staircase) -> _LimitedLine | None:
    """The staircase as a line: a few numbers, where the steps would be more than a cache holds."""
    if not stairs.steps:
        return 0, 0, 0, stairs.base, 0, 0, 0
    line = fit_within(stairs, _PRODUCT_BITS, _FACTOR_BITS)
    if line is None:
        return None
    line = line.moved(stairs.bottom_end, 0)
    ends = stairs.bottom_end, stairs.top_end
    split = line.split if line.step else ends[1] + 1
    return *ends, line.factor, line.addend, line.shift, split, line.step


def _by_lines(totals: Callable[[bytes], list[int]], lines: Sequence[_LimitedLine]) -> Row:
    def row(inputs: bytes) -> bytes:
        pairs = zip(totals(inputs), lines, strict=True)
        return bytes(
            [
                (
                    (low if x < low else high if x > high else x) * factor
                    + (addend + raised if x >= split else addend)
                )
                >> shift
                for x, (low, high, factor, addend, shift, split, raised) in pairs
            ]
        )

    return row


def _sums(
    depth: int,
    channels: int,
    filter_: bytes,
    bits: int,
    biases: Sequence[int],
    zero_point: int,
) -> Callable[[bytes], int]:
    """The accumulators of a row of inputs, a lane each, with a bias in every lane."""
    bias = lanes.of_integers(biases, bits)
    unsigned = filter_.translate(FLIP)
    transposed = b"".join([unsigned[source::depth] for source in range(depth)])
    offset = lanes.ones(channels, bits) * 128
    columns = [packed - offset for packed in lanes.pack(transposed, depth, bits)]

    def accumulate(inputs: bytes) -> int:
        # An input of −128 counts nothing.
        total: int = sum(map(mul, compress(columns, inputs), filter(None, inputs)), bias)
        return total

    def accumulate_all(inputs: bytes) -> int:
        total: int = sum(map(mul, columns, inputs), bias)
        return total

    # The input that is most often met is the zero-point, for that is what a ReLU leaves.
    return accumulate if zero_point == -128 else accumulate_all
