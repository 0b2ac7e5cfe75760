"""What a picture of a plan shows, in no particular medium: blocks over time and bytes.

`draw` puts a chart into a terminal, `svg` into a file. Time is counted in columns: one before the
first operator, in which the inputs are given, one for each operator, and one after the last, in
which the outputs are read.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tinyrt.load import Program
from tinyrt.plan import Plan


@dataclass(frozen=True, slots=True)
class Column:
    """A stretch of time."""

    label: str
    """Number of the operator in the file, with that of a strip after a point."""
    title: str
    """What happens then, in words."""


@dataclass(frozen=True, slots=True)
class Block:
    """Bytes in use from one column to another, both included."""

    name: str
    short: str
    """The last part of a path-like name that no other block has."""
    offset: int
    size: int
    first: int
    last: int
    forcing: bool = False
    """Whether it is one of those that force the arena to be as large as it is."""
    scratch: bool = False
    """Whether it is an operator's working memory, not a tensor."""

    @property
    def end(self) -> int:
        """The first byte above it."""
        return self.offset + self.size

    def touches(self, other: "Block") -> bool:
        """Whether the two meet in a picture, at an edge or more."""
        return (
            self.first <= other.last + 1
            and other.first <= self.last + 1
            and self.offset <= other.end
            and other.offset <= self.end
        )


@dataclass(frozen=True, slots=True)
class Shared:
    """Bytes in which an operator writes its output over its input."""

    first: int
    last: int
    offset: int
    end: int
    names: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Chart:
    """All that a picture shows."""

    columns: tuple[Column, ...]
    blocks: tuple[Block, ...]
    shared: tuple[Shared, ...]
    arena_bytes: int
    lower_bound_bytes: int
    forcing: int
    """The column in which the most bytes are in use."""
    proof: str

    def span(self, block: Block) -> str:
        """The time of a block in words."""
        first, last = (self.columns[column].label for column in (block.first, block.last))
        if block.first == block.last:
            return f"at operator {first}" if first[0].isdigit() else first
        return f"operators {first} to {last}"


def chart_of(program: Program, plan: Plan) -> Chart:
    """What a picture of a program's plan shows."""
    end = len(program.steps)
    columns = (
        Column("in", "before the first operator: the inputs are given"),
        *(Column(step.label, step.where()) for step in program.steps),
        Column("out", "after the last operator: the outputs are read"),
    )
    tensors = program.graph.tensors
    forcing = set(plan.forcing_tensors)
    placed = {tensors[place.tensor].label for place in plan.blocks}
    parts = Counter(part for name in placed for part in set(name.split("/")))
    # Tensors with the same bytes at the same time are one block: RESHAPE and its like.
    together: dict[tuple[int, int, int, int], list[int]] = {}
    for place in plan.blocks:
        key = place.offset, place.size, place.first_step, place.last_step
        together.setdefault(key, []).append(place.tensor)
    blocks = [
        Block(
            name=" = ".join(dict.fromkeys(tensors[index].label for index in indices)),
            short=_short(tensors[indices[0]].label, parts),
            offset=offset,
            size=size,
            first=max(first, -1) + 1,
            last=min(last, end) + 1,
            forcing=not forcing.isdisjoint(indices),
        )
        for (offset, size, first, last), indices in together.items()
    ]
    blocks += [
        Block(
            name=f"scratch of {step.where()}",
            short="scratch",
            offset=plan.scratch[step.key],
            size=step.scratch_bytes,
            first=number,
            last=number,
            forcing=number == plan.forcing_step + 1,
            scratch=True,
        )
        for number, step in enumerate(program.steps, start=1)
        if step.key in plan.scratch
    ]
    blocks.sort(key=lambda block: (block.first, block.offset))
    return Chart(
        columns,
        tuple(blocks),
        tuple(_shared(blocks)),
        plan.arena_bytes,
        plan.lower_bound_bytes,
        plan.forcing_step + 1,
        plan.proof,
    )


def tints(blocks: Sequence[Block], count: int) -> tuple[int, ...]:
    """A number for each block, 0 to `count` − 1, such that neighbours differ where they can."""
    chosen: list[int] = []
    for number, block in enumerate(blocks):
        near = [chosen[n] for n in range(number) if blocks[n].touches(block)]
        turn = number % count
        chosen.append(min(range(count), key=lambda tint: (near.count(tint), (tint - turn) % count)))
    return tuple(chosen)


def _short(name: str, parts: Mapping[str, int]) -> str:
    last_first = name.split("/")[::-1]
    return next((part for part in last_first if parts[part] == 1), last_first[0])


def _shared(blocks: Sequence[Block]) -> list[Shared]:
    found = []
    for number, one in enumerate(blocks):
        for other in blocks[:number]:
            first, last = max(one.first, other.first), min(one.last, other.last)
            offset, end = max(one.offset, other.offset), min(one.end, other.end)
            if first <= last and offset < end:
                found.append(Shared(first, last, offset, end, (other.name, one.name)))
    return found
