"""TANH: from all but linear to all but a step, and what is refused."""

import random

import pytest

import tinyrt
from tests.harness import agree
from tests.ops import maps
from tinyrt.errors import UnsupportedError

OPCODE = "TANH"
REFUSED = maps.refused(OPCODE)
SCALES = (2.0**-28, 1e-6, 1e-3, 1 / 128, 0.03, 0.1, 0.5, 1.0, 7.4, 15.0, 15.9, 16.0, 100.0, 2.0**34)


def test_models() -> None:
    rng = random.Random(83)
    scales = [*SCALES, *(rng.uniform(0.01, 0.3) for _ in range(12))]
    agree(
        [
            maps.random_model(OPCODE, rng, scale=scale, output_scale=1 / 128, output_zero_point=0)
            for scale in scales
        ],
        seed=83,
    )


@pytest.mark.parametrize("rule", REFUSED)
def test_refused(rule: str) -> None:
    with pytest.raises(UnsupportedError, match=rule):
        tinyrt.load(REFUSED[rule])


@pytest.mark.parametrize("scale", [2.0**-29, 2.0**35])
def test_refused_scale(scale: float) -> None:
    with pytest.raises(UnsupportedError, match=r"at least 2\^−28 and less than 2\^35"):
        tinyrt.load(maps.model(OPCODE, scale, 1 / 256, output_zero_point=-128))


def test_output_quantization_does_not_count() -> None:
    agree([maps.model(OPCODE, 0.02, 0.3, zero_point=5, output_zero_point=-9)])
