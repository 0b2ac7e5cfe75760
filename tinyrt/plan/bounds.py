"""How small an arena can be at all: the least height of what lives together, time by time.

Between two events (a buffer begins or ends) nothing changes, and a stretch whose buffers all live
in another one says nothing new: what remains are the *sections*. In a section, buffers that may
share bytes form a *knot*; knots are disjoint from each other, so their least heights add up.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tinyrt.plan.problem import Gaps, Item, Piece

KNOT_LIMIT = 8
"""Greatest knot whose least height is computed exactly; beyond, a weaker bound is used."""


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
    owned = [(piece, number) for number, item in enumerate(items) for piece in item.pieces]
    begins = {piece.lower for piece, _ in owned}
    ends = {piece.upper for piece, _ in owned}
    times: list[int] = []
    latest_begin: int | None = None
    for time in sorted(begins | ends):
        if time in ends and latest_begin is not None:
            times.append(latest_begin)
            latest_begin = None
        if time in begins:
            latest_begin = time
    sections = []
    for time in times:
        live = [(p, owner) for p, owner in owned if p.lower <= time < p.upper]
        bare = [(p, o) for p, o in live if not any(o == q and _covers(r, p) for r, q in live)]
        pieces = tuple(piece for piece, _ in bare)
        owners = tuple(owner for _, owner in bare)
        sections.append(Section(time, pieces, owners, _knots(pieces, gaps)))
    return tuple(sections)


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


def _knots(pieces: Sequence[Piece], gaps: Gaps) -> tuple[tuple[Piece, ...], ...]:
    """Connected pieces, linked where a gap is less than the lower one's size."""
    live = {piece.buffer: piece for piece in pieces}
    links: dict[int, set[int]] = {}
    for below, above in gaps.special:
        if below in live and above in live:
            links.setdefault(below, set()).add(above)
            links.setdefault(above, set()).add(below)
    knots: list[tuple[Piece, ...]] = []
    seen: set[int] = set()
    for buffer in sorted(links):
        if buffer in seen:
            continue
        seen.add(buffer)
        knot = [buffer]
        for member in knot:
            fresh = sorted(links[member] - seen)
            seen.update(fresh)
            knot.extend(fresh)
        knots.append(tuple(live[member] for member in knot))
    return tuple(knots)
