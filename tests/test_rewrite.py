"""Rewritten programs: what remains has the bytes that TFLM computes for the file."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinyrt
from tests import oracle, zoo
from tests.builder import ModelBuilder, TensorSpec
from tests.harness import assert_c_agrees, assert_same
from tinyrt.emit import emit
from tinyrt.errors import InputError
from tinyrt.graph import DType
from tinyrt.interpreter import Interpreter
from tinyrt.load import Program, resize
from tinyrt.mcu.cases import Case
from tinyrt.mcu.certify import sample_runs, verify
from tinyrt.ops.conv_2d import Conv2D
from tinyrt.plan import plan
from tinyrt.rewrite import fold_pads, integer_io
from tinyrt.samples import STYLES, random_inputs

Rewrite = Callable[[Program], Program]
Ends = Sequence[tuple[int, int]]

INT8 = np.iinfo(np.int8)


# --- the truth for a rewritten program -------------------------------------------------------


def fed(program: Program, rewritten: Program, inputs: Mapping[int, bytes]) -> dict[int, bytes]:
    """What the file's program must be given where the rewritten one is given these inputs."""
    return {
        index: value
        if program.graph.tensors[index].dtype is rewritten.graph.tensors[index].dtype
        else real(rewritten, index, value)
        for index, value in inputs.items()
    }


def real(rewritten: Program, index: int, value: bytes) -> bytes:
    quantization = rewritten.graph.tensors[index].quantization
    assert quantization is not None
    steps = np.frombuffer(value, np.int8).astype(np.float32) - quantization.zero_point
    return (np.float32(quantization.scale) * steps).astype("<f4").tobytes()


def quantized(rewritten: Program, index: int, value: bytes) -> bytes:
    quantization = rewritten.graph.tensors[index].quantization
    assert quantization is not None
    steps = np.rint(np.frombuffer(value, "<f4") / np.float32(quantization.scale))
    return np.clip(steps + quantization.zero_point, INT8.min, INT8.max).astype(np.int8).tobytes()


def expected(
    model: bytes, program: Program, rewritten: Program, inputs: Mapping[int, bytes]
) -> dict[int, bytes]:
    """The bytes of every tensor that the rewritten program writes, from TFLM's run of the file."""
    truth = oracle.every_tensor(model, program, fed(program, rewritten, inputs))
    pairs = zip(program.graph.tensors, rewritten.graph.tensors, strict=True)
    changed = {was.index for was, now in pairs if was.dtype is not now.dtype}
    return {n: quantized(rewritten, n, v) if n in changed else v for n, v in truth.items()}


def agree(
    models: Sequence[bytes],
    rewrite: Rewrite,
    *,
    styles: Sequence[str] = STYLES[:2],
    targets: Sequence[str] = ("host",),
) -> list[Program]:
    """Assert that rewritten programs give TFLM's bytes in Python and in C; give them."""
    cases, wanted = [], []
    for number, model in enumerate(models):
        program = tinyrt.load(model)
        rewritten = rewrite(program)
        runs = [random_inputs(rewritten.graph, number, style) for style in styles]
        truths = [expected(model, program, rewritten, inputs) for inputs in runs]
        for kernels in ("reference", "fast"):
            interpreter = Interpreter.of(rewritten, kernels=kernels, preserve_all_tensors=True)
            for inputs, truth in zip(runs, truths, strict=True):
                for index, value in inputs.items():
                    interpreter.set_tensor(index, value)
                interpreter.invoke()
                results = (index for step in rewritten.steps for index in step.results)
                found = {index: interpreter.view(index).tobytes() for index in results}
                assert_same(f"model {number}, {kernels}", rewritten, truth, found)
        project = emit(rewritten, plan(rewritten), f"model_{number}", "model.tflite")
        cases.append(Case(project, tuple(runs)))
        wanted.append((rewritten, truths))
    for target in targets:
        assert_c_agrees(target, cases, wanted)
    return [rewritten for rewritten, _ in wanted]


# --- padding ---------------------------------------------------------------------------------

WINDOWS = ("CONV_2D", "DEPTHWISE_CONV_2D", "MAX_POOL_2D", "AVERAGE_POOL_2D")


class Windows:
    """A model of PADs and operators on windows; int8, one scale, so that any may follow any."""

    def __init__(self, shape: Sequence[int], zero_point: int = 3, seed: int = 0) -> None:
        self.model = ModelBuilder()
        self.rng = random.Random(seed)
        self.quantized: dict[str, Any] = {"scale": 0.5, "zero_point": zero_point}
        self.shapes: dict[int, tuple[int, ...]] = {}
        self.x = self._tensor(shape)

    def _tensor(self, shape: Sequence[int]) -> int:
        index = self.model.tensor(f"t{len(self.shapes)}", shape, **self.quantized)
        self.shapes[index] = tuple(shape)
        return index

    def pad(self, x: int, ends: Ends, value: int | None = None) -> int:
        paddings = self.model.tensor("paddings", (4, 2), "int32", data=list(chain(*ends)))
        inputs = [x, paddings]
        if value is not None:
            inputs.append(self.model.add(TensorSpec((), data=value, **self.quantized), "value"))
        shape = [size + sum(pair) for size, pair in zip(self.shapes[x], ends, strict=True)]
        output = self._tensor(shape)
        self.model.operator("PAD" if value is None else "PADV2", inputs, [output])
        return output

    def window(
        self,
        opcode: str,
        x: int,
        kernel: tuple[int, int] = (3, 3),
        stride: tuple[int, int] = (1, 1),
        dilation: tuple[int, int] = (1, 1),
        padding: str = "VALID",
        activation: str = "NONE",
    ) -> int:
        batches, *sizes, depth = self.shapes[x]
        spans = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
        spatial = (
            -(-size // s) if padding == "SAME" else (size - span) // s + 1
            for size, span, s in zip(sizes, spans, stride, strict=True)
        )
        output = self._tensor((batches, *spatial, depth))
        options: dict[str, Any] = {"padding": padding, "stride_h": stride[0], "stride_w": stride[1]}
        options |= {"fused_activation_function": activation}
        inputs = [x]
        if opcode.endswith("POOL_2D"):
            options |= {"filter_height": kernel[0], "filter_width": kernel[1]}
        else:
            options |= {"dilation_h_factor": dilation[0], "dilation_w_factor": dilation[1]}
            outer = 1 if opcode.startswith("DEPTHWISE") else depth
            shape = (outer, *kernel, depth)
            data = self.rng.randbytes(outer * kernel[0] * kernel[1] * depth)
            weights = TensorSpec(shape, scale=0.02, data=data)
            bias = [self.rng.randint(-999, 999) for _ in range(depth)]
            inputs += [
                self.model.add(weights, "weights"),
                self.model.add(TensorSpec((depth,), "int32", scale=0.01, data=bias), "bias"),
            ]
            if outer == 1 and opcode.startswith("DEPTHWISE"):
                options["depth_multiplier"] = 1
        self.model.operator(opcode, inputs, [output], **options)
        return output

    def finish(self, *outputs: int) -> bytes:
        return self.model.finish([self.x], outputs)


def ends(rng: random.Random, most: int = 4) -> Ends:
    """Random borders of height and width."""
    rows, columns = ((rng.randint(0, most), rng.randint(0, most)) for _ in range(2))
    return ((0, 0), rows, columns, (0, 0))


def random_windows(rng: random.Random) -> bytes:
    """PADs, one or two in a row, before operators on windows of any geometry."""
    low = rng.random() < 0.3
    zero_point = -128 if low else rng.randint(-128, 127)
    shape = (rng.randint(1, 2), *(rng.randint(1, 7) for _ in range(2)), rng.randint(1, 5))
    net = Windows(shape, zero_point, rng.randrange(1 << 30))
    x = net.x
    for _ in range(2):
        for _ in range(rng.randint(1, 2)):
            x = net.pad(x, ends(rng), rng.choice((None, zero_point)))
        sizes = net.shapes[x][1:3]
        kernel = tuple(rng.randint(1, min(4, size)) for size in sizes)
        dilation = tuple(
            rng.choice([d for d in (1, 1, 2, 3) if (k - 1) * d < size])
            for k, size in zip(kernel, sizes, strict=True)
        )
        opcode = rng.choice(WINDOWS[: 3 if low else 2])
        x = net.window(
            opcode,
            x,
            (kernel[0], kernel[1]),
            (rng.randint(1, 3), rng.randint(1, 3)),
            (1, 1) if opcode.endswith("POOL_2D") else (dilation[0], dilation[1]),
            rng.choice(("SAME", "VALID")),
            rng.choice(("NONE", "RELU", "RELU6")),
        )
    return net.finish(x)


def opcodes(program: Program) -> list[str]:
    return [step.node.opcode for step in program.steps]


def test_random_windows() -> None:
    rng = random.Random(501)
    programs = agree([random_windows(rng) for _ in range(60)], fold_pads)
    assert sum("PAD" in name for p in programs for name in opcodes(p)) < 20  # of some 180


def test_random_windows_on_cores() -> None:
    rng = random.Random(502)
    models = [random_windows(rng) for _ in range(24)]
    agree(models, fold_pads, targets=("cortex-m4", "cortex-m55"))


def one_window(
    opcode: str,
    paddings: Ends,
    value: int | None = None,
    *,
    zero_point: int = 3,
    stride: tuple[int, int] = (1, 1),
    padding: str = "VALID",
    activation: str = "NONE",
) -> bytes:
    """A PAD and an operator with windows of 3x3."""
    net = Windows((1, 5, 6, 2), zero_point)
    padded = net.pad(net.x, paddings, value)
    return net.finish(
        net.window(opcode, padded, stride=stride, padding=padding, activation=activation)
    )


ONE: Ends = ((0, 0), (1, 1), (1, 1), (0, 0))
FAR: Ends = ((0, 0), (5, 0), (0, 4), (0, 0))
"""The first row and the last column of windows of 3 see nothing but the border."""


FOLDED = {
    "CONV_2D": one_window("CONV_2D", ONE),
    "CONV_2D, SAME on top": one_window("CONV_2D", ONE, padding="SAME"),
    "DEPTHWISE_CONV_2D": one_window("DEPTHWISE_CONV_2D", ONE, stride=(2, 2)),
    "windows beyond the input": one_window("CONV_2D", FAR),
    "windows beyond, depthwise": one_window("DEPTHWISE_CONV_2D", FAR),
    "PADV2 with the zero-point": one_window("CONV_2D", ONE, 3),
    "MAX_POOL_2D, least value": one_window("MAX_POOL_2D", ONE, -128),
    "MAX_POOL_2D, least zero-point": one_window("MAX_POOL_2D", ONE, zero_point=-128),
    "MAX_POOL_2D, no less than 0": one_window("MAX_POOL_2D", ONE, 3, activation="RELU"),
    "a border of nothing": one_window("CONV_2D", ((0, 0), (0, 0), (0, 0), (0, 0))),
}
KEPT = {
    "another value than the zero-point": one_window("CONV_2D", ONE, 2),
    "AVERAGE_POOL_2D": one_window("AVERAGE_POOL_2D", ONE),
    "MAX_POOL_2D, a value that can win": one_window("MAX_POOL_2D", ONE),
    "MAX_POOL_2D, nothing but border": one_window("MAX_POOL_2D", FAR, -128),
    "batches": one_window("CONV_2D", ((1, 0), *ONE[1:])),
    "channels": one_window("DEPTHWISE_CONV_2D", (*ONE[:3], (0, 1))),
}


def test_folded() -> None:
    programs = agree(list(FOLDED.values()), fold_pads)
    for (name, model), program in zip(FOLDED.items(), programs, strict=True):
        pad, window = opcodes(tinyrt.load(model))
        assert opcodes(program) == [node.opcode for node in program.graph.nodes] == [window], name
        assert program.rewrites == (f"{pad} 0 is folded into {window} 1",), name


def test_not_folded() -> None:
    programs = agree(list(KEPT.values()), fold_pads)
    for (name, model), program in zip(KEPT.items(), programs, strict=True):
        assert program == tinyrt.load(model), name


def test_a_pad_with_several_readers_goes_if_all_can_do_without() -> None:
    for second, steps in (("DEPTHWISE_CONV_2D", 2), ("AVERAGE_POOL_2D", 3)):
        net = Windows((1, 5, 6, 2))
        padded = net.pad(net.x, ONE)
        model = net.finish(net.window("CONV_2D", padded), net.window(second, padded))
        (program,) = agree([model], fold_pads)
        assert len(program.steps) == steps
        assert len(program.rewrites) == 2 * (3 - steps)


def test_a_pad_that_is_an_output_stays() -> None:
    net = Windows((1, 5, 6, 2))
    padded = net.pad(net.x, ONE)
    (program,) = agree([net.finish(net.window("CONV_2D", padded), padded)], fold_pads)
    assert len(program.steps) == 2


def test_two_pads_in_a_row() -> None:
    net = Windows((1, 5, 6, 2))
    padded = net.pad(net.pad(net.x, ONE), FAR)
    (program,) = agree([net.finish(net.window("CONV_2D", padded))], fold_pads)
    assert program.rewrites == (
        "PAD 0 is folded into CONV_2D 2",
        "PAD 1 is folded into CONV_2D 2",
    )
    assert program.steps[0].operands == program.graph.inputs


# --- integers at the boundary ----------------------------------------------------------------

QUANT: dict[str, Any] = {"scale": 0.25, "zero_point": -5}


def moved(*, before: bool) -> bytes:
    """TRANSPOSE and RESHAPE of floats before the QUANTIZE, or after the DEQUANTIZE."""
    model = ModelBuilder()
    perm = model.tensor("perm", (3,), "int32", data=[2, 0, 1])
    shape = model.tensor("shape", (2,), "int32", data=[4, 6])

    def middle(name: str) -> int:
        return model.tensor(name, (4, 6), **QUANT)

    def movers(x: int) -> int:
        turned = model.tensor("turned", (4, 2, 3), "float32")
        model.operator("TRANSPOSE", [x, perm], [turned])
        flat = model.tensor("flat", (4, 6), "float32")
        model.operator("RESHAPE", [turned, shape], [flat])
        return flat

    if before:
        first, last = model.tensor("x", (2, 3, 4), "float32"), middle("y")
        inner = middle("inner")
        model.operator("QUANTIZE", [movers(first)], [inner])
        model.operator("RELU", [inner], [last])
    else:
        first, inner = model.tensor("x", (2, 3, 4), **QUANT), model.tensor("i", (2, 3, 4), **QUANT)
        model.operator("RELU", [first], [inner])
        floats = model.tensor("floats", (2, 3, 4), "float32")
        model.operator("DEQUANTIZE", [inner], [floats])
        last = movers(floats)
    signatures = {"serve": ({"image": first}, {"scores": last})}
    return model.finish([first], [last], signatures=signatures)


def tiny(**options: bool) -> bytes:
    return zoo.mobilenet_v2(0.1, 32, classes=10, features=64, **options)


@pytest.mark.parametrize(
    ("model", "removed"),
    [
        pytest.param(moved(before=True), 1, id="movers before QUANTIZE"),
        pytest.param(moved(before=False), 1, id="movers after DEQUANTIZE"),
        pytest.param(tiny(), 2, id="mobilenet_v2"),
        pytest.param(tiny(nchw=True), 2, id="mobilenet_v2, NCHW"),
        pytest.param(zoo.detector(32), 4, id="detector"),
    ],
)
def test_integers_at_the_boundary(model: bytes, removed: int) -> None:
    before = tinyrt.load(model)
    (program,) = agree([model], integer_io)
    graph = program.graph
    assert len(before.steps) - len(program.steps) == len(program.rewrites) == removed
    assert all(graph.tensors[i].dtype is DType.INT8 for i in (*graph.inputs, *graph.outputs))
    assert (graph.inputs, graph.outputs) == (before.graph.inputs, before.graph.outputs)
    assert [graph.tensors[i].name for i in graph.inputs] == [
        before.graph.tensors[i].name for i in graph.inputs
    ]
    assert graph.signatures == before.graph.signatures


class Floats:
    """A QUANTIZE and a DEQUANTIZE, of which one thing or another keeps one."""

    def __init__(self) -> None:
        self.model = ModelBuilder()
        self.x = self.model.tensor("x", (2, 3), "float32")
        self.q = self.model.tensor("q", (2, 3), **QUANT)
        self.r = self.model.tensor("r", (2, 3), **QUANT)
        self.y = self.model.tensor("y", (2, 3), "float32")
        self.model.operator("QUANTIZE", [self.x], [self.q])
        self.model.operator("RELU", [self.q], [self.r])
        self.model.operator("DEQUANTIZE", [self.r], [self.y])

    def kept(self, inputs: Sequence[int], outputs: Sequence[int]) -> list[str]:
        (program,) = agree([self.model.finish(inputs, outputs)], integer_io)
        return [name for name in opcodes(program) if name.endswith("QUANTIZE")]


class TestWhatKeepsTheBoundary:
    """What else needs the floats, or the integers."""

    def test_nothing(self) -> None:
        net = Floats()
        assert net.kept([net.x], [net.y]) == []

    def test_the_quantized_input_is_an_output(self) -> None:
        net = Floats()
        assert net.kept([net.x], [net.y, net.q]) == ["QUANTIZE"]

    def test_the_result_is_an_output_as_an_integer_too(self) -> None:
        net = Floats()
        assert net.kept([net.x], [net.y, net.r]) == ["DEQUANTIZE"]

    def test_an_input_is_an_output(self) -> None:
        net = Floats()
        assert net.kept([net.x], [net.y, net.x]) == ["QUANTIZE"]

    def test_another_operator_reads_the_input(self) -> None:
        net = Floats()
        other = net.model.tensor("other", (2, 3), **QUANT)
        net.model.operator("QUANTIZE", [net.x], [other])
        assert net.kept([net.x], [net.y, other]) == ["QUANTIZE", "QUANTIZE"]

    def test_another_operator_reads_the_result(self) -> None:
        net = Floats()
        other = net.model.tensor("other", (2, 3), **QUANT)
        net.model.operator("QUANTIZE", [net.y], [other])
        assert net.kept([net.x], [net.y, other]) == ["DEQUANTIZE", "QUANTIZE"]

    def test_an_output_that_is_only_quantized_and_back(self) -> None:
        net = Floats()
        direct = net.model.tensor("direct", (2, 3), "float32")
        net.model.operator("DEQUANTIZE", [net.q], [direct])
        assert net.kept([net.x], [net.y, direct]) == ["DEQUANTIZE"]


# --- whole networks --------------------------------------------------------------------------


def both(program: Program) -> Program:
    return fold_pads(integer_io(program))


def test_rewriting_saves_memory() -> None:
    """MobileNetV2 at 32x32: without its PADs, and without floats at its ends."""
    (program,) = agree([tiny()], both, targets=("host", "cortex-m4"))
    before = tinyrt.load(tiny())
    assert not {"PAD", "QUANTIZE", "DEQUANTIZE"} & set(opcodes(program))
    arenas = [plan(form).arena_bytes for form in (before, fold_pads(before), program)]
    assert arenas == sorted(arenas, reverse=True)
    assert arenas[2] < arenas[0]


def test_verify_holds_a_rewritten_program_to_the_original(tmp_path: Path) -> None:
    original = tinyrt.load(one_window("CONV_2D", ONE))
    program = fold_pads(original)
    (step,) = program.steps
    assert isinstance(step.kernel, Conv2D)
    wrong = replace(step, kernel=replace(step.kernel, pad_left=2))
    for steps, agrees in ((program.steps, True), ((wrong,), False)):
        form = replace(program, steps=steps)
        runs = sample_runs(form, 2)
        verdicts = verify(form, plan(form), (), runs, tmp_path, original=original)
        assert [verdict.agrees for verdict in verdicts] == [agrees, agrees]


def test_a_rewritten_program_is_not_resized() -> None:
    program = both(tinyrt.load(tiny()))
    with pytest.raises(InputError, match="resize it before"):
        resize(program, {program.graph.inputs[0]: (2, 32, 32, 3)})


def test_nothing_to_rewrite() -> None:
    net = Windows((1, 5, 6, 2))
    program = tinyrt.load(net.finish(net.window("CONV_2D", net.x)))
    assert both(program) == program
