"""A plan as a picture in the terminal: time across, bytes up.

The picture is made of shades, so that it can be read without colour; colour only helps. It is
never wider than it is told to be: where there are more operators than characters, several share
one, and the moment among them with the most bytes in use is shown.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from rich.text import Text

from tinyrt.plan.chart import Block, Chart, tints

ROWS = 18
WIDEST_COLUMN = 12
LEAST_BODY = 16
COLOURS = ("cyan", "green", "blue", "magenta", "yellow", "white")


@dataclass(frozen=True, slots=True)
class Ink:
    """The characters of a picture."""

    shades: str
    shared: str
    thin: str
    """Of a block that fills less than a third of a row."""
    bound: str
    axis: str
    """Of a row with a number, of one without, of the ground line, and of its corner."""
    mark: str


UNICODE = Ink("░▒▓█", "╳", "▁", "╌", "┤│─└", "▲")
ASCII = Ink(".:+#", "X", "_", "-", "||-+", "^")


@dataclass(frozen=True, slots=True)
class _Cell:
    """What one row of one slot shows; nothing but the bound's line where there is no block."""

    block: int | None = None
    under: int | None = None
    """The dying block that it is written over in this moment."""
    thin: bool = False
    bound: bool = False


@dataclass(frozen=True, slots=True)
class _Slot:
    """Characters side by side that show the same moment."""

    column: int
    width: int
    covers: range
    """The columns that it stands for."""


def draw(chart: Chart, width: int, *, ascii_only: bool = False) -> list[Text]:
    """The picture, line by line.

    Args:
        chart: what it shows.
        width: characters that a line may have.
        ascii_only: do without block and line characters.
    """
    if not chart.arena_bytes:
        return []
    ink = ASCII if ascii_only else UNICODE
    margin = len(f"{chart.arena_bytes:,}") + 1
    slots = _slots(chart, max(LEAST_BODY, width - margin - 1))
    rows = min(ROWS, max(3, chart.arena_bytes // 16))
    grid = [[_cell(chart, slot.column, row, rows) for slot in slots] for row in range(rows)]
    lines = [_painted(chart, slots, grid, row, ink) for row in range(rows)]
    for text, (row, at) in _labels(chart, slots, grid):
        lines[row] = _written(lines[row], at, text)
    body = sum(slot.width for slot in slots)
    picture = []
    for row in reversed(range(rows)):
        top = chart.arena_bytes * (row + 1) // rows
        tick = (rows - 1 - row) % 5 == 0 and row > 1
        number = f"{top:,}" if tick else ""
        edge = ink.axis[0] if tick else ink.axis[1]
        picture.append(Text(f"{number:>{margin - 1}} {edge}", end="") + lines[row])
    picture.append(Text(f"{'0':>{margin - 1}} {ink.axis[3]}{ink.axis[2] * body}"))
    picture.append(Text(" " * (margin + 1)) + _numbers(chart, slots))
    picture.append(Text(" " * (margin + 1)) + _mark(chart, slots, ink))
    return picture


def _slots(chart: Chart, body: int) -> list[_Slot]:
    """One slot a column, or one a character where the columns are more."""
    count = len(chart.columns)
    if count <= body:
        width = min(WIDEST_COLUMN, body // count)
        return [_Slot(column, width, range(column, column + 1)) for column in range(count)]
    slots = []
    for place in range(body):
        covers = range(place * count // body, (place + 1) * count // body)
        fullest = max(covers, key=lambda column: (column == chart.forcing, _live(chart, column)))
        slots.append(_Slot(fullest, 1, covers))
    return slots


def _live(chart: Chart, column: int) -> int:
    return sum(block.size for block in chart.blocks if block.first <= column <= block.last)


def _cell(chart: Chart, column: int, row: int, rows: int) -> _Cell:
    low, high = (chart.arena_bytes * edge // rows for edge in (row, row + 1))

    def within(offset: int, end: int) -> int:
        return min(end, high) - max(offset, low)

    live = [
        (within(block.offset, block.end), number)
        for number, block in enumerate(chart.blocks)
        if block.first <= column <= block.last and within(block.offset, block.end) > 0
    ]
    if not live:
        open_ = chart.lower_bound_bytes < chart.arena_bytes
        return _Cell(bound=open_ and low < chart.lower_bound_bytes <= high)
    most, number = max(live)
    shared = sum(
        max(0, within(pair.offset, pair.end))
        for pair in chart.shared
        if pair.first <= column <= pair.last
    )
    if len(live) > 1 and 2 * shared >= high - low:
        *_, source, target = sorted(
            live, key=lambda found: (found[0], chart.blocks[found[1]].first)
        )
        source, target = sorted((source, target), key=lambda found: chart.blocks[found[1]].first)
        return _Cell(target[1], under=source[1])
    return _Cell(number, thin=3 * most < high - low)


def _painted(chart: Chart, slots: list[_Slot], grid: list[list[_Cell]], row: int, ink: Ink) -> Text:
    shades = tints(chart.blocks, len(ink.shades))
    colours = tints(chart.blocks, len(COLOURS))
    line = Text(end="")
    for slot, cell in zip(slots, grid[row], strict=True):
        if cell.block is None:
            line.append((ink.bound if cell.bound else " ") * slot.width)
            continue
        colour = COLOURS[colours[cell.block]]
        shade = ink.thin if cell.thin else ink.shades[shades[cell.block]]
        if cell.under is None:
            line.append(shade * slot.width, colour)
            continue
        # What was there on the left, what comes instead on the right.
        aside = (slot.width - 1) // 2
        line.append(ink.shades[shades[cell.under]] * aside, COLOURS[colours[cell.under]])
        line.append(ink.shared * (slot.width - 2 * aside), f"bold {colour}")
        line.append(shade * aside, colour)
    return line


def _labels(
    chart: Chart, slots: list[_Slot], grid: list[list[_Cell]]
) -> Iterator[tuple[str, tuple[int, int]]]:
    """What is written where: each block's name and size where it is widest."""
    for number, block in enumerate(chart.blocks):
        runs: list[tuple[int, int, int]] = []
        for row, cells in enumerate(grid):
            at = run = 0
            for slot, cell in zip(slots, cells, strict=True):
                run = run + slot.width if cell == _Cell(number) else 0
                at += slot.width
                if run:
                    runs.append((run, row, at - run))
        if not runs:
            continue
        widest = max(run for run, _, _ in runs)
        best = [place for place in runs if place[0] == widest]
        run, row, at = best[len(best) // 2]
        text = next((text for text in _sayings(block) if len(text) <= run), None)
        if text is not None:
            yield text, (row, at + (run - len(text)) // 2)


def _sayings(block: Block) -> tuple[str, ...]:
    """What may be written into a block, the most telling first."""
    size = f"{block.size:,}"
    name = block.name if block.scratch else block.short
    return f" {name} {size} ", f" {block.short} {size} ", f" {size} ", size, str(block.size)


def _written(line: Text, at: int, text: str) -> Text:
    return line[:at] + Text(text, "bold", end="") + line[at + len(text) :]


def _numbers(chart: Chart, slots: list[_Slot]) -> Text:
    """The numbers of the operators, as many as there is room for."""
    line = ""
    at = 0
    body = sum(slot.width for slot in slots)
    for slot in slots:
        label = chart.columns[slot.column].label
        begin = at + max(0, slot.width - len(label)) // 2
        if begin >= len(line) + bool(line) and begin + len(label) <= body:
            line = line.ljust(begin) + label
        at += slot.width
    return Text(line)


def _mark(chart: Chart, slots: list[_Slot], ink: Ink) -> Text:
    """Points to the operator that forces the size of the arena, and names it."""
    at = 0
    for slot in slots:
        if chart.forcing in slot.covers:
            break
        at += slot.width
    else:
        return Text()
    body = sum(slot.width for slot in slots)
    at += (slot.width - 1) // 2
    title = chart.columns[chart.forcing].title.partition(":")[0]
    text = f"most in use {title}" if not title.startswith("op ") else f"most in use in {title}"
    room_after, room_before = body - at - 2, at - 1
    line = Text(end="")
    if room_after >= min(len(text), room_before):
        line.append(" " * at + ink.mark, "bold red").append(" " + _cut(text, room_after))
        return line
    text = _cut(text, room_before)
    line.append(" " * (at - len(text) - 1) + text + " ").append(ink.mark, "bold red")
    return line


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else text[: max(0, room - 3)] + "..."
