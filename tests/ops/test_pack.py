"""PACK: axes, constants, types, and what is refused."""

import math
import random
from typing import Any

import pytest

import tinyrt
from tests.builder import TensorSpec, single_operator
from tests.harness import agree
from tinyrt.errors import UnsupportedError


def q8(*shape: int, **options: Any) -> TensorSpec:
    return TensorSpec(shape, **{"scale": 0.5, "zero_point": -3, **options})


def random_stack(rng: random.Random, dtype: str) -> bytes:
    shape = tuple(rng.randint(1, 4) for _ in range(rng.randint(0, 4)))
    inputs = []
    for position in range(rng.randint(1, 6)):
        data = None
        if dtype == "int8" and position and rng.random() < 0.3:
            data = rng.randbytes(math.prod(shape))
        inputs.append(q8(*shape, dtype=dtype, data=data))
    axis = rng.randint(0, len(shape))
    output = q8(*shape[:axis], len(inputs), *shape[axis:], dtype=dtype)
    named = rng.choice((axis, axis - len(shape) - 1))
    return single_operator("PACK", inputs, [output], axis=named, values_count=len(inputs))


def test_random_stacks() -> None:
    rng = random.Random(51)
    types = ["int8"] * 10 + ["int16", "int32", "int64", "float32"] * 2
    agree([random_stack(rng, dtype) for dtype in types], seed=51, styles=("uniform",))


@pytest.mark.parametrize(
    ("inputs", "options", "message"),
    [
        ([q8(2, 3), q8(2, 3)], {"axis": 3}, "axis 3 among 3 dimensions"),
        ([q8(2, 3), q8(2, 3)], {"axis": -4}, "axis -4 among 3 dimensions"),
        ([q8(2, 3), q8(2, 3)], {"axis": 1}, "must have shape 2x2x3"),
        (
            [q8(2, 3), q8(3, 2)],
            {},
            "and 'input1' int8.3x2.. All inputs have one shape",
        ),
        ([q8(2, 3), None], {}, "input 1 is left out"),
        ([q8(2, 3), q8(2, 3, dtype="int16")], {}, "one element type"),
        ([q8(2, 3), q8(2, 3)], {"values_count": 3}, "values_count 3, field at byte 0x"),
    ],
)
def test_refused(inputs: list[TensorSpec | None], options: dict[str, Any], message: str) -> None:
    with pytest.raises(UnsupportedError, match=message):
        tinyrt.load(
            single_operator("PACK", inputs, [q8(2, 2, 4)], **{"values_count": 2, **options})
        )
