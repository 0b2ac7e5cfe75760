"""Bare packing problems in the MiniMalloc format: CSV with `id,lower,upper,size`."""

from tinyrt.errors import PlanError
from tinyrt.plan.problem import Buffer, Problem

COLUMNS = ("id", "lower", "upper", "size")
LARGEST = 2**63 - 1
MOST_BUFFERS = 20_000


def parse_csv(text: str, source: str = "CSV") -> Problem:
    """Read buffers; columns may come in any order, further ones are ignored.

    Args:
        text: the file's content: a heading, then one buffer a line.
        source: the name for messages.

    Raises:
        PlanError: a heading is missing or a line is not what it should be; says which.
    """
    lines = text.splitlines()
    heading = [name.strip().lower() for name in (lines[0] if lines else "").split(",")]
    missing = [name for name in COLUMNS if name not in heading]
    if missing:
        raise PlanError(
            f"{source} line 1: no column {', '.join(missing)} (needed: id,lower,upper,size)"
        )
    if len(lines) - 1 > MOST_BUFFERS:
        raise PlanError(f"{source}: {len(lines) - 1:,} buffers (at most {MOST_BUFFERS:,})")
    place = {name: heading.index(name) for name in COLUMNS}
    buffers: list[Buffer] = []
    seen: dict[str, int] = {}
    for number, line in enumerate(lines[1:], start=2):
        if not line.strip():
            continue
        where = f"{source} line {number}"
        cells = [cell.strip() for cell in line.split(",")]
        if len(cells) != len(heading):
            raise PlanError(f"{where}: {len(cells)} cells (the heading has {len(heading)})")
        name = cells[place["id"]]
        if name in seen:
            raise PlanError(f"{where}: id '{name}' was given on line {seen[name]} already")
        seen[name] = number
        lower, upper, size = (_natural(cells[place[c]], c, where) for c in COLUMNS[1:])
        if lower >= upper:
            raise PlanError(f"{where}: lower {lower} must be less than upper {upper}")
        buffers.append(Buffer(name, lower, upper, size))
    return Problem(tuple(buffers))


def _natural(cell: str, column: str, where: str) -> int:
    if not (cell.isascii() and cell.isdigit() and len(cell) <= len(str(LARGEST))):
        raise PlanError(f"{where}: {column} '{cell[:40]}' (must be a whole number, 0 to 2^63 - 1)")
    number = int(cell)
    if number > LARGEST:
        raise PlanError(f"{where}: {column} {number} (must be at most 2^63 - 1)")
    return number
