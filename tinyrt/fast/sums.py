"""Sums of products of planes and weights: the inner loops of all convolutions.

A *job* is one output channel. All jobs of a block meet the same planes; how they are added up is
chosen by what it costs, in digits of the integers:

* `Products`: one multiplication and one addition for each weight that is not zero.
* `PartProducts`: the same in several sums, where no lane can hold the whole.
* `Lookups`: *four Russians*. For every group of planes, all sums of subsets of it are made first,
  an addition each. Then bit b of the weights picks one subset sum for each group, and eight sums,
  doubled in turn, make a channel: no multiplication, and 8/group additions for each weight.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import itemgetter, mul

from tinyrt.fast.requantize import Convert, ConvertParts

Select = Callable[[Sequence[int]], Sequence[int]]

DIGIT_BITS = 30
"""Of Python's integers, on which all costs depend."""

# Nanoseconds on one 2-core server, CPython 3.11; only the proportions matter.
CALL = 22.0
MULTIPLY = 0.65
ADD = 0.55


@dataclass(frozen=True, slots=True)
class Products:
    """A sum in one vector."""

    channel: int
    select: Select | None
    """Which of the planes have a factor; None for all of them."""
    factors: tuple[int, ...]
    bias: int
    convert: Convert

    def run(self, planes: Sequence[int]) -> int:
        """The output plane."""
        met = planes if self.select is None else self.select(planes)
        return self.convert(sum(map(mul, self.factors, met), self.bias))


@dataclass(frozen=True, slots=True)
class PartProducts:
    """A sum in several vectors."""

    channel: int
    parts: tuple[tuple[Select, tuple[int, ...], int], ...]
    """Of each: which planes, their factors, and a bias."""
    convert: ConvertParts

    def run(self, planes: Sequence[int]) -> int:
        """The output plane."""
        return self.convert(
            [sum(map(mul, factors, select(planes)), bias) for select, factors, bias in self.parts]
        )


@dataclass(frozen=True, slots=True)
class Lookups:
    """A sum of subset sums."""

    channel: int
    bits: tuple[Select, ...]
    """For each bit of the weights, highest first, which subset sums; the highest counts −128."""
    bias: int
    convert: Convert

    def run(self, sums: Sequence[int]) -> int:
        """The output plane, from all subset sums."""
        sign, *rest = self.bits
        total = -sum(sign(sums))
        for select in rest:
            total = sum(select(sums), total << 1)
        return self.convert(total + self.bias)


Job = Products | PartProducts | Lookups


@dataclass(frozen=True, slots=True)
class SubsetSums:
    """The sums of all subsets of every `group` successive planes."""

    group: int

    def of(self, planes: Sequence[int]) -> list[int]:
        """All of them; the subset of a group's bit mask is at its mask, behind earlier groups."""
        found: list[int] = []
        for start in range(0, len(planes), self.group):
            sums = [0]
            for plane in planes[start : start + self.group]:
                sums += [added + plane for added in sums]
            found += sums
        return found

    def selectors(self, weights: Sequence[int]) -> tuple[Select, ...]:
        """For each bit of int8 weights, highest first, the places of its subset sums."""
        starts = range(0, len(weights), self.group)
        first = 0
        places: list[list[int]] = [[] for _ in range(8)]
        for start in starts:
            members = weights[start : start + self.group]
            for bit in range(8):
                mask = 0
                for number, weight in enumerate(members):
                    mask |= (weight >> bit & 1) << number
                if mask:
                    places[7 - bit].append(first + mask)
            first += 1 << len(members)
        return tuple(selector(which) for which in places)


def selector(which: Sequence[int]) -> Select:
    """A function that picks the elements at these places."""
    if len(which) > 1:
        return itemgetter(*which)
    places = tuple(which)
    return lambda planes: [planes[place] for place in places]


def best_group(planes: int, jobs: int, weights: int, digits: float) -> int | None:
    """The size of groups at which lookups are fastest; None where products are.

    Args:
        planes: that the jobs meet.
        jobs: output channels.
        weights: that are not zero, of all jobs.
        digits: of a plane.
    """
    add, multiply = CALL + ADD * digits, CALL + MULTIPLY * digits
    best, cost = None, weights * (add + multiply)
    for group in range(3, 10):
        groups = -(-planes // group)
        tables = groups * ((1 << group) - group - 1) * add
        # Eight sums of one lookup a group each, and seven doublings.
        each = 8 * groups * add + 7 * (multiply + CALL)
        if tables + jobs * each < cost:
            best, cost = group, tables + jobs * each
    return best
