"""Branch and bound: can the items be packed into so many units, yes or no?

Pushed down, every packing is an order: each item rests on the ground or on items below it. The
search takes one item at a time and asks whether all of its open neighbours lie above it. If so,
its offset is known, and theirs rise; if not, one of them lies below, which bounds it from below as
well. The two cases exclude each other, so no packing is visited twice, whatever item is asked for
next: that is free to follow the section in which room is scarcest.

A section whose open items must all begin above what their sizes leave of the capacity is a
contradiction. Each bound remembers the decisions that it rests on, so a contradiction names those
it needs; decisions it does not name are undone without trying their other case. When the placed
items cut the time axis in two, the parts are solved one by one.

**Source:** the setting is that of MiniMalloc (Moffitt, ASPLOS 2023: canonical packings, bounds by
section, dominance, decomposition); branching is "schedule or postpone" (Le Pape, 1994), the
backward jumps are conflict-directed (Prosser, 1993).
"""

import itertools
import operator
from collections.abc import Generator, Sequence
from dataclasses import dataclass

from tinyrt.plan.bounds import knot_height
from tinyrt.plan.tables import Tables

Conflict = int
"""Decisions as bits: bit n, "item n below its open neighbours"; bit items + n, "not so"."""


@dataclass(frozen=True, slots=True)
class Strategy:
    """Which section is looked at first, and in which order items are tried there."""

    order: tuple[int, ...]
    """The items, the most urgent first; it breaks ties."""
    scarcest_first: bool = True
    """By room left in the section; otherwise by its lowest open offset."""
    lowest_first: bool = True
    """Try the item that may lie lowest; otherwise only the order counts."""


class OutOfNodesError(Exception):
    """The search was cut off before it came to an answer."""

    def __init__(self, blame: Sequence[int]) -> None:
        super().__init__("the search was cut off")
        self.blame = tuple(blame)
        """In how many contradictions each item had a part."""


def search(
    tables: Tables, capacity: int, strategy: Strategy, node_limit: int
) -> tuple[tuple[int, ...] | None, int]:
    """Find offsets with which all items end at or below `capacity`.

    Returns:
        The offsets by item, in units, or None where there are none; and the nodes visited.

    Raises:
        OutOfNodesError: `node_limit` was reached first.
    """
    return _Search(tables, capacity, strategy, node_limit).run()


@dataclass(frozen=True, slots=True)
class _Contradiction:
    """The decisions that cannot all hold."""

    decisions: Conflict


_Undo = list[tuple[int, int, Conflict, bool]]
"""Item, floor, reason and whether it was postponed, as they were before a decision."""


class _Search:
    """The state of one search."""

    def __init__(self, tables: Tables, capacity: int, strategy: Strategy, node_limit: int) -> None:
        self.tables, self.capacity, self.strategy = tables, capacity, strategy
        self.node_limit = node_limit
        self.heights, self.stretches = tables.heights, tables.stretches
        self.count = count = len(tables.heights)
        self.spans = [(held[0][0], held[-1][0] + 1) for held in tables.held]
        self.rank = [0] * count
        for place, item in enumerate(strategy.order):
            self.rank[item] = place
        self.beyond = capacity + max(tables.heights, default=0) + 1
        """Higher than any open item may begin: the floor of placed ones."""
        self.floor = [0] * count
        """The least offset that the placed items below leave to each open item."""
        self.top = list(tables.heights)
        """Where items end that begin at their floor."""
        self.reason: list[Conflict] = [0] * count
        """Why the floor is no lower."""
        self.support: list[Conflict] = [0] * count
        """All decisions below a placed item: why it lies no higher."""
        self.offset = [-1] * count
        self.postponed: dict[int, None] = {}
        self.limit = [capacity - stretch.need for stretch in tables.stretches]
        """For each section, the offset above which its open items cannot all begin."""
        self.open = [len(stretch.members) for stretch in tables.stretches]
        """How many items of each section have no place yet."""
        self.memo: dict[tuple[int, ...], int] = {}
        """Least heights of pieces in knots, by their buffers."""
        self.need = [0] * len(tables.stretches)
        """What the open knots of each section need."""
        for place, stretch in enumerate(tables.stretches):
            if stretch.knots:
                self._untie(place)
                self.limit[place] += self.need[place]
        self.blame = [0] * count
        """In how many contradictions each item had a part."""
        self.least, self.askable = [-1] * count, [-1] * count
        """The offsets with which the sections were looked at last."""
        self.stale = 0
        """The sections, as bits, to be looked at again."""
        self.sections = [sum(1 << place for place, _ in held) for held in tables.held]
        """Those of each item, as bits."""
        self.view = [self.beyond] * len(tables.stretches)
        """How scarce room is in each section or how low; beyond: nothing can be asked there."""
        self.fitting = [0] * len(tables.stretches)
        """How many items may be the lowest of each section; 0 where that was not asked."""
        self.nodes = 0

    def run(self) -> tuple[tuple[int, ...] | None, int]:
        """Walk the tree on a stack of our own, however deep it is."""
        for root in self._parts(list(range(self.count))):
            walk = [self._solve(root)]
            answer: Conflict | None = None
            while walk:
                try:
                    part = walk[-1].send(answer)
                except StopIteration as stop:
                    walk.pop()
                    answer = stop.value
                else:
                    walk.append(self._solve(part))
                    answer = None
            if answer is not None:
                return None, self.nodes
        return tuple(self.offset), self.nodes

    def _solve(self, open_: list[int]) -> Generator[list[int], Conflict | None, Conflict | None]:
        """Place all of `open_`, or say which decisions forbid it (and leave no trace)."""
        first = min(self.spans[item][0] for item in open_)
        last = max(self.spans[item][1] for item in open_)
        postponed: list[tuple[int, Conflict]] = []
        while True:
            self.nodes += 1
            if self.nodes > self.node_limit:
                raise OutOfNodesError(self.blame)
            found = self._choose(open_, first, last)
            if isinstance(found, _Contradiction):
                conflict = found.decisions
            else:
                failed: Conflict | None = self._stacked_twin(found)
                if failed is None:
                    failed = yield from self._below(found, open_)
                if failed is None:
                    return None
                placed = 1 << found
                if failed & placed:
                    self.postponed[found] = None
                    postponed.append((found, failed & ~placed))
                    continue
                conflict = failed
            for item, failed in reversed(postponed):
                del self.postponed[item]
                bit = 1 << (self.count + item)
                if conflict & bit:
                    conflict = conflict & ~bit | failed
            return conflict

    def _below(
        self, item: int, open_: list[int]
    ) -> Generator[list[int], Conflict | None, Conflict | None]:
        """Try the packings in which `item` lies below all of its open neighbours."""
        undo, cut, conflict = self._place(item)
        if conflict is None:
            rest = [other for other in open_ if other != item]
            parts = self._parts(rest) if cut else [rest] if rest else []
            before: _Undo = []
            if len(parts) > 1:
                before = [(i, self.floor[i], self.reason[i], i in self.postponed) for i in rest]
            for number, part in enumerate(parts):
                conflict = yield part
                if conflict is not None:
                    self._reopen([i for done in parts[:number] for i in done])
                    self._revert(before)
                    break
            else:
                return None
        self._reopen([item])
        self._revert(undo)
        return conflict

    def _place(self, item: int) -> tuple[_Undo, bool, Conflict | None]:
        """Put `item` on its floor and raise its open neighbours.

        Returns:
            What to undo, whether a section is now complete, and a conflict if there is one.
        """
        floor, reason, offset, postponed = self.floor, self.reason, self.offset, self.postponed
        base = floor[item]
        offset[item] = base
        floor[item] = self.top[item] = self.beyond
        why = reason[item] | 1 << item
        support = 1 << item
        undo: _Undo = []
        conflict: Conflict | None = None
        for other, gap in self.tables.above[item]:
            if offset[other] >= 0:
                support |= self.support[other]
                continue
            top = base + gap
            waits = other in postponed
            if floor[other] < top or waits:
                undo.append((other, floor[other], reason[other], waits))
                if waits:
                    del postponed[other]
                if floor[other] < top:
                    floor[other], reason[other] = top, why
                    self.top[other] = top = top + self.heights[other]
                    if top > self.capacity:
                        conflict = why
        self.support[item] = support
        cut = False
        for place, weight in self.tables.held[item]:
            self.open[place] -= 1
            self.limit[place] += weight
            cut = cut or not self.open[place]
            if self.stretches[place].knots:
                self._untie(place)
        return undo, cut, conflict

    def _reopen(self, items: list[int]) -> None:
        for item in items:
            self.floor[item] = self.offset[item]
            self.top[item] = self.offset[item] + self.heights[item]
            self.offset[item] = -1
            for place, weight in self.tables.held[item]:
                self.open[place] += 1
                self.limit[place] -= weight
                if self.stretches[place].knots:
                    self._untie(place)

    def _revert(self, undo: _Undo) -> None:
        for item, floor, reason, postponed in undo:
            self.floor[item], self.reason[item] = floor, reason
            self.top[item] = floor + self.heights[item]
            if postponed:
                self.postponed[item] = None

    def _untie(self, place: int) -> None:
        """What the knots of a section need has changed."""
        need = 0
        for knot in self.stretches[place].knots:
            pieces = tuple(piece for item, piece in knot if self.offset[item] < 0)
            key = tuple(piece.buffer for piece in pieces)
            if key not in self.memo:
                self.memo[key] = knot_height(pieces, self.tables.gaps)
            need += self.memo[key]
        self.limit[place] += self.need[place] - need
        self.need[place] = need

    def _stacked_twin(self, item: int) -> Conflict | None:
        """Two items of one lifetime, one right on the other, could change places: one suffices."""
        for twin in self.tables.twins[item]:
            if (
                self.offset[twin] >= 0
                and self.rank[twin] > self.rank[item]
                and self.offset[twin] + self.heights[twin] == self.floor[item]
            ):
                conflict = 1 << item
                for other, _ in self.tables.above[item]:
                    if self.offset[other] >= 0:
                        conflict |= self.support[other]
                return conflict
        return None

    # --- what to ask next, and what cannot be ---------------------------------------------------

    def _choose(self, open_: list[int], first: int, last: int) -> int | _Contradiction:
        """The item to ask about, or why there is no packing."""
        floor, beyond = self.floor, self.beyond
        least, askable = floor.copy(), floor.copy()
        waiting = 0
        for item in self.postponed:
            waiting |= self.sections[item]
            bound = self._postponed_bound(item)
            if bound + self.heights[item] > self.capacity:
                return _Contradiction(self._why(item, floor[item]))
            least[item] = max(least[item], bound)
            askable[item] = beyond
        contradiction = self._look(least, askable, ((1 << last) - 1) >> first << first, waiting)
        if contradiction is not None:
            return contradiction
        best = min(self.view[first:last])
        if best == beyond:
            # Each open item waits for another one to lie below it: the lowest of them cannot.
            return _Contradiction(sum(1 << (self.count + item) for item in open_))
        scarcest = [place for place in range(first, last) if self.view[place] == best]
        chosen = min(scarcest, key=self._fitting)
        stretch = self.stretches[chosen]
        limit = beyond - 1 if stretch.loose else self.limit[chosen]
        levels = stretch.levels(askable)
        candidates = [
            item for item, level in zip(stretch.members, levels, strict=True) if level <= limit
        ]
        rank = self.rank
        if self.strategy.lowest_first:
            return min(candidates, key=lambda item: (floor[item], rank[item]))
        return min(candidates, key=rank.__getitem__)

    def _look(
        self, least: list[int], askable: list[int], within: int, waiting: int
    ) -> _Contradiction | None:
        """Look at the sections in which an item's offset changed.

        Args:
            least: for each open item, the least offset that it may have.
            askable: the same, or beyond all others where the item is postponed.
            within: the sections to look at, as bits; others keep until later.
            waiting: the sections of postponed items, as bits.
        """
        numbers, ne = range(self.count), operator.ne
        for item in itertools.chain(
            itertools.compress(numbers, map(ne, least, self.least)),
            itertools.compress(numbers, map(ne, askable, self.askable)),
        ):
            self.stale |= self.sections[item]
        self.least, self.askable = least, askable
        todo = self.stale & within
        while todo:
            bit = todo & -todo
            place = bit.bit_length() - 1
            todo ^= bit
            stretch, limit = self.stretches[place], self.limit[place]
            self.view[place] = self.beyond
            if self.open[place]:
                lowest = min(stretch.levels(least))
                if lowest > limit:
                    return self._crowded(place)
                most = self.beyond - 1 if stretch.loose else limit
                if not bit & waiting or min(stretch.levels(askable)) <= most:
                    self.view[place] = limit if self.strategy.scarcest_first else lowest
                    self.fitting[place] = 0
            self.stale ^= bit
        return None

    def _fitting(self, place: int) -> int:
        """How many items may be the lowest of a section, postponed ones among them."""
        if not self.fitting[place]:
            limit = self.limit[place]
            levels = self.stretches[place].levels(self.least)
            self.fitting[place] = len([level for level in levels if level <= limit])
        return self.fitting[place]

    def _crowded(self, place: int) -> _Contradiction:
        """No open item of a section lies low enough to be its lowest."""
        stretch, decisions = self.stretches[place], 0
        for item in stretch.members:
            if self.offset[item] < 0:
                self.blame[item] += 1
                decisions |= self._why(item, self.limit[place] - stretch.rises.get(item, 0))
        return _Contradiction(decisions)

    def _postponed_bound(self, item: int) -> int:
        """The offset of an item that has an open neighbour below it is at least this."""
        pick = self.tables.beside[item]
        if pick is not None:
            return min(pick(self.top))
        floor, offset = self.floor, self.offset
        return min(
            (floor[other] + gap for other, gap in self.tables.below[item] if offset[other] < 0),
            default=self.beyond,
        )

    def _why(self, item: int, bound: int) -> Conflict:
        """Why `item` lies higher than `bound`."""
        if self.floor[item] > bound:
            return self.reason[item]
        conflict = 1 << (self.count + item)
        for other, _ in self.tables.above[item]:
            if self.offset[other] < 0:
                conflict |= self.reason[other]
        return conflict

    def _parts(self, open_: list[int]) -> list[list[int]]:
        """Split open items where no section holds items of both sides; the smallest first."""
        parts: list[list[int]] = []
        end = -1
        for item in sorted(open_, key=lambda i: (self.spans[i][0], self.rank[i])):
            begin, until = self.spans[item]
            if begin >= end:
                parts.append([])
            parts[-1].append(item)
            end = max(end, until)
        return sorted(parts, key=len)
