"""Models of one operator on two tensors: random ones, notable shapes, and refused ones."""

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from tests.builder import TensorSpec, single_operator
from tests.ops import draws
from tinyrt.broadcast import broadcast_shape

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
