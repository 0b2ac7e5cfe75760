"""MUL: broadcasting, scales, activations, int32, and what is refused."""

import pytest

import tinyrt
from tests.builder import TensorSpec
from tests.harness import agree
from tests.ops import pairs
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
    pairs.check_int8(OPCODE, SCALES)


@pytest.mark.parametrize("rule", REFUSED)
def test_refused(rule: str) -> None:
    with pytest.raises(UnsupportedError, match=rule):
        tinyrt.load(REFUSED[rule])


def test_int32() -> None:
    pairs.check_int32(OPCODE)


@pytest.mark.parametrize("scales", [(1.0, 1.0, 2.0**-30), (1e30, 1e30, 1e-30)])
def test_refused_scales(scales: tuple[float, float, float]) -> None:
    pairs.check_refused_scales(OPCODE, scales, "less than 2\\^30")


def test_int32_scales_do_not_count() -> None:
    scaled = TensorSpec((2, 3), "int32", scale=0.5)
    agree([pairs.example(OPCODE, first=scaled, second=scaled, output=scaled)])
