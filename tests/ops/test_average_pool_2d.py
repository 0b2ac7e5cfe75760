"""AVERAGE_POOL_2D: geometry, activations, and what is refused."""

import pytest

import tinyrt
from tests.builder import TensorSpec
from tests.harness import agree
from tests.ops import pools
from tinyrt.errors import UnsupportedError

OPCODE = "AVERAGE_POOL_2D"
REFUSED = pools.refused(OPCODE)


def test_layers() -> None:
    pools.check(OPCODE, 61)


@pytest.mark.parametrize("rule", REFUSED)
def test_refused(rule: str) -> None:
    with pytest.raises(UnsupportedError, match=rule):
        tinyrt.load(REFUSED[rule])


def test_window_limit() -> None:
    """Nothing of this size is run: the rule must hold before anything is allocated."""
    source = TensorSpec((1, 4096, 4096, 1), "int8", scale=0.5)
    output = TensorSpec((1, 1, 1, 1), "int8", scale=0.5)
    options = {"filter_height": 2049, "filter_width": 4096, "stride_h": 4096, "stride_w": 4096}
    with pytest.raises(UnsupportedError, match="at most 2\\^23 input pixels"):
        tinyrt.load(pools.example(OPCODE, source=source, output=output, **options))


def test_halves_round_away_from_zero() -> None:
    agree([halves(zero_point) for zero_point in (-128, 0, 127)], styles=("uniform", "zero_point"))


def halves(zero_point: int) -> bytes:
    """Means of two neighbours: every other sum is odd."""
    source = TensorSpec((1, 1, 256, 1), "int8", scale=0.5, zero_point=zero_point)
    output = TensorSpec((1, 1, 255, 1), "int8", scale=0.5, zero_point=zero_point)
    options = {"filter_height": 1, "filter_width": 2, "stride_h": 1, "stride_w": 1}
    return pools.example(OPCODE, source=source, output=output, **options)
