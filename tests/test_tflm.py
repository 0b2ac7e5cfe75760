"""Plans for stock TFLM: its wheel takes them, computes the same, and needs no more memory."""

import dataclasses
import random
import re
from collections.abc import Sequence

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter as LiteRT
from tflite_micro.python.tflite_micro import runtime

import tinyrt
from tests import zoo
from tests.builder import ModelBuilder, encode
from tests.corpus import MODELS
from tests.layers import Net
from tests.zoo import PIXELS
from tinyrt import schema
from tinyrt.load import Program
from tinyrt.samples import random_inputs
from tinyrt.tflm import METADATA, OfflinePlan, export

ARENA = 1 << 22
Captured = pytest.CaptureFixture[str]


def recorded(model: bytes, capfd: Captured) -> tuple[runtime.Interpreter, int]:
    """TFLM's interpreter, and the bytes that it says its arena's head takes."""
    interpreter = runtime.Interpreter.from_bytes(model, arena_size=ARENA)
    capfd.readouterr()
    interpreter.print_allocations()
    found = re.search(r"Arena allocation head (\d+) bytes", capfd.readouterr().err)
    assert found is not None
    return interpreter, int(found[1])


def outputs(interpreter: runtime.Interpreter, program: Program, seed: int) -> list[bytes]:
    """The bytes of the outputs of a run on random inputs."""
    inputs = random_inputs(program.graph, seed)
    for position, index in enumerate(program.graph.inputs):
        tensor = program.graph.tensors[index]
        value = np.frombuffer(inputs[index], tensor.dtype.value).reshape(tensor.shape)
        interpreter.set_input(value, position)
    interpreter.invoke()
    count = len(program.graph.outputs)
    return [interpreter.get_output(position).tobytes() for position in range(count)]


def hold(model: bytes, capfd: Captured) -> OfflinePlan:
    """Assert that TFLM takes what was foretold with and without the plan, and computes the same."""
    program = tinyrt.load(model)
    content, plan = export(model)
    stock, greedy_bytes = recorded(model, capfd)
    planned, head_bytes = recorded(content, capfd)
    assert (greedy_bytes, head_bytes) == (plan.greedy_bytes, plan.head_bytes)
    assert plan.lower_bound_bytes == plan.head_bytes <= plan.greedy_bytes
    for seed in range(3):
        assert outputs(planned, program, seed) == outputs(stock, program, seed)
    return plan


def shrinking() -> bytes:
    """As MobileNetV1 begins: the largest tensors first is not the best order to place them in."""
    net = Net(2017)
    image = net.input("image", (1, 16, 16, 3), PIXELS)
    x = net.conv(image, "stem", 8, 3, stride=2)
    x = net.conv(net.depthwise(x, "1/depthwise"), "1/pointwise", 16)
    x = net.conv(net.depthwise(x, "2/depthwise", stride=2), "2/pointwise", 32)
    return net.finish([image], [net.reshape(x, "flat", 1, -1)])


NETWORKS = {path.stem: path.read_bytes for path in MODELS} | {
    "shrinking": shrinking,
    "mobilenet_v2": lambda: zoo.mobilenet_v2(0.1, 32, classes=10, features=64, nchw=True),
    "detector": lambda: zoo.detector(32),
    "keras_classifier": zoo.keras_classifier,
}
SAVED = {"vww_96_int8": (73_728, 55_296), "shrinking": (2_048, 1_536)}


@pytest.mark.parametrize("name", NETWORKS)
def test_networks(name: str, capfd: Captured) -> None:
    plan = hold(NETWORKS[name](), capfd)
    if name in SAVED:
        assert (plan.greedy_bytes, plan.head_bytes) == SAVED[name]
    # TFLM's planner leaves nothing to be gained on the others.
    assert (plan.head_bytes < plan.greedy_bytes) == (name in SAVED)


def random_graph(rng: random.Random) -> bytes:
    """Operators that join, split and rename tensors of all sizes, and tensors that nobody uses."""
    model = ModelBuilder()
    widths: dict[int, int] = {}

    def row(width: int) -> int:
        index = model.tensor(f"t{len(widths)}", (1, width), scale=0.5, zero_point=1)
        widths[index] = width
        return index

    sources = [row(rng.randint(1, 90)) for _ in range(rng.randint(1, 2))]
    made = list(sources)
    used: set[int] = set()
    for _ in range(rng.randint(3, 14)):
        x = rng.choice(made[-4:])
        match rng.choice(("RELU", "RESHAPE", "CONCATENATION", "SPLIT", "idle")):
            case "idle":
                row(rng.randint(1, 200))
                continue
            case "CONCATENATION":
                parts = [x, *rng.sample(made, rng.randint(1, min(3, len(made))))]
                results = [row(sum(widths[part] for part in parts))]
                model.operator("CONCATENATION", parts, results, axis=1)
                used.update(parts)
            case "SPLIT" if widths[x] % 2 == 0:
                results = [row(widths[x] // 2) for _ in range(2)]
                axis = model.tensor("axis", (), "int32", data=[1])
                model.operator("SPLIT", [axis, x], results, num_splits=2)
            case "RESHAPE":
                results = [row(widths[x])]
                shape = model.tensor("shape", (2,), "int32", data=[1, widths[x]])
                model.operator("RESHAPE", [x, shape], results)
            case _:
                results = [row(widths[x])]
                model.operator("RELU", [x], results)
        used.add(x)
        made += results
    ends = [index for index in made if index not in used] + rng.sample(made, 1)
    return model.finish(sources, list(dict.fromkeys(ends)))


def test_random_graphs(capfd: Captured) -> None:
    rng = random.Random(601)
    plans = [hold(random_graph(rng), capfd) for _ in range(150)]
    assert sum(plan.head_bytes < plan.greedy_bytes for plan in plans) > 30


def offsets_of(model: bytes) -> Sequence[int]:
    """The numbers in the metadata that TFLM reads."""
    read = schema.read_model(model)
    (entry,) = [item for item in read.metadata if item.name == METADATA]
    return memoryview(read.buffers[entry.buffer].data).cast("i").tolist()


class TestFormat:
    """The numbers as TFLM's documentation has them."""

    def test_constants_and_variables_are_left_to_tflm(self) -> None:
        model = ModelBuilder()
        x = model.tensor("x", (1, 20), scale=0.5)
        weights = model.tensor("weights", (20, 20), scale=0.1, data=bytes(400))
        state = model.tensor("state", (1, 20), scale=0.5, is_variable=True)
        y = model.tensor("y", (1, 20), scale=0.5)
        model.operator("FULLY_CONNECTED", [x, weights], [y])
        version, subgraphs, count, *offsets = offsets_of(export(model.finish([x], [y]))[0])
        assert (version, subgraphs, count) == (1, 1, 4)
        assert sorted((offsets[x], offsets[y])) == [0, 32]
        assert offsets[weights] == offsets[state] == -1

    def test_a_reshape_is_in_place(self) -> None:
        offsets = offsets_of(export(shrinking())[0])[3:]
        *_, x, flat = [index for index, offset in enumerate(offsets) if offset >= 0]
        assert offsets[x] == offsets[flat]

    def test_a_plan_takes_the_place_of_another(self) -> None:
        once, plan = export(shrinking())
        twice, again = export(once)
        assert plan == again
        assert offsets_of(once) == offsets_of(twice)

    def test_other_subgraphs_are_left_to_tflm(self, capfd: Captured) -> None:
        first = schema.read_model(shrinking())
        # A graph that no operator enters.
        model = encode(dataclasses.replace(first, subgraphs=first.subgraphs * 2))
        content, plan = export(model)
        _, subgraphs, count, *offsets = offsets_of(content)
        tensors = len(first.subgraphs[0].tensors)
        assert (subgraphs, count) == (2, 2 * tensors)
        assert offsets == [*plan.offsets, *[-1] * tensors]
        program = tinyrt.load(model)
        stock, planned = (recorded(form, capfd)[0] for form in (model, content))
        assert outputs(planned, program, 1) == outputs(stock, program, 1)

    def test_litert_does_not_mind(self) -> None:
        model = shrinking()
        results = []
        for content in (model, export(model)[0]):
            interpreter = LiteRT(model_content=content)
            interpreter.allocate_tensors()
            (source,), (result,) = interpreter.get_input_details(), interpreter.get_output_details()
            rng = np.random.default_rng(0)
            value = rng.integers(-128, 128, source["shape"], np.int8)
            interpreter.set_tensor(source["index"], value)
            interpreter.invoke()
            results.append(interpreter.get_tensor(result["index"]).tobytes())
        assert results[0] == results[1]
