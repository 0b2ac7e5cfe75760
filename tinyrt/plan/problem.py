"""What is to be packed: buffers with fixed lifetimes, and how some of them may share bytes.

Nothing here knows of models: a problem is as good from a CSV file as from a graph. Times are
integers, lifetimes half-open. All offsets are multiples of one alignment, and so is the arena.
"""

import enum
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass


class Direction(enum.Enum):
    """The order in which a kernel walks through the addresses of its output."""

    FORWARD = "forward"
    BACKWARD = "backward"


@dataclass(frozen=True, slots=True)
class Buffer:
    """`size` bytes that are in use at every time t with `lower` ≤ t < `upper`."""

    name: str
    lower: int
    upper: int
    size: int

    def meets(self, other: "Buffer") -> bool:
        """Whether both are in use at the same time."""
        return self.lower < other.upper and other.lower < self.upper


@dataclass(frozen=True, slots=True)
class Diagonal:
    """An operator's output may run into the input that dies in it.

    Where the operator walks forward, `target` must begin at least `forward` bytes before
    `source` does; where it walks backward, it must end at least `backward` bytes after `source`
    does; zero is in place, negative allows a lag. In either case they may be disjoint instead.
    All pairs of one operator walk the same way.
    """

    source: int
    """The buffer that is read."""
    target: int
    """The buffer that is written."""
    operator: int
    """Groups the pairs of one operator."""
    forward: int | None
    """Bytes; None: not in this direction."""
    backward: int | None


@dataclass(frozen=True, slots=True)
class Inside:
    """`part` is a piece of `whole`, `offset` bytes into it: a joined input, a split output."""

    part: int
    whole: int
    offset: int


@dataclass(frozen=True, slots=True)
class Tie:
    """`one` begins a fixed distance after `other`, whenever they live: rows of one tensor."""

    one: int
    other: int
    distance: int


@dataclass(frozen=True, slots=True)
class Copy:
    """`target` begins as a copy of what ends in `source`: they may be the same bytes.

    Then there is nothing to copy, and `target` begins `shift` bytes after `source`. Otherwise they
    are disjoint, as all that lives together.
    """

    source: int
    target: int
    shift: int


@dataclass(frozen=True, slots=True)
class Problem:
    """Buffers to be placed and the exceptions from "what lives together is disjoint"."""

    buffers: tuple[Buffer, ...]
    diagonals: tuple[Diagonal, ...] = ()
    insides: tuple[Inside, ...] = ()
    ties: tuple[Tie, ...] = ()
    copies: tuple[Copy, ...] = ()
    alignment: int = 1

    @property
    def hosts(self) -> Mapping[int, tuple[int, int]]:
        """What buffers are moved with, and how far after its beginning they begin."""
        pieces = {inside.part: (inside.whole, inside.offset) for inside in self.insides}
        return pieces | {tie.one: (tie.other, tie.distance) for tie in self.ties}

    def offsets_of(self, packed: Sequence[int]) -> tuple[int, ...]:
        """The offsets of all buffers to the byte, from those of a packing, in whole units."""
        offsets = list(packed)
        for buffer, (host, distance) in self.hosts.items():
            offsets[buffer] = offsets[host] + distance
        return tuple(offsets)


@dataclass(frozen=True, slots=True)
class Piece:
    """One buffer of an item; everything in units of the alignment."""

    buffer: int
    lower: int
    upper: int
    size: int
    rise: int
    """Where the piece begins, from the item's own offset."""


@dataclass(frozen=True, slots=True)
class Item:
    """What is moved as one: a buffer, or a whole with the pieces inside it."""

    pieces: tuple[Piece, ...]

    @property
    def height(self) -> int:
        """Top of the highest piece."""
        return max(piece.rise + piece.size for piece in self.pieces)

    @property
    def area(self) -> int:
        """Units times time."""
        return sum(piece.size * (piece.upper - piece.lower) for piece in self.pieces)

    @property
    def lower(self) -> int:
        """First time."""
        return min(piece.lower for piece in self.pieces)

    @property
    def upper(self) -> int:
        """End of the last time."""
        return max(piece.upper for piece in self.pieces)


@dataclass(frozen=True, slots=True)
class Gaps:
    """How far above the offset of one buffer another must begin, in units.

    Two buffers that live together are ordered: the upper one's offset is at least the lower
    one's plus this gap. It is the lower one's size, unless a diagonal allows less; it is negative
    where a long output may reach below the input that it ends above.
    """

    special: dict[tuple[int, int], int]
    """(lower buffer, upper buffer) → units, where it is less than the lower one's size."""
    copies: dict[tuple[int, int], int]
    """(source, target) → how far above the source's item the target's begins if they coincide."""

    def coincidence(self, one: Piece, other: Piece) -> int | None:
        """How far above the item of the one that of the other may begin all the same."""
        if (one.buffer, other.buffer) in self.copies:
            return self.copies[one.buffer, other.buffer]
        reverse = self.copies.get((other.buffer, one.buffer))
        return None if reverse is None else -reverse

    def between(self, below: Piece, above: Piece) -> int:
        """The least distance of two offsets, in this order."""
        return self.special.get((below.buffer, above.buffer), below.size)


def units(size: int, alignment: int) -> int:
    """Bytes as units of the alignment, rounded up (also below zero)."""
    return -(-size // alignment)


def items_of(problem: Problem) -> tuple[Item, ...]:
    """Join the buffers that move as one; in the order of their wholes."""
    hosts = problem.hosts
    pieces: dict[int, list[Piece]] = {}
    for index, buffer in enumerate(problem.buffers):
        root, rise = index, 0
        while root in hosts:
            root, distance = hosts[root]
            rise += distance
        begin = rise // problem.alignment
        size = units(rise + buffer.size, problem.alignment) - begin
        piece = Piece(index, buffer.lower, buffer.upper, size, begin)
        pieces.setdefault(root, []).append(piece)
    return tuple(Item(tuple(pieces[root])) for root in sorted(pieces))


def gaps_of(problem: Problem, directions: dict[int, Direction]) -> Gaps:
    """The gaps that the diagonals allow.

    Args:
        problem: whose diagonals.
        directions: the way an operator must walk; both are open to those not named, even to
            several pairs of one operator differently (see `settle`).
    """
    special: dict[tuple[int, int], int] = {}
    hosts = problem.hosts.items()
    askew = {buffer for buffer, (_, distance) in hosts if distance % problem.alignment}
    for pair in problem.diagonals:
        if pair.source in askew or pair.target in askew:
            continue  # its offset is no multiple of the alignment: the distance would be off
        source, target = (problem.buffers[index] for index in (pair.source, pair.target))
        fixed = directions.get(pair.operator)
        if pair.forward is not None and fixed is not Direction.BACKWARD:
            gap = units(max(pair.forward, -source.size), problem.alignment)
            if gap < units(target.size, problem.alignment):
                special[pair.target, pair.source] = gap
        if pair.backward is not None and fixed is not Direction.FORWARD:
            lead = max(source.size - target.size + pair.backward, -target.size)
            gap = units(lead, problem.alignment)
            if gap < units(source.size, problem.alignment):
                special[pair.source, pair.target] = gap
    return Gaps(special, dict(_coincidences(problem)))


def _coincidences(problem: Problem) -> Iterator[tuple[tuple[int, int], int]]:
    rises = {buffer: distance for buffer, (_, distance) in problem.hosts.items()}
    for copy in problem.copies:
        shift = copy.shift + rises.get(copy.source, 0) - rises.get(copy.target, 0)
        if shift % problem.alignment == 0:
            yield (copy.source, copy.target), shift // problem.alignment


def quantum_of(items: tuple[Item, ...], gaps: Gaps) -> int:
    """The greatest number of units that divides the height of every packing pushed down."""
    sizes = [n for item in items for piece in item.pieces for n in (piece.size, piece.rise)]
    return max(1, math.gcd(*sizes, *gaps.special.values()))
