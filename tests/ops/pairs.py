"""Models of one operator on two tensors: random ones, notable shapes, and refused ones."""

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

import tinyrt
from tests.builder import TensorSpec, single_operator
from tests.harness import agree
from tests.ops import draws
from tinyrt.broadcast import broadcast_shape
from tinyrt.errors import UnsupportedError

Shape = Sequence[int]

SHAPES: Sequence[tuple[Shape, Shape]] = (
    ((), ()),
    ((1,), ()),
    ((7,), (7,)),
    ((1, 1, 1, 1), (1, 1, 1, 1)),
    ((2, 3, 5, 4), (2, 3, 5, 4)),
    ((3, 4, 5), ()),
    ((1,), (2, 3)),
    ((2, 3, 4, 5), (5,)),
    ((1, 3, 1, 5), (2, 1, 4, 1)),
    ((2, 3, 4, 1), (1, 1, 4, 5)),
    ((5, 1, 1), (1, 2, 3)),
    ((2, 1, 3, 1, 2, 1), (1, 2, 1, 3, 1, 2)),
    ((2, 1, 2, 1, 2, 1), (2, 3, 2, 3, 2, 3)),
    ((3, 2), (4, 1, 1, 3, 2)),
)
"""Equal, scalar, each way of stretching, as many loops as dimensions."""

Scales = Sequence[tuple[tuple[float, float], float]]
"""Of both inputs, and of the output."""

SUM_SCALES: Scales = (
    ((1.0, 1e-9), 1.0),
    ((1e-12, 3e4), 1.0),
    ((1e-30, 1e-30), 1e-30),
    ((1e30, 1e30), 1e30),
    ((1.0, 1.0), 2e-6),
    ((1.0, 0.5), 1e20),
    ((0.1, 0.3), 1e9),
    ((3e38, 3e38), 3e38),
    ((0.5, 0.5), 25.0),
)
"""Inputs that vanish beside the other; results that vanish; scales at the ends of a single."""


def check_int8(opcode: str, scales: Scales) -> None:
    """Random models, each way of stretching, each activation, extreme scales."""
    rng = random.Random(71)
    models = [random_int8(opcode, rng) for _ in range(20)]
    models += [random_int8(opcode, rng, shapes=shapes, constant=None) for shapes in SHAPES]
    models += [random_int8(opcode, rng, fused=fused) for fused in draws.ACTIVATIONS]
    models += [
        random_int8(opcode, rng, scales=inputs, output_scale=output) for inputs, output in scales
    ]
    agree(models, seed=71)


def check_int32(opcode: str) -> None:
    """Some ways of stretching, each activation."""
    rng = random.Random(75)
    models = [random_int32(opcode, rng, shapes=shapes) for shapes in SHAPES[3:8]]
    models += [random_int32(opcode, rng, fused=fused) for fused in draws.ACTIVATIONS]
    agree(models, seed=75, styles=("uniform", "low"))


def check_refused_scales(opcode: str, scales: tuple[float, float, float], rule: str) -> None:
    """Scales of both inputs and of the output that break a rule."""
    first, second, output = (TensorSpec((2, 3), "int8", scale=scale) for scale in scales)
    with pytest.raises(UnsupportedError, match=rule):
        tinyrt.load(example(opcode, first=first, second=second, output=output))


def check_refused_int32_scales(opcode: str) -> None:
    """Sums of integers of different scales are refused."""
    plain = TensorSpec((2, 3), "int32")
    scaled = TensorSpec((2, 3), "int32", scale=0.5)
    with pytest.raises(UnsupportedError, match="int32 inputs and outputs are not quantized"):
        tinyrt.load(example(opcode, first=plain, second=scaled, output=plain))


def shapes(rng: random.Random) -> tuple[Shape, Shape]:
    """Two random shapes that broadcast."""
    whole = [rng.choice((1, 2, 3, 4)) for _ in range(rng.randint(1, 6))]
    pair = []
    for _ in range(2):
        kept = [size if rng.random() < 0.7 else 1 for size in whole]
        pair.append(tuple(kept[rng.choice((0, 0, 0, rng.randint(0, len(kept)))) :]))
    return pair[0], pair[1]


def constant(spec: TensorSpec, rng: random.Random) -> TensorSpec:
    """The tensor with random values of its own."""
    return replace(
        spec, data=rng.randbytes(math.prod(spec.shape) * (4 if "32" in spec.dtype else 1))
    )


def random_int8(opcode: str, rng: random.Random, **fixed: Any) -> bytes:
    """A random int8 model; `fixed` replaces some of the draws."""
    shape1, shape2 = fixed.get("shapes") or shapes(rng)
    inputs = [draws.activation(rng, *shape1), draws.activation(rng, *shape2)]
    if "scales" in fixed:
        inputs = [replace(t, scale=s) for t, s in zip(inputs, fixed["scales"], strict=False)]
    elif rng.random() < 0.3:
        inputs[1] = replace(inputs[1], scale=inputs[0].scale)
    scale1, scale2 = inputs[0].scale, inputs[1].scale
    spread = 128 * scale1 * scale2 if opcode == "MUL" else max(scale1, scale2)
    output = replace(
        draws.activation(rng, *broadcast_shape(tuple(shape1), tuple(shape2))),
        scale=fixed.get("output_scale", spread * rng.choice((0.01, 0.3, 1.0, 2.0, 50.0))),
    )
    held = fixed.get("constant", rng.choice((None, None, 0, 1)))
    if held is not None:
        inputs[held] = constant(inputs[held], rng)
    return single_operator(
        opcode,
        inputs,
        [output],
        fused_activation_function=fixed.get("fused", rng.choice(draws.ACTIVATIONS)),
    )


def random_int32(opcode: str, rng: random.Random, **fixed: Any) -> bytes:
    """A random int32 model; `fixed` replaces some of the draws."""
    shape1, shape2 = fixed.get("shapes") or shapes(rng)
    inputs = [TensorSpec(shape1, "int32"), TensorSpec(shape2, "int32")]
    held = rng.choice((None, None, 0, 1))
    if held is not None:
        inputs[held] = constant(inputs[held], rng)
    return single_operator(
        opcode,
        inputs,
        [TensorSpec(broadcast_shape(tuple(shape1), tuple(shape2)), "int32")],
        fused_activation_function=fixed.get("fused", rng.choice(draws.ACTIVATIONS)),
    )


def example(opcode: str, **changes: Any) -> bytes:
    """A model that is supported, with some of its tensors or options replaced."""
    tensor = TensorSpec((2, 3), "int8", scale=0.5, zero_point=1)
    first, second = changes.pop("first", tensor), changes.pop("second", tensor)
    return single_operator(opcode, [first, second], [changes.pop("output", tensor)], **changes)


def refused(opcode: str) -> Mapping[str, bytes]:
    """Models that are refused, by the rule that they break."""
    tensor = TensorSpec((2, 3), "int8", scale=0.5, zero_point=1)
    return {
        "second input is present": example(opcode, second=None),
        "have one element type": example(opcode, second=replace(tensor, dtype="int16")),
        "at most 6 dimensions": example(opcode, second=replace(tensor, shape=(1,) * 5 + (2, 3))),
        "first input is quantized with one": example(opcode, first=replace(tensor, scale=None)),
        "second input is quantized with one": example(
            opcode, second=replace(tensor, scale=[0.5, 0.25])
        ),
        "outputs are quantized with one": example(opcode, output=replace(tensor, scale=None)),
        "fused activation": example(opcode, fused_activation_function="TANH"),
        "2x3 and 4x3 do not broadcast": example(opcode, second=replace(tensor, shape=(4, 3))),
        "must have shape 2x3": example(opcode, output=replace(tensor, shape=(3, 2))),
    }
