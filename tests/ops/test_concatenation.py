"""CONCATENATION: axes, sizes, constants, types, and what is refused."""

import math
import random
from typing import Any

import pytest

import tinyrt
from tests.builder import ModelBuilder, TensorSpec, single_operator
from tests.harness import agree
from tinyrt.errors import UnsupportedError


def q8(*shape: int, **options: Any) -> TensorSpec:
    return TensorSpec(shape, **{"scale": 0.5, "zero_point": -3, **options})


def random_join(rng: random.Random, dtype: str) -> bytes:
    shape = [rng.randint(1, 4) for _ in range(rng.randint(1, 5))]
    axis = rng.randrange(len(shape))
    inputs = []
    for position in range(rng.randint(1, 10)):
        shape[axis] = rng.randint(1, 5)
        data = None
        if dtype == "int8" and position and rng.random() < 0.2:
            data = rng.randbytes(math.prod(shape))
        inputs.append(q8(*shape, dtype=dtype, zero_point=0, data=data))
    shape[axis] = sum(spec.shape[axis] for spec in inputs)
    output = q8(*shape, dtype=dtype, zero_point=0)
    named = rng.choice((axis, axis - len(shape)))
    return single_operator("CONCATENATION", inputs, [output], axis=named)


def test_random_joins() -> None:
    rng = random.Random(31)
    types = ["int8"] * 10 + ["int16", "int32", "int64", "float32", "bool"] * 2
    agree([random_join(rng, dtype) for dtype in types], seed=31, styles=("uniform",))


def test_a_tensor_with_itself() -> None:
    model = ModelBuilder()
    source, output = model.add(q8(2, 3), "x"), model.add(q8(2, 9), "y")
    model.operator("CONCATENATION", [source, source, source], [output], axis=1)
    agree([model.finish([source], [output])])


@pytest.mark.parametrize(
    ("inputs", "output", "options", "message"),
    [
        ([q8(2, 3), q8(2, 3)], q8(2, 6), {"axis": 2}, "axis 2 among 2 dimensions"),
        ([q8(2, 3), q8(2, 3)], q8(2, 6), {"axis": -3}, "axis -3 among 2 dimensions"),
        ([q8(2, 3), q8(3, 3)], q8(2, 6), {"axis": 1}, "differ outside of axis 1"),
        ([q8(2, 3), q8(2, 3, 1)], q8(2, 6), {"axis": 1}, "differ outside of axis 1"),
        ([q8(2, 3), q8(2, 3)], q8(2, 7), {"axis": 1}, "must have shape 2x6"),
        ([q8(2, 3), None], q8(2, 6), {"axis": 1}, "input 1 is left out"),
        ([q8(2, 3), q8(2, 3, dtype="int16")], q8(2, 6), {"axis": 1}, "one element type"),
        ([q8(2, 3), q8(2, 3, scale=0.25)], q8(2, 6), {"axis": 1}, "same scale and zero-point"),
        ([q8(2, 3), q8(2, 3)], q8(2, 6, zero_point=4), {"axis": 1}, "same scale and zero-point"),
        (
            [q8(2, 3, dtype="uint8", zero_point=3)] * 2,
            q8(2, 6, dtype="uint8", zero_point=3),
            {"axis": 1},
            "The input is int8 or int16",
        ),
        (
            [q8(2, 3), q8(2, 3)],
            q8(2, 6),
            {"axis": 1, "fused_activation_function": "RELU"},
            "fused_activation_function RELU, field at byte 0x",
        ),
    ],
)
def test_refused(
    inputs: list[TensorSpec | None], output: TensorSpec, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(UnsupportedError, match=message):
        tinyrt.load(single_operator("CONCATENATION", inputs, [output], **options))
