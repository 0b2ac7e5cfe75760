"""The memory planner: where each tensor lies in the arena, for how long, and why no arena is less.

`plan` works out lifetimes, packs them (`packing`, exact) and has the result checked (`check`,
which shares nothing with the planner) before anyone may use it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from tinyrt.load import Program
from tinyrt.plan import check
from tinyrt.plan.lifetimes import Arena, arena_of
from tinyrt.plan.packing import Budget, Certificate, Packing, Proof, pack
from tinyrt.plan.problem import Direction, Inside, units
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
    """Why the arena cannot be smaller, or by how much it might be, in words."""

    @property
    def optimal(self) -> bool:
        """Whether no plan can be smaller."""
        return self.arena_bytes == self.lower_bound_bytes


def plan(
    program: Program,
    *,
    overlap: bool = True,
    backward: bool = True,
    enough: int | None = None,
    budget: Budget | None = None,
) -> Plan:
    """Place every tensor of a program.

    Args:
        program: in the order of its steps.
        overlap: let an output run into an input that dies in its operator, as far as the kernel
            declares that its loops allow.
        backward: let kernels walk from high to low addresses for that.
        enough: bytes of arena below which nothing need be sought.
        budget: of the search, where the simple ways do not meet the bound.
    """
    arena = arena_of(program, overlap=overlap, backward=backward)
    budget = budget or Budget()
    packing = pack(arena.problem, enough=enough, budget=budget)
    insides = insides_of(program, arena) if overlap else ()
    if insides:
        arena, packing = _with_pieces(arena, packing, insides, budget)
    check.check(_layout(arena, packing))
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
        forcing_tensors=tuple(
            dict.fromkeys(
                arena.stretches[n].root for n in certificate.forcing if n < len(arena.stretches)
            )
        ),
        proof=_proof(program, arena, packing),
    )


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
