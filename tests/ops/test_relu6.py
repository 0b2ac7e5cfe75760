"""RELU6: scales, zero-points, and what is refused."""

import random

import pytest

import tinyrt
from tests.harness import agree
from tests.ops import maps
from tinyrt.errors import UnsupportedError

OPCODE = "RELU6"
REFUSED = maps.refused(OPCODE)


def test_models() -> None:
    rng = random.Random(81)
    agree([maps.random_model(OPCODE, rng) for _ in range(16)] + maps.notable(OPCODE), seed=81)


@pytest.mark.parametrize("rule", REFUSED)
def test_refused(rule: str) -> None:
    with pytest.raises(UnsupportedError, match=rule):
        tinyrt.load(REFUSED[rule])
