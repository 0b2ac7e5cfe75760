"""The `single` profile: one rounding, as LiteRT's default kernels compute, in Python and in C."""

import random
from collections.abc import Sequence

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter as LiteRT

import tinyrt
from tests.builder import TensorSpec, single_operator
from tests.harness import assert_c_agrees, python_tensors
from tinyrt.emit import emit
from tinyrt.fixedpoint import Numerics, quantize_multiplier, requantize
from tinyrt.mcu.cases import Case
from tinyrt.plan import plan
from tinyrt.samples import random_inputs

ACTIVATIONS = ("NONE", "RELU", "RELU6")
MODELS_EACH = 40


def weights(rng: random.Random, shape: Sequence[int], axis: int | None) -> TensorSpec:
    """Random filter values (−127 to 127, as converters make them) and scales."""
    count = 1
    for size in shape:
        count *= size
    scale = 0.01 if axis is None else [rng.uniform(0.001, 0.05) for _ in range(shape[axis])]
    data = bytes(rng.randint(-127, 127) & 0xFF for _ in range(count))
    return TensorSpec(shape, scale=scale, axis=axis or 0, data=data)


def bias_for(rng: random.Random, filter_: TensorSpec, count: int) -> TensorSpec:
    """Random bias whose scale is that of the products, which XNNPACK insists on."""
    scale = [0.1 * s for s in filter_.scale] if isinstance(filter_.scale, list) else 0.1 * 0.01
    return TensorSpec(
        (count,), "int32", scale=scale, data=[rng.randint(-9999, 9999) for _ in range(count)]
    )


def model(opcode: str, rng: random.Random) -> bytes:
    """A random model of one operator with weights."""
    height, width, depth, channels = (rng.randint(1, n) for n in (7, 7, 16, 16))
    kernel = rng.randint(1, 3), rng.randint(1, 3)
    stride = rng.randint(1, 2)
    zero_points = [rng.randint(-128, 127) for _ in range(2)]
    activation = rng.choice(ACTIVATIONS)
    source = TensorSpec((1, height, width, depth), scale=0.1, zero_point=zero_points[0])
    shape: tuple[int, ...] = (1, -(-height // stride), -(-width // stride), channels)
    options: dict[str, object] = {"fused_activation_function": activation}
    if opcode == "FULLY_CONNECTED":
        source = TensorSpec((2, height * width), scale=0.1, zero_point=zero_points[0])
        filter_ = weights(rng, (channels, height * width), None)
        shape = (2, channels)
    else:
        options |= {"padding": "SAME", "stride_w": stride, "stride_h": stride}
        filter_ = weights(rng, (channels, *kernel, depth), 0)
        if opcode == "DEPTHWISE_CONV_2D":
            channels = depth
            options["depth_multiplier"] = 1
            filter_ = weights(rng, (1, *kernel, channels), 3)
            shape = (*shape[:3], channels)
    output = TensorSpec(shape, scale=0.2, zero_point=zero_points[1])
    inputs = [source, filter_, bias_for(rng, filter_, channels)]
    return single_operator(opcode, inputs, [output], **options)


@pytest.mark.parametrize("opcode", ["CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"])
def test_single_is_what_litert_computes_by_default(opcode: str) -> None:
    rng = random.Random(opcode)
    differ_from_tflm = 0
    cases, expected = [], []
    for number in range(MODELS_EACH):
        content = model(opcode, rng)
        program = tinyrt.load(content, Numerics.SINGLE)
        inputs = random_inputs(program.graph, number)
        peer = LiteRT(model_content=content)
        peer.allocate_tensors()
        for index, value in inputs.items():
            tensor = program.graph.tensors[index]
            peer.set_tensor(index, np.frombuffer(value, np.int8).reshape(tensor.shape))
        peer.invoke()
        (result,) = program.graph.outputs
        truth = {result: peer.get_tensor(result).tobytes()}
        for kernels in ("reference", "fast"):
            assert python_tensors(content, inputs, kernels, "single") == truth
        differ_from_tflm += python_tensors(content, inputs, "reference", "tflm") != truth
        project = emit(program, plan(program), f"single_{number}", "single.tflite")
        cases.append(Case(project, (inputs,)))
        expected.append((program, [truth]))
    assert_c_agrees("host", cases, expected)
    if opcode != "FULLY_CONNECTED":
        assert differ_from_tflm, "these models do not tell the profiles apart"


@pytest.mark.parametrize("numerics", Numerics)
def test_requantize_is_within_one_of_the_real_quotient(numerics: Numerics) -> None:
    rng = random.Random(5)
    for _ in range(20_000):
        real = 2 ** rng.uniform(-20, 4)
        multiplier, shift = quantize_multiplier(real, numerics)
        value = rng.randint(-(2**26), 2**26)
        exact = value * multiplier / 2 ** (31 - shift)
        assert abs(requantize(value, multiplier, shift, numerics) - exact) <= 1


def test_profiles_round_halves_differently() -> None:
    # 3 · ½ and −3 · ½: away from zero against upwards.
    multiplier, shift = quantize_multiplier(0.5)
    assert [requantize(v, multiplier, shift, Numerics.TFLM) for v in (3, -3)] == [2, -1]
    multiplier, shift = quantize_multiplier(0.25)
    assert [requantize(v, multiplier, shift, Numerics.TFLM) for v in (6, -6)] == [2, -2]
    assert [requantize(v, multiplier, shift, Numerics.SINGLE) for v in (6, -6)] == [2, -1]
