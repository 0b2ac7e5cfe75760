"""The checker must reject every plan that is not safe, however little is wrong with it."""

import ast
from dataclasses import replace
from pathlib import Path

import pytest

from tinyrt.errors import PlanError
from tinyrt.plan import check as room
from tinyrt.plan.check import Block, Layout, Shared, check

APART = Layout(
    arena_bytes=96,
    alignment=16,
    blocks=(Block("a", 0, 2, 0, 32), Block("b", 1, 3, 32, 64), Block("c", 2, 4, 0, 32)),
)
FORWARD = Layout(
    arena_bytes=80,
    alignment=16,
    blocks=(Block("in", 0, 2, 16, 64), Block("out", 1, 3, 0, 64)),
    shared=(Shared(0, 1, False, 16),),
)
BACKWARD = Layout(
    arena_bytes=80,
    alignment=16,
    blocks=(Block("in", 0, 2, 0, 48), Block("out", 1, 3, 0, 80)),
    shared=(Shared(0, 1, True, 32),),
)
JOINED = Layout(
    arena_bytes=48,
    alignment=16,
    blocks=(Block("left", 0, 3, 0, 32), Block("right", 1, 3, 32, 16), Block("all", 2, 4, 0, 48)),
    inside=((0, 2, 0), (1, 2, 32)),
)


def moved(layout: Layout, number: int, **changes: int) -> Layout:
    blocks = list(layout.blocks)
    old = blocks[number]
    blocks[number] = Block(
        old.name,
        changes.get("first", old.first),
        changes.get("end", old.end),
        changes.get("offset", old.offset),
        changes.get("size", old.size),
    )
    return replace(layout, blocks=tuple(blocks))


@pytest.mark.parametrize("layout", [APART, FORWARD, BACKWARD, JOINED])
def test_lets_safe_plans_pass(layout: Layout) -> None:
    check(layout)


@pytest.mark.parametrize(
    ("layout", "message"),
    [
        (moved(APART, 1, offset=16), "both in use at time 1 and share bytes 16 to 32"),
        (moved(APART, 2, first=1), "share bytes 0 to 32"),
        (moved(APART, 0, size=33), "share bytes 32 to 33"),
        (replace(APART, arena_bytes=80), "ends at byte 96, the arena at 80"),
        (replace(APART, arena_bytes=97), "arena of 97 bytes"),
        (moved(APART, 1, offset=40, size=8), "begins at byte 40 (alignment 16)"),
        (moved(APART, 0, offset=-16), "no such place"),
        (moved(APART, 0, end=0), "no such place or time"),
        (replace(FORWARD, shared=(Shared(0, 1, False, 17),)), "begins 16 bytes before it"),
        (replace(FORWARD, shared=(Shared(0, 1, True, 0),)), "ends -16 bytes after it"),
        (replace(FORWARD, shared=(Shared(0, 1, False, None),)), "does not allow"),
        (replace(FORWARD, shared=()), "share bytes 16 to 64"),
        (moved(FORWARD, 0, end=3), "which is in use until time 3"),
        (moved(FORWARD, 1, offset=16), "begins 0 bytes before it (at least 16)"),
        (replace(BACKWARD, shared=(Shared(0, 1, True, 33),)), "ends 32 bytes after it"),
        (moved(BACKWARD, 0, offset=16), "ends 16 bytes after it (at least 32)"),
        (moved(JOINED, 1, offset=16), "must lie 32 bytes into 'all'"),
        (replace(JOINED, inside=((0, 2, 0),)), "share bytes 32 to 48"),
        (moved(JOINED, 1, size=17), "the arena at 48"),
    ],
)
def test_rejects_unsafe_plans(layout: Layout, message: str) -> None:
    with pytest.raises(PlanError) as caught:
        check(layout)
    assert message in str(caught.value)


def test_shares_no_code_with_the_planner() -> None:
    tree = ast.parse(Path(room.__file__).read_text(encoding="utf-8"))
    imported = {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    assert imported == {"dataclasses", "tinyrt.errors"}
    assert not any(isinstance(node, ast.Import) for node in ast.walk(tree))
