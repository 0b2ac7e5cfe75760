"""Which bytes of which tensor are in use from which step to which.

A tensor's *root* is the one that its bytes are counted in: its own; the first of those that are
renamed one into the other, or written one over the other in place; or the whole of which it is an
excerpt. Parts of a root live each for themselves: rows of an input die one after the other, those
of an output come into being so.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tinyrt.kernel import Overlap
from tinyrt.load import Excerpt, Program


@dataclass(frozen=True, slots=True)
class Place:
    """Where a tensor's bytes are in its root."""

    root: int
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """Bytes of a root that are in use together, from the first step to the last."""

    root: int
    begin: int
    end: int
    first: int
    last: int

    def within(self, place: Place) -> bool:
        """Whether a place holds all of it."""
        return self.root == place.root and place.begin <= self.begin and self.end <= place.end

    def meets(self, place: Place) -> bool:
        """Whether a place holds some of it, or a place without bytes is in it."""
        return self.root == place.root and (
            (place.begin < self.end and self.begin < place.end) or self.within(place)
        )


def places_of(program: Program, overlaps: Sequence[Sequence[Overlap]]) -> Mapping[int, Place]:
    """The place of every tensor that is used and no constant, by index.

    Args:
        program: whose tensors.
        overlaps: for each step, how its output may share bytes with an operand. Where it may only
            do so in place, it takes the operand's place.
    """
    tensors, excerpts = program.graph.tensors, program.excerpts
    wholes = {excerpt.whole for excerpt in excerpts.values()}
    last_uses = _last_uses(program)
    renamed: dict[int, int] = {}

    def root_of(tensor: int) -> int:
        return renamed.get(tensor, tensor)

    for number, step in enumerate(program.steps):
        if step.kernel.alias:
            source = root_of(step.operands[0])
            for result in step.results:
                if result not in excerpts and not tensors[source].is_constant:
                    renamed[result] = source
        else:
            for tensor in (step.operands[o.operand] for o in overlaps[number] if o.only_in_place):
                source, (result, *_) = root_of(tensor), step.results
                names = [name for name in last_uses if root_of(name) == source]
                if (
                    not {tensor, source, result} & (wholes | excerpts.keys())
                    and not tensors[source].is_constant
                    and not tensors[source].is_variable
                    and tensors[result].bytes == tensors[source].bytes
                    and max(last_uses[name] for name in names) == number
                ):
                    renamed[result] = source
                    break
    places: dict[int, Place] = {}
    for tensor in sorted({*_all_used(program)}):
        excerpt = excerpts.get(tensor, Excerpt(tensor, 0))
        whole, begin = excerpt.whole, excerpt.byte_offset
        if not tensors[root_of(whole)].is_constant:
            places[tensor] = Place(root_of(whole), begin, begin + tensors[tensor].bytes)
    return places


def _all_used(program: Program) -> Iterator[int]:
    yield from program.graph.inputs
    for step in program.steps:
        yield from step.operands
        yield from step.results
    yield from program.graph.outputs


def _last_uses(program: Program) -> dict[int, int]:
    """The last step that reads each tensor; the number of steps for graph outputs."""
    found = {
        tensor: number for number, step in enumerate(program.steps) for tensor in step.operands
    }
    return found | dict.fromkeys(program.graph.outputs, len(program.steps))


def stretches_of(program: Program, places: Mapping[int, Place]) -> tuple[Stretch, ...]:
    """All stretches, root by root in the order of their first use."""
    accesses: dict[int, list[_Access]] = {}

    def use(tensor: int, step: int, *, begins: bool = False) -> None:
        place = places.get(tensor)
        if place is not None:
            access = _Access(step, place.begin, place.end, begins)
            accesses.setdefault(place.root, []).append(access)

    end = len(program.steps)
    for tensor in program.graph.inputs:
        use(tensor, -1, begins=True)
    for number, step in enumerate(program.steps):
        for tensor in step.operands:
            use(tensor, number)
        read = [places.get(tensor) for tensor in step.operands]
        for tensor in step.results:
            use(tensor, number, begins=places.get(tensor) not in read)
    for tensor in program.graph.outputs:
        use(tensor, end)
    tensors = program.graph.tensors
    return tuple(
        stretch
        for root, found in accesses.items()
        for stretch in (
            [Stretch(root, 0, tensors[root].bytes, -1, end)]
            if tensors[root].is_variable  # it outlives the run
            else _stretches(root, found)
        )
    )


@dataclass(frozen=True, slots=True)
class _Access:
    """A step that reads or writes some bytes."""

    step: int
    begin: int
    end: int
    begins: bool
    """Whether the bytes that were there before are of no use any more."""


def _stretches(root: int, accesses: list[_Access]) -> Iterator[Stretch]:
    """The stretches of one root; neighbours that live alike are one."""
    cuts = sorted({cut for access in accesses for cut in (access.begin, access.end)})
    if len(cuts) == 1:  # no bytes, but they have a place
        cuts *= 2
    alike: list[Stretch] = []
    for begin, end in pairwise(cuts):
        lives = _lives([a for a in accesses if a.begin <= begin and end <= a.end])
        merge = lives == [(stretch.first, stretch.last) for stretch in alike]
        if not merge:
            yield from alike
        start = alike[0].begin if merge else begin
        alike = [Stretch(root, start, end, first, last) for first, last in lives]
    yield from alike


def _lives(accesses: list[_Access]) -> list[tuple[int, int]]:
    """From each time that bytes begin to the last use before the next."""
    lives: list[tuple[int, int]] = []
    for access in accesses:
        if access.begins or not lives:
            lives.append((access.step, access.step))
        else:
            lives[-1] = lives[-1][0], access.step
    return lives
