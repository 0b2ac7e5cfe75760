"""TRANSPOSE: every permutation, every rank, types, and what is refused."""

import random
from itertools import permutations
from typing import Any

import pytest

import tinyrt
from tests.builder import TensorSpec, single_operator
from tests.harness import agree
from tinyrt.errors import UnsupportedError
from tinyrt.ops.transpose import Transpose


def q8(*shape: int, **options: Any) -> TensorSpec:
    return TensorSpec(shape, **{"scale": 0.5, "zero_point": -3, **options})


def transpose(shape: tuple[int, ...], perm: tuple[int, ...], dtype: str = "int8") -> bytes:
    order = TensorSpec((len(perm),), "int32", data=perm)
    output = q8(*(shape[axis] for axis in perm), dtype=dtype)
    return single_operator("TRANSPOSE", [q8(*shape, dtype=dtype), order], [output])


def test_every_permutation_of_three() -> None:
    agree([transpose((2, 3, 5), perm) for perm in permutations(range(3))], styles=("uniform",))


def test_random_permutations() -> None:
    rng = random.Random(81)
    models = []
    for dtype in ["int8"] * 10 + ["int16", "float32"] * 4:
        shape = tuple(rng.randint(1, 4) for _ in range(rng.randint(1, 5)))
        perm = tuple(rng.sample(range(len(shape)), len(shape)))
        models.append(transpose(shape, perm, dtype))
    agree(models, seed=81, styles=("uniform",))


def test_adjacent_dimensions_become_one_run() -> None:
    (step,) = tinyrt.load(transpose((4, 3, 5, 2), (1, 0, 2, 3))).steps
    assert isinstance(step.kernel, Transpose)
    assert step.kernel.counts == (1, 1, 1, 3, 4)
    assert step.kernel.strides == (0, 0, 0, 10, 30)
    assert step.kernel.run_bytes == 10


@pytest.mark.parametrize(
    ("source", "perm", "message"),
    [
        (q8(2, 3), [1, 1], "names every dimension of the input once"),
        (q8(2, 3), [1, -2], "names every dimension of the input once"),
        (q8(2, 3), [0, 2], "names every dimension of the input once"),
        (q8(2, 3), [1, 0, 2], "names every dimension of the input once"),
        (q8(2, 3), None, "The perm is a constant"),
        (q8(1, 1, 1, 1, 2, 3), [0, 1, 2, 3, 5, 4], "The input has rank 1 or 2 or 3 or 4 or 5"),
        (q8(3, 2), [1, 0], "must have shape 2x3"),
    ],
)
def test_refused(source: TensorSpec, perm: list[int] | None, message: str) -> None:
    order = TensorSpec((len(perm or source.shape),), "int32", data=perm)
    with pytest.raises(UnsupportedError, match=message):
        tinyrt.load(single_operator("TRANSPOSE", [source, order], [q8(3, 2)]))


def test_another_type_of_perm() -> None:
    order = TensorSpec((2,), "int64", data=(1, 0))
    with pytest.raises(UnsupportedError, match="The perm is int32"):
        tinyrt.load(single_operator("TRANSPOSE", [q8(2, 3), order], [q8(3, 2)]))
