"""FULLY_CONNECTED: one position and many channels, so the lanes are the output channels.

An input's weights, one lane for each output channel, are one integer, its *column*; the inputs,
each plus 128, are the scalars. There are two ways to add up the products:

- `Singly`: an input of −128 is no term of the sum; behind a ReLU that is half of them.
- `Paired`, where the zero-point says that hardly any input is −128: one product for two inputs.

Columns, and the bias that a sum begins with, are taken modulo the power of two just above all
lanes. That leaves the lanes as they are, and what is above them is never looked at. But no integer
is negative then, so that all terms are additions, where half of them would be subtractions, which
take a fifth longer.

Lanes are not in the order of the channels but in that in which bytes are read out at the least
cost: `lanes.gathering_order`.

Looking up sums of weights that were made at prepare time, as `sums.LookupTable` does for planes,
was tried: on inputs that vary, the tables are never in the cache, and it took three times as long.
"""

import sys
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate, compress, islice, zip_longest
from operator import mul

from tinyrt import lanes
from tinyrt.fast.costs import ADD, CALL, DIGIT_BITS, MULTIPLY
from tinyrt.fast.requantize import Masks, Requantization, converter, least_bits
from tinyrt.fast.straight import convert_all, convert_cost
from tinyrt.kernel import Run, Value
from tinyrt.planar import FLIP, Grid, Pitch
from tinyrt.short_multiplier import Staircase, fit_within

_PRODUCT_BITS = 96
_FACTOR_BITS = 32
"""So many that the model's own multiplier is among the factors: no lane limits the product."""

_LimitedLine = tuple[int, int, int, int, int, int, int]
"""Least and greatest x; factor, addend and shift; from which x on how much is added besides."""

Row = Callable[[bytes], bytes]
"""From one row of inputs to one row of outputs, int8."""

Sums = Callable[[bytes], int]
"""From one row of inputs, int8, to the vector of accumulators; above its lanes is anything."""

LANE_BITS = range(16, 33)
"""Widths of lanes that single inputs may have."""

HALF_BITS = (18, 20, 22)
"""Widths of half a lane that pairs may have: two inputs 22 bits apart fill one digit."""

_PAIRS = 2000.0
"""Nanoseconds to bring inputs into pairs."""
_PAIR = 12.0
"""Nanoseconds for a pair to become an integer."""
_GROUP = 450.0
"""Nanoseconds for a group of pairs, besides its digits."""
_SLICE = 80.0
"""Nanoseconds for a slice of the bytes that are read out."""

_MAGNITUDES = bytes([abs(value) for value in (*range(128), *range(-128, 0))])
_SHORTFALLS = bytes([max(0, -value) for value in (*range(128), *range(-128, 0))])
"""What int8 values that are negative lack of zero."""


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


@dataclass(frozen=True, slots=True)
class Matrix:
    """The weights of a layer."""

    depth: int
    """Input channels."""
    channels: int
    """Output channels."""
    data: bytes
    """int8, [channels, depth]."""

    def columns(self, order: Sequence[int], bits: int, table: bytes) -> list[int]:
        """A vector for each input, of what a table makes of its weights.

        Args:
            order: the output channel that each lane holds; the weights of those that do not exist
                are zeros.
            bits: of a lane.
            table: from int8 to unsigned bytes.
        """
        depth = self.depth
        rows = [self.data[n * depth : (n + 1) * depth].ljust(depth, b"\0") for n in order]
        data = b"".join(rows).translate(table)
        return lanes.pack(b"".join([data[n::depth] for n in range(depth)]), depth, bits)

    def weights(self, order: Sequence[int], bits: int) -> list[int]:
        """A vector of signed weights for each input."""
        offset = lanes.ones(len(order), bits) * 128
        return [column - offset for column in self.columns(order, bits, FLIP)]


@dataclass(frozen=True, slots=True)
class Singly:
    """A product for each input."""

    matrix: Matrix
    order: Sequence[int]
    """The output channel that each lane holds."""
    lane_bits: int
    skipped: bool
    """Whether inputs of −128 are left out."""

    @classmethod
    def of(cls, matrix: Matrix, bits: int, skipped: bool) -> "Singly":
        """In the order of lanes that is read out cheaply."""
        return cls(matrix, lanes.gathering_order(matrix.channels, bits), bits, skipped)

    @property
    def nanoseconds(self) -> float:
        """Of a row."""
        terms = self.matrix.depth / 2 if self.skipped else self.matrix.depth
        digits = len(self.order) * self.lane_bits / DIGIT_BITS
        return terms * _term_cost(digits) + _end_cost(len(self.order), self.lane_bits)

    def sums(self, biases: Sequence[int]) -> Sums:
        """Build the sums of the products and of a bias in every lane."""
        below = (1 << self.lane_bits * len(self.order)) - 1
        bias = lanes.of_integers(biases, self.lane_bits) & below
        columns = [column & below for column in self.matrix.weights(self.order, self.lane_bits)]

        def add_up(inputs: bytes) -> int:
            # An input of −128 counts nothing.
            present, values = inputs.translate(FLIP), inputs.translate(FLIP, b"\x80")
            total: int = sum(map(mul, compress(columns, present), values), bias)
            return total

        def add_up_all(inputs: bytes) -> int:
            total: int = sum(map(mul, columns, inputs.translate(FLIP)), bias)
            return total

        return add_up if self.skipped else add_up_all


@dataclass(frozen=True, slots=True)
class Paired:
    """A product for two inputs, in lanes of twice h bits.

    For inputs x and y and channels o with weights a_o and b_o, the column is
    Σ (a_o + b_o·2^h) · 2^(2h·o), and the multiplier y + x·2^h, of at most h + 8 bits. The half
    lanes of their product are

        lower:  a_o·y + b_(o − 1)·x
        upper:  a_o·x + b_o·y, what is wanted.

    There are as many digits to multiply and to add as singly, but half as many calls.

    **Bounds.** Half lanes can be told apart where each is in [0, 2^h). So a sum of products begins
    with a bias of minus the least value of each half lane, and takes in only so many pairs as keep
    all ranges below 2^h. The range of a pair is at most 255·(|a_o| + |b_(o − 1)|), or
    255·(|a_o| + |b_o|): it is what the half lanes of the product are for |a| and |b| in place of
    the weights, and x = y = 255. Minus the least value is the same for max(−a, 0) and max(−b, 0).

    Many inputs are added up in *groups* of pairs, so that h may be less than all of them would ask
    for. The upper halves are taken from each group's sum, and have room for the sum of all groups
    in the whole lane. A group of one pair is always possible, for 255·(128 + 128) < 2^16 ≤ 2^h.
    """

    matrix: Matrix
    """Inputs of the first half are x, of the second y; of an odd number, the last x has no y."""
    order: Sequence[int]
    """The output channel that each lane holds."""
    half_bits: int
    groups: tuple[int, ...]
    """How many pairs each has."""

    @classmethod
    def of(cls, matrix: Matrix, half_bits: int) -> "Paired":
        """In as few groups as can be, and the order of lanes that is read out cheaply."""
        order = lanes.gathering_order(matrix.channels, 2 * half_bits)
        # Sums of magnitudes. What they begin with makes the last bit of a lane that of the excess;
        # a pair has at most 256, so they stay below 2^24.
        bits = 24
        every = lanes.ones(2 * len(order) + 1, bits)
        limit = ((1 << half_bits) - 1) // 255
        start, excess = every * ((1 << (bits - 1)) - 1 - limit), every << (bits - 1)
        total, groups = start, [0]
        for pair in _pairs(matrix.columns(order, 2 * bits, _MAGNITUDES), bits):
            magnitudes = pair + (pair << bits)
            total += magnitudes
            if total & excess:
                total = start + magnitudes
                groups.append(0)
            groups[-1] += 1
        return cls(matrix, order, half_bits, tuple(groups))

    @property
    def lane_bits(self) -> int:
        """Of a lane."""
        return 2 * self.half_bits

    @property
    def nanoseconds(self) -> float:
        """Of a row."""
        digits = len(self.order) * self.lane_bits / DIGIT_BITS
        products = sum(self.groups) * (_term_cost(digits) + _PAIR)
        folding = len(self.groups) * (_GROUP + ADD * digits)
        return products + folding + _PAIRS + _end_cost(len(self.order), self.lane_bits)

    def sums(self, biases: Sequence[int]) -> Sums:
        """Build the sums of the products and of a bias in every lane."""
        half, order = self.half_bits, self.order
        below = (1 << self.lane_bits * len(order)) - 1
        upper = lanes.ones(len(order), self.lane_bits) * ((1 << half) - 1) << half
        columns = _pairs(self.matrix.weights(order, self.lane_bits), half)
        columns = [column & below for column in columns]
        shortfalls = _pairs(self.matrix.columns(order, self.lane_bits, _SHORTFALLS), half)
        greatest = 255 + (255 << half)
        ends = list(accumulate(self.groups))
        groups = [
            (size, sum(shortfalls[end - size : end]) * greatest & below)
            for end, size in zip(ends, self.groups, strict=True)
        ]
        # The upper halves of the groups' biases are taken back.
        bias = lanes.of_integers(biases, self.lane_bits) << half
        bias -= sum([least & upper for _, least in groups])
        # A multiplier is four bytes: y is the lowest, x lies across the two highest.
        high = [(value ^ 0x80) << (half - 16) for value in range(256)]
        third, fourth = bytes([x & 0xFF for x in high]), bytes([x >> 8 for x in high])
        at_first, at_third, at_fourth = (0, 2, 3) if sys.byteorder == "little" else (3, 1, 0)
        pairs = sum(self.groups)

        def add_up(inputs: bytes) -> int:
            data = bytearray(4 * pairs)
            x, y = inputs[:pairs], inputs[pairs:].ljust(pairs, b"\x80")
            data[at_first::4] = y.translate(FLIP)
            data[at_third::4] = x.translate(third)
            data[at_fourth::4] = x.translate(fourth)
            products = map(mul, columns, memoryview(data).cast("I"))
            parts = [sum(islice(products, size), least) & upper for size, least in groups]
            total: int = sum(parts, bias) >> half
            return total

        return add_up


def _pairs(columns: Sequence[int], bits: int) -> list[int]:
    """Columns of the first half of the inputs, each with one of the second half some bits up."""
    middle = (len(columns) + 1) // 2
    pairs = zip_longest(columns[:middle], columns[middle:], fillvalue=0)
    return [a + (b << bits) for a, b in pairs]


def _term_cost(digits: float) -> float:
    """Nanoseconds of a product and its addition."""
    return 2 * CALL + digits * (MULTIPLY + ADD)


def _end_cost(count: int, bits: int) -> float:
    """Nanoseconds to convert so many lanes and to read them out."""
    digits, slices = count * bits / DIGIT_BITS, lanes.phases(bits)
    turns = slices.bit_length() - 1
    return convert_cost(1, digits) + turns * (3 * CALL + 2 * ADD * digits) + slices * _SLICE


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


def choose(matrix: Matrix, skipped: bool, needed: int) -> Singly | Paired | None:
    """The way that takes the least time.

    Args:
        matrix: the weights.
        skipped: whether inputs of −128 are left out.
        needed: bits that a lane must have; there is no way for more than `LANE_BITS` offer.
    """
    least = max(needed, LANE_BITS[0])
    ways: list[Singly | Paired] = [
        Singly.of(matrix, bits, skipped) for bits in LANE_BITS if least <= bits < least + 8
    ]
    if ways and not skipped:
        # Whole lanes are wide enough for all that single inputs' lanes are wide enough for.
        ways += [Paired.of(matrix, bits) for bits in HALF_BITS]
    return min(ways, key=lambda way: way.nanoseconds, default=None)


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
    channels, width = matrix.channels, bits // 8
    biases = [constant - low for constant, (low, _) in zip(constants, ranges, strict=True)]
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
