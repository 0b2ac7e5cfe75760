"""The order of operators that needs the least memory, where a graph leaves a choice.

A state is the set of operators that have run; the bytes in use after it do not depend on their
order. So the best order is the path from the empty set to the whole one whose worst step is least:
`search` walks the sets in the order of their worst step so far, until the whole one is reached.

The measure of a step is what the planner's bound is made of: all buffers in use while it runs,
and its working memory, less what its output may share with inputs that die in it.
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise

from tinyrt.load import Program, Step
from tinyrt.plan import plan
from tinyrt.plan.bounds import knot_height
from tinyrt.plan.lifetimes import ALIGNMENT, diagonals_of
from tinyrt.plan.problem import Buffer, Piece, Problem, gaps_of, units
from tinyrt.plan.usage import Place, Stretch

STATE_LIMIT = 10_000
"""Sets of operators to look at; beyond, the order is chosen step by step."""


@dataclass(frozen=True, slots=True)
class Found:
    """An order of steps."""

    order: tuple[int, ...]
    units: int
    """In use at the worst step, as multiples of the alignment."""
    best: bool
    """Whether no order has a better worst step."""


def reorder(program: Program, *, state_limit: int = STATE_LIMIT) -> Program:
    """The program in an order that makes its arena smaller, if one is found; else as it is.

    Operators that work on the same state, and all that read what others write, keep their order.

    Args:
        program: in any order.
        state_limit: sets of operators to look at before the choice is made step by step.
    """
    found = Search(program, state_limit).best()
    if found is None:
        return program
    steps = tuple(program.steps[number] for number in found.order)
    graph = replace(program.graph, nodes=tuple(step.node for step in steps))
    ordered = replace(program, graph=graph, steps=steps)
    before, after = plan(program), plan(ordered)
    saved = before.arena_bytes - after.arena_bytes
    if saved <= 0:
        return program
    best = "; no order needs less" if found.best and after.optimal else ""
    note = (
        f"operators run in the order {_order_text(steps)}, which takes {saved:,} bytes less than "
        f"the order of the file{best}"
    )
    return replace(ordered, rewrites=(*program.rewrites, note))


def _order_text(steps: tuple[Step, ...]) -> str:
    """Numbers of operators, those that follow each other as ranges."""
    numbers = [step.node.index for step in steps]
    cuts = [n for n, (one, other) in enumerate(pairwise(numbers), 1) if other != one + 1]
    parts = [numbers[low:high] for low, high in pairwise((0, *cuts, len(numbers)))]
    return ", ".join(str(p[0]) if len(p) == 1 else f"{p[0]}-{p[-1]}" for p in parts)


@dataclass(frozen=True, slots=True)
class _Task:
    """What a step means to the order. Sets of steps are bits of integers."""

    after: int
    """The steps that must have run."""
    touched: tuple[int, ...]
    """The buffers that it reads or writes."""
    scratch: int
    """Units."""
    shares: dict[frozenset[int], int] = field(default_factory=dict)
    """Units saved, by which of the touched buffers die in it."""


class Search:
    """The memory of a program in every order.

    Args:
        program: whose steps.
        state_limit: sets of operators to look at.
    """

    def __init__(self, program: Program, state_limit: int = STATE_LIMIT) -> None:
        self._program = program
        self._limit = state_limit
        self._roots = _roots(program)
        tensors = program.graph.tensors
        self._users: dict[int, int] = {}
        for number, step in enumerate(program.steps):
            for buffer in self._touched(step):
                self._users[buffer] = self._users.get(buffer, 0) | 1 << number
        self._size = {b: units(tensors[b].bytes, ALIGNMENT) for b in self._users}
        states = {buffer for buffer in self._users if tensors[buffer].is_variable}
        self._lasting = {self._root(t) for t in program.graph.outputs} | states
        given = {self._root(t) for t in program.graph.inputs} | states
        self._given = frozenset(given & self._users.keys())
        self._tasks = tuple(self._task(*pair, states) for pair in enumerate(program.steps))
        self._all = (1 << len(program.steps)) - 1

    def best(self) -> Found | None:
        """An order whose worst step is better than that of the order at hand, if one is found."""
        limit = self.worst(tuple(range(len(self._tasks))))
        if limit <= self._floor():
            return None
        return self._walk(limit)

    def worst(self, order: tuple[int, ...]) -> int:
        """Units in use at the worst step of an order."""
        done, live, most = 0, self._units_given(), 0
        for number in order:
            need, live = self._run(done, live, number)
            done |= 1 << number
            most = max(most, need)
        return most

    def _walk(self, limit: int) -> Found | None:
        """The best order, if better than the limit: sets of steps, those of the best worst first.

        Where a ready step leaves no more in use than there was, and is no worse than what came
        before, the others need not be tried: whatever ran before it would have no less in use.
        """
        came: dict[int, tuple[int, int]] = {}
        queue = [(0, 0, 0, self._units_given(), 0, -1)]
        while queue:
            worst, _, done, live, before, last = heapq.heappop(queue)
            if done in came:
                continue
            came[done] = before, last
            if done == self._all:
                return Found(_path(came, done), worst, best=True)
            if len(came) >= self._limit:
                return self._greedy(limit)
            moves = [(number, *self._run(done, live, number)) for number in self._ready(done)]
            free = [move for move in moves if move[1] <= worst and move[2] <= live]
            for number, need, left in free[:1] or moves:
                after = done | 1 << number
                if need < limit and after not in came:
                    entry = (max(worst, need), -after.bit_count(), after, left, done, number)
                    heapq.heappush(queue, entry)
        return None

    def _greedy(self, limit: int) -> Found | None:
        """An order by the step that looks best at each moment, if better than the limit."""
        done, live, worst = 0, self._units_given(), 0
        order: list[int] = []
        while done != self._all:
            moves = [(*self._run(done, live, number), number) for number in self._ready(done)]
            need, live, number = min(
                moves, key=lambda move: (max(worst, move[0]), move[1], move[2])
            )
            worst = max(worst, need)
            done |= 1 << number
            order.append(number)
        return Found(tuple(order), worst, best=False) if worst < limit else None

    def _ready(self, done: int) -> Iterator[int]:
        for number, task in enumerate(self._tasks):
            if not done >> number & 1 and not task.after & ~done:
                yield number

    def _run(self, done: int, live: int, number: int) -> tuple[int, int]:
        """Units in use while a step runs, and after it.

        Args:
            done: the steps that have run.
            live: units in use after them.
            number: the step.
        """
        task = self._tasks[number]
        after = done | 1 << number
        fresh = sum(
            self._size[b]
            for b in task.touched
            if b not in self._given and not self._users[b] & done
        )
        ended = frozenset(
            b for b in task.touched if b not in self._lasting and not self._users[b] & ~after
        )
        need = live + fresh + task.scratch - self._saved(number, ended)
        return need, live + fresh - sum(self._size[b] for b in ended)

    def _saved(self, number: int, ended: frozenset[int]) -> int:
        """Units that a step's output shares with its inputs, if some buffers end with it."""
        shares = self._tasks[number].shares
        if ended not in shares:
            shares[ended] = self._shared(self._program.steps[number], ended)
        return shares[ended]

    def _shared(self, step: Step, ended: frozenset[int]) -> int:
        if not step.results or not step.overlaps:
            return 0
        made = {self._root(tensor) for tensor in step.results}
        touched = self._touched(step)
        parts = [
            Stretch(b, 0, self._program.graph.tensors[b].bytes, int(b in made), 1) for b in touched
        ]
        place_of = {part.root: Place(part.root, part.begin, part.end) for part in parts}
        places = {
            tensor: place_of[self._root(tensor)]
            for tensor in (*step.operands, *step.results)
            if self._root(tensor) in place_of
        }
        dying = {number: part for number, part in enumerate(parts) if part.root in ended}
        born = {number: part for number, part in enumerate(parts) if part.root in made}
        pairs = tuple(diagonals_of(step, step.overlaps, places, dying, born))
        buffers = tuple(Buffer("", part.first, 2, part.end) for part in parts)
        gaps = gaps_of(Problem(buffers, pairs, alignment=ALIGNMENT), {})
        knot = [
            Piece(number, 1, 2, self._size[touched[number]], 0)
            for number in sorted({n for pair in gaps.special for n in pair})
        ]
        return sum(piece.size for piece in knot) - knot_height(knot, gaps) if knot else 0

    def _floor(self) -> int:
        """Units that no order can do without."""
        return max(
            (
                sum(self._size[b] for b in task.touched)
                + task.scratch
                - self._saved(number, frozenset(task.touched) - self._lasting)
                for number, task in enumerate(self._tasks)
            ),
            default=0,
        )

    def _units_given(self) -> int:
        """Units in use before the first step."""
        return sum(self._size[buffer] for buffer in self._given)

    def _task(self, number: int, step: Step, states: set[int]) -> _Task:
        touched = self._touched(step)
        after = 0
        for earlier in range(number):
            other = self._program.steps[earlier]
            writes_it = not set(other.results).isdisjoint(step.operands)
            same_state = states.intersection(touched, self._touched(other))
            if writes_it or same_state:
                after |= 1 << earlier
        return _Task(after, touched, units(step.scratch_bytes, ALIGNMENT))

    def _touched(self, step: Step) -> tuple[int, ...]:
        """The buffers that a step reads or writes, constants left out."""
        tensors = self._program.graph.tensors
        roots = (self._root(tensor) for tensor in (*step.operands, *step.results))
        return tuple(dict.fromkeys(root for root in roots if not tensors[root].is_constant))

    def _root(self, tensor: int) -> int:
        return self._roots.get(tensor, tensor)


def _roots(program: Program) -> dict[int, int]:
    """For each tensor that is another by a new name, that other one."""
    roots: dict[int, int] = {}
    for step in program.steps:
        if step.kernel.alias:
            root = roots.get(step.operands[0], step.operands[0])
            if not program.graph.tensors[root].is_constant:
                roots.update(dict.fromkeys(step.results, root))
    return roots


def _path(came: dict[int, tuple[int, int]], done: int) -> tuple[int, ...]:
    """The steps from the empty set to a set, in their order."""
    order: list[int] = []
    while done:
        done, number = came[done]
        order.append(number)
    return tuple(reversed(order))
