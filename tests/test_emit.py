"""The emitted C: deterministic, self-contained, clean under strict warnings, easy to build."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

import tinyrt
from tests.builder import ModelBuilder, TensorSpec, single_operator
from tests.corpus import MODELS, ROOT
from tests.examples import EXAMPLES
from tests.harness import agree
from tinyrt.emit import Project, emit, writer
from tinyrt.fixedpoint import Numerics
from tinyrt.mcu.toolchain import undefined_symbols
from tinyrt.plan import plan

STRICT = (
    *("-std=c99", "-Wall", "-Wextra", "-pedantic"),
    *("-Wconversion", "-Wmissing-prototypes", "-Werror"),
)
KEYWORDS = ROOT / "models" / "keywords.tflite"
ALLOWED_UNDEFINED = re.compile(r"memcpy|memset|tinyrt_\w+|__aeabi_\w+|__gnu_\w+|__\w+[sdt]i[0-9]")


def emitted(path: Path, numerics: Numerics = Numerics.TFLM, name: str = "") -> Project:
    """A model file as C."""
    program = tinyrt.load(path.read_bytes(), numerics)
    return emit(program, plan(program), name or path.stem, path.name)


@pytest.fixture
def keywords(tmp_path: Path) -> Path:
    """The folder of the emitted keyword model."""
    emitted(KEYWORDS).write(tmp_path)
    return tmp_path


def compile_one(folder: Path, source: str, *flags: str) -> "subprocess.CompletedProcess[str]":
    """Compile one file of an emitted folder with the strict flags."""
    return subprocess.run(
        ["gcc", *STRICT, *flags, "-I.", "-Ikernels", "-c", source, "-o", "object.o"],
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_the_same_model_gives_the_same_text() -> None:
    assert emitted(KEYWORDS).files == emitted(KEYWORDS).files


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_text_is_plain(path: Path) -> None:
    for name, text in emitted(path).files.items():
        assert text.isascii()
        assert text.endswith("\n")
        assert not text.endswith("\n\n")
        if name.endswith((".c", ".h")):
            assert "\t" not in text
            assert all(line == line.rstrip() for line in text.splitlines()), name
            for line in text.splitlines():
                assert len(line) <= 120, f"{name}: {line}"


def test_exactly_the_kernels_in_use_come_along() -> None:
    files = {Path(name).name for name in emitted(KEYWORDS).files if name.startswith("kernels/")}
    assert "softmax_s8.c" in files
    assert not files & {"add_s8.c", "pad.c", "tanh_s8.c"}


def test_builds_with_make_and_runs(keywords: Path) -> None:
    flags = "CFLAGS=-O1 " + " ".join(STRICT)
    subprocess.run(["make", flags], cwd=keywords, check=True, capture_output=True, timeout=300)
    done = subprocess.run(
        ["example/main"], cwd=keywords, check=True, capture_output=True, text=True, timeout=60
    )
    label, _, values = done.stdout.rpartition(":")
    assert label
    assert len(values.split()) == 12


def test_builds_with_cmake(keywords: Path) -> None:
    for command in (["cmake", "-S", ".", "-B", "out"], ["cmake", "--build", "out"]):
        subprocess.run(command, cwd=keywords, check=True, capture_output=True, timeout=300)
    subprocess.run([keywords / "out" / "example"], check=True, capture_output=True, timeout=60)


def test_header_serves_cpp(keywords: Path) -> None:
    (keywords / "firmware.cpp").write_text(
        '#include "keywords.h"\nint main() { keywords_ctx c; return keywords_run(&c); }\n'
    )
    command = ["g++", "-Wall", "-Wextra", "-Werror", "-I.", "-Ikernels", "-fsyntax-only"]
    subprocess.run([*command, "firmware.cpp"], cwd=keywords, check=True, timeout=60)


@pytest.mark.parametrize("compiler", ["gcc", "arm-none-eabi-gcc"])
def test_needs_nothing_but_memcpy_and_compiler_helpers(keywords: Path, compiler: str) -> None:
    assert shutil.which(compiler)
    prefix = compiler.removesuffix("gcc")
    core = ["-mcpu=cortex-m3", "-mthumb"] if prefix else []
    objects = []
    for source in emitted(KEYWORDS).sources:
        output = (keywords / source).with_suffix(".o")
        command = [compiler, *core, *STRICT, "-O2", "-I.", "-Ikernels", "-c", source]
        subprocess.run([*command, "-o", output], cwd=keywords, check=True, timeout=120)
        objects.append(output)
    for symbol in undefined_symbols(f"{prefix}nm", objects):
        assert ALLOWED_UNDEFINED.fullmatch(symbol), symbol


def test_foreign_kernels_are_refused(keywords: Path) -> None:
    assert compile_one(keywords, "keywords.c").returncode == 0
    header = keywords / "kernels" / "tinyrt.h"
    text = header.read_text()
    header.write_text(re.sub(r"TINYRT_KERNEL_ABI \d+", "TINYRT_KERNEL_ABI 999", text))
    assert "different versions" in compile_one(keywords, "keywords.c").stderr


def test_foreign_numerics_are_refused(keywords: Path) -> None:
    config = keywords / "kernels" / "tinyrt_config.h"
    assert "TINYRT_NUMERICS TINYRT_NUMERICS_TFLM" in config.read_text()
    config.write_text(emitted(KEYWORDS, Numerics.SINGLE).files["kernels/tinyrt_config.h"])
    assert "numerics tflm" in compile_one(keywords, "keywords.c").stderr


def test_names_of_any_kind_become_identifiers() -> None:
    program = tinyrt.load(EXAMPLES["SOFTMAX"]())
    for name, wanted in (("3 d-model", "_3_d_model"), ("float", "_float"), ("", "unnamed")):
        assert emit(program, plan(program), name, "any file.tflite").name == wanted


@pytest.mark.parametrize("operator", EXAMPLES)
def test_every_operator_emits_strict_c(operator: str, tmp_path: Path) -> None:
    program = tinyrt.load(EXAMPLES[operator]())
    emit(program, plan(program), "one", "one.tflite").write(tmp_path)
    for source in sorted(tmp_path.rglob("*.c")):
        done = compile_one(tmp_path, str(source.relative_to(tmp_path)))
        assert done.returncode == 0, done.stderr


class TestWriter:
    """Literals and comments."""

    @pytest.mark.parametrize(
        ("value", "element", "text"),
        [
            (-(2**31), "int32_t", "INT32_MIN"),
            (2**31 - 1, "int32_t", "2147483647"),
            (-(2**63), "int64_t", "INT64_MIN"),
            (5, "int64_t", "INT64_C(5)"),
            (-128, "int8_t", "-128"),
        ],
    )
    def test_integers(self, value: int, element: str, text: str) -> None:
        assert writer.integer(value, element) == text

    @pytest.mark.parametrize(
        ("value", "text"),
        [(0.5, "0.5f"), (1.0, "1.0f"), (3.4028234663852886e38, "3.40282347e+38f"), (-0.0, "-0.0f")],
    )
    def test_singles_are_exact_and_short(self, value: float, text: str) -> None:
        assert writer.single(value) == text

    def test_comments_cannot_be_left(self) -> None:
        assert writer.comment_text("a */ b /* ä\n") == "a * / b / * ??"


NASTY = ("arena", "ctx", "int8_t", "bool", "memcpy", "tinyrt_add_s8", "op0_y", "model_0_run", "é*/")


def test_no_tensor_name_can_harm() -> None:
    def model(name: str) -> bytes:
        image = TensorSpec((1, 6), scale=0.5, zero_point=0)
        constant = TensorSpec((1, 6), scale=0.25, zero_point=0, data=range(6), name=name)
        return single_operator("ADD", [image, constant], [image])

    agree([model(name) for name in NASTY], styles=("uniform",))


@pytest.mark.parametrize("name", ["softmax_s8", "tinyrt", "string", "example", "main", "double"])
def test_no_model_name_can_harm(name: str, tmp_path: Path) -> None:
    project = emitted(KEYWORDS, name=name)
    project.write(tmp_path)
    subprocess.run(["make"], cwd=tmp_path, check=True, capture_output=True, timeout=120)
    for command in (["cmake", "-S", ".", "-B", "out"], ["cmake", "--build", "out"]):
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=300)


def test_constants_keep_their_names_and_say_what_they_are() -> None:
    half = TensorSpec((1,), scale=0.5, zero_point=0, data=[7], name="half")
    model = ModelBuilder()
    x = model.tensor("x", (1, 4), scale=0.5, zero_point=0)
    middle = model.tensor("middle", (1, 4), scale=0.5, zero_point=0)
    y = model.tensor("y", (1, 4), scale=0.5, zero_point=0)
    model.operator("ADD", [x, model.add(half)], [middle])
    other = model.tensor("offset", (1,), scale=0.25, zero_point=0, data=[7])
    model.operator("MUL", [middle, other], [y])
    program = tinyrt.load(model.finish([x], [y]))
    text = emit(program, plan(program), "two", "two.tflite").files["two.c"]
    assert "const_half[1]" in text
    assert "const_offset[1]" in text
