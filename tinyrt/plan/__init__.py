"""The memory planner: where each tensor lies in the arena, for how long, and why no arena is less.

`plan` works out lifetimes, packs them (`packing`, exact) and has the result checked (`check`,
which shares nothing with the planner) before anyone may use it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from tinyrt.errors import PlanError
from tinyrt.load import Program
from tinyrt.plan import check
from tinyrt.plan.lifetimes import Arena, arena_of
from tinyrt.plan.packing import Budget, Certificate, Packing, Proof, pack
from tinyrt.plan.problem import Direction, Inside, units
from tinyrt.plan.regions import Division, NoDivisionError, Region, Zone, divide
from tinyrt.plan.traffic import traffic_of
from tinyrt.plan.views import floor_of, insides_of


@dataclass(frozen=True, slots=True)
class Allocation:
    """One tensor's place in the arena; several tensors may share it (aliases)."""

    tensor: int
    offset: int
    size: int
    first_step: int
    """The operator that writes it; −1 for a graph input."""
    last_step: int
    """The last operator that reads it; the number of operators for a graph output."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A static layout of every tensor that is not a constant."""

    arena_bytes: int
    lower_bound_bytes: int
    """No plan is smaller under the same order of operators and the same rules."""
    allocations: tuple[Allocation, ...]
    """By tensor index, each from the first to the last use of any of its bytes."""
    blocks: tuple[Allocation, ...]
    """What is in use when, to the byte: parts of a tensor that live at different times are told
    apart, and excerpts are not told apart from their wholes."""
    scratch: Mapping[int, int]
    """Offset of a step's scratch memory, by key of the step."""
    directions: Mapping[int, Direction]
    """How a step that overwrites its input must walk, by key of the step."""
    forcing_step: int
    """The operator during which the most bytes are in use."""
    forcing_tensors: tuple[int, ...]
    """The tensors in use then; of tensors that share bytes, one."""
    proof: str
    """Why the arena cannot be smaller, or by how much it might be, in words; of several regions,
    why none needs be slower."""
    regions: tuple[Zone, ...] = ()
    """Where there are several memories: what each is used for. Offsets then count through all of
    them, in their order."""

    @property
    def optimal(self) -> bool:
        """Whether no plan can be smaller."""
        return self.arena_bytes == self.lower_bound_bytes

    @property
    def weighted_traffic(self) -> int:
        """Bytes that a run moves in several regions, each times the cost of its region."""
        return sum(zone.region.cost * zone.traffic for zone in self.regions)

    def within(self, zone: Zone) -> "Plan":
        """What lies in one region, as a plan of its own."""
        return replace(
            self,
            arena_bytes=zone.size,
            lower_bound_bytes=zone.lower_bound_bytes,
            allocations=tuple(_moved(self.allocations, zone)),
            blocks=tuple(_moved(self.blocks, zone)),
            scratch={
                step: offset - zone.base
                for step, offset in self.scratch.items()
                if zone.holds(offset)
            },
            forcing_step=zone.forcing_step,
            forcing_tensors=zone.forcing_tensors,
            proof=zone.proof,
            regions=(),
        )


def _moved(allocations: Sequence[Allocation], zone: Zone) -> Iterator[Allocation]:
    for allocation in allocations:
        if zone.holds(allocation.offset):
            yield replace(allocation, offset=allocation.offset - zone.base)


def plan(
    program: Program,
    *,
    overlap: bool = True,
    backward: bool = True,
    enough: int | None = None,
    budget: Budget | None = None,
    regions: Sequence[Region] = (),
) -> Plan:
    """Place every tensor of a program.

    Args:
        program: in the order of its steps.
        overlap: let an output run into an input that dies in its operator, as far as the kernel
            declares that its loops allow.
        backward: let kernels walk from high to low addresses for that.
        enough: bytes of arena below which nothing need be sought; not for several regions.
        budget: of the search, where the simple ways do not meet the bound.
        regions: memories to divide the tensors among; one of them, or none, is one arena.

    Raises:
        PlanError: the tensors do not fit into the regions.
    """
    arena = arena_of(program, overlap=overlap, backward=backward)
    budget = budget or Budget()
    insides = insides_of(program, arena) if overlap else ()
    if len(regions) > 1:
        arena, division = _divided(program, arena, insides, regions, budget)
        return _finished(program, arena, division.joined(), division)
    packing = pack(arena.problem, enough=enough, budget=budget)
    if insides:
        arena, packing = _with_pieces(arena, packing, insides, budget)
    found = _finished(program, arena, packing)
    for region in regions:
        check_room(found, region)
    return found


def check_room(found: Plan, region: Region) -> None:
    """Let a plan pass that fits into the one region there is.

    Raises:
        PlanError: it does not; says what is missing, and why.
    """
    missing = found.arena_bytes - region.capacity
    if missing > 0:
        raise PlanError(f"region {region.name} lacks {missing:,} bytes: {found.proof}")


def _finished(
    program: Program, arena: Arena, packing: Packing, division: Division | None = None
) -> Plan:
    """A plan of what is packed, once it is checked."""
    layout = _layout(arena, packing)
    zones = () if division is None else tuple(_zones(program, arena, division))
    spans = tuple((zone.base, zone.base + zone.size) for zone in zones)
    check.check(replace(layout, regions=spans))
    certificate = packing.certificate
    offsets = arena.problem.offsets_of(packing.offsets)
    return Plan(
        arena_bytes=packing.height,
        lower_bound_bytes=certificate.lower_bound,
        allocations=tuple(_allocations(program, arena, offsets)),
        blocks=tuple(_blocks(program, arena, offsets)),
        scratch={step: offsets[number] for step, number in arena.scratch.items()},
        directions=packing.directions,
        forcing_step=certificate.time,
        forcing_tensors=_tensors(arena, certificate),
        proof=_proof(program, arena, packing) if division is None else _cheapness(division),
        regions=zones,
    )


def _tensors(arena: Arena, certificate: Certificate) -> tuple[int, ...]:
    """What forces a packing, each tensor once."""
    forcing = (n for n in certificate.forcing if n < len(arena.stretches))
    return tuple(dict.fromkeys(arena.stretches[n].root for n in forcing))


def _divided(
    program: Program,
    arena: Arena,
    insides: tuple[Inside, ...],
    regions: Sequence[Region],
    budget: Budget,
) -> tuple[Arena, Division]:
    """Divide among regions, with pieces apart or in their wholes: what is less traffic."""
    moments = [step.where() for step in program.steps]
    traffic = traffic_of(program, arena)
    found: list[tuple[Arena, Division]] = []
    failed: list[NoDivisionError] = []
    for pieces in ((), insides) if insides else ((),):
        variant = replace(arena, problem=replace(arena.problem, insides=pieces))
        try:
            found.append((variant, divide(variant.problem, regions, traffic, moments, budget)))
        except NoDivisionError as error:
            failed.append(error)
    if not found:
        raise failed[0]
    arena, best = min(found, key=lambda pair: (pair[1].weighted, pair[1].joined().height))
    missed = [error.bound for error in failed if error.bound is not None]
    return arena, replace(best, bound=min([*(division.bound for _, division in found), *missed]))


def _zones(program: Program, arena: Arena, division: Division) -> Iterator[Zone]:
    """What each region is used for."""
    parts = zip(division.regions, division.bases, division.packings, division.traffic, strict=True)
    for number, (region, base, packing, traffic) in enumerate(parts):
        certificate = division.certificate(number)
        yield Zone(
            region=region,
            base=base,
            size=packing.height,
            lower_bound_bytes=certificate.lower_bound,
            traffic=traffic,
            forcing_step=certificate.time,
            forcing_tensors=_tensors(arena, certificate),
            proof=_proof(program, arena, replace(packing, certificate=certificate)),
        )


def _cheapness(division: Division) -> str:
    """Why no division among regions is cheaper, in words."""
    gap = division.weighted - division.bound
    proof = "no division has less" if not gap else f"not proven least: gap {gap:,}"
    return f"traffic of {division.weighted:,} bytes, each times the cost of its region; {proof}"


def _with_pieces(
    arena: Arena, apart: Packing, insides: tuple[Inside, ...], budget: Budget
) -> tuple[Arena, Packing]:
    """Put pieces into their wholes where that pays; the bound is that of both ways."""
    problem = replace(arena.problem, insides=insides)
    joined = pack(problem, enough=apart.certificate.lower_bound, budget=budget)
    if joined.height < apart.height:
        arena, apart = replace(arena, problem=problem), joined
    bound = min(apart.height, floor_of(arena.problem, insides))
    proof = Proof.LIVE_BYTES if bound == apart.height else Proof.NONE
    return arena, replace(
        apart, certificate=replace(apart.certificate, lower_bound=bound, proof=proof)
    )


def _allocations(program: Program, arena: Arena, offsets: Sequence[int]) -> Iterator[Allocation]:
    """The place of each tensor."""
    for tensor, (number, begin) in sorted(arena.holder.items()):
        parts = [s for s in arena.stretches if s.meets(arena.places[tensor])]
        yield Allocation(
            tensor,
            offsets[number] + begin,
            program.graph.tensors[tensor].bytes,
            min(part.first for part in parts),
            max(part.last for part in parts),
        )


def _blocks(program: Program, arena: Arena, offsets: Sequence[int]) -> Iterator[Allocation]:
    """What is where and when, tensor by tensor."""
    for tensor, place in sorted(arena.places.items()):
        for number, part in enumerate(arena.stretches):
            if tensor not in program.excerpts and part.within(place):
                size = part.end - part.begin
                yield Allocation(tensor, offsets[number], size, part.first, part.last)


def _layout(arena: Arena, packing: Packing) -> check.Layout:
    """The plan as the checker takes it."""
    problem = arena.problem
    offsets = problem.offsets_of(packing.offsets)
    return check.Layout(
        arena_bytes=packing.height,
        alignment=problem.alignment,
        blocks=tuple(
            check.Block(buffer.name, buffer.lower, buffer.upper, offset, buffer.size)
            for buffer, offset in zip(problem.buffers, offsets, strict=True)
        ),
        shared=tuple(
            check.Shared(
                pair.source,
                pair.target,
                packing.directions[pair.operator] is Direction.BACKWARD,
                pair.backward
                if packing.directions[pair.operator] is Direction.BACKWARD
                else pair.forward,
            )
            for pair in problem.diagonals
            if pair.operator in packing.directions
        ),
        inside=tuple((inside.part, inside.whole, inside.offset) for inside in problem.insides),
        ties=tuple((tie.one, tie.other, tie.distance) for tie in problem.ties),
        copies=tuple((copy.source, copy.target, copy.shift) for copy in problem.copies),
    )


def _proof(program: Program, arena: Arena, packing: Packing) -> str:
    """The certificate in words."""
    certificate, buffers = packing.certificate, arena.problem.buffers
    live = certificate.forcing
    if not live:
        return "the arena is empty"
    total = sum(units(buffers[n].size, arena.problem.alignment) for n in live)
    total *= arena.problem.alignment
    sizes: dict[tuple[int, str], int] = {}
    for n in live:  # parts of one tensor that live at different times are one again
        root = arena.stretches[n].root if n < len(arena.stretches) else -1
        key = root, buffers[n].name
        sizes[key] = sizes.get(key, 0) + buffers[n].size
    names = ", ".join(f"'{name}' {size:,}" for (_, name), size in sizes.items())
    where = _moment(program, certificate)
    saved = total - certificate.lower_bound
    if not packing.optimal:
        gap = packing.height - certificate.lower_bound
        return f"not proven optimal: gap {gap:,} bytes; {where}, {names} are in use"
    if certificate.proof is certificate.proof.SEARCH:
        return (
            f"optimal: a search of {certificate.nodes:,} nodes found nothing smaller; the most "
            f"bytes are in use {where}: {names}"
        )
    shared = f", of which {saved:,} are shared" if saved > 0 else ""
    return f"optimal: {where}, {names} are in use{shared}"


def _moment(program: Program, certificate: Certificate) -> str:
    """The forcing time in words."""
    step = certificate.time
    if step < 0:
        return "before the first operator"
    if step >= len(program.steps):
        return "after the last operator"
    return f"during {program.steps[step].where()}"
