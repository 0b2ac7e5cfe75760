"""What the search asks about items again and again, worked out once."""

from collections.abc import Sequence
from dataclasses import dataclass

from tinyrt.plan.bounds import Section, knot_height
from tinyrt.plan.problem import Gaps, Item, Piece

Links = tuple[tuple[tuple[int, int], ...], ...]
"""For each item, its neighbours in time, each with a gap in units."""


class SectionState:
    """A section as the search sees it: the items not yet placed, and the room they leave."""

    __slots__ = ("_gaps", "_knotted", "_memo", "limit", "loose", "open", "rises", "weights")

    def __init__(self, section: Section, rank: dict[int, int], gaps: Gaps, capacity: int) -> None:
        knotted = {piece.buffer for knot in section.knots for piece in knot}
        self._gaps = gaps
        self._knotted: dict[int, tuple[int, Piece]] = {}
        self._memo: dict[tuple[int, ...], int] = {}
        self.weights: dict[int, int] = {}
        """Units that each item takes here by itself; pieces in a knot are counted apart."""
        self.rises: dict[int, int] = {}
        """How far above its item's offset the lowest piece is, where that is not 0."""
        for piece, owner in zip(section.pieces, section.owners, strict=True):
            item = rank[owner]
            size = piece.size
            if piece.buffer in knotted:
                self._knotted[piece.buffer] = item, piece
                size = 0
            self.rises[item] = min(piece.rise, self.rises.get(item, piece.rise))
            self.weights[item] = self.weights.get(item, 0) + size
        self.rises = {item: rise for item, rise in self.rises.items() if rise}
        self.loose = any(
            gap < 0 and below in knotted and above in knotted
            for (below, above), gap in gaps.special.items()
        )
        """Whether an item may begin below one that it lies above: the lowest of the open items
        need not begin at the lowest offset."""
        self.open = list(self.weights)
        self.limit = capacity - sum(self.weights.values()) - self._knots_need()
        """The offset above which the open items cannot all begin."""

    def remove(self, item: int) -> None:
        """The item is placed."""
        before = self._knots_need() if self._knotted else 0
        self.open.remove(item)
        after = self._knots_need() if self._knotted else 0
        self.limit += self.weights[item] + before - after

    def insert(self, item: int) -> None:
        """The item is open again."""
        before = self._knots_need() if self._knotted else 0
        self.open.append(item)
        after = self._knots_need() if self._knotted else 0
        self.limit -= self.weights[item] + after - before

    def _knots_need(self) -> int:
        left = tuple(b for b, (item, _) in self._knotted.items() if item in self.open)
        if left not in self._memo:
            pieces = tuple(self._knotted[buffer][1] for buffer in left)
            self._memo[left] = knot_height(pieces, self._gaps)
        return self._memo[left]


@dataclass(frozen=True, slots=True)
class Tables:
    """Items by rank, with their relations."""

    heights: tuple[int, ...]
    above: Links
    """Neighbours with the gap that they need where they lie above the item."""
    below: Links
    """Neighbours with the gap that the item needs where they lie below it."""
    twins: tuple[tuple[int, ...], ...]
    """Items of a later rank with the same lifetime, where no bytes are shared."""


def tables_of(items: Sequence[Item], gaps: Gaps) -> Tables:
    """The relations of all pairs."""
    count = len(items)
    above: list[list[tuple[int, int]]] = [[] for _ in range(count)]
    below: list[list[tuple[int, int]]] = [[] for _ in range(count)]
    twins: list[list[int]] = [[] for _ in range(count)]
    sharing = {buffer for pair in gaps.special for buffer in pair}
    plain = [len(item.pieces) == 1 and item.pieces[0].buffer not in sharing for item in items]
    for low, lower in enumerate(items):
        for high, upper in enumerate(items):
            if low == high:
                continue
            gap = _gap(lower, upper, gaps)
            if gap is None:
                continue
            above[low].append((high, gap))
            below[high].append((low, gap))
            if (
                low < high
                and plain[low]
                and plain[high]
                and (lower.lower, lower.upper) == (upper.lower, upper.upper)
            ):
                twins[low].append(high)
    return Tables(
        heights=tuple(item.height for item in items),
        above=tuple(tuple(links) for links in above),
        below=tuple(tuple(links) for links in below),
        twins=tuple(tuple(ranks) for ranks in twins),
    )


def _gap(lower: Item, upper: Item, gaps: Gaps) -> int | None:
    """How far above one item another must begin so that all its pieces are above; None: free."""
    distances = [
        piece.rise + gaps.between(piece, other) - other.rise
        for piece in lower.pieces
        for other in upper.pieces
        if piece.lower < other.upper and other.lower < piece.upper
    ]
    return max(distances, default=None)
