"""Requantization as one multiplication: a line with the steps of the profile's rounding.

To requantize an accumulator, add the output's zero-point and limit the result is a *staircase*: a
non-decreasing function of an integer that takes at most 256 values. Where its steps lie is all
there is to know of it. This room finds the steps in closed form, and then integers with

    floor((x · factor + addend) / 2^shift) = staircase(x)   for every reachable x,

of as few bits as the caller can afford. Lanes in big integers and C kernels use the same search.

**Checking the steps is enough.** Both sides are non-decreasing in x (`factor` > 0), so they agree
on the whole range if they agree at its ends and rise at the same places. For the step onto value
v at X, the line has reached v at X iff `addend ≥ v · 2^shift − X · factor`, and not yet at X − 1
iff `addend ≤ v · 2^shift − 1 − (X − 1) · factor`. So a factor is decided by one pass over at most
255 steps, and a factor that fails names two constraints that say which way to go.

**There is always a solution.** The rounding of either profile is itself the floor of a line: nested
floors merge into one. Only the double rounding of `tflm` follows two parallel lines, one for
results from 1 on and one below, because it rounds halves away from zero; `step` is what the upper
one is raised by. So the 31-bit multiplier itself, with the staircase's exponent for `shift`, solves
every staircase whose slope is at most 1. A steeper one rises over fewer than 256 elements: a table.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import repeat
from operator import floordiv, mul, sub

from tinyrt.fixedpoint import INT32_MAX, INT32_MIN, Numerics, requantize

_ATTEMPTS = 24
"""Factors that are tried for one shift; two or three are the rule."""


@dataclass(frozen=True, slots=True)
class Staircase:
    """A non-decreasing function on the integers from `first` to `last`.

    Its value at `first` is `base`; it is at least `base + i + 1` from `steps[i]` on.
    """

    first: int
    last: int
    base: int
    steps: tuple[int, ...]
    """Non-decreasing, each in (first, last]."""
    lower: int
    """How many of the steps lie on the lower of two lines; the rest, or all, on the other."""
    multiplier: int
    exponent: int
    """The mean slope is `multiplier / 2^exponent`."""
    level_below: bool
    """Whether the function would stay at `base` below `first`."""
    level_above: bool
    """Whether the function would stay at `top` above `last`."""

    @property
    def top(self) -> int:
        """The value at `last`."""
        return self.base + len(self.steps)

    @property
    def bottom_end(self) -> int:
        """The last x of the level stretch below: x is limited to it. The staircase has steps."""
        return self.steps[0] - 1 if self.level_below else self.first

    @property
    def top_end(self) -> int:
        """The first x of the level stretch above: x is limited to it. The staircase has steps."""
        return self.steps[-1] if self.level_above else self.last

    def narrowed(self) -> "Staircase":
        """The same steps without the level stretches at both ends, but for one element each."""
        return replace(self, first=self.bottom_end, last=self.top_end)

    def moved(self, right: int, up: int) -> "Staircase":
        """The function `x ↦ self(x − right) + up`."""
        return replace(
            self,
            first=self.first + right,
            last=self.last + right,
            base=self.base + up,
            steps=tuple([step + right for step in self.steps]),
        )


@dataclass(frozen=True, slots=True)
class Line:
    """`floor((x · factor + addend + (step if x ≥ split else 0)) / 2^shift)`.

    A step may be negative.
    """

    factor: int
    addend: int
    shift: int
    split: int = 0
    step: int = 0

    def moved(self, right: int, up: int) -> "Line":
        """The function `x ↦ self(x − right) + up`."""
        addend = self.addend - right * self.factor + (up << self.shift)
        return Line(self.factor, addend, self.shift, self.split + right, self.step)

    def __call__(self, x: int) -> int:
        """The value at `x`."""
        raised = self.step if x >= self.split else 0
        # `>>` floors, for a negative sum too.
        return (x * self.factor + self.addend + raised) >> self.shift


def staircase(
    multiplier: int,
    shift: int,
    offset: int,
    low: int,
    high: int,
    numerics: Numerics,
    first: int,
    last: int,
) -> Staircase | None:
    """The steps of `fixedpoint.requantize_to_int8` on the accumulators from `first` to `last`.

    Args:
        multiplier: as `fixedpoint.quantize_multiplier` gives it; not negative.
        shift: likewise; positive shifts left.
        offset: the output's zero-point.
        low: least output.
        high: greatest output, not below `low`.
        numerics: whose rounding.
        first: least accumulator that can occur.
        last: greatest one.

    Returns:
        The staircase; None where an intermediate result leaves int32 and wraps, for then the
        function need not be monotone.
    """
    left = shift if shift > 0 and numerics is Numerics.TFLM else 0
    if first << left < INT32_MIN or last << left > INT32_MAX:
        return None
    ends = [requantize(x, multiplier, shift, numerics) for x in (first, last)]
    exact = [x * multiplier >> (31 - shift) for x in (first, last)]
    if any(abs(found - wanted) > 2 for found, wanted in zip(ends, exact, strict=True)):
        return None  # the result itself has wrapped
    if ends[0] + offset < INT32_MIN or ends[1] + offset > INT32_MAX:
        return None
    bottom, top = (min(max(end + offset, low), high) for end in ends)
    # Results before the offset that have to be reached, one step each. A result v is reached where
    # x · multiplier ≥ threshold(v); thresholds are 2^exponent apart.
    exponent = 31 - shift
    lowest, highest = bottom + 1 - offset, top + 1 - offset
    if left:
        # floor((x · 2^left · M + 2^30) / 2^31) ≥ v.
        steps = tuple(
            [
                -(((1 << 30) - (value << 31) >> left) // multiplier)
                for value in range(lowest, highest)
            ]
        )
        lower = 0
    elif numerics is Numerics.SINGLE or shift == 0:
        # floor((x · M + 2^(e − 1)) / 2^e) ≥ v.
        steps = _positions(lowest, highest, exponent, 1 << (exponent - 1), multiplier)
        lower = 0
    else:
        # high = floor((x · M + 2^30) / 2^31) is shifted right by s, halves away from zero: the
        # result is at least v where high ≥ v · 2^s − 2^(s − 1), plus 1 for v ≤ 0.
        half = (1 << (30 - shift)) + (1 << 30)
        middle = min(max(lowest, 1), highest)
        steps = _positions(lowest, middle, exponent, half - (1 << 31), multiplier)
        lower = len(steps)
        steps += _positions(middle, highest, exponent, half, multiplier)
    if 0 < lower < len(steps) and steps[lower] - 1 < steps[lower - 1]:
        return None
    if lower == len(steps):
        lower = 0
    return Staircase(
        first=first,
        last=last,
        base=bottom,
        steps=steps,
        lower=lower,
        multiplier=multiplier,
        exponent=exponent,
        level_below=bottom == low,
        level_above=top == high,
    )


def _positions(
    lowest: int, highest: int, exponent: int, half: int, multiplier: int
) -> tuple[int, ...]:
    """The least x with x · multiplier + half ≥ v · 2^exponent, for each v from lowest on."""
    up = multiplier - 1 - half  # so that the quotient is rounded up
    thresholds = range((lowest << exponent) + up, (highest << exponent) + up, 1 << exponent)
    return tuple(map(floordiv, thresholds, repeat(multiplier)))


def fit(stairs: Staircase, shift: int) -> Line | None:
    """A line of this shift that equals the staircase, if one was found.

    One line is tried first, then two parallel ones where the staircase lies on two.
    """
    if shift < 0:
        return None
    return _fit(stairs, shift, 0) or (_fit(stairs, shift, stairs.lower) if stairs.lower else None)


def fit_within(stairs: Staircase, product_bits: int, factor_bits: int, up: int = 0) -> Line | None:
    """The most precise line that an executor can compute.

    Args:
        stairs: with a step.
        product_bits: bits of the unsigned sum `x · factor + addend`, for every x of the range.
        factor_bits: bits of the factor.
        up: what is added to every value, so that none is negative.

    Returns:
        A line from x − `stairs.bottom_end`; None where none was found.
    """
    value_bits = (stairs.top + up).bit_length()
    # factor ≈ multiplier · 2^(shift − exponent) < 2^factor_bits, with room for rounding.
    precise = stairs.exponent + factor_bits - (stairs.multiplier + 1).bit_length()
    line = fit(stairs, min(product_bits - value_bits, precise, stairs.exponent))
    return None if line is None else line.moved(-stairs.bottom_end, up)


def factor_from_zero(stairs: Staircase, shift: int, addend: int, up: int) -> int | None:
    """The factor nearest to the slope for a given addend and x limited to 0 from below.

    Then each step asks for a factor in an interval of its own.

    Args:
        stairs: with a step; the first of them above 0.
        shift: of the line.
        addend: likewise, so that the line is at `base + up` for x = 0.
        up: what is added to every value.

    Returns:
        A factor with `floor((max(x, 0) · factor + addend) / 2^shift)` equal to the staircase plus
        `up`, or beyond its top where that is level; None where there is none.
    """
    steps, unit = stairs.steps, 1 << shift
    lowest = (stairs.base + up + 1 << shift) - addend
    targets = range(lowest, lowest + unit * len(steps), unit)
    if steps[0] < 1 or addend >> shift != stairs.base + up:
        return None
    scale = shift - stairs.exponent
    factor = stairs.multiplier << scale if scale >= 0 else stairs.multiplier >> -scale
    least, greatest = 1, 1 << (shift + 40)
    if not stairs.level_above:
        greatest = (targets[-1] + unit - 1) // stairs.last
    factor = min(factor, greatest)
    for _ in range(_ATTEMPTS):
        # At a step the line has reached its target, and one place before it has not.
        reached = list(map(sub, map(mul, steps, repeat(factor)), targets))
        lowest, highest = min(reached), max(reached)
        if lowest >= 0 and highest < factor:
            return factor
        if lowest < 0:
            place = reached.index(lowest)
            least = factor = -(-targets[place] // steps[place])
        else:
            place = reached.index(highest)
            greatest = factor = (targets[place] - 1) // max(1, steps[place] - 1)
        if least > greatest:
            return None
    return None


def shortest(stairs: Staircase, greatest_shift: int) -> Line | None:
    """The line of the least shift up to a limit, which also has the shortest factor."""
    for shift in range(greatest_shift + 1):
        found = fit(stairs, shift)
        if found is not None:
            return found
    return None


def _fit(stairs: Staircase, shift: int, lower: int) -> Line | None:
    """Cut the range of factors by the constraints that each failing factor breaks."""
    steps, unit = stairs.steps, 1 << shift
    split = steps[lower] - 1 if lower else stairs.bottom_end
    # Parts share the factor, but not the addend.
    parts = [_Part(steps[lower:], stairs.base + lower << shift, unit, split, stairs.top_end)]
    if lower:
        first = stairs.bottom_end
        parts.append(_Part(steps[:lower], stairs.base << shift, unit, first, split - 1))
    scale = shift - stairs.exponent
    factor = (
        stairs.multiplier << scale
        if scale >= 0
        else (stairs.multiplier + (1 << (-scale - 1))) >> -scale
    )
    least, greatest = 1, 1 << (shift + 40)
    for _ in range(_ATTEMPTS):
        if not least <= factor <= greatest:
            return None
        addends = []
        for part in parts:
            low, high = part.addends(factor)
            if low.value > high.value:
                bound = low.meets(high)
                if bound is None:
                    return None
                if bound > factor:
                    least = bound
                else:
                    greatest = bound
                factor = bound
                break
            addends.append((low.value + high.value) >> 1)
        else:
            if not lower:
                return Line(factor, addends[0], shift)
            return Line(factor, addends[1], shift, split, addends[0] - addends[1])
    return None


@dataclass(frozen=True, slots=True)
class _Bound:
    """A bound on the addend: `target − x · factor`."""

    value: int
    """For the factor at hand."""
    target: int
    x: int

    def meets(self, upper: "_Bound") -> int | None:
        """The factor, nearest to one that is not, at which this lower bound is within the upper.

        That is where (x' − x) · factor ≤ target' − target; None where it is nowhere.
        """
        room, slope = upper.target - self.target, upper.x - self.x
        if slope == 0:
            return None
        return room // slope if slope > 0 else -(room // -slope)


@dataclass(frozen=True, slots=True)
class _Part:
    """Steps on one line."""

    steps: Sequence[int]
    base: int
    """The scaled value below the first step."""
    unit: int
    """The scaled height of a step."""
    first: int
    last: int

    def addends(self, factor: int) -> tuple[_Bound, _Bound]:
        """The least and the greatest addend, over all steps and both ends."""
        base, unit, steps = self.base, self.unit, self.steps
        targets = range(base + unit, base + unit * (len(steps) + 1), unit)
        beyond = base + unit * (len(steps) + 1) - 1
        low = _Bound(base - self.first * factor, base, self.first)
        high = _Bound(beyond - self.last * factor, beyond, self.last)
        gaps = list(map(sub, targets, map(mul, steps, repeat(factor))))
        if gaps:
            tightest, loosest = max(gaps), min(gaps)
            if tightest > low.value:
                index = gaps.index(tightest)
                low = _Bound(tightest, targets[index], steps[index])
            # One place before a step, its value must not yet be reached.
            if loosest + factor - 1 < high.value:
                index = gaps.index(loosest)
                high = _Bound(loosest + factor - 1, targets[index] - 1, steps[index] - 1)
        return low, high
