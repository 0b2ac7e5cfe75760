"""How small an arena can be at all: the least height of what lives together, time by time.

Between two events (a buffer begins or ends) nothing changes, and a stretch whose buffers all live
in another one says nothing new: what remains are the *sections*. In a section, buffers that may
share bytes form a *knot*; knots are disjoint from each other, so their least heights add up.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise, repeat
from operator import itemgetter

from tinyrt.plan.problem import Gaps, Item, Piece

KNOT_LIMIT = 8
"""Greatest knot whose least height is computed exactly; beyond, a weaker bound is used."""

Links = Mapping[int, set[int]]
"""The buffers that one may share bytes with."""


@dataclass(frozen=True, slots=True)
class Section:
    """A time at which as much as possible lives together."""

    time: int
    pieces: tuple[Piece, ...]
    owners: tuple[int, ...]
    """The item of each piece."""
    knots: tuple[tuple[Piece, ...], ...]
    """Two or more pieces that may share bytes, directly or through others."""

    def least_height(self, gaps: Gaps) -> int:
        """Units that this section needs, whatever the packing."""
        knotted = {piece.buffer for knot in self.knots for piece in knot}
        plain = sum(piece.size for piece in self.pieces if piece.buffer not in knotted)
        return plain + sum(knot_height(knot, gaps) for knot in self.knots)


def sections_of(items: Sequence[Item], gaps: Gaps) -> tuple[Section, ...]:
    """The sections, in the order of time."""
    begins = {piece.lower for item in items for piece in item.pieces}
    ends = {piece.upper for item in items for piece in item.pieces}
    times: list[int] = []
    latest_begin: int | None = None
    for time in sorted(begins | ends):
        if time in ends and latest_begin is not None:
            times.append(latest_begin)
            latest_begin = None
        if time in begins:
            latest_begin = time
    return sections_at(items, gaps, times)


def sections_at(items: Sequence[Item], gaps: Gaps, times: Sequence[int]) -> tuple[Section, ...]:
    """What lives at some times, in their order."""
    live: list[list[tuple[Piece, int]]] = [[] for _ in times]
    for number, item in enumerate(items):
        for piece in item.pieces:
            for place in range(bisect_left(times, piece.lower), bisect_left(times, piece.upper)):
                live[place].append((piece, number))
    return tuple(map(_section, times, live, repeat(gaps), repeat(_links(gaps))))


def _section(time: int, live: Sequence[tuple[Piece, int]], gaps: Gaps, links: Links) -> Section:
    """Without the pieces that lie within others."""
    present = {piece.buffer for piece, _ in live}
    # What is copied may be where the copy is.
    gone = {source for source, target in gaps.copies if source in present and target in present}
    bare: list[tuple[Piece, int]] = []
    for owner, group in groupby(live, key=itemgetter(1)):
        pieces = sorted((p for p, _ in group if p.buffer not in gone), key=_rise)
        if any(upper.rise < lower.rise + lower.size for lower, upper in pairwise(pieces)):
            pieces = [p for p in pieces if not any(_covers(outer, p) for outer in pieces)]
        bare += [(piece, owner) for piece in pieces]
    found = tuple(piece for piece, _ in bare)
    return Section(time, found, tuple(owner for _, owner in bare), _knots(found, links))


def _rise(piece: Piece) -> int:
    return piece.rise


def _covers(outer: Piece, inner: Piece) -> bool:
    """Whether a piece of an item lies within another one of the same item."""
    return (
        outer is not inner
        and outer.rise <= inner.rise
        and inner.rise + inner.size <= outer.rise + outer.size
        and (outer.size, -outer.buffer) > (inner.size, -inner.buffer)
    )


def knot_height(knot: Iterable[Piece], gaps: Gaps) -> int:
    """The least height that pieces can be packed to which all live together.

    Every packing, pushed down, is an order of the pieces from the bottom up; all orders are
    tried. For knots beyond `KNOT_LIMIT`, the greatest size is a bound that always holds.
    """
    pieces = tuple(knot)
    if len(pieces) > KNOT_LIMIT:
        return max(piece.size for piece in pieces)
    best = sum(piece.size for piece in pieces)

    def extend(left: tuple[tuple[Piece, int], ...], top: int) -> None:
        nonlocal best
        if top >= best:
            return
        if not left:
            best = top
            return
        for chosen, offset in left:
            others = tuple(
                (piece, max(floor, offset + gaps.between(chosen, piece)))
                for piece, floor in left
                if piece is not chosen
            )
            extend(others, max(top, offset + chosen.size))

    extend(tuple((piece, 0) for piece in pieces), 0)
    return best


def _links(gaps: Gaps) -> Links:
    """The buffers that may share bytes with each one: a gap is less than the lower one's size."""
    links: dict[int, set[int]] = {}
    for below, above in gaps.special:
        links.setdefault(below, set()).add(above)
        links.setdefault(above, set()).add(below)
    return links


def _knots(pieces: Sequence[Piece], links: Links) -> tuple[tuple[Piece, ...], ...]:
    """Connected pieces."""
    live = {piece.buffer: piece for piece in pieces}
    knots: list[tuple[Piece, ...]] = []
    seen: set[int] = set()
    for buffer in sorted(live.keys() & links.keys()):
        if buffer in seen:
            continue
        seen.add(buffer)
        knot = [buffer]
        for member in knot:
            fresh = sorted(live.keys() & links[member] - seen)
            seen.update(fresh)
            knot.extend(fresh)
        if len(knot) > 1:
            knots.append(tuple(live[member] for member in knot))
    return tuple(knots)
