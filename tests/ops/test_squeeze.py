"""SQUEEZE: named dimensions, all of them, none."""

import pytest

import tinyrt
from tests.builder import TensorSpec, single_operator
from tests.harness import agree
from tinyrt.errors import UnsupportedError


def squeeze(
    shape: tuple[int, ...], left: tuple[int, ...], *dims: int, dtype: str = "int8"
) -> bytes:
    source = TensorSpec(shape, dtype, scale=0.5, zero_point=-3)
    output = TensorSpec(left, dtype, scale=0.5, zero_point=-3)
    return single_operator("SQUEEZE", [source], [output], squeeze_dims=dims)


def test_agrees() -> None:
    agree(
        [
            squeeze((1, 6, 1), (6,)),
            squeeze((1, 6, 1), (6, 1), 0),
            squeeze((1, 6, 1), (1, 6), -1),
            squeeze((1, 6, 1, 2), (6, 2), 2, -4),
            squeeze((1, 6, 1, 2), (1, 6, 2), 2, 2, -2),
            squeeze((2, 3), (2, 3)),
            squeeze((1, 1), ()),
            *(squeeze((1, 5, 1), (5,), dtype=dtype) for dtype in ("int16", "int64", "float32")),
        ]
    )


@pytest.mark.parametrize("dims", [(1,), (4,), (-5,), (0, 1)])
def test_dimensions_that_cannot_go(dims: tuple[int, ...]) -> None:
    with pytest.raises(UnsupportedError, match="must be dimensions of size 1"):
        tinyrt.load(squeeze((1, 6, 1, 2), (6, 2), *dims))


def test_the_output_that_is_declared() -> None:
    with pytest.raises(UnsupportedError, match="must have shape 6x1"):
        tinyrt.load(squeeze((1, 6, 1), (6,), 0))
