"""MAX_POOL_2D: geometry, activations, and what is refused."""

import random

import pytest

import tinyrt
from tests.harness import agree
from tests.ops import draws, pools
from tinyrt.errors import UnsupportedError

OPCODE = "MAX_POOL_2D"
REFUSED = pools.refused(OPCODE)


def test_random_layers() -> None:
    rng = random.Random(71)
    agree([pools.random_layer(OPCODE, rng) for _ in range(32)], seed=71)


def test_geometry() -> None:
    agree(pools.geometry(OPCODE, random.Random(72)))


def test_activations() -> None:
    rng = random.Random(73)
    agree(
        [
            pools.random_layer(OPCODE, rng, fused=fused)
            for fused in draws.ACTIVATIONS
            for _ in range(4)
        ]
    )


def test_nearly_equal_scales() -> None:
    agree([pools.nearly_equal_scales(OPCODE), pools.example(OPCODE)])


@pytest.mark.parametrize("rule", REFUSED)
def test_refused(rule: str) -> None:
    with pytest.raises(UnsupportedError, match=rule):
        tinyrt.load(REFUSED[rule])
