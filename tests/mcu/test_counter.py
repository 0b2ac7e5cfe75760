"""Instruction counts are exact: loops of known length, short and long, once and often."""

from pathlib import Path

import pytest

from tests.mcu.programs import EMULATED, built
from tinyrt.mcu.run import run

# 2 × 90 M instructions wrap the 32-bit counters: one target of each kind goes that far.
LONGEST_TURNS = {"cortex-m4": 90_000_000, "cortex-m33": 90_000_000, "cortex-m55": 90_000_000}


@pytest.mark.parametrize("target", EMULATED)
def test_loops_of_known_length_are_counted_exactly(target: str, tmp_path: Path) -> None:
    image = built(target, "counter", tmp_path, f"LONGEST={LONGEST_TURNS.get(target, 2_000_000)}")
    written = run(image, count_instructions=True)
    lines = [line.split() for line in written.splitlines()]
    counts = {name: int(count) for name, count in lines}
    nothing = counts.pop("0")
    # The caller keeps the first reading, which is 64 bits, in registers of its own.
    assert 0 <= nothing <= 2
    total, all_of_it = counts.pop("sum"), counts.pop("all")
    constant = {count - 2 * int(turns) for turns, count in counts.items()}
    assert len(constant) == 1, "each loop has the same few instructions around it"
    around = constant.pop()
    assert nothing <= around <= nothing + 4
    turns = sum(1 + i % 7 for i in range(20_000))
    assert total == 2 * turns + 20_000 * around
    assert all_of_it > total + sum(counts.values())
    assert run(image, count_instructions=True) == written


@pytest.mark.parametrize("target", [*EMULATED, "host"])
def test_nothing_is_counted_unless_asked(target: str, tmp_path: Path) -> None:
    written = run(built(target, "counter", tmp_path, "LONGEST=1000"))
    assert {line.split()[1] for line in written.splitlines()} == {"0"}
