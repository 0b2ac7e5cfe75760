"""Sums of products of planes and weights: the inner loops of all convolutions.

A *job* is one output channel. All jobs of a block meet the same planes; how they are added up is
chosen by what it costs, in digits of the integers:

* `Products`: one multiplication and one addition for each weight that is not zero.
* `PartProducts`: the same in several sums, where no lane can hold the whole.
* `Lookups`: the method of the four Russians. For every few planes, the sums of all subsets are
  made first, an addition each. Then bit b of as many weights picks one of them, and the sums for
  bits 7 to 0, doubled in turn, make a channel: about one addition for each weight. Most weights
  are small: where it pays, fewer bits are looked up, and the few larger weights are multiplied.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from operator import itemgetter, mul

from tinyrt import lanes
from tinyrt.fast.costs import ADD, CALL, FETCH, MULTIPLY
from tinyrt.fast.requantize import ConvertParts
from tinyrt.fast.straight import Convert

Select = Callable[[Sequence[int]], Sequence[int]]

LARGEST_GROUP = 8
"""Most planes whose subset sums are made: a bit of their weights is a byte."""

CACHE_BYTES = 800 << 10
"""What the subset sums of a chunk may take: most of a core's second-level cache."""


@dataclass(frozen=True, slots=True)
class Products:
    """A sum in one vector."""

    channel: int
    select: Select | None
    """Which of the planes have a factor; None for all of them."""
    factors: tuple[int, ...]
    bias: int
    convert: Convert

    def total(self, planes: Sequence[int]) -> int:
        """The biased accumulators."""
        met = planes if self.select is None else self.select(planes)
        total: int = sum(map(mul, self.factors, met), self.bias)
        return total


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
    bits: tuple[tuple[Select, ...], ...]
    """For each chunk of the planes and each bit of the weights, highest first, which subset sums.

    The weights count from the least that these bits can say.
    """
    beyond: tuple[Select, tuple[int, ...]] | None
    """Planes whose weight takes more bits, and what is missing."""
    bias: int
    convert: Convert

    def added(self, chunk: int, sums: Sequence[int]) -> int:
        """The sum over one chunk, from all its subset sums."""
        total = 0
        for select in self.bits[chunk]:
            total = sum(select(sums), total << 1)
        return total

    def finished(self, total: int, planes: Sequence[int], least: int) -> int:
        """The biased accumulators.

        Args:
            total: of all chunks.
            planes: all of them.
            least: what to subtract, for the weights count from the least one.
        """
        if self.beyond is not None:
            select, factors = self.beyond
            total = sum(map(mul, factors, select(planes)), total)
        return total + self.bias - least


Job = Products | PartProducts


@dataclass(frozen=True, slots=True)
class LookupTable:
    """Jobs by lookups, all in the same planes.

    The subset sums of one chunk of the planes at a time are kept, so that they stay in the
    processor's cache while all jobs look them up.
    """

    jobs: tuple[Lookups, ...]
    chunks: tuple[Sequence[int], ...]
    """Groups of successive planes whose subset sums are made, by how many planes they have."""
    bits: int
    """Of a weight."""

    def totals(self, planes: Sequence[int]) -> list[int]:
        """The biased accumulators of each job."""
        # All that is added up here is positive, for CPython adds faster than it subtracts.
        totals = [0] * len(self.jobs)
        start = 0
        for number, groups in enumerate(self.chunks):
            end = start + sum(groups)
            sums = subset_sums(planes[start:end], groups)
            start = end
            totals = [
                total + job.added(number, sums)
                for total, job in zip(totals, self.jobs, strict=True)
            ]
        least = sum(planes) << self.bits - 1
        return [
            job.finished(total, planes, least) for total, job in zip(totals, self.jobs, strict=True)
        ]


def subset_sums(planes: Sequence[int], groups: Sequence[int]) -> list[int]:
    """The sums of all subsets of each group of successive planes.

    The subset that a bit mask names is at the mask, behind those of earlier groups.
    """
    found: list[int] = []
    start = 0
    for size in groups:
        sums = [0]
        for plane in planes[start : start + size]:
            sums += [plane, *[added + plane for added in sums[1:]]]
        found += sums
        start += size
    return found


@dataclass(frozen=True, slots=True)
class LookupPlan:
    """How weights are looked up."""

    groups: tuple[int, ...]
    """Numbers of planes whose subset sums are made."""
    bits: int
    """Of a weight; those which take more are multiplied."""
    nanoseconds: float


def balanced(planes: int, groups: int) -> tuple[int, ...]:
    """So many planes in as many groups, of sizes as equal as can be."""
    return tuple([(planes * (n + 1)) // groups - planes * n // groups for n in range(groups)])


def lookup_plan(rows: Sequence[Sequence[int]], digits: float) -> LookupPlan:
    """The fastest way to look up.

    Args:
        rows: the weights of each output channel.
        digits: of a plane.
    """
    plus, times = CALL + ADD * digits, CALL + MULTIPLY * digits
    planes, channels = len(rows[0]), len(rows)
    magnitudes = sorted([weight if weight >= 0 else ~weight for row in rows for weight in row])
    ways = [balanced(planes, n) for n in range(-(-planes // LARGEST_GROUP), -(-planes // 3) + 1)]

    def plan(groups: tuple[int, ...], bits: int, beyond: int) -> LookupPlan:
        made = sum([(1 << size) - size - 1 for size in groups])
        tables = made * (plus + FETCH * digits)
        # One more for the doubling of what higher bits have added up to.
        sums = channels * bits * (len(groups) + 1) * plus
        return LookupPlan(groups, bits, tables + sums + beyond * (plus + times))

    plans = []
    for bits in range(2, 9):
        beyond = len(magnitudes) - bisect_left(magnitudes, 1 << bits - 1)
        plans += [plan(groups, bits, beyond) for groups in ways]
    return min(plans, key=lambda found: found.nanoseconds)


def lookup_table(
    jobs: Sequence[Products], planes: int, digits: float, plan: LookupPlan
) -> LookupTable:
    """The same jobs by lookups.

    Args:
        jobs: by products.
        planes: that they meet.
        digits: of a plane.
        plan: how.
    """
    limit = 1 << plan.bits - 1
    chunks = _chunks(plan.groups, 4 * digits + 28)
    # Integers that are named often are one object: less memory to go through.
    numbers = list(range(max(sum(1 << size for size in groups) for groups in chunks)))
    found = []
    for job, row in zip(jobs, weights_of(jobs, planes), strict=True):
        clipped = [min(max(weight, -limit), limit - 1) for weight in row]
        beyond = [place for place in range(planes) if row[place] != clipped[place]]
        counted = bytes([weight + limit for weight in clipped])
        selectors = []
        start = 0
        for groups in chunks:
            end = start + sum(groups)
            selectors.append(_selectors(counted[start:end], groups, plan.bits, numbers))
            start = end
        missing = tuple(row[place] - clipped[place] for place in beyond)
        rest = (selector(beyond), missing) if beyond else None
        found.append(Lookups(job.channel, tuple(selectors), rest, job.bias, job.convert))
    return LookupTable(tuple(found), tuple(chunks), plan.bits)


def _chunks(groups: Sequence[int], sum_bytes: float) -> list[list[int]]:
    """Successive groups whose subset sums fit the cache together, if they take so many bytes."""
    chunks: list[list[int]] = [[]]
    room = CACHE_BYTES
    for size in groups:
        needed = int(sum_bytes) << size
        if chunks[-1] and needed > room:
            chunks.append([])
            room = CACHE_BYTES
        chunks[-1].append(size)
        room -= needed
    return chunks


def weights_of(jobs: Sequence[Products], planes: int) -> list[list[int]]:
    """The weight with which each job meets each of so many planes."""
    rows = []
    for job in jobs:
        row = [0] * planes
        met = range(planes) if job.select is None else job.select(range(planes))
        for place, factor in zip(met, job.factors, strict=True):
            row[place] = factor
        rows.append(row)
    return rows


def _selectors(
    weights: bytes, groups: Sequence[int], bits: int, numbers: Sequence[int]
) -> tuple[Select, ...]:
    """For each bit, highest first, the places of its subset sums."""
    ends = list(accumulate(groups))
    members = [weights[end - size : end] for end, size in zip(ends, groups, strict=True)]
    masks = lanes.bit_planes(b"".join([group.ljust(8, b"\0") for group in members]))
    starts = [0, *accumulate([1 << size for size in groups])][:-1]
    return tuple(
        [
            selector(
                [numbers[start + mask] for start, mask in zip(starts, row, strict=True) if mask]
            )
            for row in masks[8 - bits :]
        ]
    )


def selector(which: Sequence[int]) -> Select:
    """A function that picks the elements at these places."""
    if len(which) > 1:
        return itemgetter(*which)
    places = tuple(which)
    return lambda planes: [planes[place] for place in places]


def products_cost(rows: Sequence[Sequence[int]], digits: float) -> float:
    """Nanoseconds of one product for each weight that is not zero."""
    weights = sum(len(row) - row.count(0) for row in rows)
    return weights * (2 * CALL + (MULTIPLY + ADD) * digits)


def sums_cost(rows: Sequence[Sequence[int]], digits: float) -> float:
    """Nanoseconds of the faster way; see `lookup_plan`."""
    return min(lookup_plan(rows, digits).nanoseconds, products_cost(rows, digits))
