"""The command line as a newcomer meets it: output, JSON, one-line errors, exit statuses."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import tinyrt
from tests.corpus import ROOT
from tests.zoo import mobilenet_v2
from tinyrt.cli import main

DIGITS = str(ROOT / "models" / "digits.tflite")


def facts(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    """The JSON that a command prints."""
    assert main(arguments) == 0
    return json.loads(capsys.readouterr().out)


class TestRun:
    """`tinyrt run`."""

    def test_table(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["run", DIGITS, "--random", "3"]) == 0
        out = capsys.readouterr().out
        assert "random, seed 3" in out
        assert "int8 1x10" in out

    def test_json_is_what_the_interpreter_computes(
        self, capsys: pytest.CaptureFixture[str], tmp_path: Path
    ) -> None:
        image = bytes(range(64))
        (tmp_path / "image").write_bytes(image)
        found = facts(capsys, "run", DIGITS, "--input", str(tmp_path / "image"), "--json")
        interpreter = tinyrt.Interpreter(DIGITS, kernels="reference")
        interpreter.set_tensor(interpreter.program.graph.inputs[0], image)
        interpreter.invoke()
        (output,) = found["outputs"]
        assert [output["values"]] == interpreter.view(output["index"]).tolist()

    def test_seed_decides(self, capsys: pytest.CaptureFixture[str]) -> None:
        first, again, other = (
            facts(capsys, "run", DIGITS, "--random", seed, "--json")["outputs"][0]["crc32"]
            for seed in ("1", "1", "2")
        )
        assert first == again != other

    def test_profiles_and_kernels_are_heeded(self, capsys: pytest.CaptureFixture[str]) -> None:
        crcs = {
            (numerics, kernels): facts(
                capsys, "run", DIGITS, "--numerics", numerics, "--kernels", kernels, "--json"
            )["outputs"][0]["crc32"]
            for numerics in ("tflm", "single")
            for kernels in ("fast", "reference")
        }
        assert crcs["tflm", "fast"] == crcs["tflm", "reference"]
        assert crcs["single", "fast"] == crcs["single", "reference"]

    @pytest.mark.parametrize(
        ("files", "said"),
        [((b"short",), "5 bytes (must be 64)"), ((b"", b""), "2 input files for 1 inputs")],
    )
    def test_wrong_input_files(
        self,
        capsys: pytest.CaptureFixture[str],
        tmp_path: Path,
        files: tuple[bytes, ...],
        said: str,
    ) -> None:
        arguments = ["run", DIGITS]
        for number, content in enumerate(files):
            path = tmp_path / str(number)
            path.write_bytes(content)
            arguments += ["--input", str(path)]
        assert main(arguments) == 1
        assert said in capsys.readouterr().err


def test_info(capsys: pytest.CaptureFixture[str]) -> None:
    found = facts(capsys, "info", DIGITS, "--json")
    assert [operator["opcode"] for operator in found["operators"]][:2] == [
        "CONV_2D",
        "DEPTHWISE_CONV_2D",
    ]
    assert found["macs"] == sum(operator["macs"] for operator in found["operators"])
    assert main(["info", DIGITS]) == 0
    assert "DEPTHWISE_CONV_2D" in capsys.readouterr().out


def test_plan(capsys: pytest.CaptureFixture[str]) -> None:
    found = facts(capsys, "plan", DIGITS, "--json")
    assert found["arena_bytes"] >= found["lower_bound_bytes"]
    assert max(t["offset"] + t["bytes"] for t in found["tensors"]) <= found["arena_bytes"]
    assert main(["plan", DIGITS]) == 0
    assert f"{found['arena_bytes']:,}" in capsys.readouterr().out


def test_emit(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["emit", DIGITS, "-o", str(tmp_path / "out"), "--name", "reader"]) == 0
    written = capsys.readouterr().out.split()
    assert str(tmp_path / "out" / "reader.c") in written
    assert all(Path(path).exists() for path in written)
    text = (tmp_path / "out" / "reader.c").read_text()
    assert "tinyrt emit digits.tflite -o DIR --name reader" in text


@pytest.fixture
def padded(tmp_path: Path) -> str:
    """A network with PADs and float ends."""
    path = tmp_path / "padded.tflite"
    path.write_bytes(mobilenet_v2(0.1, 32, classes=10, features=64, nchw=True))
    return str(path)


class TestRewrites:
    """`--no-rewrites` and `--int8-io`."""

    def test_plan(self, capsys: pytest.CaptureFixture[str], padded: str) -> None:
        whole, folded, integer = (
            facts(capsys, "plan", padded, *flags, "--json")
            for flags in (["--no-rewrites"], [], ["--int8-io"])
        )
        assert whole["rewrites"] == []
        assert len(folded["rewrites"]) == 5
        assert len(integer["rewrites"]) == 7
        # The peak is the transposition of the float input: only leaving that out lowers it.
        assert integer["arena_bytes"] < folded["arena_bytes"] == whole["arena_bytes"] == 2 * 12288
        assert main(["plan", padded]) == 0
        assert "PAD 2 is folded into CONV_2D 3" in capsys.readouterr().out

    def test_a_folded_pad_takes_no_memory(
        self, capsys: pytest.CaptureFixture[str], tmp_path: Path
    ) -> None:
        path = tmp_path / "padded.tflite"
        path.write_bytes(mobilenet_v2(0.1, 32, classes=10, features=64, nchw=False))
        whole, folded = (
            facts(capsys, "plan", str(path), *flags, "--json") for flags in (["--no-rewrites"], [])
        )
        assert folded["arena_bytes"] < whole["arena_bytes"]

    def test_emit_says_how(self, padded: str, tmp_path: Path) -> None:
        for flags in ([], ["--no-rewrites"], ["--no-rewrites", "--int8-io"], ["--int8-io"]):
            assert main(["emit", padded, "-o", str(tmp_path / "out"), *flags]) == 0
            text = (tmp_path / "out" / "padded.c").read_text()
            command = text[text.index("tinyrt emit") : text.index("* arena")]
            assert [flag for flag in ("--no-rewrites", "--int8-io") if flag in command] == flags
            assert ("PAD 2 is folded" in command) == ("--no-rewrites" not in flags)
            assert ("QUANTIZE 1 is left out" in command) == ("--int8-io" in flags)
            assert ("    tinyrt_pad(" in text) == ("--no-rewrites" in flags)

    def test_verify_and_profile(self, capsys: pytest.CaptureFixture[str], padded: str) -> None:
        found = facts(
            capsys, "verify", padded, "--int8-io", "--target", "host", "--inputs", "1", "--json"
        )
        assert found["agrees"]
        counted = facts(capsys, "profile", padded, "--no-rewrites", "--rounds", "1", "--json")
        fewer = facts(capsys, "profile", padded, "--rounds", "1", "--json")
        assert len(counted["operators"]) - len(fewer["operators"]) == 5


def test_export_tflm(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "planned.tflite"
    found = facts(capsys, "plan", DIGITS, "--export-tflm", str(path), "--json")["tflm"]
    assert path.read_bytes().endswith(Path(DIGITS).read_bytes())
    assert found["head_bytes"] == found["lower_bound_bytes"] <= found["greedy_bytes"]
    assert main(["plan", DIGITS, "--export-tflm", str(path)]) == 0
    assert f"{found['head_bytes']:,} bytes of TFLM's arena" in capsys.readouterr().out
    assert main(["plan", DIGITS, "--export-tflm", str(tmp_path)]) == 1
    assert str(tmp_path) in capsys.readouterr().err


class TestVerify:
    """`tinyrt verify`."""

    def test_agreement(self, capsys: pytest.CaptureFixture[str]) -> None:
        arguments = ["verify", DIGITS, "--no-strips", "--target", "host", "--inputs", "2", "--json"]
        found = facts(capsys, *arguments)
        assert found["agrees"]
        assert {v["executor"]: v["tensors"] for v in found["executors"]} == {
            "Python, fast": 2 * 10,
            "Python, in the arena": 10,
            "C, host": 2 * 10,
        }

    def test_disagreement_names_the_operator_and_fails(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        # A kernel library in which one kernel is off by one, where an installed package has it.
        source = ROOT / "kernels"
        for path in source.iterdir():
            (tmp_path / path.name).write_text(path.read_text())
        wrong = tmp_path / "max_pool_2d_s8.c"
        text = wrong.read_text()
        falsified = text.replace("p->activation_min, p->activation_max", "-128, -128")
        assert falsified != text
        wrong.write_text(falsified)
        monkeypatch.setattr("tinyrt.emit.files.kernel_folder", lambda: tmp_path)
        assert main(["verify", DIGITS, "--target", "host", "--inputs", "1"]) == 1
        out = capsys.readouterr().out
        assert "DIFFERENT" in out
        assert "MAX_POOL_2D" in out

    def test_missing_compiler_is_one_line(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PATH", "")
        assert main(["verify", DIGITS, "--target", "cortex-m4"]) == 1
        err = capsys.readouterr().err.strip()
        assert err.startswith("tinyrt: ")
        assert "gcc-arm-none-eabi" in err
        assert len(err.splitlines()) == 1


class TestErrors:
    """One line on stderr and status 1; status 2 for usage."""

    @pytest.mark.parametrize("command", ["run", "info", "plan", "verify"])
    def test_missing_file(self, capsys: pytest.CaptureFixture[str], command: str) -> None:
        assert main([command, "nowhere.tflite"]) == 1
        assert capsys.readouterr().err == "tinyrt: nowhere.tflite: No such file or directory\n"

    def test_not_a_model(self, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
        path = tmp_path / "text.tflite"
        path.write_text("this is not a model\n")
        assert main(["run", str(path)]) == 1
        captured = capsys.readouterr()
        assert captured.err.startswith("tinyrt: ")
        assert len(captured.err.splitlines()) == 1
        assert not captured.out

    @pytest.mark.parametrize(
        "arguments",
        [
            [],
            ["fly"],
            ["run"],
            ["run", DIGITS, "--kernels", "slow"],
            ["run", DIGITS, "--random", "x"],
            ["run", DIGITS, "--random", "1", "--input", "f"],
            ["emit", DIGITS],
            ["verify", DIGITS, "--target", "avr"],
            ["verify", DIGITS, "--inputs", "0"],
        ],
        ids=" ".join,
    )
    def test_usage(self, arguments: list[str]) -> None:
        with pytest.raises(SystemExit) as leaving:
            main(arguments)
        assert leaving.value.code == 2

    def test_help_is_there_for_everything(self, capsys: pytest.CaptureFixture[str]) -> None:
        for command in ([], ["run"], ["info"], ["plan"], ["emit"], ["verify"]):
            with pytest.raises(SystemExit) as leaving:
                main([*command, "--help"])
            assert leaving.value.code == 0
            assert "usage: tinyrt" in capsys.readouterr().out

    def test_unwritable_folder(self, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        assert main(["emit", DIGITS, "-o", str(tmp_path / "file")]) == 1
        assert capsys.readouterr().err.startswith("tinyrt: ")


def test_module_and_script_are_the_same() -> None:
    for command in ([sys.executable, "-m", "tinyrt"], [Path(sys.executable).parent / "tinyrt"]):
        done = subprocess.run(
            [*command, "--version"], check=True, capture_output=True, text=True, timeout=60
        )
        assert done.stdout == f"tinyrt {tinyrt.__version__}\n"
