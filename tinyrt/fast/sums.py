"""Sums of products of planes and weights: the inner loops of all convolutions.

A *job* is one output channel. All jobs of a block meet the same planes; how they are added up is
chosen by what it costs, in digits of the integers:

* `Products`: one multiplication and one addition for each weight that is not zero.
* `PartProducts`: the same in several sums, where no lane can hold the whole.
* `Lookups`: the method of the four Russians. For every eight planes, the sums of all subsets are
  made first, an addition each. Then bit b of eight weights picks one of them, and the sums for
  bits 7 to 0, doubled in turn, make a channel: no multiplication, one addition for each weight.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import itemgetter, mul

from tinyrt import lanes
from tinyrt.fast.costs import ADD, CALL, FETCH, MULTIPLY
from tinyrt.fast.requantize import Convert, ConvertParts

Select = Callable[[Sequence[int]], Sequence[int]]

GROUPS = range(3, 9)
"""Numbers of planes whose subset sums may be made: a bit of their weights is a byte at most."""

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
    bits: tuple[tuple[Select, ...], ...]
    """For each chunk of the planes and each bit of the weights, highest first, which subset sums.

    The highest bit counts −128.
    """
    bias: int
    convert: Convert

    def added(self, chunk: int, sums: Sequence[int]) -> int:
        """The sum over one chunk, from all its subset sums."""
        sign, *rest = self.bits[chunk]
        total = -sum(sign(sums))
        for select in rest:
            total = sum(select(sums), total << 1)
        return total


Job = Products | PartProducts


@dataclass(frozen=True, slots=True)
class LookupTable:
    """Jobs by lookups, all in the same planes.

    The subset sums of one chunk of the planes at a time are kept, so that they stay in the
    processor's cache while all jobs look them up.
    """

    jobs: tuple[Lookups, ...]
    chunks: tuple[slice, ...]
    """Of the planes."""
    group: int
    """Planes whose subset sums are made."""

    def run(self, planes: Sequence[int]) -> list[int]:
        """The output plane of each job."""
        totals = [job.bias for job in self.jobs]
        for number, chunk in enumerate(self.chunks):
            sums = subset_sums(planes[chunk], self.group)
            totals = [
                total + job.added(number, sums)
                for total, job in zip(totals, self.jobs, strict=True)
            ]
        return [job.convert(total) for total, job in zip(totals, self.jobs, strict=True)]


def subset_sums(planes: Sequence[int], group: int) -> list[int]:
    """The sums of all subsets of every `group` successive planes.

    The subset that a bit mask names is at the mask, behind those of earlier groups.
    """
    found: list[int] = []
    for start in range(0, len(planes), group):
        sums = [0]
        for plane in planes[start : start + group]:
            sums += [added + plane for added in sums]
        found += sums
    return found


def lookup_table(jobs: Sequence[Products], planes: int, digits: float, group: int) -> LookupTable:
    """The same jobs by lookups.

    Args:
        jobs: by products.
        planes: that they meet.
        digits: of a plane.
        group: planes whose subset sums are made; at most 8.
    """
    group_bytes = (4 * digits + 28) * (1 << group)
    size = group * max(1, int(CACHE_BYTES // group_bytes))
    chunks = [range(start, min(start + size, planes)) for start in range(0, planes, size)]
    # Integers that are named often are one object: less memory to go through.
    places = range(min(size, planes + group) // group + 1 << group)
    numbers = list(places)
    found = []
    for job in jobs:
        weights = bytearray(planes)
        met = range(planes) if job.select is None else job.select(range(planes))
        for place, factor in zip(met, job.factors, strict=True):
            weights[place] = factor & 0xFF
        selectors = [
            _selectors(bytes(weights[chunk.start : chunk.stop]), group, numbers) for chunk in chunks
        ]
        found.append(Lookups(job.channel, tuple(selectors), job.bias, job.convert))
    slices = [slice(chunk.start, chunk.stop) for chunk in chunks]
    return LookupTable(tuple(found), tuple(slices), group)


def _selectors(weights: bytes, group: int, numbers: Sequence[int]) -> tuple[Select, ...]:
    """For each bit, highest first, the places of its subset sums."""
    groups = [weights[start : start + group] for start in range(0, len(weights), group)]
    masks = lanes.bit_planes(b"".join([members.ljust(8, b"\0") for members in groups]))
    starts = range(0, len(groups) << group, 1 << group)
    return tuple(
        [
            selector([numbers[start + mask] for start, mask in zip(starts, row, strict=True)])
            for row in masks
        ]
    )


def selector(which: Sequence[int]) -> Select:
    """A function that picks the elements at these places."""
    if len(which) > 1:
        return itemgetter(*which)
    places = tuple(which)
    return lambda planes: [planes[place] for place in places]


def lookup_group(planes: int, jobs: int, weights: int, digits: float) -> int | None:
    """The size of groups at which lookups are fastest; None where products are.

    Args:
        planes: that the jobs meet.
        jobs: output channels.
        weights: that are not zero, of all jobs.
        digits: of a plane.
    """
    cost, group = _lookups_cost(planes, jobs, digits)
    return group if cost < _products_cost(weights, digits) else None


def sums_cost(planes: int, jobs: int, weights: int, digits: float) -> float:
    """Nanoseconds of the faster way; see `lookup_group`."""
    return min(_lookups_cost(planes, jobs, digits)[0], _products_cost(weights, digits))


def _products_cost(weights: int, digits: float) -> float:
    return weights * (2 * CALL + (MULTIPLY + ADD) * digits)


def _lookups_cost(planes: int, jobs: int, digits: float) -> tuple[float, int]:
    """Nanoseconds, and the size of groups."""
    plus, double = CALL + ADD * digits, 2 * CALL + MULTIPLY * digits

    def cost(group: int) -> float:
        groups = -(-planes // group)
        tables = groups * ((1 << group) - group - 1) * (plus + FETCH * digits)
        # Eight sums of one lookup a group each, and seven doublings.
        return tables + jobs * (8 * groups * plus + 7 * double)

    return min((cost(group), group) for group in GROUPS)
