"""Sums of products of a dense layer: the lanes are the output channels.

An input's weights, one lane for each output channel, are one integer, its *column*; the inputs,
each plus 128, are the scalars. There are two ways to add up the products:

- `Singly`: an input of −128 is no term of the sum; behind a ReLU that is half of them.
- `Paired`, where the zero-point says that hardly any input is −128: one product for two inputs.

Columns, and the bias that a sum begins with, are taken modulo the power of two just above all
lanes. That leaves the lanes as they are, and what is above them is never looked at. But no integer
is negative then, so that all terms are additions, where half of them would be subtractions, which
take a third longer.

Lanes are not in the order of the channels but in that in which bytes are read out at the least
cost: `lanes.gathering_order`.

Looking up sums of weights that were made at prepare time, as `sums.LookupTable` does for planes,
was tried: on inputs that vary, the tables are never in the cache, and it took three times as long.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate, compress, islice, zip_longest
from operator import mul

from tinyrt import lanes
from tinyrt.fast.costs import ADD, CALL, DIGIT_BITS, MULTIPLY
from tinyrt.fast.straight import convert_cost
from tinyrt.planar import FLIP

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
