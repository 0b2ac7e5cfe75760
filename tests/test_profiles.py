"""`tinyrt profile`: time per operator in Python, instructions on a core, saved and compared."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

import tinyrt
from tests.corpus import ROOT
from tinyrt.cli import main
from tinyrt.errors import InputError
from tinyrt.profiles import Record, Share, changes
from tinyrt.samples import random_inputs
from tinyrt.timing import LEAST_ROUNDS, MOST_ROUNDS, time_operators

DIGITS = str(ROOT / "models" / "digits.tflite")


def facts(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    """The JSON that the command prints."""
    assert main(["profile", DIGITS, *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def places(found: Any) -> list[tuple[int, str, int]]:
    return [(o["index"], o["opcode"], o["macs"]) for o in found["operators"]]


class TestPython:
    """Seconds."""

    def test_every_operator_has_its_share(self, capsys: pytest.CaptureFixture[str]) -> None:
        found = facts(capsys, "--rounds", "2")
        program = tinyrt.load(Path(DIGITS).read_bytes())
        assert places(found) == [
            (s.node.index, s.node.opcode, s.kernel.cost().macs) for s in program.steps
        ]
        assert found["macs"] == program.macs
        assert (found["target"], found["kernels"], found["rounds"]) == ("python", "fast", 2)
        assert found["seconds"] > 0
        assert all(o["seconds"] > 0 for o in found["operators"])

    def test_observed_runs_are_the_same_runs(self) -> None:
        interpreter = tinyrt.Interpreter(DIGITS)
        (source,), (result,) = (
            interpreter.program.graph.inputs,
            interpreter.program.graph.outputs,
        )
        interpreter.set_tensor(source, random_inputs(interpreter.program.graph, 5)[source])
        seen = []
        interpreter.invoke(observe=lambda step: seen.append(step.node.index))
        observed = interpreter.view(result).tobytes()
        interpreter.invoke()
        assert interpreter.view(result).tobytes() == observed
        assert seen == [step.node.index for step in interpreter.program.steps]

    def test_rounds_follow_from_the_time_of_one(self) -> None:
        interpreter = tinyrt.Interpreter(ROOT / "models" / "sine.tflite")
        found = time_operators(interpreter, random_inputs(interpreter.program.graph, 0))
        assert LEAST_ROUNDS <= found.rounds <= MOST_ROUNDS

    def test_input_file(self, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
        (tmp_path / "image").write_bytes(bytes(64))
        found = facts(capsys, "--rounds", "1", "--input", str(tmp_path / "image"))
        assert found["inputs"] == str(tmp_path / "image")


class TestCore:
    """Instructions."""

    def test_every_operator_has_its_share(self, capsys: pytest.CaptureFixture[str]) -> None:
        found = facts(capsys, "--target", "cortex-m4")
        assert found["target"] == "cortex-m4"
        # The program with probes is another one, if only a little.
        shares = sum(o["instructions"] for o in found["operators"])
        assert abs(shares - found["instructions"]) < found["instructions"] / 100
        for size in ("code_bytes", "rodata_bytes", "arena_bytes", "stack_bytes"):
            assert found[size] > 0
        assert found["stack_bytes"] <= found["stack_bound"] <= 1024
        assert found["stack_chain"].startswith("digits_run > tinyrt_")
        assert len(found["operators"]) == len(tinyrt.load(Path(DIGITS).read_bytes()).steps)

    def test_json_has_what_programs_rely_on(self, capsys: pytest.CaptureFixture[str]) -> None:
        found = facts(capsys, "--target", "cortex-m55", "--optimize", "size", "--no-strips")
        figures = {"instructions", "operators", "macs"}
        figures |= {"code_bytes", "rodata_bytes", "arena_bytes", "stack_bytes", "stack_bound"}
        origin = {"model", "target", "flavour", "optimize", "compiler_optimize", "inputs"}
        assert set(found) == figures | origin | {"stack_chain"}
        assert (found["optimize"], found["compiler_optimize"]) == ("size", "-O2")
        for operator in found["operators"]:
            assert set(operator) == {"index", "opcode", "name", "instructions", "macs"}

    def test_the_hot_operators_come_first(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["profile", DIGITS, "--target", "cortex-m4"]) == 0
        head, *lines = capsys.readouterr().out.splitlines()
        assert "instructions" in head
        shares = [float(found[1]) for line in lines if (found := re.search(r" ([\d.]+)% ", line))]
        assert len(shares) == 10
        assert shares == sorted(shares, reverse=True)

    def test_the_same_model_takes_the_same(
        self, capsys: pytest.CaptureFixture[str], tmp_path: Path
    ) -> None:
        saved = str(tmp_path / "saved.json")
        first = facts(capsys, "--target", "cortex-m4", "--save", saved)
        assert json.loads(Path(saved).read_text(encoding="utf-8")) == first
        assert main(["profile", DIGITS, "--target", "cortex-m4", "--compare", saved]) == 0
        text = capsys.readouterr().out
        assert "compared with digits.tflite on cortex-m4" in text
        assert "%" not in text.partition("compared with")[2]


def record(unit: str, *amounts: float) -> Record:
    shares = tuple(Share(i, "CONV_2D", f"layer {i}", a, 100) for i, a in enumerate(amounts))
    total = sum(amounts)
    return Record("m.tflite", "python", unit, total, 100 * len(shares), shares, {"rounds": 3})


class TestComparison:
    """Two profiles side by side."""

    def test_changes(self) -> None:
        found = changes(record("seconds", 1.0, 4.0, 2.0), record("seconds", 1.0, 2.0))
        assert [(c.place, c.before, c.after, c.ratio) for c in found] == [
            ("all", 7.0, 3.0, 3.0 / 7.0),
            ("0 CONV_2D", 1.0, 1.0, 1.0),
            ("1 CONV_2D", 4.0, 2.0, 0.5),
            ("2 CONV_2D", 2.0, None, None),
        ]

    def test_saved_and_read_again(self, tmp_path: Path) -> None:
        for unit in ("seconds", "instructions"):
            record(unit, 1.0, 2.5).save(tmp_path / unit)
            assert Record.read(tmp_path / unit) == record(unit, 1.0, 2.5)

    def test_json(self, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
        record("seconds", 1.0).save(tmp_path / "before")
        found = facts(capsys, "--rounds", "1", "--compare", str(tmp_path / "before"))
        assert found["compared"]["before"]["model"] == "m.tflite"
        first, second = found["compared"]["changes"][:2]
        assert (first["place"], first["before"]) == ("all", 1.0)
        assert first["after"] == found["seconds"]
        assert second["ratio"] == second["after"]

    def test_seconds_are_no_instructions(
        self, capsys: pytest.CaptureFixture[str], tmp_path: Path
    ) -> None:
        record("instructions", 1.0).save(tmp_path / "counts")
        arguments = ["profile", DIGITS, "--rounds", "1", "--compare", str(tmp_path / "counts")]
        assert main(arguments) == 1
        assert "seconds cannot be compared with one in instructions" in capsys.readouterr().err

    @pytest.mark.parametrize(
        "content", ["", "[]", "{}", '{"seconds": 1}', '{"seconds": 1, "instructions": 2}']
    )
    def test_files_that_are_no_profiles(self, tmp_path: Path, content: str) -> None:
        (tmp_path / "file").write_text(content, encoding="utf-8")
        with pytest.raises(InputError, match="not a saved profile"):
            Record.read(tmp_path / "file")

    def test_files_that_cannot_be_opened(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="No such file"):
            Record.read(tmp_path / "none")
        with pytest.raises(InputError, match="No such file"):
            record("seconds", 1.0).save(tmp_path / "none" / "file")
