"""SLICE: boxes, −1, index types, and what is refused."""

import random
from typing import Any

import pytest

import tinyrt
from tests.builder import TensorSpec, single_operator
from tests.harness import agree
from tinyrt.errors import UnsupportedError


def q8(*shape: int, **options: Any) -> TensorSpec:
    return TensorSpec(shape, **{"scale": 0.5, "zero_point": -3, **options})


def indices(*values: int, **options: Any) -> TensorSpec:
    return TensorSpec(**{"shape": (len(values),), "dtype": "int32", "data": values, **options})


def random_slice(rng: random.Random, dtype: str) -> bytes:
    shape = [rng.randint(1, 5) for _ in range(rng.randint(1, 5))]
    box = [rng.choice((whole, rng.randint(1, whole))) for whole in shape]
    begin = [rng.randint(0, whole - size) for whole, size in zip(shape, box, strict=True)]
    size = [
        rng.choice((-1, size)) if first + size == whole else size
        for whole, first, size in zip(shape, begin, box, strict=True)
    ]
    index_type = rng.choice(("int32", "int64"))
    bounds = [indices(*begin, dtype=index_type), indices(*size, dtype=index_type)]
    return single_operator("SLICE", [q8(*shape, dtype=dtype), *bounds], [q8(*box, dtype=dtype)])


def test_random_slices() -> None:
    rng = random.Random(91)
    types = ["int8"] * 14 + ["int16", "int32", "float32", "bool"] * 2
    agree([random_slice(rng, dtype) for dtype in types], seed=91, styles=("uniform",))


@pytest.mark.parametrize(
    ("source", "begin", "size", "message"),
    [
        (q8(2, 6), indices(0, -1), indices(2, 3), "begin -1 and size 3 along axis 1, which has 6"),
        (q8(2, 6), indices(0, 4), indices(2, 3), "begin 4 and size 3 along axis 1, which has 6"),
        (q8(2, 6), indices(0, 6), indices(2, -1), "begin 6 and size -1 along axis 1, which has 6"),
        (q8(2, 6), indices(0, 0), indices(2, 0), "begin 0 and size 0 along axis 1, which has 6"),
        (q8(2, 6), indices(0, 0), indices(2, -2), "begin 0 and size -2 along axis 1, which has 6"),
        (
            q8(2, 6),
            indices(0, 1 << 62, dtype="int64"),
            indices(2, 1 << 62, dtype="int64"),
            "begin 4611686018427387904 and size",
        ),
        (q8(2, 6), indices(0, 0), indices(2, 4), "must have shape 2x4"),
        (q8(2, 6), indices(0), indices(2, 3), "begin .* .must have 2 elements"),
        (q8(2, 6), indices(0, 0), indices(2, 3, 1), "size .* .must have 2 elements"),
        (q8(2, 6), indices(0, 0, data=None), indices(2, 3), "The begin is a constant"),
        (q8(2, 6), indices(0, 0), indices(2, 3, data=None), "The size is a constant"),
        (q8(2, 6), indices(0, 0, dtype="int16"), indices(2, 3), "The begin is int32 or int64"),
        (q8(2, 6), None, indices(2, 3), "The begin is present"),
        (q8(2, 6), indices(0, 0), None, "The size is present"),
        (q8(1, 1, 1, 1, 1, 3), indices(0), indices(2), "The input has rank 1 or 2 or 3 or 4 or 5"),
        (q8(2, 6, dtype="int16"), indices(0, 0), indices(2, 3), "element type of the first input"),
    ],
)
def test_refused(source: TensorSpec, begin: TensorSpec, size: TensorSpec, message: str) -> None:
    with pytest.raises(UnsupportedError, match=message):
        tinyrt.load(single_operator("SLICE", [source, begin, size], [q8(2, 3)]))
