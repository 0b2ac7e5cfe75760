"""DEPTHWISE_CONV_2D: geometry, multipliers, quantization, and what is refused."""

import random
from dataclasses import replace
from typing import Any

import pytest

import tinyrt
from tests.builder import TensorSpec, single_operator
from tests.harness import agree
from tests.ops import draws
from tinyrt.errors import UnsupportedError


def layer(rng: random.Random, **fixed: Any) -> bytes:
    """A random layer; `fixed` replaces some of the draws."""
    geometry = draws.geometry(rng, **fixed)
    batches = fixed.get("batches", rng.choice((1, 1, 2)))
    depth = fixed.get("depth", rng.choice((1, 3, 4, 7)))
    multiplier = fixed.get("multiplier", rng.choice((1, 1, 2, 3)))
    channels = depth * multiplier
    source = draws.activation(rng, batches, *geometry.size, depth)
    filter_ = draws.weights(rng, (1, *geometry.kernel, channels), rng.choice((None, 3)))
    return single_operator(
        "DEPTHWISE_CONV_2D",
        [source, filter_, *draws.bias(rng, channels)],
        [draws.output(rng, source, filter_, batches, *geometry.output, channels)],
        depth_multiplier=multiplier,
        fused_activation_function=fixed.get("fused", rng.choice(draws.ACTIVATIONS)),
        **geometry.options,
    )


def test_random_layers() -> None:
    rng = random.Random(41)
    agree([layer(rng) for _ in range(40)], seed=41)


def test_geometry() -> None:
    rng = random.Random(42)
    agree(
        [
            layer(rng, size=(1, 1), kernel=(1, 1), depth=1, multiplier=1, batches=1),
            layer(rng, size=(1, 1), kernel=(4, 3), padding="SAME"),
            layer(rng, size=(3, 3), kernel=(3, 3), padding="VALID", dilations=(1, 1)),
            layer(rng, size=(2, 9), kernel=(5, 5), strides=(1, 1), padding="SAME"),
            layer(rng, size=(7, 6), kernel=(3, 3), strides=(4, 5), dilations=(1, 1)),
            layer(rng, size=(9, 9), kernel=(3, 3), dilations=(4, 3), padding="VALID"),
            layer(rng, size=(2, 2), kernel=(2, 3), dilations=(9, 5), padding="SAME"),
            layer(rng, size=(4, 4), kernel=(1, 1), strides=(9, 9), batches=3),
            layer(rng, size=(5, 5), depth=1, multiplier=8),
            layer(rng, size=(3, 3), depth=17, multiplier=1),
        ],
        seed=42,
    )


@pytest.mark.parametrize("fused", draws.ACTIVATIONS)
def test_activations(fused: str) -> None:
    rng = random.Random(fused)
    agree([layer(rng, fused=fused) for _ in range(4)])


def example(**changes: Any) -> bytes:
    """A layer that is supported, with some of its tensors or options replaced."""
    inputs = {
        "source": TensorSpec((1, 4, 4, 2), "int8", scale=0.5, zero_point=1),
        "filter": TensorSpec((1, 3, 3, 4), "int8", scale=[0.1] * 4, axis=3, data=bytes(36)),
        "bias": TensorSpec((4,), "int32", scale=0.05, data=[1, 2, 3, 4]),
    }
    output = changes.pop("output", TensorSpec((1, 2, 2, 4), "int8", scale=0.5))
    for name in inputs.keys() & changes.keys():
        inputs[name] = changes.pop(name)
    options = {"padding": "VALID", "stride_h": 1, "stride_w": 1, "depth_multiplier": 2} | changes
    return single_operator("DEPTHWISE_CONV_2D", list(inputs.values()), [output], **options)


FILTER = TensorSpec((1, 3, 3, 4), "int8", scale=[0.1] * 4, axis=3, data=bytes(36))

REFUSED = {
    "filter is present": example(filter=None),
    "filter is int8": example(filter=replace(FILTER, dtype="uint8")),
    "filter is a constant": example(filter=replace(FILTER, data=None)),
    "filter's first dimension is 1": example(
        filter=replace(FILTER, shape=(2, 3, 3, 2), scale=0.1, axis=0)
    ),
    "output channels are a multiple": example(
        filter=replace(FILTER, shape=(1, 3, 4, 3), scale=0.1, axis=0)
    ),
    "zero-point 0 and one scale, or one along axis 3": example(
        filter=replace(FILTER, shape=(1, 3, 4, 4), axis=2, data=bytes(48))
    ),
    "input scale · filter scale / output scale is less than 2\\^30": example(
        output=TensorSpec((1, 2, 2, 4), "int8", scale=1e-12)
    ),
    "bias is int32": example(bias=TensorSpec((4,), "int64", scale=0.05, data=[1, 2, 3, 4])),
    "one value for each output channel": example(
        bias=TensorSpec((3,), "int32", scale=0.05, data=[1, 2, 3])
    ),
    "32-bit accumulator": example(
        bias=TensorSpec((4,), "int32", scale=0.05, data=[0, 0, 0, 2**31 - 1]),
        filter=replace(FILTER, data=[1] * 36),
    ),
    "stride_h is from 1": example(stride_h=0),
    "stride_w is from 1": example(stride_w=-1),
    "dilation_h_factor is from 1": example(dilation_h_factor=0),
    "dilation_w_factor is from 1": example(dilation_w_factor=1 << 15),
    "fused activation": example(fused_activation_function="TANH"),
    "window of 9 over 4 elements": example(dilation_h_factor=4),
    "padding of 49150 elements": example(
        dilation_h_factor=32767,
        padding="SAME",
        source=TensorSpec((1, 1, 4, 2), "int8", scale=0.5),
        filter=replace(FILTER, shape=(1, 4, 1, 4), data=bytes(16)),
    ),
    "must have shape 1x2x2x4": example(output=TensorSpec((1, 2, 2, 2), "int8", scale=0.5)),
    "input has rank 4": example(source=TensorSpec((4, 4, 2), "int8", scale=0.5)),
    "outputs have the element type": example(output=TensorSpec((1, 2, 2, 4), "int16", scale=0.5)),
}


def test_the_example_is_supported() -> None:
    agree([example()])


@pytest.mark.parametrize("rule", REFUSED)
def test_refused(rule: str) -> None:
    with pytest.raises(UnsupportedError, match=rule):
        tinyrt.load(REFUSED[rule])
