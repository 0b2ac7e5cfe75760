"""UNPACK: axes, types, and what is refused."""

import random
from typing import Any

import pytest

import tinyrt
from tests.builder import TensorSpec, single_operator
from tests.harness import agree
from tinyrt.errors import UnsupportedError


def q8(*shape: int, **options: Any) -> TensorSpec:
    return TensorSpec(shape, **{"scale": 0.5, "zero_point": -3, **options})


def random_unpack(rng: random.Random, dtype: str) -> bytes:
    shape = [rng.randint(1, 4) for _ in range(rng.randint(1, 5))]
    axis = rng.randrange(len(shape))
    output = q8(*shape[:axis], *shape[axis + 1 :], dtype=dtype)
    named = rng.choice((axis, axis - len(shape)))
    return single_operator(
        "UNPACK", [q8(*shape, dtype=dtype)], [output] * shape[axis], axis=named, num=shape[axis]
    )


def test_random_unpacks() -> None:
    rng = random.Random(71)
    types = ["int8"] * 10 + ["int16", "int32", "float32"] * 2
    agree([random_unpack(rng, dtype) for dtype in types], seed=71, styles=("uniform",))


@pytest.mark.parametrize(
    ("outputs", "options", "message"),
    [
        ([q8(6)] * 2, {"axis": 2}, "axis 2 among 2 dimensions"),
        ([q8(6)] * 2, {"axis": -3}, "axis -3 among 2 dimensions"),
        ([q8(6)] * 2, {"axis": 1}, "6 elements along axis 1 for 2 outputs"),
        ([q8(6)] * 2, {"num": 3}, "num 3, field at byte 0x"),
        ([q8(6), q8(2, 3)], {}, "must have shape 6"),
        ([q8(6), q8(6, dtype="int16")], {}, "element type of the first input"),
    ],
)
def test_refused(outputs: list[TensorSpec], options: dict[str, Any], message: str) -> None:
    with pytest.raises(UnsupportedError, match=message):
        tinyrt.load(single_operator("UNPACK", [q8(2, 6)], outputs, **{"num": 2, **options}))
