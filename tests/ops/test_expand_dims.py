"""EXPAND_DIMS: every place, from either end."""

import pytest

import tinyrt
from tests.builder import TensorSpec, single_operator
from tests.harness import agree
from tinyrt.errors import UnsupportedError


def axis_of(value: int, **options: object) -> TensorSpec:
    return TensorSpec(**{"shape": (), "dtype": "int32", "data": value} | options)


def expand(axis: TensorSpec, *shape: int, dtype: str = "int8") -> bytes:
    source = TensorSpec((2, 6), dtype, scale=0.5, zero_point=-3)
    output = TensorSpec(shape, dtype, scale=0.5, zero_point=-3)
    return single_operator("EXPAND_DIMS", [source, axis], [output])


def test_agrees() -> None:
    agree(
        [
            expand(axis_of(0), 1, 2, 6),
            expand(axis_of(1), 2, 1, 6),
            expand(axis_of(2), 2, 6, 1),
            expand(axis_of(-1), 2, 6, 1),
            expand(axis_of(-3), 1, 2, 6),
            expand(axis_of(1, shape=(1,)), 2, 1, 6, dtype="int16"),
            expand(axis_of(-2), 2, 1, 6, dtype="float32"),
        ]
    )


@pytest.mark.parametrize(
    ("axis", "message"),
    [
        (axis_of(3), "axis 3 among 3 dimensions"),
        (axis_of(-4), "axis -4 among 3 dimensions"),
        (axis_of(0, data=None), "computed at run time. The axis is a constant"),
        (axis_of(0, shape=(2,), data=(0, 1)), "must have 1 elements"),
        (axis_of(0, dtype="int64"), "The axis is int32"),
        (None, "left out. The axis is present"),
    ],
)
def test_refused(axis: TensorSpec, message: str) -> None:
    with pytest.raises(UnsupportedError, match=message):
        tinyrt.load(expand(axis, 1, 2, 6))
