"""Planes between operators: whole networks, every tensor, both profiles, whatever the pitches."""

import random
from pathlib import Path

import pytest

import tinyrt
from tests.corpus import MODELS
from tests.harness import python_tensors
from tests.layers import Net
from tests.values import Quant
from tinyrt.fast.arrange import Stage, arrange
from tinyrt.kernel import Held
from tinyrt.load import Program
from tinyrt.ops.conv_2d import Conv2D
from tinyrt.planar import Planes
from tinyrt.samples import random_inputs

QUANT = Quant(0.05, -10)


def network(seed: int, height: int, width: int) -> bytes:
    """Strides, a branch, depthwise and dense layers, a mean: pitches must be agreed upon."""
    net = Net(seed)
    image = net.input("image", (1, height, width, 3), QUANT)
    stem = net.conv(image, "stem", 8, 3, stride=2, activation="RELU6")
    branch = net.depthwise(stem, "depthwise", 3, activation="RELU")
    branch = net.conv(branch, "pointwise", 8)
    joined = net.sub(net.add(stem, branch, "sum"), branch, "difference")
    x = net.conv(joined, "valid", 6, 3, padding="VALID", activation="RELU")
    x = net.leaky_relu(x, "leaky")
    x = net.depthwise(x, "down", 3, stride=2)
    x = net.conv(x, "wide", 12, activation="RELU6")
    x = net.mean(x, "mean")
    x = net.fully_connected(net.reshape(x, "flat", 1, -1), "dense", 5)
    return net.finish([image], [x, joined])


def values(program: Program, inputs: dict[int, bytes]) -> dict[int, Held]:
    """Every tensor of a fast run in the form in which it is handed on."""
    stages = [
        Stage(step.kernel, step.operands, step.results, step.node.outputs[0].shape)
        for step in program.steps
    ]
    held: dict[int, Held] = {t.index: t.data for t in program.graph.tensors if t.data is not None}
    held |= inputs
    for step, run in zip(program.steps, arrange(stages, set(program.graph.outputs)), strict=True):
        results = run(*[held[index] for index in step.operands])
        held |= zip(step.results, results, strict=True)
    return held


@pytest.mark.parametrize("numerics", ["tflm", "single"])
@pytest.mark.parametrize("size", [(13, 9), (9, 31), (16, 16)])
def test_every_tensor_of_a_network(numerics: str, size: tuple[int, int]) -> None:
    model = network(sum(size), *size)
    program = tinyrt.load(model)
    for seed, style in enumerate(("uniform", "edges", "low", "high")):
        inputs = random_inputs(program.graph, seed, style)
        truth = python_tensors(model, inputs, "reference", numerics)
        assert python_tensors(model, inputs, "fast", numerics) == truth


def test_planes_pass_where_pitches_agree() -> None:
    program = tinyrt.load(network(1, 16, 12))
    found = values(program, random_inputs(program.graph, 1, "uniform"))
    names = {
        program.graph.tensors[index].name.partition("/")[0]
        for index, value in found.items()
        if isinstance(value, Planes)
    }
    assert {"stem", "depthwise", "pointwise", "sum", "valid", "wide"} <= names
    # What the caller may see is bytes.
    assert not any(isinstance(found[index], Planes) for index in program.graph.outputs)


def test_only_the_outputs_are_kept_unless_asked() -> None:
    model = network(2, 10, 10)
    inputs = random_inputs(tinyrt.load(model).graph, 2, "uniform")
    truth = python_tensors(model, inputs, "reference")
    interpreter = tinyrt.Interpreter(model_content=model)
    for _ in range(2):
        for index, value in inputs.items():
            interpreter.set_tensor(index, value)
        interpreter.invoke()
        for index in interpreter.program.graph.outputs:
            assert interpreter.view(index).tobytes() == truth[index]


def test_channels_that_no_input_reaches() -> None:
    """Output channels without weights are known when the model is loaded, and stay right."""
    net = Net(3)
    image = net.input("image", (1, 8, 8, 4), QUANT)
    x = net.conv(image, "a", 8, 1, activation="RELU")
    x = net.depthwise(x, "b", 3, activation="RELU")
    x = net.depthwise(x, "c", 3, stride=2)
    x = net.conv(x, "d", 8, 3)
    model = bytearray(net.finish([image], [x]))
    # Most of the first layer's weights become zero, and some of the last one's.
    for step, zeros in ((0, 26), (3, 200)):
        kernel = tinyrt.load(bytes(model)).steps[step].kernel
        assert isinstance(kernel, Conv2D)
        place = bytes(model).index(kernel.filter)
        model[place : place + zeros] = bytes(zeros)
    program = tinyrt.load(bytes(model))
    for seed in range(3):
        inputs = random_inputs(program.graph, seed, "uniform")
        truth = python_tensors(bytes(model), inputs, "reference")
        assert python_tensors(bytes(model), inputs, "fast") == truth


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_models_in_the_single_profile(path: Path) -> None:
    """The oracle covers the other profile."""
    content = path.read_bytes()
    program = tinyrt.load(content)
    inputs = random_inputs(program.graph, random.Random(4).randrange(100), "uniform")
    truth = python_tensors(content, inputs, "reference", "single")
    assert python_tensors(content, inputs, "fast", "single") == truth


def test_totals_are_taken_of_planes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A global pool or mean behind a convolution reads its planes: no bytes are made in between."""
    made: list[Planes] = []
    to_bytes = Planes.to_bytes

    def counted(planes: Planes) -> bytes:
        made.append(planes)
        return to_bytes(planes)

    monkeypatch.setattr(Planes, "to_bytes", counted)
    net = Net(3)
    image = net.input("image", (1, 9, 8, 4), QUANT)
    x = net.mean(net.conv(image, "conv", 8, 3, activation="RELU"), "mean")
    program = tinyrt.load(net.finish([image], [x]))
    inputs = random_inputs(program.graph, 1, "uniform")
    held = values(program, inputs)
    assert not made
    assert any(isinstance(value, Planes) for value in held.values())
