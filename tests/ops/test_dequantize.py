"""DEQUANTIZE: every scale a single can have, and what is refused."""

import random

import pytest

import tinyrt
from tests.builder import TensorSpec, single_operator
from tests.harness import agree
from tests.ops import draws, maps
from tinyrt.errors import UnsupportedError

OPCODE = "DEQUANTIZE"
SCALES = (1.0, 0.1, 1 / 3, 1 / 256, 1e-45, 1e-38, 3.4e38, 1.5e36)
"""Products that are exact, rounded, subnormal, infinite."""


def model(dtype: str, scale: float, zero_point: int, *shape: int) -> bytes:
    """A model with the given quantization."""
    return single_operator(
        OPCODE,
        [TensorSpec(shape, dtype, scale=scale, zero_point=zero_point)],
        [TensorSpec(shape, "float32")],
    )


def test_models() -> None:
    rng = random.Random(95)
    models = [
        model("int8", scale, rng.choice(draws.ZERO_POINTS), 2, 700)
        for scale in (*SCALES, *(10 ** rng.uniform(-6, 3) for _ in range(8)))
    ]
    models += [
        model("int16", scale, rng.choice((0, 0, -32768, 32767, 99)), 2, 100) for scale in SCALES
    ]
    models += [model("int8", 0.2, -5), model("int8", 0.2, 5, 1, 1, 1, 1)]
    agree(models, seed=95)


REFUSED = {
    "output is float32": maps.example(OPCODE),
    "input is quantized with one": maps.example(
        OPCODE, source=TensorSpec((2, 3), "int8"), output=TensorSpec((2, 3), "float32")
    ),
    "must have shape 2x3": maps.example(OPCODE, output=TensorSpec((3, 2), "float32")),
    "first input may be int16 or int8": maps.example(
        OPCODE,
        source=TensorSpec((2, 3), "uint8", scale=0.5),
        output=TensorSpec((2, 3), "float32"),
    ),
}


@pytest.mark.parametrize("rule", REFUSED)
def test_refused(rule: str) -> None:
    with pytest.raises(UnsupportedError, match=rule):
        tinyrt.load(REFUSED[rule])
