"""ADD and SUB: one plane in two variables, and a table of all pairs where there is none.

The operators rescale either operand to a finer scale, add, and requantize the sum: three roundings.
All that matters is the result for each of the 65536 pairs of bytes. So we look for integers with

    floor((a · first + b · second + addend) / 2^shift) = result(a, b)   for every pair,

short enough for lanes of two products. The sum rises with a and with b, therefore each a gives a
staircase in b; an addend must respect both sides of every step of all of them, and one pass over
the steps says whether there is one.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import repeat
from operator import mul, sub

from tinyrt import lanes
from tinyrt.fast.requantize import FACTOR_BITS, Masks, limiter
from tinyrt.kernel import Run, Value
from tinyrt.planar import (
    FLIP,
    Channel,
    Facts,
    Grid,
    Image,
    Phases,
    Pitch,
    PlanarOperator,
    PlanarRun,
)
from tinyrt.short_multiplier import Staircase

Combine = Callable[[int, int], int]


@dataclass(frozen=True, slots=True)
class RescaledPair:
    """The sum of two rescaled bytes, and what becomes of it."""

    first: tuple[int, ...]
    """The rescaled value of each byte (value + 128) of the first operand; non-decreasing."""
    second: tuple[int, ...]
    """Likewise of the second; non-increasing where the operator subtracts."""
    result: Staircase
    """From a sum to the output value."""

    @property
    def subtracts(self) -> bool:
        """Whether a greater second operand gives a smaller sum."""
        return self.second[0] > self.second[-1]

    def rows(self) -> list[list[int]]:
        """For each byte of the first operand: from which byte of the second on each step is taken.

        The second operand's bytes count from their other end where the operator subtracts; 256
        stands for never.
        """
        ascending = self.second[::-1] if self.subtracts else self.second
        steps = self.result.steps
        return [[bisect_left(ascending, step - value) for step in steps] for value in self.first]

    def table(self) -> bytes:
        """The output byte (value + 128) of every pair, the first operand's byte counting 256."""
        table = bytearray()
        for row in self.rows():
            rises = [0] * 257
            for place in row:
                rises[place] += 1
            value = self.result.base + 128
            results = bytearray()
            for rise in rises[:256]:
                value += rise
                results.append(value)
            table += results[::-1] if self.subtracts else results
        return bytes(table)


@dataclass(frozen=True, slots=True)
class Plane:
    """`floor((a · first + b · second + addend) / 2^shift)`, before it is limited."""

    first: int
    second: int
    addend: int
    shift: int


def fit(pair: RescaledPair, product_bits: int, factor_bits: int) -> Plane | None:
    """A plane that equals the operator on all pairs where its result is not limited.

    Args:
        pair: the operator; b counts from its other end where it subtracts.
        product_bits: two more than the magnitude of the sum may have.
        factor_bits: most bits of either factor.
    """
    stairs = pair.result
    if not stairs.steps:
        return None
    second = pair.second[::-1] if pair.subtracts else pair.second
    # Rise of the result over all bytes of an operand, times 2^exponent.
    rises = [(values[-1] - values[0]) * stairs.multiplier for values in (pair.first, second)]
    steepest = max(rises) // 255
    shift = min(
        product_bits - 2 - (sum(rises) >> stairs.exponent).bit_length(),
        stairs.exponent + factor_bits - 1 - steepest.bit_length(),
    )
    if shift < 1:
        return None
    down = stairs.exponent - shift
    first, second_factor = (_rounded(rise, down) for rise in rises)
    if not first or not second_factor:
        return None
    least, greatest = -(1 << 80), 1 << 80
    targets = [(stairs.base + n + 1) << shift for n in range(len(stairs.steps))]
    for a, row in enumerate(pair.rows()):
        # Where a step is taken, the sum has reached its target; one place before, it has not.
        gaps = list(map(sub, targets, map(mul, row, repeat(second_factor))))
        reached = row.index(256) if 256 in row else len(row)
        inside = next((n for n, place in enumerate(row) if place), len(row))
        if reached:
            least = max(least, max(gaps[:reached]) - a * first)
        if inside < len(row):
            greatest = min(greatest, min(gaps[inside:]) + second_factor - 1 - a * first)
        if least > greatest:
            return None
    return Plane(first, second_factor, (least + greatest) >> 1, shift)


def _rounded(rise: int, down: int) -> int:
    """`rise / 255 / 2^down`, to the nearest integer."""
    scaled = rise >> down - 1 if down > 0 else rise << 1 - down
    return (scaled + 255) // 510


@dataclass(frozen=True)
class Addition(PlanarOperator):
    """ADD or SUB of two images of one size."""

    source: Image
    target: Image
    """As the source."""
    pair: RescaledPair

    @property
    def takes_planes(self) -> bool:
        """Lane by lane, whatever the pitch."""
        return True

    def lane_bits(self) -> int:
        """The narrowest: two of them hold a product."""
        return 20

    def nanoseconds(self, pitch: Pitch) -> float | None:
        """The same on any pitch."""
        del pitch
        return 0.0

    def row_lanes(self, turned: bool) -> int:
        """No more than there are positions."""
        return self.source.height if turned else self.source.width

    def build(self, pitch: Pitch, facts: Sequence[Facts]) -> PlanarRun | None:
        """Search the plane; None where there is none."""
        del facts
        combine = combiner(self.pair, Masks(Grid.of(self.source, pitch)))
        if combine is None:
            return None
        stairs = self.pair.result
        channel = Channel(stairs.base + 128, stairs.top + 128)
        every = range(self.source.channels)
        phases = Phases(self.source, pitch, 1, 1, ((0, 0),), every)
        return AdditionRun(phases, (channel,) * self.source.channels, combine)


@dataclass(frozen=True)
class AdditionRun(PlanarRun):
    """ADD or SUB on a grid."""

    phases: Phases
    channels: Sequence[Channel]
    combine: Combine

    def run(self, *operands: Sequence[int]) -> list[int]:
        """Plane by plane."""
        return list(map(self.combine, *operands))


def combiner(pair: RescaledPair, masks: Masks) -> Combine | None:
    """A function of two planes; None where no plane in two variables was found."""
    bits = masks.bits
    phases = -(-40 // bits)
    wide = phases * bits
    found = fit(pair, wide, FACTOR_BITS)
    if found is None:
        return None
    stairs = pair.result
    half = 1 << (bits - 1)
    # Sums count from the least one; then the result's least value comes to lie at 2^(bits − 1).
    least = found.addend >> found.shift
    addend = found.addend - (least << found.shift)
    greatest = addend + 255 * (found.first + found.second)
    span, below = greatest >> found.shift, stairs.base - least
    if greatest >> wide or below > half or span - below >= half:
        return None
    field = (1 << span.bit_length()) - 1
    raised = masks.unit() * (half - below)
    turns = []
    for phase in range(phases):
        unit = masks.unit(phase, phases)
        turns.append((unit * 0xFF, unit * addend, unit * (field << found.shift)))
    shortfall = half - 1 - (stairs.top - stairs.base)
    limited = limiter(bits, masks.unit() * half, masks.unit() * shortfall)
    first, second, down = found.first, found.second, found.shift
    # Subtracting, the second operand's bytes count from their other end.
    flip = masks.unit() * 0xFF if pair.subtracts else 0
    lowest = masks.unit() * (shortfall - (stairs.base + 128))

    def combine(plane1: int, plane2: int) -> int:
        if flip:
            plane2 ^= flip
        total = 0
        for take, constant, cut in turns:
            total |= (plane1 & take) * first + (plane2 & take) * second + constant & cut
        return limited((total >> down) + raised) - lowest

    return combine


def elementwise(pair: RescaledPair, elements: int) -> Run | None:
    """The run on two operands of as many elements; None where no plane was found."""
    if not elements:
        return None
    pitch = Pitch(elements, 20)
    combine = combiner(pair, Masks(Grid(1, elements, pitch)))
    if combine is None:
        return None

    def run(first: Value, second: Value) -> tuple[Value, ...]:
        planes = [lanes.of_bytes(bytes(data).translate(FLIP), 20) for data in (first, second)]
        return (lanes.to_bytes(combine(*planes), elements, 20).translate(FLIP),)

    return run
