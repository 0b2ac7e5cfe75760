"""Several memories: what goes into which, so that as little traffic as can be is slow.

What moves as one (the parts of a tensor, pieces in their whole, what is only renamed) stays in one
region. An output may run into its input where both are in the same region; in two, they are
disjoint anyhow.

In every section, what each region is given must fit into it. A walk through the sections in the
order of time finds the cheapest division of which that is true: all that it need remember of the
past is where the items are that still live. Then each region is packed. Where one does not pack
into its size, though it might section by section, it is given less, and the walk begins anew; the
first walk remains the bound.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from tinyrt.errors import PlanError
from tinyrt.plan.bounds import Section, sections_at, sections_of
from tinyrt.plan.packing import Budget, Certificate, Packing, pack
from tinyrt.plan.problem import Direction, Gaps, Item, Problem, gaps_of, items_of, units

STATES = 2000
"""Divisions of what lives at one time that are followed; the cheapest ones, if there are more."""
GLANCE = 60
"""Orders in which a region is packed to see whether one item more goes into it."""
ATTEMPTS = 24
"""Walks, each with less room in a region than the one before."""
SHOWN_NAMES = 6


@dataclass(frozen=True, slots=True)
class Region:
    """A memory of the target."""

    name: str
    """A C identifier."""
    capacity: int
    """Bytes that the model may use."""
    cost: int
    """Of moving a byte, compared with the other regions."""


@dataclass(frozen=True, slots=True)
class Zone:
    """What a plan makes of a region."""

    region: Region
    base: int
    """Where the region begins in the plan, whose offsets count through all regions."""
    size: int
    """Bytes that the model uses; 0 where it does not need the region."""
    lower_bound_bytes: int
    """No packing of the same tensors is smaller."""
    traffic: int
    """Bytes that one run reads and writes there."""
    forcing_step: int
    forcing_tensors: tuple[int, ...]
    proof: str

    def holds(self, offset: int) -> bool:
        """Whether a byte of the plan is in this region."""
        return self.base <= offset < self.base + self.size


class NoDivisionError(PlanError):
    """Regions are too small, or no division was found."""

    def __init__(self, message: str, bound: int | None = None) -> None:
        super().__init__(message)
        self.bound = bound
        """No division has less weighted traffic; None: there is no division at all."""


@dataclass(frozen=True, slots=True)
class Division:
    """Which region has what, and where."""

    regions: tuple[Region, ...]
    buffers: tuple[tuple[int, ...], ...]
    """Those of each region."""
    packings: tuple[Packing, ...]
    """Of each region; offsets from its beginning, in the order of its buffers."""
    traffic: tuple[int, ...]
    """Bytes moved in each region."""
    bound: int
    """No division has less traffic, each byte times the cost of its region."""

    @property
    def weighted(self) -> int:
        """Its traffic, each byte times the cost of its region."""
        return sum(r.cost * moved for r, moved in zip(self.regions, self.traffic, strict=True))

    @property
    def bases(self) -> tuple[int, ...]:
        """Where each region begins, counted through all of them."""
        heights = [packing.height for packing in self.packings]
        return tuple(sum(heights[:number]) for number in range(len(heights)))

    def joined(self) -> Packing:
        """One packing of all buffers, the regions one above the other."""
        offsets: dict[int, int] = {}
        directions: dict[int, Direction] = {}
        for own, packing, base in zip(self.buffers, self.packings, self.bases, strict=True):
            offsets |= {n: base + offset for n, offset in zip(own, packing.offsets, strict=True)}
            # All pairs of an operator have one output, and so are in one region.
            directions |= packing.directions
        height = sum(packing.height for packing in self.packings)
        bound = sum(packing.certificate.lower_bound for packing in self.packings)
        largest = max(range(len(self.packings)), key=lambda n: self.packings[n].height)
        certificate = replace(self.certificate(largest), lower_bound=bound)
        return Packing(
            tuple(offsets[n] for n in range(len(offsets))), height, directions, certificate
        )

    def certificate(self, number: int) -> Certificate:
        """Why a region cannot be smaller; the buffers as numbered in the whole problem."""
        found = self.packings[number].certificate
        own = self.buffers[number]
        return replace(found, forcing=tuple(own[n] for n in found.forcing))


def divide(
    problem: Problem,
    regions: Sequence[Region],
    traffic: Sequence[int],
    moments: Sequence[str],
    budget: Budget,
) -> Division:
    """Divide buffers among regions.

    Args:
        problem: the buffers.
        regions: at least one.
        traffic: bytes read and written in each buffer.
        moments: names times from 0 on, for errors; the others are before or after all of them.
        budget: of the search in each region.

    Raises:
        NoDivisionError: they do not fit; names a region, the time, what is missing and the buffers.
    """
    walk = _Walk(problem, tuple(regions), traffic, moments)
    limits = [region.capacity // problem.alignment for region in regions]
    packed: dict[tuple[int, ...], Packing] = {}
    bound: int | None = None
    shortage = ""
    for _ in range(ATTEMPTS):
        try:
            found, least = walk.cheapest(limits)
        except NoDivisionError:
            if bound is None:
                raise
            break
        bound = least if bound is None else bound
        own = [tuple(n for n, place in enumerate(found) if place == r) for r in range(len(limits))]
        for buffers in own:
            if buffers not in packed:
                fresh = Budget(nodes=budget.nodes, shuffles=budget.shuffles)
                packed[buffers] = pack(_part(problem, buffers), budget=fresh)
        packings = tuple(packed[buffers] for buffers in own)
        over = [
            (region, packing.height - region.capacity)
            for region, packing in zip(regions, packings, strict=True)
            if packing.height > region.capacity
        ]
        if not over:
            division = _division(regions, own, packings, traffic, bound)
            if division.weighted == bound:
                return division
            return _improved(division, problem, traffic, budget)
        for region, missing in over:
            number = list(regions).index(region)
            names = _names(problem, [own[number][n] for n in packings[number].certificate.forcing])
            shortage = (
                f"region {region.name}: {missing:,} bytes are missing where {names} are in use; "
                f"no division was found that packs"
            )
            limits[number] -= max(1, units(missing, problem.alignment) // 2)
    raise NoDivisionError(shortage, bound)


def _division(
    regions: Sequence[Region],
    own: Sequence[tuple[int, ...]],
    packings: Sequence[Packing],
    traffic: Sequence[int],
    bound: int,
) -> Division:
    moved = tuple(sum(traffic[n] for n in buffers) for buffers in own)
    return Division(tuple(regions), tuple(own), tuple(packings), moved, bound)


def _improved(
    division: Division, problem: Problem, traffic: Sequence[int], budget: Budget
) -> Division:
    """Move items into cheaper regions as long as both regions pack, as a glance shows."""
    regions, own, packings = division.regions, list(division.buffers), list(division.packings)
    groups = [tuple(piece.buffer for piece in item.pieces) for item in items_of(problem)]
    groups.sort(key=lambda group: (-sum(traffic[n] for n in group), group))

    def packed(buffers: tuple[int, ...], region: Region, enough: int | None) -> Packing | None:
        quick = enough is not None
        effort = Budget(0, GLANCE) if quick else Budget(budget.nodes, budget.shuffles)
        found = pack(_part(problem, buffers), enough=enough, budget=effort)
        return found if found.height <= region.capacity else None

    for group in groups:
        here = next(r for r, buffers in enumerate(own) if group[0] in buffers)
        cheaper = [r for r, region in enumerate(regions) if region.cost < regions[here].cost]
        for there in sorted(cheaper, key=lambda r: regions[r].cost):
            left = tuple(n for n in own[here] if n not in group)
            joined = tuple(sorted((*own[there], *group)))
            one = packed(joined, regions[there], regions[there].capacity)
            other = one and packed(left, regions[here], regions[here].capacity)
            if one and other:
                own[here], own[there], packings[here], packings[there] = left, joined, other, one
                break
    for number, region in enumerate(regions):
        if own[number] != division.buffers[number]:
            packings[number] = packed(own[number], region, None) or packings[number]
    return _division(regions, own, packings, traffic, division.bound)


def _part(problem: Problem, buffers: Sequence[int]) -> Problem:
    """The problem of some buffers alone."""
    place = {number: own for own, number in enumerate(buffers)}
    return Problem(
        tuple(problem.buffers[number] for number in buffers),
        tuple(
            replace(pair, source=place[pair.source], target=place[pair.target])
            for pair in problem.diagonals
            if pair.source in place and pair.target in place
        ),
        tuple(
            replace(inside, part=place[inside.part], whole=place[inside.whole])
            for inside in problem.insides
            if inside.whole in place
        ),
        tuple(
            replace(tie, one=place[tie.one], other=place[tie.other])
            for tie in problem.ties
            if tie.one in place
        ),
        tuple(
            replace(copy, source=place[copy.source], target=place[copy.target])
            for copy in problem.copies
            if copy.source in place and copy.target in place
        ),
        problem.alignment,
    )


def _names(problem: Problem, buffers: Iterable[int]) -> str:
    """Buffers with their sizes, the largest first."""
    found = sorted(buffers, key=lambda number: -problem.buffers[number].size)
    texts = [f"'{problem.buffers[n].name}' {problem.buffers[n].size:,}" for n in found]
    more = len(texts) - SHOWN_NAMES
    return ", ".join(texts[:SHOWN_NAMES]) + (f" and {more} more" if more > 0 else "")


_Chain = tuple["_Chain", int, int] | None
"""Item after item with its region, the last one first."""
_States = dict[tuple[int, ...], tuple[int, _Chain]]
"""By the regions of the items that live: the least cost, and how it came about."""


@dataclass(slots=True)
class _Walk:
    """Through the sections, with all divisions worth following."""

    problem: Problem
    regions: tuple[Region, ...]
    traffic: Sequence[int]
    moments: Sequence[str]
    items: tuple[Item, ...] = field(init=False)
    gaps: Gaps = field(init=False)
    sections: tuple[Section, ...] = field(init=False)
    _needs: dict[tuple[int, tuple[int, ...]], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Find the sections."""
        self.items, self.gaps = items_of(self.problem), gaps_of(self.problem, {})
        self.sections = sections_of(self.items, self.gaps)

    def cheapest(self, limits: Sequence[int]) -> tuple[Sequence[int], int]:
        """The cheapest division of which every section fits.

        Args:
            limits: of the regions, in units.

        Returns:
            The region of each buffer, and a cost that no division is below.

        Raises:
            NoDivisionError: there is none, or none was found.
        """
        items, sections = self.items, self.sections
        held = [
            [n for n, section in enumerate(sections) if item.lower <= section.time < item.upper]
            for item in items
        ]
        states: _States = {(): (0, None)}
        live: list[int] = []
        dropped: list[int] = []
        for place in range(len(sections)):
            for item in [n for n, places in enumerate(held) if places[0] == place]:
                before, states = states, {}
                live.append(item)
                weight = sum(self.traffic[piece.buffer] for piece in items[item].pieces)
                for chosen, (cost, chain) in before.items():
                    for number, region in enumerate(self.regions):
                        state = *chosen, number
                        own = _of(number, live, state)
                        if self._need(place, own) <= limits[number]:
                            states[state] = cost + weight * region.cost, (chain, item, number)
                if not states:
                    text = self._shortage(place, live, before, limits, bool(dropped))
                    raise NoDivisionError(text, min(dropped, default=None))
                if len(states) > STATES:
                    order = sorted(states.items(), key=lambda entry: (entry[1][0], entry[0]))
                    dropped.append(order[STATES][1][0])
                    states = dict(order[:STATES])
            stay = [n for n, item in enumerate(live) if held[item][-1] > place]
            merged: _States = {}
            for state, (cost, chain) in sorted(states.items()):
                left = tuple(state[n] for n in stay)
                if left not in merged or cost < merged[left][0]:
                    merged[left] = cost, chain
            states, live = merged, [live[n] for n in stay]
        cost, chain = states[()]
        found = [0] * len(self.problem.buffers)
        while chain is not None:
            chain, item, number = chain
            for piece in items[item].pieces:
                found[piece.buffer] = number
        return found, min(cost, *dropped) if dropped else cost

    def _need(self, place: int, own: tuple[int, ...]) -> int:
        """Units that some items need in a section."""
        if (place, own) not in self._needs:
            time = self.sections[place].time
            (section,) = sections_at([self.items[n] for n in own], self.gaps, [time])
            self._needs[place, own] = section.least_height(self.gaps)
        return self._needs[place, own]

    def _shortage(
        self,
        place: int,
        live: Sequence[int],
        before: _States,
        limits: Sequence[int],
        cut: bool,
    ) -> str:
        """What is missing, at the least, before the item that came last finds no room."""
        missing, number = min(
            (self._need(place, _of(number, live, (*chosen, number))) - limits[number], number)
            for chosen in before
            for number in range(len(self.regions))
        )
        section = self.sections[place]
        names = _names(self.problem, [piece.buffer for piece in section.pieces])
        moment = "before the first operator" if section.time < 0 else "after the last operator"
        if 0 <= section.time < len(self.moments):
            moment = f"during {self.moments[section.time]}"
        sizes = ", ".join(f"{region.name} {region.capacity:,}" for region in self.regions)
        return (
            f"no {'division found' if cut else 'division'} among {sizes} bytes: "
            f"region {self.regions[number].name} lacks {missing * self.problem.alignment:,} bytes "
            f"{moment}, where {names} are in use"
        )


def _of(number: int, live: Sequence[int], state: Sequence[int]) -> tuple[int, ...]:
    """The items that a state puts into one region."""
    return tuple(item for item, region in zip(live, state, strict=True) if region == number)
