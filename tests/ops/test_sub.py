"""SUB: broadcasting, scales, activations, int32, and what is refused."""

import pytest

import tinyrt
from tests.ops import pairs
from tinyrt.errors import UnsupportedError

OPCODE = "SUB"
REFUSED = pairs.refused(OPCODE)


def test_int8() -> None:
    pairs.check_int8(OPCODE, pairs.SUM_SCALES)


@pytest.mark.parametrize("rule", REFUSED)
def test_refused(rule: str) -> None:
    with pytest.raises(UnsupportedError, match=rule):
        tinyrt.load(REFUSED[rule])


def test_int32() -> None:
    pairs.check_int32(OPCODE)


@pytest.mark.parametrize("scales", [(1.0, 1.0, 1e-6), (1e-30, 1.0, 1e-7), (3e38, 3e38, 1e-30)])
def test_refused_scales(scales: tuple[float, float, float]) -> None:
    pairs.check_refused_scales(OPCODE, scales, "factors between 0 and 1")


def test_refused_int32_scales() -> None:
    pairs.check_refused_int32_scales(OPCODE)
