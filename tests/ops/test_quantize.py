"""QUANTIZE: halves, infinities and NaNs; between integer types; what is refused."""

import math
import random
import struct

import pytest

import tinyrt
from tests.builder import ModelBuilder, TensorSpec, single_operator
from tests.harness import agree, assert_c_agrees, python_tensors
from tests.ops import draws, maps
from tinyrt.emit import emit
from tinyrt.errors import UnsupportedError
from tinyrt.mcu.cases import Case
from tinyrt.plan import plan

OPCODE = "QUANTIZE"
FINITE = ("uniform", "edges", "low", "zero_point")
"""Without those floats whose quotient leaves int32: TFLM's result is undefined there."""
TYPES = (
    ("int8", "int16"),
    ("int8", "int32"),
    ("int16", "int8"),
    ("int16", "int16"),
    ("int16", "int32"),
    ("int32", "int8"),
    ("int32", "int16"),
    ("int8", "uint8"),
    ("uint8", "int8"),
)
INT8 = TensorSpec((2, 3), "int8", scale=0.5)


def from_floats(dtype: str, scale: float, zero_point: int, *constant: float) -> bytes:
    """A model of floats that are fed, and of constant ones beside them."""
    model = ModelBuilder()
    given = {"dtype": dtype, "scale": scale, "zero_point": zero_point}
    source, output = model.tensor("x", (5, 80), "float32"), model.tensor("y", (5, 80), **given)
    model.operator(OPCODE, [source], [output])
    outputs = [output]
    if constant:
        shape = (len(constant),)
        outputs.append(model.tensor("of constants", shape, **given))
        known = model.tensor("constants", shape, "float32", data=constant)
        model.operator(OPCODE, [known], outputs[1:])
    return model.finish([source], outputs)


def halves(scale: float) -> list[float]:
    """Singles on, just below and just above the middle between two steps."""
    middles = [struct.pack("<f", (step + 0.5) * scale) for step in range(-140, 140, 7)]
    bits = [struct.unpack("<i", middle)[0] for middle in middles]
    return [struct.unpack("<f", struct.pack("<i", b + d))[0] for b in bits for d in (-1, 0, 1)]


def test_floats() -> None:
    rng = random.Random(91)
    models = [
        from_floats(dtype, scale, rng.choice((-128, 127, 0, 5)) if dtype == "int8" else 0)
        for dtype in ("int8", "int16")
        for scale in (0.03, 1 / 256, 1.0, 0.5, 1e-6, 1e9, *(rng.uniform(1e-3, 2) for _ in range(4)))
    ]
    models += [
        from_floats("int8", scale, zero_point, *halves(scale))
        for scale in (0.1, 0.3, 1 / 3, 0.007)
        for zero_point in (-128, 0, 127)
    ]
    agree(models, seed=91, styles=FINITE)


@pytest.mark.parametrize("target", ["host", "cortex-m4"])
def test_floats_beyond(target: str) -> None:
    """What is undefined in TFLM: an output saturates, and a NaN becomes the zero-point."""
    values = (math.inf, -math.inf, math.nan, 1e30, -1e30, 3.4e38, -3.4e38, 1e-45, -0.0, 2e9, -2e9)
    wanted = bytes((127, 128, 5, 127, 128, 127, 128, 5, 5, 127, 128))
    fed = {0: struct.pack(f"<{len(values)}f", *values)}
    for scale in (1e-3, 1e-30):
        model = single_operator(
            OPCODE,
            [TensorSpec((len(values),), "float32")],
            [TensorSpec((len(values),), "int8", scale=scale, zero_point=5)],
        )
        for kernels in ("reference", "fast"):
            assert python_tensors(model, fed, kernels) == {1: wanted}
        program = tinyrt.load(model)
        case = Case(emit(program, plan(program), "model", "model.tflite"), (fed,))
        assert_c_agrees(target, [case], [(program, [{1: wanted}])])


def test_int8() -> None:
    rng = random.Random(92)
    models = [maps.random_model(OPCODE, rng) for _ in range(16)]
    agree(models + maps.notable(OPCODE), seed=92)


def between(source: str, output: str, rng: random.Random) -> bytes:
    """A model from one integer type to another; int16 has zero-point 0 or any."""
    scale = {"int32": 1e-4}.get(source, rng.uniform(0.001, 0.2))
    ratio = rng.choice((1.0, 0.3, 2.0, 1 / 3, 200.0, 1e5, 0.004))
    points = {"int8": draws.ZERO_POINTS, "uint8": (0, 1, 128, 255), "int16": (0, 7, -32768, 32767)}
    return single_operator(
        OPCODE,
        [
            TensorSpec(
                (3, 50), source, scale=scale, zero_point=rng.choice(points.get(source, (0, 9)))
            )
        ],
        [
            TensorSpec(
                (3, 50),
                output,
                scale=scale * ratio,
                zero_point=rng.choice(points.get(output, (0, -70000))),
            )
        ],
    )


def test_between_types() -> None:
    rng = random.Random(93)
    agree([between(*types, rng) for types in TYPES for _ in range(4)], seed=93)


REFUSED = {
    "output is int8 or int16": maps.example(
        OPCODE, source=TensorSpec((2, 3), "float32"), output=TensorSpec((2, 3), "int32", scale=0.5)
    ),
    "outputs are quantized with one": maps.example(
        OPCODE, source=TensorSpec((2, 3), "float32"), output=TensorSpec((2, 3), "int8")
    ),
    "The types are int8 → int8": maps.example(
        OPCODE,
        source=TensorSpec((2, 3), "uint8", scale=0.5),
        output=TensorSpec((2, 3), "int16", scale=0.5),
    ),
    "input is quantized with one": maps.example(OPCODE, source=TensorSpec((2, 3), "int8")),
    "scale / output scale is less than 2\\^30": maps.model(OPCODE, 1.0, 2.0**-30),
    "scales are positive": maps.example(
        OPCODE, source=INT8, output=TensorSpec((2, 3), "int32", scale=0.0)
    ),
    "must have shape 2x3": maps.example(OPCODE, output=TensorSpec((3, 2), "int8", scale=0.5)),
    "1 inputs|2 inputs": single_operator(OPCODE, [INT8, INT8], [INT8]),
}


@pytest.mark.parametrize("rule", REFUSED)
def test_refused(rule: str) -> None:
    with pytest.raises(UnsupportedError, match=rule):
        tinyrt.load(REFUSED[rule])
