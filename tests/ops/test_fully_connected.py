"""FULLY_CONNECTED: one scale and many, shapes, and what is refused."""

import math
import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

import tinyrt
from tests.builder import TensorSpec, single_operator
from tests.harness import agree
from tests.ops import draws
from tinyrt.errors import InputError, UnsupportedError


def layer(rng: random.Random, **fixed: Any) -> bytes:
    """A random layer; `fixed` replaces some of the draws."""
    units, depth = fixed.get("filter", (rng.choice((1, 2, 5, 16)), rng.choice((1, 3, 8, 33))))
    shape: Sequence[int] = fixed.get("shape", (rng.choice((1, 1, 2, 5)), depth))
    result: Sequence[int] = fixed.get("output", (math.prod(shape) // depth, units))
    source = draws.activation(rng, *shape)
    filter_ = draws.weights(rng, (units, depth), fixed.get("axis", rng.choice((None, 0))))
    bias = draws.bias(rng, units, source.scale * max(filter_.scale))
    left_out = [None] if rng.random() < 0.5 else []
    return single_operator(
        "FULLY_CONNECTED",
        [source, filter_, *(bias or left_out)],
        [draws.output(rng, source, filter_, *result)],
        keep_num_dims=fixed.get("keep_num_dims", False),
        fused_activation_function=fixed.get("fused", rng.choice(draws.ACTIVATIONS)),
    )


def test_random_layers() -> None:
    rng = random.Random(51)
    agree([layer(rng) for _ in range(48)], seed=51)


def test_shapes() -> None:
    rng = random.Random(52)
    agree(
        [
            layer(rng, filter=(1, 1), shape=(1, 1)),
            layer(rng, filter=(1, 1), shape=()),
            layer(rng, filter=(4, 6), shape=(6,)),
            layer(rng, filter=(4, 6), shape=(6,), output=(4,)),
            layer(rng, filter=(3, 12), shape=(2, 2, 3, 2)),
            layer(rng, filter=(3, 12), shape=(4, 3, 2)),
            layer(rng, filter=(3, 6), shape=(2, 2, 1, 6), output=(4, 3)),
            layer(rng, filter=(3, 6), shape=(2, 2, 1, 6), output=(2, 2, 1, 3)),
            layer(rng, filter=(3, 6), shape=(2, 2, 1, 6), output=(2, 2, 1, 3), keep_num_dims=True),
            layer(rng, filter=(3, 6), shape=(6,), output=(3,), keep_num_dims=True),
            layer(rng, filter=(2, 700), shape=(1, 700)),
        ],
        seed=52,
    )


def test_one_scale_is_multiplied_in_single_precision() -> None:
    """Scales whose product rounds otherwise in single than in double precision."""
    rng = random.Random(53)
    models = []
    while len(models) < 24:
        source, weight, result = (rng.uniform(0.01, 1.0) for _ in range(3))
        channel = TensorSpec((1, 2), "int8", scale=[weight], data=[127, -128])
        pair = replace(channel, shape=(2, 2), scale=[weight, weight], data=[127, -128] * 2)
        x = TensorSpec((1, 2), "int8", scale=source, zero_point=-128)
        models += [
            single_operator(
                "FULLY_CONNECTED",
                [x, filter_],
                [TensorSpec((1, filter_.shape[0]), "int8", scale=result * 100, zero_point=3)],
            )
            for filter_ in (channel, pair)
        ]
    multipliers = [
        tuple(step.kernel.multipliers for step in tinyrt.load(model).steps) for model in models
    ]
    assert any(a[0][0] != b[0][0] for a, b in zip(multipliers[::2], multipliers[1::2], strict=True))
    agree(models, seed=53)


def example(**changes: Any) -> bytes:
    """A layer that is supported, with some of its tensors or options replaced."""
    inputs = {
        "source": TensorSpec((2, 6), "int8", scale=0.5, zero_point=1),
        "filter": FILTER,
        "bias": TensorSpec((4,), "int32", scale=0.05, data=[1, 2, 3, 4]),
    }
    output = changes.pop("output", TensorSpec((2, 4), "int8", scale=0.5))
    for name in inputs.keys() & changes.keys():
        inputs[name] = changes.pop(name)
    return single_operator("FULLY_CONNECTED", list(inputs.values()), [output], **changes)


FILTER = TensorSpec((4, 6), "int8", scale=0.1, data=range(-12, 12))

REFUSED = {
    "filter is present": example(filter=None),
    "filter is int8": example(filter=replace(FILTER, dtype="int16")),
    "filter has rank 2": example(filter=replace(FILTER, shape=(4, 6, 1))),
    "filter is a constant": example(filter=replace(FILTER, data=None)),
    "bias is a constant": example(bias=TensorSpec((4,), "int32", scale=0.05)),
    "zero-point 0 and one scale, or one along axis 0": example(
        filter=replace(FILTER, scale=[0.1] * 6, axis=1)
    ),
    "zero-points other than 0": example(filter=replace(FILTER, zero_point=1)),
    "input scale · filter scale / output scale is less than 2\\^30": example(
        output=TensorSpec((2, 4), "int8", scale=1e-12)
    ),
    "inf. The factor .* in single precision": example(
        source=TensorSpec((2, 6), "int8", scale=1e20),
        filter=replace(FILTER, scale=1e20),
        output=TensorSpec((2, 4), "int8", scale=1e38),
    ),
    "one value for each output channel": example(
        bias=TensorSpec((3,), "int32", scale=0.05, data=[1, 2, 3])
    ),
    "32-bit accumulator": example(
        bias=TensorSpec((4,), "int32", scale=0.05, data=[-(2**31), 0, 0, 0])
    ),
    "weights_format is DEFAULT": example(weights_format="SHUFFLED4x16INT8"),
    "fused activation": example(fused_activation_function="SIGN_BIT"),
    "not a multiple of 6 weights": example(source=TensorSpec((2, 5), "int8", scale=0.5)),
    "last size of input .* must be 6": example(
        source=TensorSpec((4, 3), "int8", scale=0.5),
        output=TensorSpec((4, 2), "int8", scale=0.5),
        keep_num_dims=True,
    ),
    "must have shape 2x4": example(output=TensorSpec((4, 2), "int8", scale=0.5)),
}


def test_the_example_is_supported() -> None:
    agree([example()])


@pytest.mark.parametrize("rule", REFUSED)
def test_refused(rule: str) -> None:
    with pytest.raises(UnsupportedError, match=rule):
        tinyrt.load(REFUSED[rule])


@pytest.mark.parametrize(("keep_num_dims", "expected"), [(False, (6, 4)), (True, (3, 2, 4))])
def test_resized(keep_num_dims: bool, expected: Sequence[int]) -> None:
    source = TensorSpec((1, 2, 6), "int8", scale=0.5)
    model = example(source=source, keep_num_dims=keep_num_dims)
    interpreter = tinyrt.Interpreter(model_content=model)
    interpreter.resize_tensor_input(0, (3, 2, 6))
    interpreter.allocate_tensors()
    assert tuple(interpreter.get_output_details()[0]["shape"]) == expected


def test_resized_to_part_of_a_row() -> None:
    interpreter = tinyrt.Interpreter(model_content=example())
    interpreter.resize_tensor_input(0, (1, 5))
    with pytest.raises(InputError, match="not a multiple of 6 weights"):
        interpreter.allocate_tensors()
