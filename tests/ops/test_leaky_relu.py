"""LEAKY_RELU: scales, zero-points, and what is refused."""

import random

import pytest

import tinyrt
from tests.harness import agree
from tests.ops import maps
from tinyrt.errors import UnsupportedError

OPCODE = "LEAKY_RELU"
ALPHAS = (0.0, 0.01, 0.1, 0.3, 1.0, 1.5, -0.5, -2.0, 1e-12, 100.0)
REFUSED = {**maps.refused(OPCODE), **maps.refused_output(OPCODE)}


def test_models() -> None:
    rng = random.Random(81)
    agree(
        [maps.random_model(OPCODE, rng, alpha=rng.choice(ALPHAS)) for _ in range(24)]
        + maps.notable(OPCODE, alpha=0.3),
        seed=81,
    )


@pytest.mark.parametrize("rule", REFUSED)
def test_refused(rule: str) -> None:
    with pytest.raises(UnsupportedError, match=rule):
        tinyrt.load(REFUSED[rule])


@pytest.mark.parametrize("alpha", [2.0**30, -(2.0**30), float("inf"), float("nan")])
def test_refused_alpha(alpha: float) -> None:
    with pytest.raises(UnsupportedError, match="alpha / output scale is less than 2\\^30"):
        tinyrt.load(maps.example(OPCODE, alpha=alpha))
