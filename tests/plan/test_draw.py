"""The map in the terminal: within its width, true to the plan, readable without colour."""

import io
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console
from rich.text import Text

from tests.corpus import MODELS, ROOT
from tests.zoo import detector
from tinyrt.load import load
from tinyrt.plan import plan
from tinyrt.plan.chart import Block, Chart, Column, Shared, chart_of, tints
from tinyrt.plan.draw import LEAST_BODY, ROWS, draw

DIGITS = ROOT / "models" / "digits.tflite"


def chart_of_model(content: bytes) -> Chart:
    program = load(content)
    return chart_of(program, plan(program))


def small_chart(*blocks: Block, arena: int = 64, bound: int = 64) -> Chart:
    columns = tuple(Column(str(n), f"op {n} ADD 'sum'") for n in range(4))
    return Chart(columns, blocks, (), arena, bound, 1, "optimal: it is")


def plain(chart: Chart, width: int, *, ascii_only: bool = False) -> list[str]:
    return [line.plain for line in draw(chart, width, ascii_only=ascii_only)]


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
@pytest.mark.parametrize("width", [40, 80, 200])
def test_never_wider_than_the_terminal(path: Path, width: int) -> None:
    for line in plain(chart_of_model(path.read_bytes()), width):
        assert len(line) <= width


def test_more_operators_than_characters() -> None:
    chart = chart_of_model(detector())
    assert len(chart.columns) > 60
    lines = plain(chart, 50)
    assert max(map(len, lines)) <= 50
    assert "▲ most in use in op 0 QUANTIZE" in lines[-1]
    assert max(len(line) for line in plain(chart, 1)) <= LEAST_BODY + len(" 15,360 ┤")


def test_time_runs_across_and_bytes_go_up() -> None:
    low = Block("low", "low", 0, 16, 0, 1)
    high = Block("high", "high", 32, 32, 2, 3, forcing=True)
    lines = plain(small_chart(low, high), 60)
    rows = [line.partition("┤")[2] or line.partition("│")[2] for line in lines[:4]]
    half = len(rows[0]) // 2
    assert [bool(row[:half].strip()) for row in rows] == [False, False, False, True]
    assert [bool(row[half:].strip()) for row in rows] == [True, True, False, False]
    assert "low 16" in rows[3]
    assert "high 32" in rows[0] + rows[1]


def test_an_output_follows_the_input_that_it_overwrites() -> None:
    source, target = Block("source", "source", 0, 64, 0, 2), Block("target", "target", 0, 64, 2, 3)
    chart = replace(
        small_chart(source, target), shared=(Shared(2, 2, 0, 64, ("source", "target")),)
    )
    row = plain(chart, 60, ascii_only=True)[0].partition("|")[2]
    before, middle, after = row[: 2 * 12], row[2 * 12 : 3 * 12], row[3 * 12 :]
    assert set(before) == {"."}
    assert middle == ".....XX:::::"
    assert set(after) == {":"}


def test_marks_the_forcing_operator() -> None:
    chart = chart_of_model(DIGITS.read_bytes())
    *_, numbers, mark = plain(chart, 80)
    label = chart.columns[chart.forcing].label
    assert abs(numbers.index(f" {label} ") + 1 - mark.index("▲")) <= 1
    assert f"most in use in op {label} " in mark


def test_draws_the_bound_where_bytes_may_be_saved() -> None:
    chart = chart_of_model(DIGITS.read_bytes())
    assert not any("╌" in line for line in plain(chart, 80))
    open_ = small_chart(Block("a", "a", 0, 32, 0, 3), bound=48)
    assert "╌" in plain(open_, 60)[1]


def test_without_block_characters() -> None:
    lines = plain(chart_of_model(DIGITS.read_bytes()), 80, ascii_only=True)
    assert "\n".join(lines).isascii()
    assert len(lines) == ROWS + 3


def test_shades_tell_neighbours_apart_without_colour() -> None:
    blocks = chart_of_model(DIGITS.read_bytes()).blocks
    shades = tints(blocks, 4)
    for number, one in enumerate(blocks):
        for other in range(number):
            beside = one.first <= blocks[other].last and blocks[other].first <= one.last
            if beside and one.touches(blocks[other]):
                assert shades[number] != shades[other]


def test_piped_output_has_no_escapes_and_colour_changes_no_character() -> None:
    chart = chart_of_model(DIGITS.read_bytes())
    piped, coloured = io.StringIO(), io.StringIO()
    for console in (
        Console(file=piped, width=80),
        Console(file=coloured, width=80, force_terminal=True, color_system="standard"),
    ):
        for line in draw(chart, 80):
            console.print(line, highlight=False, soft_wrap=True)
    assert "\x1b" in coloured.getvalue()
    assert "\x1b" not in piped.getvalue()
    assert piped.getvalue().splitlines() == plain(chart, 80)
    assert Text.from_ansi(coloured.getvalue()).plain.strip() == piped.getvalue().strip()


def test_empty_arena() -> None:
    assert draw(small_chart(arena=0, bound=0), 80) == []


def test_scratch_is_a_block_of_its_own() -> None:
    program = load(DIGITS.read_bytes())
    found = plan(program)
    scratch = [block for block in chart_of(program, found).blocks if block.scratch]
    assert len(scratch) == len(found.scratch)
    assert {block.offset for block in scratch} == set(found.scratch.values())
