"""Chooses which operators run in strips, and how tall the strips are.

Two measures count: the bytes of the arena, as the planner packs it, and the number of steps, each
of which is a call. MACs do not: no row is computed twice.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from tinyrt.errors import PlanError
from tinyrt.load import Program
from tinyrt.plan import Plan, plan
from tinyrt.plan.bounds import sections_at, sections_of
from tinyrt.plan.lifetimes import arena_of
from tinyrt.plan.packing import Budget
from tinyrt.plan.problem import gaps_of, items_of
from tinyrt.strips.keep import Keep
from tinyrt.strips.schedule import Schedule, is_closed, is_map, schedule
from tinyrt.strips.unroll import unroll

Finish = Callable[[Program], Program]
"""Gives a program the code that it is to be emitted with, on which its plan depends."""

BYTES_A_CALL = 64
"""What a further call must save of the arena where no limit is given. It takes about 16 bytes of
flash, and as many instructions as a hundred MACs or a few."""
ROWS = (*map(Fraction, (32, 16, 8, 4, 2, 1)),)
"""Heights of strips that are tried, in rows of the sink."""
MORE_ROWS = (*map(Fraction, (24, 12, 6, 5, 3)), Fraction(1, 2), Fraction(1, 4), Fraction(1, 8))
"""Further ones, where there is a limit."""
FURTHER = 2
"""Ends that are tried beyond the one from which on the arena is forced elsewhere."""
MOST_PACKED = 8
"""Candidates that are looked at in the search for the smallest arena."""
CLOSE = 1.1
"""How far above a limit an arena may be at a glance if more orders may find one below."""
BUDGET = 1000
"""Orders in which the planner packs the strips of a candidate."""
GLANCE = 60
"""The same as long as candidates are only compared."""


@dataclass(frozen=True, slots=True)
class Fit:
    """A program with its plan, in strips or not."""

    program: Program
    plan: Plan
    schedule: Schedule | None
    whole: Plan
    """The plan without strips."""
    extra_macs: int
    """Beyond those of the program without strips; never more than 0."""

    @classmethod
    def of_whole(cls, program: Program) -> "Fit":
        """A program that runs as it is."""
        found = plan(program)
        return cls(program, found, None, found, 0)

    @property
    def copied_bytes(self) -> int:
        """Bytes of rows that a run moves to be kept."""
        offsets = {place.tensor: place.offset for place in self.plan.allocations}
        return sum(
            self.program.graph.tensors[step.results[0]].bytes
            for step in self.program.steps
            if isinstance(step.kernel, Keep)
            and offsets[step.operands[0]] != offsets[step.results[0]]
        )


def fit(
    program: Program, finish: Finish = lambda program: program, limit: int | None = None
) -> Fit:
    """Plan a program, with some of its operators in strips where that serves.

    Args:
        program: the model, one step an operator.
        finish: applied to every form of the program before it is planned.
        limit: bytes of arena that must do: the form with the fewest steps is taken that has no
            more. Without a limit every step beyond one for an operator must save `BYTES_A_CALL`.

    Raises:
        PlanError: no form has so small an arena; says which is the smallest.
    """
    finished = finish(program)
    whole = Fit.of_whole(finished)
    rows = ROWS if limit is None else tuple(sorted((*ROWS, *MORE_ROWS), reverse=True))
    search = _Search(finished, finish, whole, rows)
    if limit is None:
        return search.cheapest()
    if whole.plan.arena_bytes <= limit:
        return whole
    found = search.within(limit)
    if found is None:
        found = search.least()
    if found.plan.arena_bytes > limit:
        raise PlanError(
            f"an arena of {limit:,} bytes does not do: the least found is "
            f"{found.plan.arena_bytes:,} bytes, with {found.extra_macs:,} extra MACs"
        )
    return found


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A form of the program that is not finished and not packed yet."""

    schedule: Schedule
    program: Program
    bound: int
    """Bytes that its arena has at the least, as long as it is not finished."""


class _Search:
    """Forms of one program, packed as far as they promise something."""

    def __init__(
        self, program: Program, finish: Finish, whole: Fit, rows: Sequence[Fraction]
    ) -> None:
        self._program = program
        self._rows = rows
        self._finish = finish
        self._whole = whole
        self._candidates = tuple(self._all())

    def cheapest(self) -> Fit:
        """The form that saves most, once each step has its price."""
        best, gain = None, 0
        for candidate in sorted(self._candidates, key=self._promise, reverse=True):
            if self._promise(candidate) <= gain:
                break
            found = self._gain(candidate, self._packed(candidate, 0, GLANCE).plan.arena_bytes)
            if found > gain:
                best, gain = candidate, found
        return self._whole if best is None else self._packed(best, 0)

    def within(self, limit: int) -> Fit | None:
        """The form with the fewest steps that is found to need no more."""
        candidates = [c for c in self._candidates if c.bound <= limit]
        candidates.sort(key=lambda c: len(c.program.steps))
        close: list[_Candidate] = []
        for candidate in candidates:
            found = self._packed(candidate, limit, GLANCE)
            if found.plan.arena_bytes <= limit:
                return found
            if found.plan.arena_bytes <= limit * CLOSE:
                close.append(candidate)
        for candidate in close:
            found = self._packed(candidate, limit)
            if found.plan.arena_bytes <= limit:
                return found
        return None

    def least(self) -> Fit:
        """The form with the smallest arena, as far as is known."""
        promising = sorted(self._candidates, key=lambda c: (c.bound, len(c.program.steps)))
        glances = [(self._packed(c, 0, GLANCE), c) for c in promising[:MOST_PACKED]]
        glances.sort(key=lambda pair: pair[0].plan.arena_bytes)
        forms = [self._whole, *(self._packed(candidate, 0) for _, candidate in glances[:2])]
        return min(forms, key=lambda form: form.plan.arena_bytes)

    def _promise(self, candidate: _Candidate) -> int:
        return self._gain(candidate, candidate.bound)

    def _gain(self, candidate: _Candidate, arena_bytes: int) -> int:
        """Bytes saved, less the price of the steps."""
        steps = len(candidate.program.steps) - len(self._program.steps)
        return self._whole.plan.arena_bytes - arena_bytes - BYTES_A_CALL * steps

    def _packed(self, candidate: _Candidate, enough: int, orders: int = BUDGET) -> Fit:
        program = self._finish(candidate.program)
        found = plan(program, enough=enough, budget=Budget(nodes=0, shuffles=orders))
        extra = program.macs - self._program.macs
        return Fit(program, found, candidate.schedule, self._whole.plan, extra)

    def _all(self) -> Iterator[_Candidate]:
        """The candidates, region by region."""
        forcing = self._whole.plan.forcing_step
        run = _run(self._program, forcing)
        if not run:
            return
        needs = _needs(_plain(self._program))
        least, further = self._whole.plan.arena_bytes, 0
        for end in range(forcing + 1, run.stop + 1):
            region = range(run.start, end)
            outside = max(needs[: region.start] + needs[end:], default=0)
            if outside >= least or not is_closed(self._program, region):
                continue
            inside = least
            for candidate in self._in_strips(region):
                inside = min(inside, candidate.bound)
                yield candidate
            if inside > outside:
                # From here on it is the strips that force the arena, and a longer chain has more.
                further += 1
            least = min(least, inside)
            if further > FURTHER:
                return

    def _in_strips(self, region: range) -> Iterator[_Candidate]:
        """All forms with these operators in strips that may have a smaller arena."""
        row_by_row = self._candidate(region, Fraction(1))
        if row_by_row is None or row_by_row.bound >= self._whole.plan.arena_bytes:
            return  # taller strips have larger lines, and lower ones the same windows
        last = None
        for rows in self._rows:
            candidate = row_by_row if rows == 1 else self._candidate(region, rows)
            if candidate is None:
                continue  # as tall as the map
            cost = len(candidate.program.steps), candidate.bound
            if cost == last:
                continue  # no lower than those before
            last = cost
            if candidate.bound < self._whole.plan.arena_bytes:
                yield candidate

    def _candidate(self, region: range, rows: Fraction) -> _Candidate | None:
        found = schedule(self._program, region, rows)
        if found is None or len(found.strips) < 2:
            return None
        unrolled = unroll(self._program, found)
        return _Candidate(found, unrolled, _bound(_plain(unrolled)))


def _run(program: Program, step: int) -> range:
    """The operators around one, it included, of which each can run in strips."""
    if not 0 <= step < len(program.steps) or not _strips(program, step):
        return range(0)
    first = end = step
    while first > 0 and _strips(program, first - 1):
        first -= 1
    while end < len(program.steps) and _strips(program, end):
        end += 1
    return range(first, end)


def _strips(program: Program, number: int) -> bool:
    """Whether an operator can run in strips at all."""
    step = program.steps[number]
    if len(step.results) != 1 or not is_map(result := program.graph.tensors[step.results[0]]):
        return False
    return step.kernel.strip(range(1), result.shape[1]) is not None


def _plain(program: Program) -> Program:
    """The program with each operator's own kernel, whose working memory depends on no other."""
    steps = (replace(step, lowered=None, calls=()) for step in program.steps)
    return replace(program, steps=tuple(steps))


def _needs(program: Program) -> list[int]:
    """The bytes that each step needs at the least."""
    problem = arena_of(program).problem
    items, gaps = items_of(problem), gaps_of(problem, {})
    sections = sections_at(items, gaps, range(len(program.steps)))
    return [section.least_height(gaps) * problem.alignment for section in sections]


def _bound(program: Program) -> int:
    """The bytes that a program needs at the least."""
    problem = arena_of(program).problem
    items, gaps = items_of(problem), gaps_of(problem, {})
    heights = (section.least_height(gaps) for section in sections_of(items, gaps))
    return max(heights, default=0) * problem.alignment
