"""`--arena-limit` and `--no-strips`, on every command that has them."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.corpus import ROOT
from tinyrt.cli import main
from tinyrt.mcu.targets import target_named

DIGITS = str(ROOT / "models" / "digits.tflite")
WHOLE, LIMIT = 2064, 1300
"""Bytes, with kernels as small as can be; strips that pay take a little more than the limit."""
SIZE = ["--optimize", "size"]


def facts(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert main([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


class TestPlan:
    def test_a_limit_that_the_whole_keeps_changes_nothing(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for option in (["--arena-limit", str(WHOLE)], ["--no-strips"]):
            found = facts(capsys, "plan", DIGITS, *SIZE, *option)
            assert found["arena_bytes"] == WHOLE == found["whole_arena_bytes"]["size"]
            assert found["optimal"]
            assert found["strips"] is None

    def test_strips_that_pay_need_no_option(self, capsys: pytest.CaptureFixture[str]) -> None:
        found = facts(capsys, "plan", DIGITS, *SIZE)
        assert found["whole"]["arena_bytes"] == WHOLE == found["whole"]["lower_bound_bytes"]
        assert found["whole"]["proof"].startswith("optimal: during op 2 ")
        strips = found["strips"]
        further = strips["steps"] - len(strips["operators"])
        assert 0 < 64 * further < WHOLE - found["arena_bytes"]

    def test_json(self, capsys: pytest.CaptureFixture[str]) -> None:
        found = facts(capsys, "plan", DIGITS, *SIZE, "--arena-limit", str(LIMIT))
        strips = found["strips"]
        assert found["arena_bytes"] <= LIMIT < found["whole"]["arena_bytes"] == WHOLE
        assert strips["operators"] == list(range(strips["operators"][-1] + 1))
        assert strips["extra_macs"] == 0
        assert strips["count"] > 1
        assert strips["steps"] > len(strips["operators"])
        # The order names an operator once for each of its steps.
        assert len(found["order"]) == max(t["last_step"] for t in found["tensors"])
        assert max(t["offset"] + t["bytes"] for t in found["tensors"]) <= found["arena_bytes"]

    def test_map(self, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
        page = tmp_path / "map.html"
        limit = ["--arena-limit", str(LIMIT)]
        arguments = ["plan", DIGITS, *SIZE, *limit, "--html", str(page)]
        assert main(arguments) == 0
        out = capsys.readouterr().out
        assert re.search(r"^ +.* \d\.\d \d\.\d .*\d$", out, flags=re.MULTILINE)
        assert "0 extra MACs" in out
        assert f"every operator in one step: {WHOLE:,} bytes; optimal: " in out
        assert f"every operator in one step: {WHOLE:,} (size), " in out
        assert "rows 0-" in page.read_text(encoding="utf-8")

    def test_out_of_reach_is_one_line(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["plan", DIGITS, *SIZE, "--arena-limit", "64"]) == 1
        err = capsys.readouterr().err
        assert len(err.splitlines()) == 1
        text = re.search(r"64 bytes does not do: the least found is ([\d,]+) bytes, with 0 ", err)
        assert text
        least = text.group(1).replace(",", "")
        found = facts(capsys, "plan", DIGITS, *SIZE, "--arena-limit", least)
        assert found["arena_bytes"] == int(least)

    @pytest.mark.parametrize(
        "arguments",
        [
            [DIGITS, "--arena-limit", "few"],
            [DIGITS, "--arena-limit", "64", "--no-strips"],
            ["--csv", "x.csv", "--arena-limit", "64"],
            ["--csv", "x.csv", "--no-strips"],
        ],
    )
    def test_usage(self, arguments: list[str]) -> None:
        with pytest.raises(SystemExit) as leaving:
            main(["plan", *arguments])
        assert leaving.value.code == 2


def test_emit(tmp_path: Path) -> None:
    limit = ["--arena-limit", str(LIMIT)]
    assert main(["emit", DIGITS, "-o", str(tmp_path), *SIZE, *limit]) == 0
    header = (tmp_path / "digits.h").read_text()
    found = re.search(r"DIGITS_ARENA_SIZE (\d+)", header)
    assert found
    assert int(found.group(1)) <= LIMIT
    source = (tmp_path / "digits.c").read_text()
    assert f"--arena-limit {LIMIT}" in source
    assert re.search(r"/\* 0\.1: CONV_2D \S+ rows \d+-\d+ ", source)
    work = re.search(r" MACs in (\d+) operators, (\d+) steps\n", source)
    assert work
    assert int(work[1]) < int(work[2]) == len(re.findall(r"^    TINYRT_OBSERVE", source, re.M))
    # Strips have their operator's arrays, which are not said to be another's.
    for names in re.findall(r"/\* (?:.*; )?also (.*?) \*/\nstatic const \S+ (\w+)\[", source):
        assert names[1] not in names[0].split(", ")


@pytest.mark.parametrize("code", [[], SIZE, ["--flavour", "cmsis-nn"], ["--no-strips"]])
def test_plan_says_what_emit_writes(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, code: list[str]
) -> None:
    planned = facts(capsys, "plan", DIGITS, *code)["arena_bytes"]
    assert main(["emit", DIGITS, "-o", str(tmp_path), *code]) == 0
    assert f"_ARENA_SIZE {planned}\n" in (tmp_path / "digits.h").read_text()


@pytest.mark.parametrize(("model", "limit"), [("digits", 1150), ("keywords", 6000)])
def test_strips_share_their_weights(tmp_path: Path, model: str, limit: int) -> None:
    path = str(ROOT / "models" / f"{model}.tflite")
    arrays = []
    for option in (["--no-strips"], ["--arena-limit", str(limit)]):
        assert main(["emit", path, "-o", str(tmp_path), *option]) == 0
        source = (tmp_path / f"{model}.c").read_text()
        found = re.findall(r"^static const int\d+_t (\w+)\[(\d+)\]", source, flags=re.MULTILINE)
        arrays.append(sorted(int(size) for _, size in found))
    assert arrays[0] == arrays[1]


def test_verify(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["verify", DIGITS, "--target", "host", "--inputs", "1"]
    found = facts(capsys, *arguments, "--arena-limit", str(LIMIT))
    assert found["agrees"]
    whole = facts(capsys, *arguments, "--no-strips")
    pairs = zip(found["executors"], whole["executors"], strict=True)
    assert all(strips["tensors"] > all_["tensors"] for strips, all_ in pairs)


def test_profiles_count_an_operator_once(capsys: pytest.CaptureFixture[str]) -> None:
    target = "cortex-m4"
    assert target_named(target).missing() is None
    for arguments in (["--rounds", "1"], ["--target", target]):
        whole = facts(capsys, "profile", DIGITS, *arguments, "--no-strips")
        found = facts(capsys, "profile", DIGITS, *arguments, "--arena-limit", str(LIMIT))
        names = [(o["index"], o["macs"]) for o in whole["operators"]]
        assert [(o["index"], o["macs"]) for o in found["operators"]] == names
