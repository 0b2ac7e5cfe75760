"""A plan as a drawing: SVG, and a page of HTML around it. Both are one file, without scripts.

Time runs across, one column an operator; bytes go up. What a block is shows on hover.
"""

import math
from collections.abc import Iterator, Sequence
from html import escape

from tinyrt.plan.chart import Block, Chart, tints

PALETTE = (
    "#8ecae6",
    "#a7d49b",
    "#f4d58d",
    "#cdb4db",
    "#f7b7a3",
    "#9ad1c5",
    "#d6ccc2",
    "#b8c0ff",
)
INK = "#1f2933"
RED = "#c1121f"
PLOT_HEIGHT = 420.0
WIDTH = 960.0
LEAST_COLUMN = 8.0
WIDEST_COLUMN = 96.0
LEFT, TOP, BOTTOM, RIGHT = 76.0, 46.0, 62.0, 16.0
HATCH = 9.0
GLYPH = 6.4
"""Greatest mean width of a character at the size of the labels."""

STYLE = f"""
.tinyrt text {{ font: 11px system-ui, 'DejaVu Sans', Arial, sans-serif; fill: {INK}; }}
.tinyrt .title {{ font-weight: bold; font-size: 13px; }}
.tinyrt .block {{ stroke: {INK}; stroke-width: 0.8; }}
.tinyrt .block.forcing {{ stroke: {RED}; stroke-width: 2; }}
.tinyrt .block.scratch {{ stroke-dasharray: 4 2; }}
.tinyrt .block:hover {{ stroke-width: 3; }}
.tinyrt .hatch {{ stroke: {INK}; stroke-opacity: 0.55; pointer-events: none; }}
.tinyrt .name {{ pointer-events: none; }}
.tinyrt .force {{ fill: {RED}; }}
.tinyrt .bound {{ stroke: {RED}; stroke-width: 1.5; stroke-dasharray: 6 4; }}
"""


def svg(chart: Chart, title: str, *more: tuple[Chart, str]) -> str:
    """The drawing, as a file of its own.

    Args:
        chart: what it shows.
        title: written above it.
        more: further charts with their titles, drawn below.
    """
    drawings = [(_Drawing(chart), title), *((_Drawing(part), name) for part, name in more)]
    lines = [line for drawing, name in drawings for line in drawing.lines(name)]
    if more:
        lines = list(_stacked(drawings))
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + "\n".join(lines) + "\n"


def _stacked(drawings: "Sequence[tuple[_Drawing, str]]") -> Iterator[str]:
    """Several drawings in one, the first on top."""
    width = max(drawing.width for drawing, _ in drawings)
    height = sum(drawing.height for drawing, _ in drawings)
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}">'
    )
    below = 0.0
    for drawing, name in drawings:
        yield f'<g transform="translate(0 {below:.0f})">'
        yield from drawing.lines(name)
        yield "</g>"
        below += drawing.height
    yield "</svg>"


def html(chart: Chart, title: str, *more: tuple[Chart, str]) -> str:
    """A page with the drawing, what it proves, and a table of all blocks; and of further charts."""
    sections = [_section(chart, title, 1), *(_section(part, name, 2) for part, name in more)]
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>
body {{ margin: 2rem auto; max-width: 1100px; padding: 0 1rem; color: {INK}; background: #fff;
  font: 15px/1.5 system-ui, sans-serif; }}
.scroll {{ overflow-x: auto; }}
table {{ border-collapse: collapse; font-size: 13px; }}
th, td {{ padding: 0.15rem 0.8rem 0.15rem 0; text-align: right; }}
th:nth-child(n+3), td:nth-child(n+3) {{ text-align: left; }}
tr:hover td {{ background: #eef2f6; }}
</style>
</head>
<body>
{"".join(sections)}</body>
</html>
"""


def _section(chart: Chart, title: str, level: int) -> str:
    """What a page says of one chart, under a heading."""
    rows = "\n".join(
        f"<tr><td>{block.offset:,}</td><td>{block.size:,}</td><td>{chart.span(block)}</td>"
        f"<td>{escape(block.name)}</td></tr>"
        for block in chart.blocks
    )
    drawing = "\n".join(_Drawing(chart).lines(title))
    return f"""<h{level}>{escape(title)}</h{level}>
<p><strong>{chart.arena_bytes:,} bytes</strong> of arena; no plan under the same rules is smaller
than {chart.lower_bound_bytes:,} bytes.</p>
<p>{escape(chart.proof)}</p>
<div class="scroll">
{drawing}
</div>
<p>Each block is a tensor: its bytes from bottom to top, the operators between which it is in use
from left to right. Red: what forces the arena to be as large as it is. Hatched: bytes that an
operator writes over its own input. Dashed outline: an operator's working memory.</p>
<table>
<thead><tr><th>offset</th><th>bytes</th><th>in use</th><th>tensor</th></tr></thead>
<tbody>
{rows}
</tbody>
</table>
"""


class _Drawing:
    """The drawing's coordinates, and its elements from the ground up."""

    def __init__(self, chart: Chart) -> None:
        self.chart = chart
        room = (WIDTH - LEFT - RIGHT) / len(chart.columns)
        self.pitch = min(WIDEST_COLUMN, max(LEAST_COLUMN, room))
        self.plot_width = self.pitch * len(chart.columns)
        self.top_bytes = max(1, chart.arena_bytes)
        self.width = LEFT + max(self.plot_width, 420) + RIGHT
        self.height = TOP + PLOT_HEIGHT + BOTTOM

    def x(self, column: int) -> float:
        return LEFT + self.pitch * column

    def y(self, offset: int) -> float:
        return TOP + PLOT_HEIGHT * (1 - offset / self.top_bytes)

    def lines(self, title: str) -> Iterator[str]:
        width, height = self.width, self.height
        yield (
            f'<svg class="tinyrt" xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" '
            f'height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}" role="img">'
        )
        yield f"<style>{STYLE}</style>"
        yield f'<rect width="{width:.0f}" height="{height:.0f}" fill="#fff"/>'
        yield (
            f'<text class="title" x="{LEFT:.1f}" y="20">{escape(title)}: '
            f"{self.chart.arena_bytes:,} bytes</text>"
        )
        yield from self._grid()
        hues = tints(self.chart.blocks, len(PALETTE))
        for block, hue in zip(self.chart.blocks, hues, strict=True):
            yield self._block(block, PALETTE[hue])
        yield from self._shared()
        # Names last, so that no block hides them.
        for block in self.chart.blocks:
            yield from self._name(block)
        yield from self._bound()
        yield from self._columns()
        yield "</svg>"

    def _grid(self) -> Iterator[str]:
        right = LEFT + self.plot_width
        step = 1
        while self.chart.arena_bytes / step > 8:
            step *= 2
        below = [v for v in range(0, self.chart.arena_bytes, step) if self.y(v) > TOP + 14]
        for value in (*below, self.chart.arena_bytes):
            y = self.y(value)
            yield f'<path d="M{LEFT:.1f} {y:.1f}H{right:.1f}" stroke="#dde3e9"/>'
            yield (f'<text x="{LEFT - 8:.1f}" y="{y + 4:.1f}" text-anchor="end">{value:,}</text>')
        yield (
            f'<rect x="{self.x(self.chart.forcing):.1f}" y="{TOP:.1f}" width="{self.pitch:.1f}" '
            f'height="{PLOT_HEIGHT:.1f}" fill="{RED}" fill-opacity="0.08"/>'
        )

    def _block(self, block: Block, colour: str) -> str:
        kinds = ["block"] + ["forcing"] * block.forcing + ["scratch"] * block.scratch
        place = f"bytes {block.offset:,} to {block.end:,}"
        text = f"{block.name}\n{block.size:,} bytes, {place}\n{self.chart.span(block)}"
        high = max(1.0, self.y(block.offset) - self.y(block.end))
        return (
            f'<rect class="{" ".join(kinds)}" x="{self.x(block.first):.1f}" '
            f'y="{self.y(block.offset) - high:.1f}" '
            f'width="{self.pitch * (block.last - block.first + 1):.1f}" height="{high:.1f}" '
            f'fill="{colour}" fill-opacity="0.85"><title>{escape(text)}</title></rect>'
        )

    def _shared(self) -> Iterator[str]:
        for pair in self.chart.shared:
            source, target = pair.names
            text = f"{target}\nis written over {source}:\nbytes {pair.offset:,} to {pair.end:,}"
            left, right = self.x(pair.first), self.x(pair.last + 1)
            top, ground = self.y(pair.end), self.y(pair.offset)
            yield (
                f'<rect class="shared" x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" '
                f'height="{ground - top:.1f}" fill-opacity="0"><title>{escape(text)}</title></rect>'
            )
            yield f'<path class="hatch" d="{_hatch(left, top, right, ground)}"/>'

    def _name(self, block: Block) -> Iterator[str]:
        high = self.y(block.offset) - self.y(block.end)
        wide = self.pitch * (block.last - block.first + 1)
        x = self.x(block.first) + wide / 2
        y = self.y(block.offset) - high / 2 + 4
        size = f"{block.size:,}"
        if high >= 28 and GLYPH * max(len(block.short), len(size)) + 4 <= wide:
            yield _label(x, y - 6, block.short)
            yield _label(x, y + 7, size)
        elif high >= 12:
            sayings = (f"{block.short} {size}", block.short, size)
            fitting = [text for text in sayings if GLYPH * len(text) + 4 <= wide]
            yield from (_label(x, y, text) for text in fitting[:1])

    def _bound(self) -> Iterator[str]:
        y = self.y(self.chart.lower_bound_bytes)
        right = LEFT + self.plot_width
        yield f'<path class="bound" d="M{LEFT:.1f} {y:.1f}H{right:.1f}"/>'
        yield (
            f'<text class="force" x="{right - 4:.1f}" y="{y - 6:.1f}" text-anchor="end">'
            f"lower bound {self.chart.lower_bound_bytes:,}</text>"
        )

    def _columns(self) -> Iterator[str]:
        ground = TOP + PLOT_HEIGHT
        free = 0.0
        for number, column in enumerate(self.chart.columns):
            middle = self.x(number) + self.pitch / 2
            wide = GLYPH * len(column.label) + 5
            forcing = number == self.chart.forcing
            yield (
                f'<rect x="{self.x(number):.1f}" y="{ground:.1f}" width="{self.pitch:.1f}" '
                f'height="18" fill-opacity="0"><title>{escape(column.title)}</title></rect>'
            )
            if middle - wide / 2 >= free:
                free = middle + wide / 2
                mark = ' class="force"' if forcing else ""
                yield (
                    f'<text{mark} x="{middle:.1f}" y="{ground + 14:.1f}" text-anchor="middle" '
                    f'pointer-events="none">{column.label}</text>'
                )
        x = self.x(self.chart.forcing) + self.pitch / 2
        title = self.chart.columns[self.chart.forcing].title
        after = x < LEFT + self.plot_width / 2
        room = int((LEFT + self.plot_width - x if after else x) / GLYPH) - 16
        title = title if len(title) <= room else f"{title[: max(0, room - 1)]}…"
        yield (
            f'<path d="M{x:.1f} {ground + 20:.1f}l-5 9h10z" fill="{RED}"/>'
            f'<text class="force" x="{x + (10 if after else -10):.1f}" y="{ground + 30:.1f}" '
            f'text-anchor="{"start" if after else "end"}">most in use: {escape(title)}</text>'
        )
        yield (
            f'<text x="{LEFT:.1f}" y="{ground + 50:.1f}">time: operators as numbered in the file; '
            "height: bytes of the arena</text>"
        )


def _hatch(left: float, top: float, right: float, ground: float) -> str:
    """Slanted lines within a rectangle, at the same places in all of them."""
    lines = []
    first, last = math.ceil((left + top) / HATCH), math.floor((right + ground) / HATCH)
    for total in (HATCH * number for number in range(first, last + 1)):
        x, end_x = max(left, total - ground), min(right, total - top)
        lines.append(f"M{x:.1f} {total - x:.1f}L{end_x:.1f} {total - end_x:.1f}")
    return "".join(lines)


def _label(x: float, y: float, text: str) -> str:
    return f'<text class="name" x="{x:.1f}" y="{y:.1f}" text-anchor="middle">{escape(text)}</text>'
