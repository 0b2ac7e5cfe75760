"""Accumulators back to bytes, every lane of a plane at once.

For one output channel, a `Staircase` says what an accumulator becomes. In lanes:

1. The accumulator is *limited first*, to the range in which the staircase rises. That range is
   narrow, and after it nothing can leave [0, 255].
2. It is multiplied by a short factor, in lanes wide enough for the product: every second (third, …)
   lane is taken out at a time. The result's byte stands at a fixed bit of each product.

**Bounds**, for lanes of L bits. A bias makes the lane of an accumulator a hold
`a − first + 2^(L−1)`, where `first` is the start of the narrowed staircase; `least_bits` gives the
L for which that is in [0, 2^L) for every a that can occur. So bit L − 1 says whether a ≥ first, and
lanes without it become zero. Adding `2^(L−1) − 1 − width` then sets bit L − 1 again just where the
lane is above the staircase's width; such lanes become all ones, which stand for the width from then
on. Neither comparison leaves its lane. A product is less than `256 · 2^shift` because the line
equals the staircase, whose values are less than 256: `fit_within` makes that fit.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import product

from tinyrt import lanes
from tinyrt.fast.straight import Convert, Scaling, Straight
from tinyrt.fixedpoint import Numerics
from tinyrt.planar import Grid
from tinyrt.short_multiplier import Line, Staircase, factor_from_zero, fit_within, staircase


@dataclass(frozen=True, slots=True)
class Requantization:
    """What accumulators become, for every output channel."""

    multipliers: tuple[int, ...]
    shifts: tuple[int, ...]
    offset: int
    """The output's zero-point."""
    low: int
    high: int
    numerics: Numerics

    def steps(self, channel: int, first: int, last: int) -> Staircase | None:
        """The staircase of a channel whose accumulators lie between `first` and `last`."""
        multiplier, shift = self.multipliers[channel], self.shifts[channel]
        return staircase(
            multiplier, shift, self.offset, self.low, self.high, self.numerics, first, last
        )


ConvertParts = Callable[[Sequence[int]], int]
"""From several vectors, whose sum less a bias is the accumulators, to a plane."""

FACTOR_BITS = 30
"""One digit of a Python integer: a longer factor takes twice the time."""


def least_bits(stairs: Staircase) -> int:
    """Narrowest lanes in which every accumulator can be limited to the staircase."""
    if not stairs.steps:
        return 1
    first = stairs.bottom_end
    return max((first - stairs.first - 1).bit_length(), (stairs.last - first).bit_length()) + 1


@dataclass(slots=True)
class Masks:
    """Constant vectors of one layer, on the positions of a grid.

    `skip` lanes lie below the grid's first lane in the accumulators.
    """

    grid: Grid
    skip: int = 0
    _units: dict[tuple[int, int], int] = field(default_factory=dict)
    _shared: dict[tuple[int, int, int], int] = field(default_factory=dict)
    _results: dict[int, int] = field(default_factory=dict)

    @property
    def bits(self) -> int:
        """Width of a lane."""
        return self.grid.pitch.lane_bits

    def unit(self, phase: int = 0, phases: int = 1) -> int:
        """One at each position of the lanes `phase`, `phase + phases`, … of the grid.

        They lie where they lie in the accumulators, `skip` lanes up.
        """
        key = (phase, phases)
        if key not in self._units:
            self._units[key] = self.grid.vector(phase, phases) << (self.skip * self.bits)
        return self._units[key]

    def shared(self, value: int, phase: int = 0, phases: int = 1) -> int:
        """A scalar in place of the ones; for scalars that most channels have in common."""
        key = (value, phase, phases)
        if key not in self._shared:
            self._shared[key] = self.unit(phase, phases) * value
        return self._shared[key]

    def pair(self, value: int) -> tuple[int, int]:
        """A shared scalar on the even lanes, and on the odd ones."""
        return self.shared(value, 0, 2), self.shared(value, 1, 2)

    def result(self, value: int) -> int:
        """A scalar at each position of the grid, where planes have it."""
        if value not in self._results:
            self._results[value] = self.grid.vector() * value
        return self._results[value]


def converter(stairs: Staircase, masks: Masks) -> tuple[int, Convert]:
    """Build the conversion of one channel.

    Args:
        stairs: from accumulators to int8 values; `least_bits` is at most the lanes' width.
        masks: of the layer.

    Returns:
        The scalar bias that each lane of the accumulators must have in it, and the conversion.
    """
    bits = masks.bits
    if not stairs.steps:
        constant = masks.grid.vector() * (stairs.base + 128)
        return 0, lambda _: constant
    sign = masks.shared(1 << (bits - 1))
    rectified = _rectifier(stairs, sign, masks)
    if rectified is not None:
        return 1 << (bits - 1), rectified
    first, last = stairs.bottom_end, stairs.top_end
    bias, width = (1 << (bits - 1)) - first, last - first
    # All ones stand for the width (see the module's text): the top of the line is moved there.
    raised = (1 << (bits - 1)) - 1 - width if last < stairs.last else 0
    shortfall = masks.unit() * raised
    # The model's own multiplier, which always does, may be a bit longer than a digit.
    for factor_bits, phases in product((FACTOR_BITS, FACTOR_BITS + 1), (2, 3, 4)):
        line = fit_within(stairs, phases * bits, factor_bits, 128)
        if line is None:
            continue
        if phases == 2 and not line.step:
            return bias, _straight(line, stairs.top + 128, raised, shortfall, masks)
        limited = limiter(bits, sign, shortfall)
        return bias, _scaler(line, stairs.top + 128, raised, limited, masks, phases)
    relative = stairs.narrowed().moved(-first, 128)
    return bias, _table(relative, raised, limiter(bits, sign, shortfall), masks)


def parts_converter(
    stairs: Staircase, masks: Masks, bias: int, phases: int = 2
) -> ConvertParts | None:
    """Build the conversion of a channel whose accumulators no lane can hold at once.

    Args:
        stairs: from accumulators to int8 values, with a step.
        masks: of the layer.
        bias: what the sum of the parts has in each lane besides the accumulator.
        phases: the parts are added up in lanes this many times as wide.

    Returns:
        The conversion; None where even these lanes are too narrow, or no line was found.
    """
    bits = masks.bits
    wide = bits * phases
    line = fit_within(stairs, wide, FACTOR_BITS, 128)
    if line is None or line.step or least_bits(stairs) > wide:
        return None
    first, last = stairs.bottom_end, stairs.top_end
    raised = (1 << (wide - 1)) - 1 - (last - first)
    top = (1 << (stairs.top + 128).bit_length()) - 1
    low = (1 << bits) - 1
    turns = []
    for phase in range(phases):
        unit = masks.unit(phase, phases)
        limited = limiter(wide, unit << (wide - 1), unit * raised)
        offset = unit * ((1 << (wide - 1)) - first - bias)
        addend = unit * line.addend
        turns.append(
            (
                masks.shared(low, phase, phases),
                offset,
                limited,
                unit * raised,
                addend,
                unit * (top << line.shift),
            )
        )
    factor, down = line.factor, line.shift + masks.skip * bits

    def convert(parts: Sequence[int]) -> int:
        total = 0
        for take, offset, limited, lowest, addend, cut in turns:
            added = sum([part & take for part in parts], offset)
            product = (limited(added) - lowest) * factor + addend
            total |= product & cut
        return total >> down

    return convert


def _rectifier(stairs: Staircase, sign: int, masks: Masks) -> Straight | None:
    """The conversion where the staircase begins above zero, as behind a ReLU.

    Accumulators are limited to zero from below; the upper limit is that of the bytes. So all
    constants are of the layer and none of the channel, which keeps them in the processor's cache.
    """
    bits = masks.bits
    half, wide = 1 << (bits - 1), 2 * bits
    if stairs.steps[0] < 1 or stairs.first < -half or stairs.last >= half:
        return None
    bottom, top = stairs.base + 128, stairs.top + 128
    most = wide - stairs.last.bit_length()
    shift = min(
        stairs.exponent + min(most, FACTOR_BITS) - (stairs.multiplier + 1).bit_length(),
        stairs.exponent,
        wide - 9,
    )
    if shift < 1:
        return None
    # A half; and what the first of two roundings adds, seen from behind the second.
    more = 1 << (shift + 30 - stairs.exponent) if shift + 30 >= stairs.exponent else 0
    for rounding in (more, 0):
        addend = ((2 * bottom + 1) << (shift - 1)) + rounding
        factor = factor_from_zero(stairs, shift, addend, 128)
        if factor is not None:
            break
    else:
        return None
    greatest = stairs.last * factor + addend
    if greatest >> wide or greatest >> shift >= half:
        return None
    cut = (1 << min(wide - shift, bits - 1)) - 1 << shift
    # What lies above the top carries into a lane's last bit.
    exceeds = greatest >> shift > top
    return Straight(
        bits=bits,
        sign=sign,
        carry=masks.result(half),
        takes=masks.pair((1 << bits) - 1),
        factor=factor,
        raised=0,
        scaling=Scaling(
            addends=masks.pair(addend),
            cuts=masks.pair(cut),
            down=shift + masks.skip * bits,
            above=masks.result(half - 1 - top) if exceeds else 0,
            tops=masks.result(top) if exceeds else 0,
        ),
    )


def _straight(line: Line, top: int, raised: int, shortfall: int, masks: Masks) -> Straight:
    """One line in lanes of twice the width; `shortfall` is `raised` in every lane."""
    bits = masks.bits
    addend = line.addend - raised * line.factor
    return Straight(
        bits=bits,
        sign=masks.shared(1 << (bits - 1)),
        carry=masks.result(1 << (bits - 1)),
        takes=masks.pair((1 << bits) - 1),
        factor=line.factor,
        raised=shortfall,
        scaling=Scaling(
            addends=(masks.unit(0, 2) * addend, masks.unit(1, 2) * addend),
            cuts=masks.pair(((1 << top.bit_length()) - 1) << line.shift),
            down=line.shift + masks.skip * bits,
        ),
    )


def limiter(bits: int, sign: int, shortfall: int) -> Convert:
    """Limit lanes to the staircase: subtract its start, and put its end at 2^(bits − 1) − 1.

    Where there is no shortfall, nothing lies beyond its end, and the end stays where it is.
    """
    down = bits - 1

    def from_below(lanes_: int) -> int:
        reached = lanes_ & sign
        return lanes_ & (reached - (reached >> down))

    def on_both_sides(lanes_: int) -> int:
        reached = lanes_ & sign
        raised = (lanes_ & (reached - (reached >> down))) + shortfall
        beyond = raised & sign
        # The subtraction makes a beyond lane's lower bits all ones; they swallow what it held.
        return (raised | (beyond - (beyond >> down))) ^ beyond if beyond else raised

    return on_both_sides if shortfall else from_below


def _scaler(
    line: Line, top: int, raised: int, limited: Convert, masks: Masks, phases: int
) -> Convert:
    """Multiply, add and cut out the byte, `phases` interleaved sets of lanes in turn."""
    bits = masks.bits
    low, byte = (1 << bits) - 1, (1 << top.bit_length()) - 1
    factor = line.factor
    addend = line.addend - raised * factor
    takes = [masks.shared(low, phase, phases) for phase in range(phases)]
    addends = [masks.unit(phase, phases) * addend for phase in range(phases)]
    cuts = [masks.shared(byte << line.shift, phase, phases) for phase in range(phases)]
    down = line.shift + masks.skip * bits
    if line.step:
        # Where the upper of two parallel lines holds, bit L − 1 of this sum is set.
        split = masks.unit() * ((1 << (bits - 1)) - (line.split + raised))
        units = [masks.unit(phase, phases) for phase in range(phases)]
        return _two_lines(line, limited, takes, addends, cuts, split, units, bits, down)
    return _more_phases(factor, limited, takes, addends, cuts, down)


def _more_phases(
    factor: int,
    limited: Convert,
    takes: Sequence[int],
    addends: Sequence[int],
    cuts: Sequence[int],
    down: int,
) -> Convert:
    turns = list(zip(takes, addends, cuts, strict=True))

    def more_phases(lanes_: int) -> int:
        limits = limited(lanes_)
        total = 0
        for take, addend, cut in turns:
            total |= (limits & take) * factor + addend & cut
        return total >> down

    return more_phases


def _two_lines(
    line: Line,
    limited: Convert,
    takes: Sequence[int],
    addends: Sequence[int],
    cuts: Sequence[int],
    split: int,
    units: Sequence[int],
    bits: int,
    down: int,
) -> Convert:
    factor, step, sign_down = line.factor, line.step, bits - 1
    turns = list(zip(takes, addends, cuts, units, strict=True))

    def two_lines(lanes_: int) -> int:
        limits = limited(lanes_)
        upper = (limits + split) >> sign_down
        total = 0
        for take, addend, cut, unit in turns:
            total |= (limits & take) * factor + addend + (upper & unit) * step & cut
        return total >> down

    return two_lines


def _table(relative: Staircase, raised: int, limited: Convert, masks: Masks) -> Convert:
    """A staircase too steep for a line is so short that a table of bytes holds it."""
    grid = masks.grid
    assert relative.last < 256
    values = bytearray(256)
    for step in relative.steps:
        values[step] += 1
    value = relative.base
    for x, rise in enumerate(values):
        value += rise
        values[x] = min(value, relative.top)
    table = bytes(values)
    lowest = masks.unit() * raised
    down = masks.skip * masks.bits
    valid = grid.vector() * 0xFF

    def look_up(lanes_: int) -> int:
        places = lanes.to_bytes((limited(lanes_) - lowest) >> down, grid.lanes, masks.bits)
        return lanes.of_bytes(places.translate(table), masks.bits) & valid

    return look_up
