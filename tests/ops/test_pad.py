"""PAD and PADV2: borders on every side, values, types, and what is refused."""

import random
import struct
from typing import Any

import pytest

import tinyrt
from tests.builder import TensorSpec, single_operator
from tests.harness import agree
from tinyrt.errors import UnsupportedError
from tinyrt.ops.pad import Pad

FORMATS = {"int8": "b", "int16": "h", "int32": "i", "float32": "f"}


def q8(*shape: int, **options: Any) -> TensorSpec:
    return TensorSpec(shape, **{"scale": 0.5, "zero_point": -3, **options})


def paddings(*pairs: tuple[int, int], **options: Any) -> TensorSpec:
    return TensorSpec(**{"shape": (len(pairs), 2), "dtype": "int32", "data": pairs, **options})


def value(number: float, dtype: str, **options: Any) -> TensorSpec:
    return q8(dtype=dtype, data=struct.pack(f"<{FORMATS[dtype]}", number), **options)


def pad(
    shape: tuple[int, ...],
    *pairs: tuple[int, int],
    dtype: str = "int8",
    zero_point: int = -3,
    opcode: str = "PAD",
    border: float | None = None,
) -> bytes:
    sizes = (size + sum(pair) for size, pair in zip(shape, pairs, strict=True))
    inputs = [q8(*shape, dtype=dtype, zero_point=zero_point), paddings(*pairs)]
    if border is not None:
        inputs.append(value(border, dtype, zero_point=zero_point))
    output = q8(*sizes, dtype=dtype, zero_point=zero_point)
    return single_operator(opcode, inputs, [output])


def random_pad(rng: random.Random, dtype: str) -> bytes:
    shape = tuple(rng.randint(1, 4) for _ in range(rng.randint(1, 5)))
    pairs = [rng.choice(((0, 0), (rng.randint(0, 2), rng.randint(0, 3)))) for _ in shape]
    return pad(
        shape,
        *pairs,
        dtype=dtype,
        zero_point=rng.choice((-128, -3, 0, 127)) if dtype == "int8" else 0,
        opcode=rng.choice(("PAD", "PADV2")),
        border=rng.choice((None, -128, -1, 0, 77)),
    )


def test_random_pads() -> None:
    rng = random.Random(111)
    types = ["int8"] * 20 + ["int16", "int32", "float32"] * 5
    agree([random_pad(rng, dtype) for dtype in types], seed=111, styles=("uniform",))


def test_the_usual_border_of_an_image_takes_two_levels() -> None:
    (step,) = tinyrt.load(pad((1, 4, 5, 3), (0, 0), (1, 1), (1, 1), (0, 0))).steps
    kernel = step.kernel
    assert isinstance(kernel, Pad)
    assert kernel.before == (0, 0, 0, 21, 3)
    assert kernel.counts == (1, 1, 1, 4)
    assert kernel.after == (0, 0, 0, 21, 3)
    assert kernel.run_bytes == 15


def test_a_border_of_equal_bytes_has_a_period_of_one() -> None:
    for border, period in ((0, 1), (-1, 1), (1, 4)):
        (step,) = tinyrt.load(pad((3,), (1, 1), dtype="int32", border=border)).steps
        assert isinstance(step.kernel, Pad)
        assert step.kernel.value_bytes == len(step.kernel.value) == period


GOOD = {
    "source": q8(2, 3),
    "paddings": paddings((0, 1), (2, 0)),
    "value": value(5, "int8"),
    "output": q8(3, 5),
}


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"paddings": paddings((0, -1), (2, 0))}, r"paddings \(0, -1, 2, 0\) .must be at least 0"),
        ({"paddings": paddings((0, 1), (2, 0), data=None)}, "The paddings tensor is a constant"),
        ({"paddings": paddings((0, 1), (2, 0), dtype="int64")}, "The paddings tensor is int32"),
        ({"paddings": paddings((0, 1))}, "must have 4 elements"),
        ({"paddings": None}, "The paddings tensor is present"),
        ({"value": q8()}, "The value is a constant"),
        ({"value": q8(2, data=b"12")}, "must have 1 elements"),
        ({"value": value(5, "int16")}, "The value has the element type of the input"),
        ({"value": value(5, "int8", scale=0.25)}, "An int8 value has the scale and zero-point"),
        ({"output": q8(3, 6)}, "must have shape 3x5"),
        ({"output": q8(3, 5, dtype="int16")}, "element type of the first input"),
        ({"output": q8(3, 5, scale=None)}, "has no quantization"),
        (
            {"source": q8(2, 3, dtype="uint8", zero_point=3)},
            "The input is int8 or int16 or int32 or float32",
        ),
        ({"source": q8(1, 1, 1, 1, 2, 3)}, "The input has rank 1 or 2 or 3 or 4 or 5"),
    ],
)
def test_refused(bad: dict[str, Any], message: str) -> None:
    chosen = {**GOOD, **bad}
    *inputs, output = chosen.values()
    with pytest.raises(UnsupportedError, match=message):
        tinyrt.load(single_operator("PADV2", inputs, [output]))
