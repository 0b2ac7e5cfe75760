"""Requantization where every lane has a scale of its own, as in a dense layer with one a channel.

A product with a scalar is no use then, but the factors are known: bit b of all of them, as a mask
of whole lanes, picks the lanes that count 2^b times. From the highest bit to the lowest, what has
been added up is doubled: an *and*, a shift and an addition for each bit of a factor.

All lines have one shift, so that one shift takes all bytes: the longest for which products fit.

**Bounds**, for lanes of L bits: a bias brings each lane's staircase to where `requantize.py` has
it, so that bit L − 1 says what lies below, and after a further addition what lies above. A product
is added up in lanes of 2L bits, every second lane at a time; intermediate sums need no bound, and
the whole lies below 2^(shift + 8) ≤ 2^2L, for the line equals a staircase of values below 256.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tinyrt import lanes
from tinyrt.fast.costs import ADD, CALL, DIGIT_BITS
from tinyrt.fast.requantize import least_bits, limiter
from tinyrt.fast.straight import Convert
from tinyrt.short_multiplier import Line, Staircase, fit

_FACTOR_BITS = 26
"""Of the factors of a layer together, more or less."""


@dataclass(frozen=True, slots=True)
class _Half:
    """What is to be done with every second lane."""

    take: int
    masks: tuple[int, ...]
    """For each bit of the factors, the highest first, the lanes that have it."""
    addend: int
    steps: int
    """What is added where that one of two parallel lines holds that is raised."""
    cut: int
    """Where the bytes are."""

    def of(self, limits: int, upper: int, lane_bits: int) -> int:
        """The bytes in the products, at bit `shift` of their lanes."""
        met = limits & self.take
        total = 0
        for mask in self.masks:
            total = (total << 1) + (met & mask)
        total += self.addend
        if self.steps:
            lowest = upper & self.take
            # From one bit at the start of a lane to the whole of a lane of twice the width.
            total += ((lowest << 2 * lane_bits) - lowest) & self.steps
        return total & self.cut


@dataclass(frozen=True, slots=True)
class LaneWise:
    """The conversion of a vector of accumulators to one of bytes, each plus 128."""

    biases: tuple[int, ...]
    """What each lane must have in it besides its accumulator."""
    lane_bits: int
    sign: int
    """Bit L − 1 of every lane."""
    limited: Convert
    """Limits each lane to its staircase, whose end it puts at 2^(L − 1) − 1."""
    splits: int
    """What sets bit L − 1 where the upper of two lines holds."""
    lowers: int
    """Bit L − 1 of the lanes of which the lower line is the one that is raised."""
    halves: tuple[_Half, _Half]
    shift: int

    def __call__(self, vector: int) -> int:
        """The bytes of all lanes."""
        limits = self.limited(vector)
        upper = 0
        if self.splits:
            upper = (limits + self.splits & self.sign ^ self.lowers) >> self.lane_bits - 1
        even, odd = (half.of(limits, upper, self.lane_bits) for half in self.halves)
        return (even | odd) >> self.shift


def lanewise_cost(channels: int, lane_bits: int) -> float:
    """Nanoseconds of such a conversion."""
    digits = channels * lane_bits / DIGIT_BITS
    return 2 * _FACTOR_BITS * (3 * CALL + 2.2 * ADD * digits)


def needed_bits(stairs: Staircase) -> int:
    """Narrowest lanes for a channel: one that is constant must not leave its lane either."""
    return least_bits(stairs) if stairs.steps else (stairs.last - stairs.first).bit_length()


def lanewise(staircases: Sequence[Staircase], lane_bits: int) -> LaneWise | None:
    """Prepare the conversion of a vector; None where a lane is too narrow, or no line was found.

    Args:
        staircases: of each lane, from an accumulator to an int8 value.
        lane_bits: width of the lanes; at least `needed_bits` of each staircase.
    """
    half = 1 << lane_bits - 1
    if any(needed_bits(stairs) > lane_bits for stairs in staircases):
        return None
    exponents = [stairs.exponent for stairs in staircases if stairs.steps]
    shift = min([2 * lane_bits - 8, *exponents])
    lines = []
    for stairs in staircases:
        line = _line(stairs, shift)
        if line is None:
            return None
        lines.append(line)
    biases, raised, splits, addends = [], [], [], []
    for stairs, line in zip(staircases, lines, strict=True):
        if not stairs.steps:
            # Constant: the lane is only kept from meeting others.
            biases.append(-stairs.first)
            raised.append(0)
        else:
            biases.append(half - stairs.bottom_end)
            width = stairs.top_end - stairs.bottom_end
            raised.append(half - 1 - width if stairs.top_end < stairs.last else 0)
        # Of two lines, the one that is less is taken for granted.
        addends.append(line.addend - raised[-1] * line.factor + min(line.step, 0))
        splits.append(half - line.split - raised[-1] if line.step else 0)
    bits = max(line.factor for line in lines).bit_length()
    whole = (1 << lane_bits) - 1

    def every_second(values: Sequence[int], parity: int) -> int:
        chosen = [value if n % 2 == parity else 0 for n, value in enumerate(values)]
        return lanes.of_integers(chosen, lane_bits)

    count = len(lines)
    halves = tuple(
        _Half(
            take=every_second([whole] * count, parity),
            masks=tuple(
                every_second([whole if line.factor >> bit & 1 else 0 for line in lines], parity)
                for bit in range(bits - 1, -1, -1)
            ),
            addend=every_second(addends, parity),
            steps=every_second([abs(line.step) for line in lines], parity),
            cut=every_second([0xFF << shift] * count, parity),
        )
        for parity in range(2)
    )
    sign = lanes.ones(count, lane_bits) * half
    return LaneWise(
        biases=tuple(biases),
        lane_bits=lane_bits,
        sign=sign,
        limited=limiter(lane_bits, sign, lanes.of_integers(raised, lane_bits)),
        splits=lanes.of_integers(splits, lane_bits),
        lowers=lanes.of_integers([half if line.step < 0 else 0 for line in lines], lane_bits),
        halves=(halves[0], halves[1]),
        shift=shift,
    )


def _line(stairs: Staircase, shift: int) -> Line | None:
    """A line from x − `bottom_end`, whose values are those of the staircase plus 128."""
    if not stairs.steps:
        return Line(0, stairs.base + 128 << shift, shift)
    line = fit(stairs, shift)
    return None if line is None else line.moved(-stairs.bottom_end, 128)
