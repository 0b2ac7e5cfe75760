"""The drawn map: well-formed, self-contained, true to scale, everything named on hover."""

import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.corpus import MODELS, ROOT
from tinyrt.load import load
from tinyrt.plan import plan
from tinyrt.plan.chart import Block, Chart, Column, Shared, chart_of
from tinyrt.plan.svg import PLOT_HEIGHT, TOP, html, svg

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "<b>\"&'</title><script>alert(1)</script>"


def rectangles(text: str, kind: str) -> list[ElementTree.Element]:
    found = ElementTree.fromstring(text.encode()).iter(f"{SVG}rect")
    return [e for e in found if kind in e.get("class", "").split()]


def said(element: ElementTree.Element) -> str:
    return element.findtext(f"{SVG}title") or ""


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_every_block_is_drawn_to_scale_and_named(path: Path) -> None:
    program = load(path.read_bytes())
    chart = chart_of(program, plan(program))
    drawn = rectangles(svg(chart, path.stem), "block")
    assert len(drawn) == len(chart.blocks)
    for element, block in zip(drawn, chart.blocks, strict=True):
        assert said(element).startswith(f"{block.name}\n{block.size:,} bytes")
        ground = float(element.get("y", "")) + float(element.get("height", ""))
        bytes_ = (TOP + PLOT_HEIGHT - ground) / PLOT_HEIGHT * chart.arena_bytes
        assert abs(bytes_ - block.offset) <= chart.arena_bytes / PLOT_HEIGHT
        assert (element.get("class") == "block forcing") == block.forcing


def small(name: str = "a", *, bound: int = 64) -> Chart:
    columns = tuple(Column(str(n), f"op {n} ADD '{name}'") for n in range(3))
    blocks = (
        Block(name, name, 0, 64, 0, 1, forcing=True),
        Block("b", "b", 16, 48, 1, 2),
        Block("scratch of b", "scratch", 0, 16, 2, 2, scratch=True),
    )
    shared = (Shared(1, 1, 16, 64, (name, "b")),)
    return Chart(columns, blocks, shared, 64, bound, 1, f"optimal: {name}")


def test_shared_bytes_scratch_and_bound() -> None:
    text = svg(small(bound=32), "model")
    (shared,) = rectangles(text, "shared")
    assert said(shared) == "b\nis written over a:\nbytes 16 to 64"
    assert shared.get("height") == f"{PLOT_HEIGHT * 3 / 4:.1f}"
    (scratch,) = rectangles(text, "scratch")
    assert said(scratch).startswith("scratch of b\n16 bytes")
    bound = re.search(r'class="bound" d="M[\d.]+ ([\d.]+)H', text)
    assert bound is not None
    assert bound[1] == f"{TOP + PLOT_HEIGHT / 2:.1f}"
    assert "lower bound 32" in text


class Tags(HTMLParser):
    """Counts elements and collects addresses."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in {"src", "href"}]


def test_names_cannot_break_out() -> None:
    for text in (svg(small(HOSTILE), HOSTILE), html(small(HOSTILE), HOSTILE)):
        assert "<script" not in text
        assert "&lt;script&gt;" in text
    assert said(rectangles(svg(small(HOSTILE), ""), "forcing")[0]).startswith(HOSTILE)


def test_a_page_of_its_own() -> None:
    program = load((ROOT / "models" / "digits.tflite").read_bytes())
    chart = chart_of(program, plan(program))
    page = html(chart, "digits")
    seen = Tags()
    seen.feed(page)
    assert seen.addresses == []
    assert not {"script", "link", "img", "iframe"} & set(seen.tags)
    assert seen.tags.count("tr") == 1 + len(chart.blocks)
    assert seen.tags.count("svg") == 1
    assert f"{chart.arena_bytes:,} bytes</strong>" in page
