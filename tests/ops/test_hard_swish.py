"""HARD_SWISH: scales on both sides of each exponent, zero-points, and what is refused."""

import random

import pytest

import tinyrt
from tests.harness import agree
from tests.ops import maps
from tinyrt.errors import UnsupportedError

OPCODE = "HARD_SWISH"
REFUSED = {**maps.refused(OPCODE), **maps.refused_output(OPCODE)}
SCALES = (
    (0.1, 0.1 / 127.9),
    (0.1, 0.1),
    (0.1, 90.0),
    (0.1, 1e5),
    (3 / 256, 0.01),
    (0.012, 0.01),
    (0.02, 0.01),
    (1e-3, 1e-3),
    (1e-7, 1e-7),
    (1e-7, 1e-4),
    (50.0, 60.0),
    (1e6, 1e6),
)
"""All exponents, down to right shifts of 16 and more, where the 16-bit mask is odd."""


def test_models() -> None:
    rng = random.Random(82)
    models = [
        maps.random_model(OPCODE, rng, scale=scale, output_scale=output_scale)
        for scale, output_scale in SCALES
        for _ in range(2)
    ]
    ratios = [ratio for ratio in maps.RATIOS if ratio >= 0.01]
    models += [
        maps.random_model(OPCODE, rng, scale=scale, output_scale=scale * rng.choice(ratios))
        for scale in (rng.uniform(0.005, 0.2) for _ in range(12))
    ]
    agree(models, seed=82)


@pytest.mark.parametrize("rule", REFUSED)
def test_refused(rule: str) -> None:
    with pytest.raises(UnsupportedError, match=rule):
        tinyrt.load(REFUSED[rule])


def test_refused_scales() -> None:
    with pytest.raises(UnsupportedError, match="input scale is less than 128 output scales"):
        tinyrt.load(maps.model(OPCODE, 0.128, 0.001))
    with pytest.raises(UnsupportedError, match="input scale · 256 / 3 is less than 2\\^30"):
        tinyrt.load(maps.model(OPCODE, 3e7, 3e7))
