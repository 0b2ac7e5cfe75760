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
from operator import mul, sub

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

    def narrowed(self) -> "Staircase":
        """The same steps without the level stretches at both ends, but for one element each.

        Limiting x to the narrowed range changes no value. There must be a step.
        """
        first = self.steps[0] - 1 if self.level_below else self.first
        last = self.steps[-1] if self.level_above else self.last
        return replace(self, first=first, last=last)

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
    """`floor((x · factor + addend + (step if x ≥ split else 0)) / 2^shift)`."""

    factor: int
    addend: int
    shift: int
    split: int = 0
    step: int = 0

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
    # x · multiplier ≥ threshold(v), for the thresholds derived below.
    values = range(bottom + 1 - offset, top + 1 - offset)
    lower = 0
    if numerics is Numerics.SINGLE or shift >= 0:
        # floor((x · M + 2^(e − 1)) / 2^e) ≥ v; with a left shift, x counts 2^left times.
        exponent = 31 - shift
        half = 1 << (exponent - 1)
        thresholds = [(value << exponent) - half for value in values]
        if numerics is Numerics.TFLM and left:
            half = 1 << 30
            thresholds = [-((half - (value << 31)) >> left) for value in values]
    else:
        # high = floor((x · M + 2^30) / 2^31) is shifted right by s, halves away from zero: the
        # result is at least v where high ≥ v · 2^s − 2^(s − 1), plus 1 for v ≤ 0.
        exponent = 31 - shift
        half = (1 << (30 - shift)) + (1 << 30)
        thresholds = [(value << exponent) - half for value in values if value > 0]
        lower = len(values) - len(thresholds)
        away = 1 << 31
        thresholds = [(value << exponent) - half + away for value in values[:lower]] + thresholds
    steps = tuple([-(-threshold // multiplier) for threshold in thresholds])
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


def fit(stairs: Staircase, shift: int) -> Line | None:
    """A line of this shift that equals the staircase, if one was found.

    One line is tried first, then two parallel ones where the staircase lies on two.
    """
    if shift < 0:
        return None
    return _fit(stairs, shift, 0) or (_fit(stairs, shift, stairs.lower) if stairs.lower else None)


def fit_within(stairs: Staircase, product_bits: int, factor_bits: int) -> Line | None:
    """The most precise line that an executor can compute.

    Args:
        stairs: with no value below 0.
        product_bits: bits of the unsigned sum `x · factor + addend`, for every x of the range.
        factor_bits: bits of the factor.
    """
    value_bits = stairs.top.bit_length()
    # factor ≈ multiplier · 2^(shift − exponent) < 2^factor_bits, with a bit to spare for rounding.
    precise = stairs.exponent + factor_bits - 1 - (stairs.multiplier + 1).bit_length() + 1
    return fit(stairs, min(product_bits - value_bits, precise, stairs.exponent))


def shortest(stairs: Staircase, greatest_shift: int) -> Line | None:
    """The line of the least shift up to a limit, which also has the shortest factor."""
    for shift in range(greatest_shift + 1):
        found = fit(stairs, shift)
        if found is not None:
            return found
    return None


def _fit(stairs: Staircase, shift: int, lower: int) -> Line | None:
    """Cut the range of factors by the constraints that each failing factor breaks."""
    steps, base, top = stairs.steps, stairs.base, stairs.top
    targets = [value << shift for value in range(base, top + 2)]
    split = steps[lower] - 1 if lower else stairs.first
    # Each part: its steps with the values they reach, the level before the first of them and the
    # range of x. Parts share the factor, but not the addend.
    parts = [_Part(steps[lower:], targets[lower:], split, stairs.last)]
    if lower:
        parts.append(_Part(steps[:lower], targets[: lower + 2], stairs.first, split - 1))
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
            found = part.addends(factor)
            if found.least > found.greatest:
                bound = found.bound()
                if bound is None:
                    return None
                if bound > factor:
                    least = bound
                else:
                    greatest = bound
                factor = bound
                break
            addends.append((found.least + found.greatest) >> 1)
        else:
            step = addends[0] - addends[1] if lower else 0
            return Line(factor, addends[-1], shift, split if lower else 0, step)
    return None


@dataclass(frozen=True, slots=True)
class _Addends:
    """The addends that a factor allows, and the two constraints that limit them."""

    least: int
    greatest: int
    least_target: int
    least_x: int
    greatest_target: int
    greatest_x: int

    def bound(self) -> int | None:
        """The factor nearest to the failing one at which the two constraints meet.

        They are `addend ≥ p − q · factor` and `addend ≤ p' − 1 − q' · factor`, which leaves
        `(q' − q) · factor ≤ p' − p − 1`; None where no factor does.
        """
        room = self.greatest_target - self.least_target - 1
        slope = self.greatest_x - self.least_x
        if slope == 0:
            return None
        return room // slope if slope > 0 else -(room // -slope)


@dataclass(frozen=True, slots=True)
class _Part:
    """Steps on one line."""

    steps: Sequence[int]
    targets: Sequence[int]
    """The scaled value at `first`, then of each step, then one more that is not reached."""
    first: int
    last: int

    def addends(self, factor: int) -> _Addends:
        """The constraints of a factor, over all steps and both ends."""
        gaps = list(map(sub, self.targets[1:], map(mul, self.steps, repeat(factor))))
        least = self.targets[0] - self.first * factor
        least_target, least_x = self.targets[0], self.first
        end = len(self.steps)
        greatest = self.targets[end + 1] - 1 - self.last * factor
        greatest_target, greatest_x = self.targets[end + 1], self.last
        if gaps:
            tightest = max(gaps)
            if tightest > least:
                index = gaps.index(tightest)
                least = tightest
                least_target, least_x = self.targets[index + 1], self.steps[index]
            loosest = min(gaps)
            if loosest + factor - 1 < greatest:
                index = gaps.index(loosest)
                greatest = loosest + factor - 1
                greatest_target, greatest_x = self.targets[index + 1], self.steps[index] - 1
        return _Addends(least, greatest, least_target, least_x, greatest_target, greatest_x)
