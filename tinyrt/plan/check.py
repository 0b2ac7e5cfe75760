"""The independent checker: is a finished plan safe? It shares no code with the planner.

Every pair of blocks is compared, time by time and byte by byte; there is nothing clever here to
be wrong together with the planner.
"""

from dataclasses import dataclass

from tinyrt.errors import PlanError


@dataclass(frozen=True, slots=True)
class Block:
    """A range of arena bytes that is in use at every time t with `first` ≤ t < `end`."""

    name: str
    first: int
    end: int
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class Shared:
    """Two blocks that may share bytes: an operator writes `target` over the dying `source`."""

    source: int
    target: int
    backward: bool
    """Whether the operator walks from high to low addresses."""
    distance: int | None
    """Forward: bytes by which the target must begin before the source. Backward: by which it
    must end after it. None: the blocks must be disjoint after all."""


@dataclass(frozen=True, slots=True)
class Layout:
    """All there is to check."""

    arena_bytes: int
    alignment: int
    blocks: tuple[Block, ...]
    shared: tuple[Shared, ...] = ()
    inside: tuple[tuple[int, int, int], ...] = ()
    """Parts of wholes: (part, whole, bytes from the whole's beginning)."""
    ties: tuple[tuple[int, int, int], ...] = ()
    """Blocks at a fixed distance: (one, other, bytes from the other's beginning to the one's)."""
    copies: tuple[tuple[int, int, int], ...] = ()
    """What is copied: (source, target, bytes from one beginning to the other where both coincide,
    and there is nothing to copy)."""
    regions: tuple[tuple[int, int], ...] = ()
    """Where there are several memories: the first byte of each, and the end."""


def check(layout: Layout) -> None:
    """Let a safe plan pass.

    Raises:
        PlanError: it is not safe; names the blocks, the time and the bytes.
    """
    if layout.alignment < 1 or layout.arena_bytes % layout.alignment:
        raise PlanError(f"arena of {layout.arena_bytes} bytes (alignment {layout.alignment})")
    inside = {part: (whole, offset) for part, whole, offset in layout.inside}
    ties = {one: (other, distance) for one, other, distance in layout.ties}
    for number, block in enumerate(layout.blocks):
        if block.offset < 0 or block.size < 0 or block.first >= block.end:
            raise PlanError(f"'{block.name}': no such place or time: {block}")
        if block.offset + block.size > layout.arena_bytes:
            raise PlanError(
                f"'{block.name}' ends at byte {block.offset + block.size}, "
                f"the arena at {layout.arena_bytes}"
            )
        if layout.regions and not any(
            begin <= block.offset and block.offset + block.size <= end
            for begin, end in layout.regions
        ):
            raise PlanError(
                f"'{block.name}', bytes {block.offset} to {block.offset + block.size}, is in no "
                f"one region"
            )
        if number in inside:
            _check_inside(layout, number, *inside[number])
        elif number in ties:
            other, distance = ties[number]
            if block.offset != layout.blocks[other].offset + distance:
                raise PlanError(
                    f"'{block.name}' begins at byte {block.offset}, not {distance} bytes after "
                    f"'{layout.blocks[other].name}' at {layout.blocks[other].offset}"
                )
        elif block.offset % layout.alignment:
            raise PlanError(
                f"'{block.name}' begins at byte {block.offset} (alignment {layout.alignment})"
            )
    shared = {(pair.source, pair.target): pair for pair in layout.shared}
    copies = {(source, target): shift for source, target, shift in layout.copies}
    for high, second in enumerate(layout.blocks):
        for low in range(high):
            first = layout.blocks[low]
            if not (first.first < second.end and second.first < first.end):
                continue
            begin = max(first.offset, second.offset)
            end = min(first.offset + first.size, second.offset + second.size)
            if begin >= end or _is_part(inside, low, high):
                continue
            if _stays(layout, copies, low, high) or _stays(layout, copies, high, low):
                continue
            pair = shared.get((low, high)) or shared.get((high, low))
            if pair is None:
                raise PlanError(
                    f"'{first.name}' and '{second.name}' are both in use at time "
                    f"{max(first.first, second.first)} and share bytes {begin} to {end}"
                )
            _check_shared(layout, pair)


def _is_part(inside: dict[int, tuple[int, int]], one: int, other: int) -> bool:
    """Whether one of two blocks lies within the other on purpose."""
    return any(
        part in inside and inside[part][0] == whole for part, whole in ((one, other), (other, one))
    )


def _stays(layout: Layout, copies: dict[tuple[int, int], int], source: int, target: int) -> bool:
    """Whether the target of a copy lies exactly where its source ends its life."""
    shift = copies.get((source, target))
    one, other = layout.blocks[source], layout.blocks[target]
    return shift is not None and other.offset - one.offset == shift and other.first == one.end - 1


def _check_inside(layout: Layout, part: int, whole: int, offset: int) -> None:
    piece, host = layout.blocks[part], layout.blocks[whole]
    if piece.offset != host.offset + offset or offset + piece.size > host.size or offset < 0:
        raise PlanError(
            f"'{piece.name}' must lie {offset} bytes into '{host.name}', "
            f"not at {piece.offset} ({host.offset} to {host.offset + host.size})"
        )


def _check_shared(layout: Layout, pair: Shared) -> None:
    source, target = layout.blocks[pair.source], layout.blocks[pair.target]
    what = f"'{target.name}' is written over '{source.name}'"
    if pair.distance is None:
        raise PlanError(f"{what}, which its operator does not allow")
    if target.first != source.end - 1:
        raise PlanError(f"{what}, which is in use until time {source.end}")
    if pair.backward:
        ahead = target.offset + target.size - source.offset - source.size
        found = f"ends {ahead} bytes after it"
    else:
        ahead = source.offset - target.offset
        found = f"begins {ahead} bytes before it"
    if ahead < pair.distance:
        raise PlanError(f"{what} and {found} (at least {pair.distance})")
