"""First-fit: items one after the other, each at the lowest offset where it meets no other."""

from collections.abc import Iterator, Sequence

from tinyrt.plan.bounds import Section
from tinyrt.plan.problem import Item
from tinyrt.plan.tables import Intervals


def first_fit(intervals: Intervals, order: Sequence[int]) -> tuple[int, ...]:
    """Place the items in the order given; their offsets, in units, by item."""
    offsets: dict[int, int] = {}
    for number in order:
        busy = sorted(
            (offsets[other] + low, offsets[other] + high)
            for other, low, high in intervals[number]
            if other in offsets
        )
        lowest = 0
        for begin, end in busy:
            if begin < lowest < end:
                lowest = end
        offsets[number] = lowest
    return tuple(offsets[number] for number in range(len(order)))


def height_of(items: Sequence[Item], offsets: Sequence[int]) -> int:
    """Units from the bottom to the highest top."""
    tops = (offset + item.height for item, offset in zip(items, offsets, strict=True))
    return max(tops, default=0)


def orders(items: Sequence[Item], sections: Sequence[Section]) -> Iterator[tuple[int, ...]]:
    """The orders worth trying, the likeliest to be good first; no two the same."""
    crowd, stay = [0] * len(items), [0] * len(items)
    for section in sections:
        total = sum(piece.size for piece in section.pieces)
        for owner in set(section.owners):
            crowd[owner] = max(crowd[owner], total)
            stay[owner] += 1
    span = [item.upper - item.lower for item in items]
    tall = [item.height for item in items]
    keys: tuple[list[tuple[int, ...]], ...] = (
        [(-crowd[n], -span[n]) for n in range(len(items))],
        [(-stay[n], -tall[n]) for n in range(len(items))],
        [(-span[n], -item.area) for n, item in enumerate(items)],
        [(-tall[n], -item.area) for n, item in enumerate(items)],
        [(-item.upper, -tall[n]) for n, item in enumerate(items)],
        [(-item.area, item.lower) for item in items],
        [(-crowd[n], -tall[n]) for n in range(len(items))],
        [(item.lower, -tall[n]) for n, item in enumerate(items)],
    )
    seen: set[tuple[int, ...]] = set()
    for key in keys:
        order = tuple(sorted(range(len(items)), key=key.__getitem__))
        if order not in seen:
            seen.add(order)
            yield order
