"""What first-fit and the search ask about items again and again, worked out once a problem."""

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tinyrt.plan.bounds import Section
from tinyrt.plan.problem import Gaps, Item, Piece

Links = tuple[tuple[tuple[int, int], ...], ...]
"""For each item, its neighbours in time, each with a gap in units."""
Intervals = tuple[tuple[tuple[int, int, int], ...], ...]
"""For each item, neighbours with open intervals in which it may not begin, from their offsets."""
Pick = Callable[[Sequence[int]], tuple[int, ...]]
"""Takes the entries of some items out of a list that has one for every item."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A section as the search sees it."""

    members: tuple[int, ...]
    """The items that live in it."""
    pick: Pick
    rises: dict[int, int]
    """How far above its item's offset the lowest piece is, where that is not 0."""
    loose: bool
    """Whether an item may begin below one that it lies above: the lowest of the open items need
    not begin at the lowest offset."""
    knots: tuple[tuple[tuple[int, Piece], ...], ...]
    """Pieces that may share bytes here, each with its item."""
    need: int
    """Units that it needs in all."""

    def levels(self, offsets: Sequence[int]) -> tuple[int, ...]:
        """Where the members begin here, given the offsets of all items."""
        levels = self.pick(offsets)
        if self.rises:
            return tuple(
                level + self.rises.get(item, 0)
                for item, level in zip(self.members, levels, strict=True)
            )
        return levels


@dataclass(frozen=True, slots=True)
class Tables:
    """Items, their sections and their relations."""

    gaps: Gaps
    heights: tuple[int, ...]
    intervals: Intervals
    above: Links
    """Neighbours with the gap that they need where they lie above the item."""
    below: Links
    """Neighbours with the gap that the item needs where they lie below it."""
    beside: tuple[Pick | None, ...]
    """Picks the neighbours of an item that, wherever it lies above one, begins at its top or
    higher; None for other items."""
    twins: tuple[tuple[int, ...], ...]
    """Items with the same lifetime, where no bytes are shared."""
    stretches: tuple[Stretch, ...]
    """In the order of time."""
    held: tuple[tuple[tuple[int, int], ...], ...]
    """The sections of each item, each with the units that it takes there by itself; pieces in a
    knot are counted apart."""


def tables_of(items: Sequence[Item], gaps: Gaps, sections: Sequence[Section]) -> Tables:
    """Work out the relations of all items."""
    heights = tuple(item.height for item in items)
    intervals = intervals_of(items, gaps)
    above: list[dict[int, int]] = [{} for _ in items]
    below: list[dict[int, int]] = [{} for _ in items]
    for number, found in enumerate(intervals):
        for other, low, high in found:
            above[number][other] = max(-low, above[number].get(other, -low))
            below[number][other] = max(high, below[number].get(other, high))
    held: list[list[tuple[int, int]]] = [[] for _ in items]
    for place, section in enumerate(sections):
        for item, weight in _weights(section).items():
            held[item].append((place, weight))
    return Tables(
        gaps=gaps,
        heights=heights,
        intervals=intervals,
        above=tuple(tuple(links.items()) for links in above),
        below=tuple(tuple(links.items()) for links in below),
        beside=tuple(
            _pick(tuple(links))
            if links and all(gap == heights[other] for other, gap in links.items())
            else None
            for links in below
        ),
        twins=_twins(items, gaps),
        stretches=tuple(_stretch(section, gaps) for section in sections),
        held=tuple(tuple(places) for places in held),
    )


def _pick(members: tuple[int, ...]) -> Pick:
    if len(members) == 1:
        only = members[0]
        return lambda entries: (entries[only],)
    pick: Pick = operator.itemgetter(*members)
    return pick


def intervals_of(items: Sequence[Item], gaps: Gaps) -> Intervals:
    """Where no item may begin, from where its neighbours do."""
    found: list[list[tuple[int, int, int]]] = [[] for _ in items]
    pieces = sorted(
        ((piece, number) for number, item in enumerate(items) for piece in item.pieces),
        key=lambda pair: pair[0].lower,
    )
    live: list[tuple[Piece, int]] = []
    for piece, number in pieces:
        live = [pair for pair in live if pair[0].upper > piece.lower]
        if piece.lower == piece.upper:
            continue
        for other, owner in live:
            if owner == number:
                continue
            climb = other.rise - piece.rise
            low, high = climb - gaps.between(piece, other), climb + gaps.between(other, piece)
            free = gaps.coincidence(other, piece)
            for begin, end in ((low, high),) if free is None else ((low, free), (free, high)):
                found[number].append((owner, begin, end))
                found[owner].append((number, -end, -begin))
        live.append((piece, number))
    return tuple(tuple(sorted(links)) for links in found)


def _twins(items: Sequence[Item], gaps: Gaps) -> tuple[tuple[int, ...], ...]:
    sharing = {buffer for pair in gaps.special for buffer in pair}
    alike: dict[tuple[int, int], list[int]] = {}
    for number, item in enumerate(items):
        if len(item.pieces) == 1 and item.pieces[0].buffer not in sharing:
            alike.setdefault((item.lower, item.upper), []).append(number)
    twins: list[tuple[int, ...]] = [()] * len(items)
    for group in alike.values():
        for number in group:
            twins[number] = tuple(other for other in group if other != number)
    return tuple(twins)


def _weights(section: Section) -> dict[int, int]:
    """Units that each item takes in a section, pieces in knots apart."""
    knotted = {piece.buffer for knot in section.knots for piece in knot}
    weights: dict[int, int] = {}
    for piece, owner in zip(section.pieces, section.owners, strict=True):
        size = 0 if piece.buffer in knotted else piece.size
        weights[owner] = weights.get(owner, 0) + size
    return weights


def _stretch(section: Section, gaps: Gaps) -> Stretch:
    owner_of = {p.buffer: o for p, o in zip(section.pieces, section.owners, strict=True)}
    knotted = {piece.buffer for knot in section.knots for piece in knot}
    rises: dict[int, int] = {}
    for piece, owner in zip(section.pieces, section.owners, strict=True):
        rises[owner] = min(piece.rise, rises.get(owner, piece.rise))
    return Stretch(
        pick=_pick(tuple(rises)),
        members=tuple(rises),
        rises={item: rise for item, rise in rises.items() if rise},
        loose=any(
            gap < 0 and below in knotted and above in knotted
            for (below, above), gap in gaps.special.items()
        ),
        knots=tuple(
            tuple((owner_of[piece.buffer], piece) for piece in knot) for knot in section.knots
        ),
        need=section.least_height(gaps),
    )
