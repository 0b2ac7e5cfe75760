"""Whole networks of other origin than the trained models at hand: every tensor, everywhere."""

import tempfile
import zlib
from pathlib import Path

import pytest

import tinyrt
from tests import oracle, zoo
from tests.harness import agree, assert_same, python_tensors
from tinyrt.emit import emit
from tinyrt.errors import InputError
from tinyrt.graph import DType
from tinyrt.mcu.cases import Case
from tinyrt.mcu.targets import target_named
from tinyrt.mcu.trace import trace
from tinyrt.plan import plan
from tinyrt.samples import random_inputs

TARGETS = ("host", "cortex-m4", "cortex-m55", "riscv32")
FULL_ARENA_BYTES = 1 << 25
"""For TFLM, which keeps every tensor of MobileNetV2 at 224x224."""


def test_every_tensor_of_every_network_everywhere() -> None:
    models = [build() for build in zoo.SMALL.values()]
    agree(models, seed=90, styles=("uniform", "edges"), targets=TARGETS)


@pytest.mark.parametrize("name", zoo.SMALL)
def test_activations_neither_vanish_nor_saturate(name: str) -> None:
    """Otherwise the networks would show little."""
    model = zoo.SMALL[name]()
    program = tinyrt.load(model)
    first, second = (
        python_tensors(model, random_inputs(program.graph, seed), "fast") for seed in (1, 2)
    )
    for step in program.steps:
        for index in step.results:
            tensor, value = program.graph.tensors[index], first[index]
            if step.node.opcode in {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "ADD"}:
                extremes = value.count(b"\x80") + value.count(b"\x7f")
                assert extremes <= 0.6 * len(value), tensor
                assert len(set(value)) >= min(40, 0.4 * len(value)), tensor
            if tensor.dtype is not DType.INT32:
                assert value != second[index], f"{tensor} does not depend on the input"


def tiny(resolution: int, batch: int, *, nchw: bool = False) -> bytes:
    return zoo.mobilenet_v2(0.1, resolution, batch, classes=10, features=64, nchw=nchw)


@pytest.mark.parametrize(
    ("model", "rebuilt"),
    [
        pytest.param(tiny(32, 1), tiny(32, 2), id="mobilenet_v2, batch"),
        pytest.param(tiny(64, 2), tiny(32, 1), id="mobilenet_v2, batch and resolution"),
        pytest.param(
            tiny(32, 1, nchw=True), tiny(96, 1, nchw=True), id="mobilenet_v2, NCHW, resolution"
        ),
        pytest.param(zoo.detector(32, 1), zoo.detector(32, 2), id="detector, batch"),
        pytest.param(
            zoo.keras_classifier(16, 2), zoo.keras_classifier(16, 5), id="keras_classifier, batch"
        ),
    ],
)
def test_a_resized_network_is_the_network_of_that_size(model: bytes, rebuilt: bytes) -> None:
    wanted = tinyrt.load(rebuilt)
    interpreter = tinyrt.Interpreter(model_content=model, preserve_all_tensors=True)
    (source,) = wanted.graph.inputs
    interpreter.resize_tensor_input(source, wanted.graph.tensors[source].shape)
    inputs = random_inputs(wanted.graph, 7)
    interpreter.set_tensor(source, inputs[source])
    interpreter.invoke()
    resized = interpreter.program
    assert [t.shape for t in resized.graph.tensors] == [t.shape for t in wanted.graph.tensors]
    found = {
        index: bytes(interpreter.view(index)) for step in resized.steps for index in step.results
    }
    assert_same("resized", resized, python_tensors(rebuilt, inputs, "reference"), found)


def test_what_a_constant_shape_forbids() -> None:
    interpreter = tinyrt.Interpreter(model_content=zoo.detector(32))
    interpreter.resize_tensor_input(interpreter.program.graph.inputs[0], (1, 64, 64, 3))
    with pytest.raises(
        InputError, match=r"CONCATENATION 'neck.concat'.* after resizing the inputs"
    ):
        interpreter.allocate_tensors()


@pytest.mark.slow
def test_mobilenet_v2_of_full_size() -> None:
    """In Python with fast kernels and in host C; the reference kernels would take minutes."""
    model = zoo.mobilenet_v2()
    program = tinyrt.load(model)
    assert round(program.macs / 1e6) == 301
    inputs = random_inputs(program.graph, 224)
    truth = oracle.every_tensor(model, program, inputs, FULL_ARENA_BYTES)
    assert_same("fast", program, truth, python_tensors(model, inputs, "fast"))
    project = emit(program, plan(program), "mobilenet_v2", "mobilenet_v2.tflite")
    with tempfile.TemporaryDirectory() as folder:
        ((found,),) = trace(target_named("host"), [Case(project, (inputs,))], Path(folder))
    for step in program.steps:
        for index in step.results:
            assert found[step.node.index, index] == zlib.crc32(truth[index]), step.node.where()
