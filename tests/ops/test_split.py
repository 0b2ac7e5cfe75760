"""SPLIT: axes, numbers of outputs, types, and what is refused."""

import random
from typing import Any

import pytest

import tinyrt
from tests.builder import TensorSpec, single_operator
from tests.harness import agree
from tinyrt.errors import UnsupportedError


def q8(*shape: int, **options: Any) -> TensorSpec:
    return TensorSpec(shape, **{"scale": 0.5, "zero_point": -3, **options})


def axis_of(value: int, **options: Any) -> TensorSpec:
    return TensorSpec(**{"shape": (), "dtype": "int32", "data": value, **options})


def random_split(rng: random.Random, dtype: str) -> bytes:
    part = [rng.randint(1, 4) for _ in range(rng.randint(1, 5))]
    axis, count = rng.randrange(len(part)), rng.randint(1, 5)
    whole = [size * count if index == axis else size for index, size in enumerate(part)]
    named = axis_of(rng.choice((axis, axis - len(part))), shape=rng.choice(((), (1,))))
    return single_operator(
        "SPLIT",
        [named, q8(*whole, dtype=dtype)],
        [q8(*part, dtype=dtype)] * count,
        num_splits=count,
    )


def test_random_splits() -> None:
    rng = random.Random(61)
    types = ["int8"] * 10 + ["int16", "int32", "float32"] * 2
    agree([random_split(rng, dtype) for dtype in types], seed=61, styles=("uniform",))


@pytest.mark.parametrize(
    ("axis", "value", "outputs", "message"),
    [
        (axis_of(2), q8(2, 6), [q8(2, 3)] * 2, "axis 2 among 2 dimensions"),
        (axis_of(-3), q8(2, 6), [q8(2, 3)] * 2, "axis -3 among 2 dimensions"),
        (axis_of(0), q8(), [q8()], "axis 0 among 0 dimensions"),
        (axis_of(1), q8(2, 6), [q8(2, 1)] * 4, "6 elements along axis 1 in 4 equal parts"),
        (axis_of(1), q8(2, 6), [q8(2, 2), q8(2, 4)], "must have shape 2x3"),
        (axis_of(1, data=None), q8(2, 6), [q8(2, 3)] * 2, "The axis is a constant"),
        (axis_of(1, dtype="int64"), q8(2, 6), [q8(2, 3)] * 2, "The axis is int32"),
        (axis_of(0, shape=(2,), data=(1, 1)), q8(2, 6), [q8(2, 3)] * 2, "must have 1 elements"),
        (axis_of(1), None, [q8(2, 3)] * 2, "The value is present"),
        (axis_of(1), q8(2, 6), [q8(2, 3), q8(2, 3, dtype="int16")], "element type of the value"),
    ],
)
def test_refused(
    axis: TensorSpec, value: TensorSpec, outputs: list[TensorSpec], message: str
) -> None:
    with pytest.raises(UnsupportedError, match=message):
        tinyrt.load(single_operator("SPLIT", [axis, value], outputs, num_splits=2))
