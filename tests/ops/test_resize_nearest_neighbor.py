"""RESIZE_NEAREST_NEIGHBOR: all grids, TFLM's single precision included, and what is refused."""

import random
from fractions import Fraction
from itertools import product
from typing import Any

import pytest

import tinyrt
from tests.builder import TensorSpec, single_operator
from tests.harness import agree
from tinyrt.errors import UnsupportedError
from tinyrt.ops.resize_nearest_neighbor import ResizeNearestNeighbor

GRIDS = tuple(product((False, True), repeat=2))


def q8(*shape: int, **options: Any) -> TensorSpec:
    return TensorSpec(shape, **{"scale": 0.5, "zero_point": -3, **options})


def size_of(*size: int, **options: Any) -> TensorSpec:
    return TensorSpec(**{"shape": (len(size),), "dtype": "int32", "data": size, **options})


def resize(
    shape: tuple[int, int, int, int], size: tuple[int, int], grid: tuple[bool, bool], dtype: str
) -> bytes:
    return single_operator(
        "RESIZE_NEAREST_NEIGHBOR",
        [q8(*shape, dtype=dtype), size_of(*size)],
        [q8(shape[0], *size, shape[3], dtype=dtype)],
        align_corners=grid[0],
        half_pixel_centers=grid[1],
    )


def test_random_sizes() -> None:
    rng = random.Random(121)
    models = []
    for number in range(24):
        shape = (rng.randint(1, 2), rng.randint(1, 9), rng.randint(1, 9), rng.randint(1, 5))
        size = (rng.randint(1, 12), rng.randint(1, 12))
        dtype = ("int8", "int8", "int16", "float32")[number // 6]
        models.append(resize(shape, size, GRIDS[number % 4], dtype))
    agree(models, seed=121, styles=("uniform",))


def exact(source: int, target: int, grid: tuple[bool, bool]) -> tuple[int, ...]:
    """The nearest indices along one axis by rational arithmetic."""
    align_corners, half_pixel_centers = grid
    scale = Fraction(source - 1, target - 1) if align_corners else Fraction(source, target)
    places = ((index + Fraction(half_pixel_centers, 2)) * scale for index in range(target))
    return tuple(min(int(p + Fraction(align_corners, 2)), source - 1) for p in places)


def test_single_precision() -> None:
    """Rounding to single shows with these sizes."""
    sizes = (((10, 410), (104, 88)), ((20, 410), (70, 115)), ((127, 61), (120, 103)))
    models = []
    for grid, (rows, columns) in zip(GRIDS, (*sizes, ((118, 100), (127, 31))), strict=True):
        model = resize((1, rows[0], columns[0], 1), (rows[1], columns[1]), grid, "int16")
        (step,) = tinyrt.load(model).steps
        assert isinstance(step.kernel, ResizeNearestNeighbor)
        assert step.kernel.rows != exact(*rows, grid)
        assert step.kernel.columns != exact(*columns, grid)
        models.append(model)
    agree(models, seed=122, styles=("uniform",))


@pytest.mark.parametrize(
    ("source", "size", "message"),
    [
        (q8(1, 2, 2, 1), size_of(0, 4), r"size \(0, 4\). The size is 1 to 16384"),
        (q8(1, 2, 2, 1), size_of(4, 16385), r"size \(4, 16385\)"),
        (q8(1, 2, 2, 1), size_of(4, 4, 1), "must have 2 elements"),
        (q8(1, 2, 2, 1), size_of(4, 4, data=None), "The size is a constant"),
        (q8(1, 2, 2, 1), size_of(4, 4, dtype="int64"), "The size is int32"),
        (q8(1, 2, 2, 1), None, "The size is present"),
        (q8(2, 2, 1), size_of(4, 4), "The input has rank 4"),
        (q8(1, 2, 2, 2), size_of(4, 4), "must have shape 1x4x4x2"),
        (q8(1, 2, 2, 1, dtype="int16"), size_of(4, 4), "element type of the first input"),
    ],
)
def test_refused(source: TensorSpec, size: TensorSpec, message: str) -> None:
    with pytest.raises(UnsupportedError, match=message):
        tinyrt.load(single_operator("RESIZE_NEAREST_NEIGHBOR", [source, size], [q8(1, 4, 4, 1)]))
