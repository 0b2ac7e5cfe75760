"""Models of one pooling operator: random ones, those with notable geometry, and refused ones."""

import random
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tests.builder import TensorSpec, single_operator
from tests.harness import agree
from tests.ops import draws


def random_layer(opcode: str, rng: random.Random, **fixed: Any) -> bytes:
    """A random layer; `fixed` replaces some of the draws."""
    window = draws.geometry(rng, **({"dilations": (1, 1)} | fixed))
    batches, depth = rng.choice((1, 1, 3)), rng.choice((1, 2, 5, 16))
    source = draws.activation(rng, batches, *window.size, depth)
    return single_operator(
        opcode,
        [source],
        [replace(source, shape=(batches, *window.output, depth))],
        padding=window.padding,
        stride_h=window.strides[0],
        stride_w=window.strides[1],
        filter_height=window.kernel[0],
        filter_width=window.kernel[1],
        fused_activation_function=fixed.get("fused", rng.choice(draws.ACTIVATIONS)),
    )


def geometry(opcode: str, rng: random.Random) -> list[bytes]:
    """Sizes at the edge of what a window can meet."""
    return [
        random_layer(opcode, rng, size=(1, 1), kernel=(1, 1), strides=(1, 1)),
        random_layer(opcode, rng, size=(1, 1), kernel=(5, 4), padding="SAME"),
        random_layer(opcode, rng, size=(4, 5), kernel=(4, 5), padding="VALID"),
        random_layer(opcode, rng, size=(2, 3), kernel=(9, 9), strides=(1, 1), padding="SAME"),
        random_layer(opcode, rng, size=(7, 7), kernel=(2, 2), strides=(5, 6)),
        random_layer(opcode, rng, size=(3, 4), kernel=(65535, 3), padding="SAME"),
        random_layer(opcode, rng, size=(3, 4), kernel=(2, 2), strides=(1 << 29, 1)),
    ]


def example(opcode: str, **changes: Any) -> bytes:
    """A layer that is supported, with some of its tensors or options replaced."""
    source = changes.pop("source", TensorSpec((1, 4, 4, 2), "int8", scale=0.5, zero_point=1))
    output = changes.pop("output", TensorSpec((1, 2, 2, 2), "int8", scale=0.5, zero_point=1))
    options = {
        "padding": "VALID",
        "stride_h": 2,
        "stride_w": 2,
        "filter_height": 2,
        "filter_width": 2,
    } | changes
    return single_operator(opcode, [source], [output], **options)


def refused(opcode: str) -> Mapping[str, bytes]:
    """Layers that are refused, by the rule that they break."""
    return {
        "input has rank 4": example(opcode, source=TensorSpec((4, 4, 2), "int8", scale=0.5)),
        "one scale and zero-point": example(opcode, source=TensorSpec((1, 4, 4, 2), "int8")),
        "outputs are quantized with one": example(
            opcode, output=TensorSpec((1, 2, 2, 2), "int8", scale=[0.5, 0.5], axis=3)
        ),
        "same zero-point": example(
            opcode, output=TensorSpec((1, 2, 2, 2), "int8", scale=0.5, zero_point=2)
        ),
        "scales at most 0.000001 apart": example(
            opcode, output=TensorSpec((1, 2, 2, 2), "int8", scale=0.50001, zero_point=1)
        ),
        "outputs have the element type": example(
            opcode, output=TensorSpec((1, 2, 2, 2), "int16", scale=0.5)
        ),
        "stride_h is from 1": example(opcode, stride_h=0),
        "stride_w is from 1": example(opcode, stride_w=-3),
        "filter_height is from 1": example(opcode, filter_height=0),
        "filter_width is from 1": example(opcode, filter_width=-1),
        "fused activation": example(opcode, fused_activation_function="TANH"),
        "window of 5 over 4 elements": example(opcode, filter_height=5),
        "from 1 to 536870912": example(opcode, filter_height=(1 << 29) + 1),
        "padding of 32768 elements": example(
            opcode, filter_height=65541, stride_h=4, padding="SAME"
        ),
        "must have shape 1x2x2x2": example(
            opcode, output=TensorSpec((1, 2, 2, 3), "int8", scale=0.5, zero_point=1)
        ),
    }


def nearly_equal_scales(opcode: str) -> bytes:
    """Input and output scales that differ, but by less than TFLM minds."""
    output = TensorSpec((1, 2, 2, 2), "int8", scale=0.5000005, zero_point=1)
    return example(opcode, output=output, fused_activation_function="RELU6")


def check(opcode: str, seed: int) -> None:
    """Random layers, notable geometry, each activation, scales that all but agree."""
    rng = random.Random(seed)
    agree([random_layer(opcode, rng) for _ in range(32)], seed=seed)
    agree(geometry(opcode, random.Random(seed + 1)))
    rng = random.Random(seed + 2)
    agree([random_layer(opcode, rng, fused=fused) for fused in draws.ACTIVATIONS for _ in range(4)])
    agree([nearly_equal_scales(opcode), example(opcode)])
