"""MUL: broadcasting, scales, activations, int32, and what is refused."""

import random

import pytest

import tinyrt
from tests.builder import TensorSpec
from tests.harness import agree
from tests.ops import draws, pairs
from tinyrt.errors import UnsupportedError

OPCODE = "MUL"
REFUSED = pairs.refused(OPCODE)
SCALES = (
    ((1e-9, 1e-9), 1.0),
    ((1.0, 1.0), 1.0),
    ((1.0, 1.0), 1e-5),
    ((1.0, 1.0), 2**-29.5),
    ((1e20, 1e-15), 1e-3),
    ((1e-30, 1e-30), 1e-30),
)
"""From products that all round to zero to left shifts that overflow."""


def test_int8() -> None:
    """Random models, each way of stretching, each activation, extreme scales."""
    rng = random.Random(71)
    models = [pairs.random_int8(OPCODE, rng) for _ in range(20)]
    models += [
        pairs.random_int8(OPCODE, rng, shapes=shapes, constant=None) for shapes in pairs.SHAPES
    ]
    models += [pairs.random_int8(OPCODE, rng, fused=fused) for fused in draws.ACTIVATIONS]
    models += [
        pairs.random_int8(OPCODE, rng, scales=scales, output_scale=output)
        for scales, output in SCALES
    ]
    agree(models, seed=71)


@pytest.mark.parametrize("rule", REFUSED)
def test_refused(rule: str) -> None:
    with pytest.raises(UnsupportedError, match=rule):
        tinyrt.load(REFUSED[rule])


def test_int32() -> None:
    rng = random.Random(75)
    models = [pairs.random_int32(OPCODE, rng, shapes=shapes) for shapes in pairs.SHAPES[3:8]]
    models += [pairs.random_int32(OPCODE, rng, fused=fused) for fused in draws.ACTIVATIONS]
    agree(models, seed=75, styles=("uniform", "low"))


@pytest.mark.parametrize("scales", [(1.0, 1.0, 2.0**-30), (1e30, 1e30, 1e-30)])
def test_refused_scales(scales: tuple[float, float, float]) -> None:
    first, second, output = (TensorSpec((2, 3), "int8", scale=scale) for scale in scales)
    with pytest.raises(UnsupportedError, match="less than 2\\^30"):
        tinyrt.load(pairs.example(OPCODE, first=first, second=second, output=output))


def test_int32_scales_do_not_count() -> None:
    scaled = TensorSpec((2, 3), "int32", scale=0.5)
    agree([pairs.example(OPCODE, first=scaled, second=scaled, output=scaled)])
