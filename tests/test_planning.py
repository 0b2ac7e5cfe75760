"""`tinyrt plan`: maps in the terminal and in files, bare problems from CSV."""

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.corpus import ROOT
from tinyrt.cli import main
from tinyrt.load import load
from tinyrt.plan import plan

DIGITS = str(ROOT / "models" / "digits.tflite")
WHOLE = ("--no-strips", "--optimize", "size")
HEADING = "id,lower,upper,size\n"
TIGHT = HEADING + "a,0,3,4\nb,0,1,4\nc,1,2,4\nd,2,3,4\n"
HARD = """id,lower,upper,size
a,3,6,2
b,1,4,2
c,4,6,3
d,2,4,1
e,0,2,2
f,0,1,3
g,1,3,1
h,6,7,4
i,6,7,1
j,2,3,1
"""
"""Never more than 5 bytes in use at once, but no packing takes less than 6."""


def facts(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> Any:
    assert main(["plan", *arguments, "--json"]) == status
    return json.loads(capsys.readouterr().out)


@pytest.fixture
def tight(tmp_path: Path) -> str:
    path = tmp_path / "tight.csv"
    path.write_text(TIGHT)
    return str(path)


class TestModel:
    """A model's plan."""

    def test_map_table_and_proof(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["plan", DIGITS, *WHOLE]) == 0
        out = capsys.readouterr().out
        found = plan(load(Path(DIGITS).read_bytes()))
        assert re.search(rf"^{found.arena_bytes:,} ┤", out, flags=re.MULTILINE)
        assert out.index("▲") < out.index("offset") < out.index("lower bound")
        assert "\noptimal: during op " in out
        assert "\x1b" not in out

    def test_json(self, capsys: pytest.CaptureFixture[str]) -> None:
        found = facts(capsys, DIGITS, *WHOLE)
        assert found["optimal"]
        assert found["proof"].startswith(f"optimal: during op {found['forcing_operator']} ")
        in_use = [t for t in found["tensors"] if t["index"] in found["forcing_tensors"]]
        step = found["order"].index(found["forcing_operator"])
        assert in_use
        assert all(t["first_step"] <= step <= t["last_step"] for t in in_use)
        for place in found["scratch"]:
            assert place["bytes"] > 0
            assert place["offset"] + place["bytes"] <= found["arena_bytes"]

    def test_files(self, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
        drawing, page = tmp_path / "map.svg", tmp_path / "map.html"
        found = facts(capsys, DIGITS, "--svg", str(drawing), "--html", str(page))
        text = drawing.read_text(encoding="utf-8")
        assert ElementTree.fromstring(text.encode()).tag.endswith("svg")
        assert f"digits.tflite: {found['arena_bytes']:,} bytes" in text
        assert found["proof"].split("'")[0] in page.read_text(encoding="utf-8")

    def test_unwritable_file(self, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
        assert main(["plan", DIGITS, "--svg", str(tmp_path)]) == 1
        assert capsys.readouterr().err == f"tinyrt: {tmp_path}: Is a directory\n"


class TestCsv:
    """Bare problems."""

    def test_least_height(self, capsys: pytest.CaptureFixture[str], tight: str) -> None:
        found = facts(capsys, "--csv", tight)
        assert found["height_bytes"] == found["lower_bound_bytes"] == 8
        assert found["optimal"]
        assert found["fits"] is None
        place = {b["id"]: (b["offset"], b["offset"] + b["size"]) for b in found["buffers"]}
        for other in "bcd":
            assert place["a"][1] <= place[other][0] or place[other][1] <= place["a"][0]
        assert main(["plan", "--csv", tight]) == 0
        out = capsys.readouterr().out
        assert "height 8 bytes, lower bound 8 bytes" in out
        assert "optimal: at time 0, 8 bytes are in use at once: a, b" in out

    @pytest.mark.parametrize(("capacity", "status"), [("9", 0), ("8", 0), ("7", 1), ("0", 1)])
    def test_capacity(
        self, capsys: pytest.CaptureFixture[str], tight: str, capacity: str, status: int
    ) -> None:
        found = facts(capsys, "--csv", tight, "--capacity", capacity, status=status)
        assert found["fits"] == (status == 0)
        said = "fits into" if status == 0 else "does not fit into"
        assert found["certificate"].startswith(f"{said} {capacity} bytes")

    @pytest.fixture
    def hard(self, tmp_path: Path) -> str:
        path = tmp_path / "hard.csv"
        path.write_text(HARD)
        return str(path)

    def test_proof_by_search(self, capsys: pytest.CaptureFixture[str], hard: str) -> None:
        found = facts(capsys, "--csv", hard)
        assert found["height_bytes"] == found["lower_bound_bytes"] == 6
        assert found["certificate"].startswith("optimal: a search of ")
        found = facts(capsys, "--csv", hard, "--capacity", "5", status=1)
        assert found["certificate"] == "does not fit into 5 bytes: at least 6 are needed"

    def test_what_cannot_be_decided_says_so(
        self, capsys: pytest.CaptureFixture[str], hard: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("tinyrt.planning.NODES", 1)
        found = facts(capsys, "--csv", hard, status=1)
        assert found["certificate"] == "not proven optimal: gap 1 bytes"
        found = facts(capsys, "--csv", hard, "--capacity", "5", status=1)
        assert found["certificate"].startswith("not decided whether it fits into 5 bytes")
        found = facts(capsys, "--csv", hard, "--capacity", "6")
        assert found["certificate"] == "fits into 6 bytes; not proven optimal: gap 1 bytes"

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (b"id,lower\n", "no column upper, size"),
            (b"id,lower,upper,size\n1,2,1,4\n", "line 2: lower 2 must be less than upper 1"),
            (b"\xff\xfe", "not a text file"),
        ],
    )
    def test_wrong_files(
        self, capsys: pytest.CaptureFixture[str], tmp_path: Path, content: bytes, said: str
    ) -> None:
        path = tmp_path / "wrong.csv"
        path.write_bytes(content)
        assert main(["plan", "--csv", str(path)]) == 1
        err = capsys.readouterr().err
        assert err.startswith(f"tinyrt: {path}")
        assert said in err
        assert len(err.splitlines()) == 1

    @pytest.mark.parametrize(
        "arguments",
        [
            [],
            [DIGITS, "--csv", "x.csv"],
            [DIGITS, "--capacity", "4"],
            ["--csv", "x.csv", "--svg", "y.svg"],
            ["--csv", "x.csv", "--capacity", "-1"],
            ["--csv", "x.csv", "--capacity", "many"],
        ],
    )
    def test_usage(self, arguments: list[str]) -> None:
        with pytest.raises(SystemExit) as leaving:
            main(["plan", *arguments])
        assert leaving.value.code == 2
