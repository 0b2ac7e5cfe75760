"""From a program to the buffers of its arena: who is in use from which step to which.

Step n is the n-th operator. Graph inputs are written before step 0, in "step" −1; graph outputs
are read after the last one, in step "number of steps". Constants are not in the arena. Operators
that only rename their input's bytes (RESHAPE and its like) join input and output into one buffer,
and so do kernels whose output may share bytes with a dying input in place only.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from tinyrt.kernel import Overlap
from tinyrt.load import Program, Step
from tinyrt.plan.problem import Buffer, Copy, Diagonal, Problem, Tie
from tinyrt.plan.usage import Place, Stretch, places_of, stretches_of

ALIGNMENT = 16
"""Bytes: what the kernels' widest loads and the peers' arenas are aligned to."""


@dataclass(frozen=True, slots=True)
class Arena:
    """A program's packing problem, and what its buffers stand for."""

    problem: Problem
    stretches: tuple[Stretch, ...]
    """What the first buffers hold, one by one; the others are working memory."""
    places: Mapping[int, Place]
    """Which bytes of the stretches each tensor in the arena is."""
    holder: Mapping[int, tuple[int, int]]
    """For each tensor in the arena, a buffer and how many bytes after its beginning it begins."""
    scratch: Mapping[int, int]
    """The buffer of each step's working memory, by key of the step."""


def arena_of(program: Program, *, overlap: bool = True, backward: bool = True) -> Arena:
    """Work out the lifetimes.

    Args:
        program: whose tensors.
        overlap: let outputs run into dying inputs, as far as their kernels declare.
        backward: let kernels walk from high to low addresses for that.
    """
    tensors = program.graph.tensors
    overlaps = _overlaps(program, backward) if overlap else [()] * len(program.steps)
    places = places_of(program, overlaps)
    stretches = stretches_of(program, places)
    buffers = [
        Buffer(tensors[s.root].label, s.first, s.last + 1, s.end - s.begin) for s in stretches
    ]
    anchors: dict[int, int] = {}
    for number, stretch in enumerate(stretches):
        anchors.setdefault(stretch.root, number)
    begins = {root: stretches[number].begin for root, number in anchors.items()}
    ties = tuple(
        Tie(number, anchors[stretch.root], stretch.begin - begins[stretch.root])
        for number, stretch in enumerate(stretches)
        if anchors[stretch.root] != number
    )
    holder = {
        tensor: (anchors[place.root], place.begin - begins[place.root])
        for tensor, place in places.items()
    }
    scratch: dict[int, int] = {}
    for number, step in enumerate(program.steps):
        size = step.scratch_bytes
        if size:
            scratch[step.key] = len(buffers)
            buffers.append(Buffer(f"scratch of {step.node.name}", number, number + 1, size))
    diagonals = tuple(_diagonals(program, overlaps, places, stretches))
    copies = tuple(_copies(program, places, stretches))
    problem = Problem(tuple(buffers), diagonals, ties=ties, copies=copies, alignment=ALIGNMENT)
    return Arena(problem, stretches, places, holder, scratch)


def _overlaps(program: Program, backward: bool) -> list[tuple[Overlap, ...]]:
    """What each step allows; worked out once for the strips that run the same code."""
    known: dict[int, tuple[Overlap, ...]] = {}
    for step in program.steps:
        if id(step.code) not in known:
            allowed = step.overlaps
            if not backward:
                allowed = tuple(replace(overlap, backward=None) for overlap in allowed)
            known[id(step.code)] = allowed
    return [known[id(step.code)] for step in program.steps]


def _diagonals(
    program: Program,
    overlaps: Sequence[Sequence[Overlap]],
    places: Mapping[int, Place],
    stretches: Sequence[Stretch],
) -> Iterator[Diagonal]:
    """How the steps' first outputs may share bytes with what dies in the step."""
    born, dying = _changes(stretches)
    for number, (step, allowed) in enumerate(zip(program.steps, overlaps, strict=True)):
        yield from diagonals_of(
            step,
            allowed,
            places,
            {n: stretches[n] for n in dying.get(number, ())},
            {n: stretches[n] for n in born.get(number, ())},
        )


def diagonals_of(
    step: Step,
    allowed: Sequence[Overlap],
    places: Mapping[int, Place],
    dying: Mapping[int, Stretch],
    born: Mapping[int, Stretch],
) -> Iterator[Diagonal]:
    """How a step's first output may share bytes with what dies in the step.

    Args:
        step: whose operands and output.
        allowed: what it allows.
        places: of its operands and results.
        dying: what it is the last to use, by buffer.
        born: what it is the first to use, by buffer.
    """
    if step.kernel.alias or not step.results:
        return
    overlaps = [overlap for overlap in allowed if not overlap.only_in_place]
    free = {overlap.operand for overlap in overlaps}
    # Dying bytes that are also read without leave to be overwritten must stay whole.
    whole = [places[t] for n, t in enumerate(step.operands) if n not in free and t in places]
    written = places[step.results[0]]
    found: dict[tuple[int, int], Diagonal] = {}
    for overlap in overlaps:
        read = places.get(step.operands[overlap.operand])
        if read is None:
            continue
        for source, end in dying.items():
            if not end.within(read) or any(end.meets(place) for place in whole):
                continue
            for target, begin in born.items():
                if begin.within(written):
                    leads = _leads(overlap, end, read, begin, written)
                    pair = Diagonal(source, target, step.key, *leads)
                    found[source, target] = _both(found.get((source, target), pair), pair)
    yield from found.values()


def _changes(
    stretches: Sequence[Stretch],
) -> tuple[Mapping[int, Sequence[int]], Mapping[int, Sequence[int]]]:
    """The stretches that begin at each step, and those that end there."""
    born: dict[int, list[int]] = {}
    dying: dict[int, list[int]] = {}
    for number, stretch in enumerate(stretches):
        born.setdefault(stretch.first, []).append(number)
        dying.setdefault(stretch.last, []).append(number)
    return born, dying


def _copies(
    program: Program, places: Mapping[int, Place], stretches: Sequence[Stretch]
) -> Iterator[Copy]:
    """What steps copy that only give bytes another place, where they could stay."""
    born, dying = _changes(stretches)
    for number, step in enumerate(program.steps):
        if not step.kernel.alias:
            continue
        read, written = places.get(step.operands[0]), places[step.results[0]]
        if read is None or read == written:
            continue
        for source in dying.get(number, ()):
            for target in born.get(number, ()):
                one, other = stretches[source], stretches[target]
                if one.within(read) and other.within(written):
                    shift = (other.begin - written.begin) - (one.begin - read.begin)
                    yield Copy(source, target, shift)


def _leads(
    overlap: Overlap, source: Stretch, read: Place, target: Stretch, written: Place
) -> tuple[int | None, int | None]:
    """The distances of operand and output, as distances of a part of the one and of the other."""
    begins = (source.begin - read.begin) - (target.begin - written.begin)
    ends = (target.end - written.end) - (source.end - read.end)
    return (
        None if overlap.forward is None else overlap.forward + begins,
        None if overlap.backward is None else overlap.backward + ends,
    )


def _both(one: Diagonal, other: Diagonal) -> Diagonal:
    """The distances that two readings of the same buffer both allow."""
    return Diagonal(
        one.source,
        one.target,
        one.operator,
        _greater(one.forward, other.forward),
        _greater(one.backward, other.backward),
    )


def _greater(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else max(one, other)
