"""SOFTMAX: scales, betas, depths, and what is refused."""

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

import tinyrt
from tests.builder import TensorSpec, single_operator
from tests.harness import agree, assert_c_agrees, assert_same, python_tensors
from tinyrt.emit import emit
from tinyrt.errors import UnsupportedError
from tinyrt.mcu.cases import Case
from tinyrt.plan import plan


def softmax(shape: Sequence[int], scale: float, zero_point: int = 0, beta: float = 1.0) -> bytes:
    return single_operator(
        "SOFTMAX",
        [TensorSpec(shape, "int8", scale=scale, zero_point=zero_point)],
        [TensorSpec(shape, "int8", scale=1 / 256, zero_point=-128)],
        beta=beta,
    )


def test_random_layers() -> None:
    rng = random.Random(81)
    agree(
        [
            softmax(
                (rng.randint(1, 6), rng.choice((1, 2, 3, 10, 31))),
                10 ** rng.uniform(-4, 1),
                rng.randint(-128, 127),
                rng.choice((1.0, 1.0, 0.5, 3.7)),
            )
            for _ in range(48)
        ],
        seed=81,
    )


def test_shapes() -> None:
    agree(
        [
            softmax((1,), 0.1),
            softmax((1, 1, 1, 1), 0.1),
            softmax((7,), 0.1),
            softmax((2, 3, 4), 0.05),
            softmax((1, 2, 2, 3, 2), 0.3),
            softmax((1, 511), 0.01),
        ]
    )


def test_scales() -> None:
    """From the least that TFLM takes (beta · scale · 2^26 > 1) to a capped multiplier."""
    scales = (1.6e-8, 1e-6, 1 / 256, 0.25, 1.0, 7.9, 8.1, 15.9, 16.0, 31.9, 33.0, 1e4, 1e30)
    agree([softmax((4, 9), scale) for scale in scales], seed=83)


def test_deep_rows() -> None:
    """With one value far above the others, TFLM takes more than 511."""
    agree([softmax((2, 1001), 0.3), softmax((1, 4095), 0.6)], styles=("uniform",), seed=84)


def test_rows_that_tflm_aborts_on() -> None:
    """Exponentials that add up to 512 or more: each probability is below half of 1/256."""
    cases, expected = [], []
    for depth, probability in ((511, -127), (512, -128), (4095, -128)):
        model = softmax((1, depth), 0.1)
        program = tinyrt.load(model)
        inputs = {0: bytes(depth)}
        truth = {1: bytes([probability & 0xFF]) * depth}
        assert_same("Python", program, truth, python_tensors(model, inputs, "reference"))
        project = emit(program, plan(program), f"depth_{depth}", "model.tflite")
        cases.append(Case(project, (inputs,)))
        expected.append((program, [truth]))
    assert_c_agrees("host", cases, expected)


SOURCE = TensorSpec((2, 6), "int8", scale=0.5, zero_point=1)
OUTPUT = TensorSpec((2, 6), "int8", scale=1 / 256, zero_point=-128)


def example(source: TensorSpec = SOURCE, output: TensorSpec = OUTPUT, **options: Any) -> bytes:
    return single_operator("SOFTMAX", [source], [output], **({"beta": 1.0} | options))


REFUSED = {
    "outputs have the element type": example(output=replace(OUTPUT, dtype="int16")),
    "input is quantized with one scale": example(source=replace(SOURCE, scale=None)),
    "outputs are quantized with one": example(output=replace(OUTPUT, scale=None)),
    "scale 1/256 and zero-point -128": example(output=replace(OUTPUT, scale=1 / 255)),
    "zero-point 0. The output has scale 1/256": example(output=replace(OUTPUT, zero_point=0)),
    "has a last dimension": example(replace(SOURCE, shape=()), replace(OUTPUT, shape=())),
    "at most 4095": example(replace(SOURCE, shape=(4096,)), replace(OUTPUT, shape=(4096,))),
    "beta 0.0, field absent": example(beta=0.0),
    "beta -1.0, field at": example(beta=-1.0),
    "beta nan": example(beta=float("nan")),
    "2\\^26 is greater than 1": example(source=replace(SOURCE, scale=1e-8)),
    "must have shape 2x6": example(output=replace(OUTPUT, shape=(6, 2))),
}


@pytest.mark.parametrize("rule", REFUSED)
def test_refused(rule: str) -> None:
    with pytest.raises(UnsupportedError, match=rule):
        tinyrt.load(REFUSED[rule])
