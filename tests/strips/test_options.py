"""`--arena-limit`, on every command that has it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.corpus import ROOT
from tinyrt.cli import main
from tinyrt.mcu.targets import target_named

DIGITS = str(ROOT / "models" / "digits.tflite")
WHOLE, LIMIT = 2064, 1400


def facts(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert main([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


class TestPlan:
    def test_a_limit_that_the_whole_keeps_changes_nothing(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        found = facts(capsys, "plan", DIGITS, "--arena-limit", str(WHOLE))
        assert found["arena_bytes"] == WHOLE
        assert found["strips"] is None

    def test_json(self, capsys: pytest.CaptureFixture[str]) -> None:
        found = facts(capsys, "plan", DIGITS, "--arena-limit", str(LIMIT))
        strips = found["strips"]
        assert found["arena_bytes"] <= LIMIT < strips["whole_arena_bytes"] == WHOLE
        assert strips["operators"] == list(range(strips["operators"][-1] + 1))
        assert strips["extra_macs"] == 0
        assert strips["strips"] > 1
        assert strips["steps"] > len(strips["operators"])
        # The order names an operator once for each of its steps.
        assert len(found["order"]) == max(t["last_step"] for t in found["tensors"])
        assert max(t["offset"] + t["bytes"] for t in found["tensors"]) <= found["arena_bytes"]

    def test_map(self, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
        page = tmp_path / "map.html"
        arguments = ["plan", DIGITS, "--arena-limit", str(LIMIT), "--html", str(page)]
        assert main(arguments) == 0
        out = capsys.readouterr().out
        assert re.search(r"^ +in 0\.0 0\.1 ", out, flags=re.MULTILINE)
        assert "0 extra MACs" in out
        assert f"as a whole the arena takes {WHOLE:,} bytes" in out
        assert "rows 0-" in page.read_text(encoding="utf-8")

    def test_out_of_reach_is_one_line(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["plan", DIGITS, "--arena-limit", "64"]) == 1
        err = capsys.readouterr().err
        assert len(err.splitlines()) == 1
        found = re.search(r"64 bytes does not do: the least found is ([\d,]+) bytes, with 0 ", err)
        assert found
        least = found.group(1).replace(",", "")
        assert facts(capsys, "plan", DIGITS, "--arena-limit", least)["arena_bytes"] == int(least)

    @pytest.mark.parametrize(
        "arguments",
        [[DIGITS, "--arena-limit", "few"], ["--csv", "x.csv", "--arena-limit", "64"]],
    )
    def test_usage(self, arguments: list[str]) -> None:
        with pytest.raises(SystemExit) as leaving:
            main(["plan", *arguments])
        assert leaving.value.code == 2


def test_emit(tmp_path: Path) -> None:
    limit = ["--arena-limit", str(LIMIT), "--optimize", "size"]
    assert main(["emit", DIGITS, "-o", str(tmp_path), *limit]) == 0
    header = (tmp_path / "digits.h").read_text()
    found = re.search(r"DIGITS_ARENA_SIZE (\d+)", header)
    assert found
    assert int(found.group(1)) <= LIMIT
    source = (tmp_path / "digits.c").read_text()
    assert f"--arena-limit {LIMIT}" in source
    assert re.search(r"/\* 0\.1: CONV_2D \S+ rows \d+-\d+ ", source)


def test_verify(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["verify", DIGITS, "--target", "host", "--inputs", "1"]
    found = facts(capsys, *arguments, "--arena-limit", str(LIMIT))
    assert found["agrees"]
    whole = facts(capsys, *arguments)
    pairs = zip(found["executors"], whole["executors"], strict=True)
    assert all(strips["tensors"] > all_["tensors"] for strips, all_ in pairs)


def test_profiles_count_an_operator_once(capsys: pytest.CaptureFixture[str]) -> None:
    target = "cortex-m4"
    assert target_named(target).missing() is None
    for arguments in (["--rounds", "1"], ["--target", target]):
        whole = facts(capsys, "profile", DIGITS, *arguments)
        found = facts(capsys, "profile", DIGITS, *arguments, "--arena-limit", str(LIMIT))
        names = [(o["index"], o["macs"]) for o in whole["operators"]]
        assert [(o["index"], o["macs"]) for o in found["operators"]] == names
