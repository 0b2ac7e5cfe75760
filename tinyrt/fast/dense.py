"""FULLY_CONNECTED: one position and many channels. `columns.py` adds up, this room converts.

One scale for all channels is the conversion of a plane, whose lanes are the channels. Where each
has its own, a large layer is converted lane by lane (`lanewise.py`); of a small one, or where no
lines of one shift are found, each channel is read out and scaled by itself.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence

from tinyrt import lanes
from tinyrt.fast.columns import Matrix, Singly, choose
from tinyrt.fast.lanewise import lanewise, lanewise_cost, needed_bits
from tinyrt.fast.requantize import Masks, Requantization, converter, least_bits
from tinyrt.fast.straight import convert_all
from tinyrt.kernel import Run, Value
from tinyrt.planar import FLIP, Grid, Pitch
from tinyrt.short_multiplier import Staircase, fit_within

_PRODUCT_BITS = 96
_FACTOR_BITS = 32
"""So many that the model's own multiplier is among the factors: no lane limits the product."""

_WIDTHS = 4
"""Widths of lanes that are tried: the wider they are, the longer the lines."""

SCALING = 250.0
"""Nanoseconds to read out and scale one channel."""

_LimitedLine = tuple[int, int, int, int, int, int, int]
"""Least and greatest x; factor, addend and shift; from which x on how much is added besides."""

Row = Callable[[bytes], bytes]
"""From one row of inputs to one row of outputs, int8."""


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
    row = _row(Matrix(depth, len(bias), filter_), zero_point, bias, requantization)
    if row is None:
        return None
    if batches == 1:
        return lambda source: (row(bytes(source)),)

    def run(source: Value) -> tuple[Value, ...]:
        inputs = bytes(source)
        return (b"".join([row(inputs[n * depth : (n + 1) * depth]) for n in range(batches)]),)

    return run


def _row(
    matrix: Matrix,
    zero_point: int,
    bias: Sequence[int],
    requantization: Requantization,
) -> Row | None:
    depth = matrix.depth
    weights = memoryview(matrix.data).cast("b")
    # An accumulator is a constant plus the sum of the weights times (input + 128).
    constants, ranges = [], []
    for channel, start in enumerate(bias):
        taps = weights[channel * depth : (channel + 1) * depth].tolist()
        total, magnitude = sum(taps), sum(map(abs, taps))
        constant = start - (zero_point + 128) * total
        constants.append(constant)
        negative, positive = (total - magnitude) >> 1, (total + magnitude) >> 1
        ranges.append((constant + 255 * negative, constant + 255 * positive))
    # The input that is most often met is the zero-point, for that is what a ReLU leaves.
    skipped = zero_point == -128
    if len(requantization.multipliers) > 1:
        return _channel_by_channel(matrix, skipped, constants, ranges, requantization)
    least, greatest = min(low for low, _ in ranges), max(high for _, high in ranges)
    stairs = requantization.steps(0, least, greatest)
    return None if stairs is None else _all_alike(matrix, skipped, constants, stairs)


def _all_alike(
    matrix: Matrix, skipped: bool, constants: Sequence[int], stairs: Staircase
) -> Row | None:
    """All channels have one scale: all lanes are converted at a time."""
    way = choose(matrix, skipped, least_bits(stairs))
    if way is None:
        return None
    count, bits = len(way.order), way.lane_bits
    masks = Masks(Grid(1, count, Pitch(count, bits)))
    added, convert = converter(stairs, masks)
    # Lanes that have no channel get an accumulator that there can be.
    constants = [*constants, *[constants[0]] * (count - matrix.channels)]
    add_up = way.sums([constants[n] + added for n in way.order])
    # Conversions look at the grid's lanes only, and at nothing above them.
    planes, gather = convert_all((convert,)), lanes.gatherer(matrix.channels, bits)
    # From a value plus 128 to int8.
    flip = masks.result(0x80)

    def row(inputs: bytes) -> bytes:
        (plane,) = planes((add_up(inputs),))
        return gather(plane ^ flip)

    return row


def _channel_by_channel(
    matrix: Matrix,
    skipped: bool,
    constants: Sequence[int],
    ranges: Sequence[tuple[int, int]],
    requantization: Requantization,
) -> Row | None:
    """Each channel has its own scale."""
    staircases: list[Staircase] = []
    for channel, (low, high) in enumerate(ranges):
        stairs = requantization.steps(channel, low, high)
        if stairs is None:
            return None
        staircases.append(stairs)
    return _all_lanes(matrix, skipped, constants, staircases) or _one_by_one(
        matrix, skipped, constants, staircases
    )


def _all_lanes(
    matrix: Matrix, skipped: bool, constants: Sequence[int], staircases: Sequence[Staircase]
) -> Row | None:
    """All lanes at a time, each with a factor of its own; None where that cannot be or is slow."""
    needed = max(map(needed_bits, staircases))
    for _ in range(_WIDTHS):
        way = choose(matrix, skipped, needed)
        if way is None:
            return None
        count, bits = len(way.order), way.lane_bits
        if lanewise_cost(count, bits) > SCALING * matrix.channels:
            return None
        # Lanes that have no channel are as if they were the first one's.
        channels = [n if n < matrix.channels else 0 for n in way.order]
        convert = lanewise([staircases[n] for n in channels], bits)
        if convert is not None:
            break
        needed = bits + 1
    else:
        return None
    biases = zip(channels, convert.biases, strict=True)
    add_up = way.sums([constants[n] + added for n, added in biases])
    gather, flip = lanes.gatherer(matrix.channels, bits), lanes.ones(count, bits) * 0x80

    def row(inputs: bytes) -> bytes:
        return gather(convert(add_up(inputs)) ^ flip)

    return row


def _one_by_one(
    matrix: Matrix, skipped: bool, constants: Sequence[int], staircases: Sequence[Staircase]
) -> Row | None:
    """The lane of each channel is read out and scaled by itself."""
    span = max(stairs.last - stairs.first for stairs in staircases)
    bits = next((width for width in (16, 24, 32, 40) if span < 1 << width), None)
    if bits is None:
        return None
    # Lanes begin at each channel's least accumulator.
    steps = [stairs.moved(-stairs.first, 128) for stairs in staircases]
    channels, width = matrix.channels, bits // 8
    pairs = zip(constants, staircases, strict=True)
    biases = [constant - stairs.first for constant, stairs in pairs]
    add_up = Singly(matrix, range(channels), bits, skipped).sums(biases)
    size = channels * width
    every = (1 << 8 * size) - 1

    def totals(inputs: bytes) -> list[int]:
        data = (add_up(inputs) & every).to_bytes(size, "little")
        from_bytes = int.from_bytes
        return [from_bytes(data[at : at + width], "little") for at in range(0, size, width)]

    lines = [line for line in map(_limited_line, steps) if line is not None]
    return _by_lines(totals, lines) if len(lines) == channels else _by_steps(totals, steps)


def _by_steps(totals: Callable[[bytes], list[int]], staircases: Sequence[Staircase]) -> Row:
    scalings = [(stairs.base, stairs.steps) for stairs in staircases]

    def row(inputs: bytes) -> bytes:
        pairs = zip(totals(inputs), scalings, strict=True)
        return bytes([base + bisect_right(steps, x) for x, (base, steps) in pairs]).translate(FLIP)

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
        ).translate(FLIP)

    return row
