"""Better orders for first-fit, where items are made of many pieces.

Pieces that come and go leave holes in time and bytes that other items can use; which, depends on
the order in which the items are placed. Starting from the best order known, one item at a time is
moved to another place in the order: one that reaches the top, or one that it rests on, or any.
What comes out no higher is kept.
"""

from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter
from random import Random

from tinyrt.plan.tables import Tables

_Interval = tuple[int, int]


def shuffled(
    tables: Tables,
    orders: Sequence[Sequence[int]],
    enough: int,
    rounds: int,
) -> tuple[int, ...]:
    """The offsets of the lowest packing found, in units, by item; always the same one.

    Args:
        tables: of the items.
        orders: to begin with; at least one.
        enough: a height below which nothing need be sought.
        rounds: orders to be tried.
    """
    return _Shuffle(tables).best(orders, enough, rounds)


class _Shuffle:
    """First-fit on tables of where each pair of items may not lie."""

    def __init__(self, tables: Tables) -> None:
        self._heights = tables.heights
        self._busy = [
            [
                (other, merged)
                for other, group in groupby(found, key=itemgetter(0))
                if (merged := _merged([(low, high) for _, low, high in group]))
            ]
            for found in tables.intervals
        ]
        """For each item, the offsets that others forbid, counted from their own."""

    def best(self, orders: Sequence[Sequence[int]], enough: int, rounds: int) -> tuple[int, ...]:
        """See `shuffled`."""
        random = Random(0)
        highest = sum(self._heights)
        packings = [(self._place(order, highest), order) for order in orders]
        height, offsets, order = min(
            ((self._height(offsets), offsets, list(order)) for offsets, order in packings),
            key=lambda packing: packing[0],
        )
        lowest, best = height, offsets
        for _ in range(rounds):
            if lowest <= enough:
                break
            trial = self._moved(random, order, offsets, height)
            placed = self._place(trial, height)
            if placed:
                order, offsets, height = trial, placed, self._height(placed)
                if height < lowest:
                    lowest, best = height, offsets
        return tuple(best)

    def _height(self, offsets: Sequence[int]) -> int:
        return max(map(int.__add__, offsets, self._heights))

    def _place(self, order: Sequence[int], limit: int) -> list[int]:
        """First-fit; nothing where an item ends above the limit."""
        offsets = [-1] * len(order)
        for item in order:
            busy = [
                (low + offset, high + offset)
                for other, intervals in self._busy[item]
                if (offset := offsets[other]) >= 0
                for low, high in intervals
                if high + offset > 0
            ]
            busy.sort()
            lowest = 0
            for low, high in busy:
                if low < lowest < high:
                    lowest = high
            if lowest + self._heights[item] > limit:
                return []
            offsets[item] = lowest
        return offsets

    def _moved(
        self, random: Random, order: list[int], offsets: Sequence[int], height: int
    ) -> list[int]:
        """The order with one item elsewhere."""
        trial = order.copy()
        if random.random() < 0.5:
            item = random.choice(order)
            trial.remove(item)
            trial.insert(random.randrange(len(order)), item)
            return trial
        tops = [item for item in order if offsets[item] + self._heights[item] == height]
        item = random.choice(tops)
        rank = {item: place for place, item in enumerate(order)}
        while random.random() < 0.6:
            below = [
                other
                for other, intervals in self._busy[item]
                if rank[other] < rank[item]
                and any(high + offsets[other] == offsets[item] for _, high in intervals)
            ]
            if not below:
                break
            item = random.choice(below)
        trial.remove(item)
        reach = rank[item] + 1 if random.random() < 0.7 else len(order)
        trial.insert(random.randrange(reach), item)
        return trial


def _merged(intervals: list[_Interval]) -> list[_Interval]:
    """Open intervals with those joined that overlap; a point between two remains free."""
    joined: list[_Interval] = []
    for low, high in sorted(intervals):
        if low >= high:
            continue
        if joined and low < joined[-1][1]:
            joined[-1] = joined[-1][0], max(high, joined[-1][1])
        else:
            joined.append((low, high))
    return joined
