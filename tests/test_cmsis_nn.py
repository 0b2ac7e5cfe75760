"""The CMSIS-NN flavour: the same bytes with a double of the library, and what is not left to it."""

import json
import random
import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

import tinyrt
from tests import cmsis_nn as flavour
from tests import zoo
from tests.corpus import MODELS, ROOT
from tests.examples import EXAMPLES
from tests.ops import draws, pairs, test_conv_2d, test_transpose
from tests.ops.test_softmax import softmax
from tinyrt import cli
from tinyrt.cmsis_nn.calls import Scratch
from tinyrt.cmsis_nn.geometry import row_is_exact
from tinyrt.emit import emit
from tinyrt.errors import InputError, ToolchainError
from tinyrt.fixedpoint import Numerics
from tinyrt.load import with_cmsis_nn
from tinyrt.mcu.cases import Case
from tinyrt.mcu.library import cmsis_nn
from tinyrt.mcu.targets import target_named
from tinyrt.mcu.trace import trace
from tinyrt.plan import plan
from tinyrt.samples import random_inputs

TARGETS = ("host", "cortex-m4", "cortex-m55")
KEYWORDS = ROOT / "models" / "keywords.tflite"
STRICT = "-std=c99 -Wall -Wextra -pedantic -Wconversion -Wmissing-prototypes -Werror"


@pytest.mark.parametrize("target", TARGETS)
def test_models_compute_what_tflm_computes(target: str) -> None:
    flavour.assert_agrees([path.read_bytes() for path in MODELS], [target])


@pytest.mark.parametrize(("target", "count"), [("host", 2), ("cortex-m4", 1), ("cortex-m55", 1)])
def test_layers_compute_what_tflm_computes(target: str, count: int) -> None:
    flavour.assert_agrees([*flavour.layers(random.Random(target), count)], [target])


def test_rows_compute_what_tflm_computes() -> None:
    flavour.assert_agrees([*flavour.rows(random.Random(3))], ["host"], styles=("uniform",))


def test_networks_compute_what_tflm_computes() -> None:
    models = [build() for build in zoo.SMALL.values()]
    flavour.assert_agrees(models, ["host"], styles=("uniform",), rewritten=True)


def test_any_padding() -> None:
    flavour.assert_agrees(flavour.padded(random.Random(5), 24), ["host"], rewritten=True)


@pytest.mark.slow
def test_many_layers_compute_what_tflm_computes() -> None:
    flavour.assert_agrees([*flavour.layers(random.Random(1), 20)], ["host"])


def functions(model: bytes) -> list[str]:
    """What the steps of a model call."""
    steps = flavour.prepared(model).steps
    return [call.function for step in steps for call in step.calls]


def test_every_operator_of_the_models_is_left_to_the_library() -> None:
    for path in MODELS:
        for step in flavour.prepared(path.read_bytes()).steps:
            assert step.calls or step.kernel.alias, f"{path.name}: {step.node.where()}"


@pytest.mark.parametrize(
    ("example", "expected"),
    [
        ("CONV_2D", ["arm_convolve_wrapper_s8"]),
        ("DEPTHWISE_CONV_2D", ["arm_depthwise_conv_wrapper_s8"]),
        ("FULLY_CONNECTED", ["arm_fully_connected_wrapper_s8"]),
        ("SOFTMAX", ["arm_softmax_s8"]),
        ("AVERAGE_POOL_2D", ["arm_avgpool_s8"]),
        ("MAX_POOL_2D", ["arm_max_pool_s8"]),
        ("ADD", ["arm_elementwise_add_s8"]),
        ("MUL", ["arm_elementwise_mul_s8"]),
        ("PAD", ["arm_pad_s8"]),
        ("PADV2", ["arm_pad_s8"]),
        ("TRANSPOSE", ["arm_transpose_s8"]),
        ("CONCATENATION", ["arm_concatenation_s8_x"] * 2),
        ("PACK", ["arm_concatenation_s8_x"] * 2),
        ("ADD broadcast", []),
        ("SUB", []),
        ("MEAN", []),
        ("QUANTIZE", []),
    ],
)
def test_what_an_operator_calls(example: str, expected: list[str]) -> None:
    assert functions(EXAMPLES[example]()) == expected


OURS = {
    "a stretched operand": pairs.random_int8("MUL", random.Random(1), shapes=((2, 3), (1, 3))),
    "rows that add up to 512": softmax((1, 512), 0.1),
    "a matrix beyond 16-bit offsets": test_transpose.transpose((2, 9363), (1, 0)),
    "five dimensions": test_transpose.transpose((2, 2, 2, 2, 2), (4, 3, 2, 1, 0)),
    "another type": test_transpose.transpose((2, 3), (1, 0), "int16"),
    "nothing moves": test_transpose.transpose((1, 5), (1, 0)),
    "more taps than 16 bits count": test_conv_2d.layer(
        random.Random(2), size=(2, 2), kernel=(2, 2), groups=1, group_inputs=16384, batches=1
    ),
}


@pytest.mark.parametrize("why", OURS)
def test_our_own_kernel_computes_what_the_library_cannot(why: str) -> None:
    assert functions(OURS[why]) == []
    flavour.assert_agrees([OURS[why]], ["host"], styles=("edges",))


def windows(size: int, taps: int, output: int, stride: int, pad: int) -> Iterator[list[int]]:
    """The columns under each window; −1 for padding."""
    for window in range(output):
        columns = (window * stride - pad + tap for tap in range(taps))
        yield [column if 0 <= column < size else -1 for column in columns]


def in_sections(size: int, taps: int, output: int, stride: int, pad: int) -> list[list[int]]:
    """The columns that windows of a row see in the library with MVE; −2 beyond the input."""
    total = (output - 1) * stride + taps - size
    odd = abs(total) % 2 * (1 if total > 0 else -1)
    assert 2 * pad + odd == total, "refused"
    left = max(1, (pad + stride - 1) // stride) if pad else 0
    right = max(1, (pad + odd + stride - 1) // stride) if pad + odd else 0
    inside = max(0, output - left - right)
    if left + inside + right != output:
        return list(windows(size, taps, output, stride, pad))
    beyond = [-2] * (stride * output + taps)
    row = [*range(size), *beyond]
    last = (left + inside) * stride - pad
    first = [*[-1] * pad, *row[:taps], *beyond]
    end = [*row[last : last + taps - 1], *[-1] * (right if odd else pad), *beyond]
    seen = [first[i * stride :][:taps] for i in range(left)]
    seen += [row[max(0, (left + i) * stride - pad) :][:taps] for i in range(inside)]
    return seen + [end[i * stride :][:taps] for i in range(right)]


def test_rows_that_the_library_gets_right_are_known() -> None:
    """No row counts as exact whose windows would see other columns."""
    exact = 0
    sizes = product(range(1, 14), range(1, 7), range(1, 14), range(1, 5), range(4))
    for size, taps, output, stride, pad in sizes:
        if row_is_exact(size, taps, output, stride, pad):
            exact += 1
            row = size, taps, output, stride, pad
            assert in_sections(*row) == list(windows(*row)), row
    assert exact > 300
    for size, taps, stride in ((8, 5, 2), (6, 2, 3), (12, 7, 3)):
        output = draws.window_output(size, taps, stride, 1, "SAME")
        pad = max(0, (output - 1) * stride + taps - size) // 2
        assert not row_is_exact(size, taps, output, stride, pad)


def test_an_addition_takes_the_place_of_an_input_and_a_convolution_does_not() -> None:
    for example, in_place in (("ADD", True), ("CONV_2D", False), ("MAX_POOL_2D", False)):
        (step,) = flavour.prepared(EXAMPLES[example]()).steps
        assert bool(step.overlaps) is in_place


def test_working_memory_is_what_the_most_demanding_core_takes() -> None:
    """As the library's own functions say: 3x3 windows of 64 channels take none without MVE."""
    found = {}
    for step in flavour.prepared(KEYWORDS.read_bytes()).steps:
        for call in step.calls:
            found[call.function] = call.scratch.mve_bytes, call.scratch.other_bytes
            assert step.scratch_bytes == max(found[call.function])
    assert found["arm_depthwise_conv_wrapper_s8"] == (4 * 124 * 9, 0)
    assert found["arm_avgpool_s8"] == (0, 4 * 64)
    # The last convolution is a product: Arm's own compiler alone has a use for memory there.
    assert found["arm_convolve_wrapper_s8"] == (0, 4 * 64)
    first = flavour.prepared(KEYWORDS.read_bytes()).steps[0].calls[0].scratch
    assert (first.mve_bytes, first.other_bytes) == (4 * 48, 4 * 40)


def test_single_rounding_is_refused() -> None:
    program = tinyrt.load(KEYWORDS.read_bytes(), Numerics.SINGLE)
    with pytest.raises(InputError, match="the numerics tflm, not single"):
        with_cmsis_nn(program)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The folder of the emitted keyword model."""
    program = flavour.prepared(KEYWORDS.read_bytes())
    emit(program, plan(program), "keywords", KEYWORDS.name).write(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "switch", ["CMSIS_NN_USE_SINGLE_ROUNDING", "CMSIS_NN_USE_REQUANTIZE_INLINE_ASSEMBLY"]
)
def test_switches_of_the_library_that_change_results_are_refused(
    project: Path, switch: str
) -> None:
    command = ["gcc", *STRICT.split(), "-I.", "-Ikernels", f"-I{flavour.FOLDER}/Include"]
    command += ["-fsyntax-only", "keywords.c"]
    options = {"cwd": project, "capture_output": True, "text": True, "timeout": 120}
    assert subprocess.run(command, check=False, **options).returncode == 0
    done = subprocess.run([*command, f"-D{switch}"], check=False, **options)
    assert f"is not bit-exact with {switch}" in done.stderr


def test_builds_with_make(project: Path) -> None:
    command = ["make", f"CMSIS_NN={flavour.FOLDER}", f"CFLAGS=-O1 {STRICT}"]
    subprocess.run(command, cwd=project, check=True, capture_output=True, timeout=300)
    done = subprocess.run(
        ["example/main"], cwd=project, check=True, capture_output=True, text=True, timeout=60
    )
    assert len(done.stdout.rpartition(":")[2].split()) == 12


def test_builds_with_cmake(project: Path) -> None:
    configure = ["cmake", "-S", ".", "-B", "out"]
    options = {"cwd": project, "capture_output": True, "text": True, "timeout": 300}
    without = subprocess.run(configure, check=False, **options)
    assert without.returncode != 0
    assert "no target cmsis-nn" in without.stderr
    subprocess.run([*configure, f"-DCMSIS_NN={flavour.FOLDER}"], check=True, **options)
    subprocess.run(["cmake", "--build", "out"], check=True, **options)
    subprocess.run([project / "out" / "example"], check=True, capture_output=True, timeout=60)


def test_links_the_target_of_a_firmware(project: Path) -> None:
    firmware = project / "firmware"
    firmware.mkdir()
    (firmware / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.13)\nproject(firmware C)\n"
        f"add_subdirectory({flavour.FOLDER} cmsis)\nadd_subdirectory(.. model)\n"
        "add_executable(firmware main.c)\ntarget_link_libraries(firmware keywords)\n"
    )
    (firmware / "main.c").write_text(
        '#include "keywords.h"\nint main(void) { keywords_ctx c = {0}; return keywords_run(&c); }\n'
    )
    for command in (["cmake", "-S", ".", "-B", "out"], ["cmake", "--build", "out"]):
        subprocess.run(command, cwd=firmware, check=True, capture_output=True, timeout=300)


def compiled(project: Path, define: str) -> int:
    """The exit status of the example, built with a double that is asked to behave otherwise."""
    command = ["make", f"CMSIS_NN={flavour.FOLDER}", f"CFLAGS=-O1 -D{define}"]
    subprocess.run(command, cwd=project, check=True, capture_output=True, timeout=300)
    done = subprocess.run(
        ["example/main"], cwd=project, check=False, capture_output=True, text=True, timeout=60
    )
    found = re.fullmatch(r"keywords_\w+: (-\d+)\n", done.stdout)
    assert found is not None, done.stdout
    return int(found[1])


def test_init_refuses_a_library_that_takes_more_memory_than_planned(project: Path) -> None:
    header = (project / "kernels" / "tinyrt.h").read_text()
    assert "#define TINYRT_ERROR_SCRATCH (-6)" in header
    assert compiled(project, "DOUBLE_EXTRA_BYTES=4") == -6


def test_run_says_that_the_library_refused_a_call(project: Path) -> None:
    header = (project / "kernels" / "tinyrt.h").read_text()
    assert "#define TINYRT_ERROR_KERNEL (-5)" in header
    assert compiled(project, "DOUBLE_REFUSES=1") == -5


def test_a_wrong_argument_does_not_pass_the_double(tmp_path: Path) -> None:
    """The double is worth its name: a filter's sides exchanged, and memory left out, both show."""
    model = EXAMPLES["CONV_2D"]()
    program = flavour.prepared(model)
    (step,) = program.steps
    (call,) = step.calls
    runs = (random_inputs(program.graph, 0, "uniform"),)
    assert call.buffer is not None
    for number, arguments in enumerate(
        (
            (*call.arguments[:3], call.arguments[5], *call.arguments[4:]),
            (Scratch(call.scratch.bytes - 4), *call.arguments[1:]),
        )
    ):
        wrong = replace(step, calls=(replace(call, arguments=arguments, buffer=None),))
        project = emit(replace(program, steps=(wrong,)), plan(program), "wrong", "wrong.tflite")
        with pytest.raises(ToolchainError):
            trace(
                target_named("host"),
                (Case(project, runs),),
                tmp_path / str(number),
                library=flavour.DOUBLE,
            )


def test_a_folder_without_the_library_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ToolchainError, match="not a checkout of CMSIS-NN"):
        cmsis_nn(tmp_path)


class TestCommandLine:
    """`--flavour cmsis-nn`."""

    def test_emit(self, tmp_path: Path) -> None:
        command = ["emit", str(KEYWORDS), "-o", str(tmp_path), "--flavour", "cmsis-nn"]
        assert cli.main([*command, "--no-strips"]) == 0
        text = (tmp_path / "keywords.c").read_text()
        assert '#include "arm_nnfunctions.h"' in text
        assert "--flavour cmsis-nn" in text
        assert "(CMSIS-NN takes 4464 with MVE, 256 without)" in text
        assert "tinyrt_conv" not in text
        assert sorted(path.name for path in (tmp_path / "kernels").iterdir()) == [
            "tinyrt.h",
            "tinyrt_config.h",
        ]

    def test_verify(self, capsys: pytest.CaptureFixture[str]) -> None:
        command = ["verify", str(KEYWORDS), "--flavour", "cmsis-nn", "--target", "host"]
        assert cli.main([*command, "--cmsis-nn", str(flavour.FOLDER), "--inputs", "1"]) == 0
        assert "bit-identical" in capsys.readouterr().out
        assert cli.main(command) == 1
        assert "say where it is, --cmsis-nn DIR" in capsys.readouterr().err

    def test_profile(self, capsys: pytest.CaptureFixture[str]) -> None:
        command = ["profile", str(KEYWORDS), "--flavour", "cmsis-nn", "--target", "cortex-m4"]
        assert cli.main([*command, "--cmsis-nn", str(flavour.FOLDER), "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert found["flavour"] == "cmsis-nn"
        assert found["instructions"] > found["macs"]
        # The library's code counts: all that the model's own file has is calls.
        assert found["code_bytes"] > 4000
        assert 0 < found["stack_bytes"] <= found["stack_bound"]

    def test_single_rounding(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        command = ["emit", str(KEYWORDS), "-o", str(tmp_path), "--flavour", "cmsis-nn"]
        assert cli.main([*command, "--numerics", "single"]) == 1
        assert "CMSIS-NN rounds twice" in capsys.readouterr().err
        assert not list(tmp_path.iterdir())
