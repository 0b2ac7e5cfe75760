"""Models of one operator that maps each int8 element by itself: nearly all values occur in each."""

import random
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tests.builder import TensorSpec, single_operator
from tests.ops import draws

SHAPE = (2, 700)
"""Elements enough that hardly any of the 256 values is missing from random bytes."""
RATIOS = (1.0, 0.5, 2.0, 1 / 3, 3.0, 2.5, 10.0, 25.0, 0.01, 1e-5, 300.0, 1e6)
"""Output scale to input scale: ties, saturation, results that vanish."""


def model(opcode: str, scale: float, output_scale: float, **options: Any) -> bytes:
    """A model with the given scales."""
    zero_point = options.pop("zero_point", 0)
    output_zero_point = options.pop("output_zero_point", zero_point)
    shape = options.pop("shape", SHAPE)
    return single_operator(
        opcode,
        [TensorSpec(shape, "int8", scale=scale, zero_point=zero_point)],
        [TensorSpec(shape, "int8", scale=output_scale, zero_point=output_zero_point)],
        **options,
    )


def random_model(opcode: str, rng: random.Random, **fixed: Any) -> bytes:
    """A random model; `fixed` replaces some of the draws."""
    scale = fixed.pop("scale", None) or rng.choice(
        (rng.uniform(0.01, 0.2), 10 ** rng.uniform(-6, 2))
    )
    return model(
        opcode,
        scale,
        fixed.pop("output_scale", None) or scale * rng.choice((*RATIOS, rng.uniform(0.3, 3))),
        zero_point=rng.choice(draws.ZERO_POINTS),
        output_zero_point=fixed.pop("output_zero_point", rng.choice(draws.ZERO_POINTS)),
        **fixed,
    )


def notable(opcode: str, **fixed: Any) -> list[bytes]:
    """Small shapes, and each ratio of scales."""
    shapes = ((), (1,), (1, 1, 1, 1), (3, 5, 7))
    models = [model(opcode, 0.1, 0.1, **{"shape": shape} | fixed) for shape in shapes]
    return models + [model(opcode, 0.1, 0.1 * ratio, zero_point=-3, **fixed) for ratio in RATIOS]


def example(opcode: str, **changes: Any) -> bytes:
    """A model that is supported, with some of its tensors or options replaced."""
    tensor = TensorSpec((2, 3), "int8", scale=0.5, zero_point=-128)
    source, output = changes.pop("source", tensor), changes.pop("output", tensor)
    return single_operator(opcode, [source], [output], **changes)


def refused(opcode: str) -> Mapping[str, bytes]:
    """Models that are refused, by the rule that they break."""
    tensor = TensorSpec((2, 3), "int8", scale=0.5, zero_point=-128)
    return {
        "outputs have the element type": example(opcode, output=replace(tensor, dtype="int16")),
        "input is quantized with one": example(opcode, source=replace(tensor, scale=None)),
        "must have shape 2x3": example(opcode, output=replace(tensor, shape=(3, 2))),
    }


def refused_output(opcode: str) -> Mapping[str, bytes]:
    """Models that are refused where the output's quantization counts."""
    tensor = TensorSpec((2, 3), "int8", scale=0.5, zero_point=-128)
    return {
        "outputs are quantized with one": example(opcode, output=replace(tensor, scale=[0.5, 1.0]))
    }
