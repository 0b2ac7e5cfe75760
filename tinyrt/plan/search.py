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

from collections.abc import Generator, Sequence
from dataclasses import dataclass

from tinyrt.plan.bounds import Section
from tinyrt.plan.problem import Gaps, Item
from tinyrt.plan.tables import SectionState, tables_of

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


def search(
    items: Sequence[Item],
    gaps: Gaps,
    sections: Sequence[Section],
    capacity: int,
    strategy: Strategy,
    node_limit: int,
) -> tuple[tuple[int, ...] | None, int]:
    """Find offsets with which all items end at or below `capacity`.

    Returns:
        The offsets by item, in units, or None where there are none; and the nodes visited.

    Raises:
        OutOfNodesError: `node_limit` was reached first.
    """
    return _Search(items, gaps, sections, capacity, strategy, node_limit).run()


@dataclass(frozen=True, slots=True)
class _Contradiction:
    """The decisions that cannot all hold."""

    decisions: Conflict


_Undo = list[tuple[int, int, Conflict, bool]]
"""Item, floor, reason and whether it was postponed, as they were before a decision."""


class _Search:
    """The state of one search; items are numbered by their rank in the strategy's order."""

    def __init__(
        self,
        items: Sequence[Item],
        gaps: Gaps,
        sections: Sequence[Section],
        capacity: int,
        strategy: Strategy,
        node_limit: int,
    ) -> None:
        self.capacity, self.strategy, self.node_limit = capacity, strategy, node_limit
        self.count = len(items)
        rank = {number: place for place, number in enumerate(strategy.order)}
        tables = tables_of([items[number] for number in strategy.order], gaps)
        self.heights, self.twins = tables.heights, tables.twins
        self.above, self.below = tables.above, tables.below
        self.sections = [SectionState(section, rank, gaps, capacity) for section in sections]
        self.spans = [self._span(item) for item in range(self.count)]
        self.floor = [0] * self.count
        """The least offset that the placed items below leave to each item."""
        self.reason: list[Conflict] = [0] * self.count
        """Why the floor is no lower."""
        self.support: list[Conflict] = [0] * self.count
        """All decisions below a placed item: why it lies no higher."""
        self.offset = [-1] * self.count
        self.postponed = [False] * self.count
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
        by_item = dict(zip(self.strategy.order, self.offset, strict=True))
        return tuple(by_item[number] for number in range(self.count)), self.nodes

    def _span(self, item: int) -> tuple[int, int]:
        held = [n for n, state in enumerate(self.sections) if item in state.weights]
        return held[0], held[-1] + 1

    def _solve(self, open_: list[int]) -> Generator[list[int], Conflict | None, Conflict | None]:
        """Place all of `open_`, or say which decisions forbid it (and leave no trace)."""
        first = min(self.spans[item][0] for item in open_)
        last = max(self.spans[item][1] for item in open_)
        postponed: list[tuple[int, Conflict]] = []
        while True:
            self.nodes += 1
            if self.nodes > self.node_limit:
                raise OutOfNodesError
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
                    self.postponed[found] = True
                    postponed.append((found, failed & ~placed))
                    continue
                conflict = failed
            for item, failed in reversed(postponed):
                self.postponed[item] = False
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
            before = [(i, self.floor[i], self.reason[i], self.postponed[i]) for i in rest]
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
        why = reason[item] | 1 << item
        support = 1 << item
        undo: _Undo = []
        conflict: Conflict | None = None
        for other, gap in self.above[item]:
            if offset[other] >= 0:
                support |= self.support[other]
                continue
            top = base + gap
            if floor[other] < top or postponed[other]:
                undo.append((other, floor[other], reason[other], postponed[other]))
                postponed[other] = False
                if floor[other] < top:
                    floor[other], reason[other] = top, why
                    if top + self.heights[other] > self.capacity:
                        conflict = why
        self.support[item] = support
        cut = False
        for state in self.sections[slice(*self.spans[item])]:
            if item in state.weights:
                state.remove(item)
            cut = cut or not state.open
        return undo, cut, conflict

    def _reopen(self, items: list[int]) -> None:
        for item in items:
            self.offset[item] = -1
            for state in self.sections[slice(*self.spans[item])]:
                if item in state.weights:
                    state.insert(item)

    def _revert(self, undo: _Undo) -> None:
        for item, floor, reason, postponed in undo:
            self.floor[item], self.reason[item] = floor, reason
            self.postponed[item] = postponed

    def _stacked_twin(self, item: int) -> Conflict | None:
        """Two items of one lifetime, one right on the other, could change places: one suffices."""
        for twin in self.twins[item]:
            if self.offset[twin] + self.heights[twin] == self.floor[item] and (
                self.offset[twin] >= 0
            ):
                conflict = 1 << item
                for other, _ in self.above[item]:
                    if self.offset[other] >= 0:
                        conflict |= self.support[other]
                return conflict
        return None

    # --- what to ask next, and what cannot be ---------------------------------------------------

    def _choose(self, open_: list[int], first: int, last: int) -> int | _Contradiction:
        floor, postponed = self.floor, self.postponed
        least = floor.copy()
        for item in open_:
            if postponed[item]:
                bound = self._postponed_bound(item)
                if bound > least[item]:
                    least[item] = bound
                    if bound + self.heights[item] > self.capacity:
                        return _Contradiction(self._why(item, floor[item]))
        best: tuple[int, int] | None = None
        chosen: SectionState | None = None
        for state in self.sections[first:last]:
            if not state.open:
                continue
            limit, rises = state.limit, state.rises
            lowest, fitting, askable = limit + 1, 0, False
            for item in state.open:
                level = least[item]
                if rises and item in rises:
                    level += rises[item]
                if level <= limit:
                    fitting += 1
                    lowest = level if level < lowest else lowest
                    if not askable and not postponed[item]:
                        askable = True
                elif state.loose and not postponed[item]:
                    askable = True
            if not fitting:
                decisions = 0
                for item in state.open:
                    decisions |= self._why(item, limit - state.rises.get(item, 0))
                return _Contradiction(decisions)
            if askable:
                key = (limit if self.strategy.scarcest_first else lowest, fitting)
                if best is None or key < best:
                    best, chosen = key, state
        if chosen is None:
            # Each open item waits for another one to lie below it: the lowest of them cannot.
            return _Contradiction(sum(1 << (self.count + item) for item in open_))
        return min(
            (
                item
                for item in chosen.open
                if not postponed[item]
                and (chosen.loose or floor[item] + chosen.rises.get(item, 0) <= chosen.limit)
            ),
            key=(lambda i: (floor[i], i)) if self.strategy.lowest_first else (lambda i: (0, i)),
        )

    def _postponed_bound(self, item: int) -> int:
        """The offset of an item that has an open neighbour below it is at least this."""
        floor, offset, below = self.floor, self.offset, self.below
        return min(
            (floor[other] + gap for other, gap in below[item] if offset[other] < 0),
            default=self.capacity + 1,
        )

    def _why(self, item: int, bound: int) -> Conflict:
        """Why `item` lies higher than `bound`."""
        if self.floor[item] > bound:
            return self.reason[item]
        conflict = 1 << (self.count + item)
        for other, _ in self.above[item]:
            if self.offset[other] < 0:
                conflict |= self.reason[other]
        return conflict

    def _parts(self, open_: list[int]) -> list[list[int]]:
        """Split open items where no section holds items of both sides; the smallest first."""
        parts: list[list[int]] = []
        end = -1
        for item in sorted(open_, key=lambda i: (self.spans[i][0], i)):
            begin, until = self.spans[item]
            if begin >= end:
                parts.append([])
            parts[-1].append(item)
            end = max(end, until)
        return sorted(parts, key=len)
