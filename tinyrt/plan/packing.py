"""Exact packing: offsets for buffers with fixed lifetimes, and the proof that less cannot do.

First-fit from several orders; if that does not meet the bound by live bytes, branch and bound
decides one capacity after the other, under one strategy after the other with ever more nodes.
All of it is deterministic.
"""

import enum
import time as clock
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from tinyrt.plan.bounds import sections_of
from tinyrt.plan.first_fit import first_fit, height_of, orders
from tinyrt.plan.problem import Direction, Item, Problem, gaps_of, items_of, quantum_of
from tinyrt.plan.search import OutOfNodesError, Strategy, search
from tinyrt.plan.shuffle import shuffled
from tinyrt.plan.tables import Tables, tables_of

NODE_LIMIT = 100_000
"""Nodes that the search may visit by default, over all capacities and strategies."""


SHUFFLES = 3000
"""Orders that are tried by default where parts of one whole live at different times."""


class Proof(enum.Enum):
    """Why an arena cannot be smaller."""

    LIVE_BYTES = "live bytes"
    """The bytes that live together at one time fill it."""
    SEARCH = "search"
    """Branch and bound visited every packing that is smaller."""
    NONE = "none"
    """It may be: the search was cut off, or nothing smaller was asked for."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """What is known of the least possible arena."""

    lower_bound: int
    """No packing is smaller than this, in bytes."""
    proof: Proof
    time: int
    """When the most bytes live together."""
    forcing: tuple[int, ...]
    """The buffers that live then."""
    nodes: int = 0
    """Nodes of the search tree visited."""


@dataclass(frozen=True, slots=True)
class Packing:
    """An answer: where each buffer begins."""

    offsets: tuple[int, ...]
    """Bytes, in the order of the problem's buffers."""
    height: int
    """Bytes from the ground to the highest top, rounded up to the alignment."""
    directions: dict[int, Direction]
    """The way each operator with shared bytes must walk."""
    certificate: Certificate

    @property
    def optimal(self) -> bool:
        """Whether no packing can be smaller."""
        return self.height == self.certificate.lower_bound


@dataclass(slots=True)
class Budget:
    """How long the search may go on."""

    nodes: int = NODE_LIMIT
    shuffles: int = SHUFFLES
    """Orders that are tried where parts of one whole live at different times."""
    seconds: float | None = None
    """CPU seconds; None leaves the outcome to the nodes alone, the same on every machine."""
    spent: int = 0
    _began: float = 0.0

    def __post_init__(self) -> None:
        """Start the clock."""
        self._began = clock.process_time()

    @property
    def left(self) -> int:
        """Nodes left; 0 once the time is up."""
        if self.seconds is not None and clock.process_time() - self._began > self.seconds:
            return 0
        return max(0, self.nodes - self.spent)


def pack(problem: Problem, *, enough: int | None = None, budget: Budget | None = None) -> Packing:
    """Pack the buffers into as few bytes as can be found.

    Args:
        problem: buffers, and which of them may share bytes.
        enough: a height in bytes below which nothing need be sought.
        budget: of the search, where first-fit does not settle the matter.
    """
    return _settle(problem, {}, enough, budget or Budget())


def _settle(
    problem: Problem, fixed: dict[int, Direction], enough: int | None, budget: Budget
) -> Packing:
    """Pack; where the pairs of one operator would walk in two ways, try each of the two."""
    packing = _pack(problem, fixed, enough, budget)
    walks, torn = walks_of(problem, packing.offsets)
    if torn is None:
        return replace(packing, directions=walks)
    branches = [
        _settle(problem, fixed | {torn: direction}, enough, budget) for direction in Direction
    ]
    best = min(branches, key=lambda branch: branch.height)
    bound = min(branches, key=lambda branch: branch.certificate.lower_bound).certificate
    return replace(best, certificate=replace(bound, proof=_proof(best.height, bound)))


def _proof(height: int, bound: Certificate) -> Proof:
    return bound.proof if height == bound.lower_bound else Proof.NONE


def walks_of(problem: Problem, offsets: Sequence[int]) -> tuple[dict[int, Direction], int | None]:
    """The direction of each operator whose buffers share bytes, and one that has none."""
    open_: dict[int, set[Direction]] = {}
    for pair in problem.diagonals:
        source, target = problem.buffers[pair.source], problem.buffers[pair.target]
        begin, out = offsets[pair.source], offsets[pair.target]
        if out + target.size <= begin or begin + source.size <= out:
            continue
        ways = open_.setdefault(pair.operator, set(Direction))
        if pair.forward is None or begin - out < pair.forward:
            ways.discard(Direction.FORWARD)
        if pair.backward is None or out + target.size < begin + source.size + pair.backward:
            ways.discard(Direction.BACKWARD)
    for operator, ways in open_.items():
        if not ways:
            return {}, operator
    return {
        operator: Direction.FORWARD if Direction.FORWARD in ways else Direction.BACKWARD
        for operator, ways in open_.items()
    }, None


def _pack(
    problem: Problem, fixed: dict[int, Direction], enough: int | None, budget: Budget
) -> Packing:
    items, gaps = items_of(problem), gaps_of(problem, fixed)
    sections = sections_of(items, gaps)
    needs = [section.least_height(gaps) for section in sections]
    floor = max(needs, default=0)
    goal = max(floor, 0 if enough is None else enough // problem.alignment)
    tried = tuple(orders(items, sections))
    best: tuple[int, ...] = ()
    height = -1
    tables = tables_of(items, gaps, sections)
    for order in tried:
        offsets = first_fit(tables.intervals, order)
        if height < 0 or height_of(items, offsets) < height:
            best, height = offsets, height_of(items, offsets)
    if height > goal and any(len(item.pieces) > 1 for item in items):
        best = shuffled(tables, tried, goal, budget.shuffles)
        height = height_of(items, best)
    proof = Proof.LIVE_BYTES
    before = budget.spent
    if height > goal:
        hunt = _Hunt(items, tables, tried, budget)
        best, bound = hunt.improve(best, height, floor, goal)
        height = height_of(items, best)
        proof = Proof.SEARCH if bound > floor else proof
        floor = bound
    peak = max(range(len(needs)), key=needs.__getitem__, default=None)
    offsets = tuple(
        rise
        for _, rise in sorted(
            (piece.buffer, (offset + piece.rise) * problem.alignment)
            for item, offset in zip(items, best, strict=True)
            for piece in item.pieces
        )
    )
    certificate = Certificate(
        lower_bound=floor * problem.alignment,
        proof=proof if height == floor else Proof.NONE,
        time=0 if peak is None else sections[peak].time,
        forcing=() if peak is None else tuple(p.buffer for p in sections[peak].pieces),
        nodes=budget.spent - before,
    )
    return Packing(offsets, max(height, 0) * problem.alignment, {}, certificate)


@dataclass(frozen=True, slots=True)
class _Hunt:
    """Looks for packings between a bound and a height known to do."""

    items: tuple[Item, ...]
    tables: Tables
    orders: tuple[tuple[int, ...], ...]
    budget: Budget

    def improve(
        self, best: tuple[int, ...], height: int, floor: int, goal: int
    ) -> tuple[tuple[int, ...], int]:
        """The best packing found, and the best bound proven.

        The goal is asked first: it is most often met. Then the interval between is halved.
        """
        step = quantum_of(self.items, self.tables.gaps)
        # The search does not see packings in which pieces of a whole interlock, or in which a copy
        # lies on what it copies.
        whole = all(len(item.pieces) == 1 for item in self.items)
        complete = whole and not self.tables.gaps.copies
        low, capacity = floor, goal
        while low < height and height > goal and self.budget.left:
            answer = self.decide(capacity)
            if isinstance(answer, tuple):
                best, height = answer, height_of(self.items, answer)
            else:
                low = capacity + 1
                low += -low % step
                if answer is Answer.IMPOSSIBLE and complete:
                    floor = max(floor, min(low, height)) if floor <= capacity else floor
            capacity = max(low, (low + height - 1) // 2 // step * step)
        return best, floor

    def decide(self, capacity: int) -> "tuple[int, ...] | Answer":
        """Whether all fits into `capacity` units, under every strategy in turn.

        One capacity may take a third of the nodes that are left: so a goal that cannot be
        decided leaves enough to come near it. Every fourth run follows what the runs before it
        failed on.
        """
        limit = 8 * len(self.items) // 5 + 100
        end = self.budget.spent + self.budget.left // 3 + limit
        blame = [0.0] * len(self.items)
        while self.budget.left and self.budget.spent < end:
            for strategy in self.strategies(blame):
                allowed = min(limit, self.budget.left, end - self.budget.spent)
                if not allowed:
                    break
                try:
                    found, nodes = search(self.tables, capacity, strategy, allowed)
                except OutOfNodesError as cut:
                    self.budget.spent += allowed
                    blame[:] = [old / 2 + new for old, new in zip(blame, cut.blame, strict=True)]
                    continue
                self.budget.spent += nodes
                return Answer.IMPOSSIBLE if found is None else found
            limit *= 4
        return Answer.UNDECIDED

    def strategies(self, blame: Sequence[float]) -> Iterator[Strategy]:
        """Every way to search, the likeliest to succeed first.

        Args:
            blame: how much part each item had in recent failures; it changes as runs fail.
        """
        for order in self.orders:
            yield Strategy(order, scarcest_first=False)
            yield Strategy(order, lowest_first=False)
            yield Strategy(order)
            learned = sorted(self.orders[0], key=lambda item: -blame[item])
            yield Strategy(tuple(learned), scarcest_first=False)
        for order in self.orders:
            yield Strategy(order, scarcest_first=False, lowest_first=False)


class Answer(enum.Enum):
    """What the search says where it has no packing."""

    IMPOSSIBLE = "impossible"
    UNDECIDED = "undecided"
