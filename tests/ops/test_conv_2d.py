"""CONV_2D: geometry, groups, weights and accumulators at their extremes, and what is refused."""

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
    groups = fixed.get("groups", rng.choice((1, 1, 1, 2, 3)))
    depth = groups * fixed.get("group_inputs", rng.choice((1, 2, 3, 5)))
    channels = groups * fixed.get("group_outputs", rng.choice((1, 2, 4, 5)))
    source = draws.activation(rng, batches, *geometry.size, depth)
    filter_ = draws.weights(
        rng, (channels, *geometry.kernel, depth // groups), rng.choice((None, 0))
    )
    return single_operator(
        "CONV_2D",
        [source, filter_, *draws.bias(rng, channels)],
        [draws.output(rng, source, filter_, batches, *geometry.output, channels)],
        fused_activation_function=fixed.get("fused", rng.choice(draws.ACTIVATIONS)),
        **geometry.options,
    )


def test_random_layers() -> None:
    rng = random.Random(31)
    agree([layer(rng) for _ in range(32)], seed=31)


def test_geometry() -> None:
    rng = random.Random(32)
    agree(
        [
            layer(rng, size=(1, 1), kernel=(1, 1), groups=1, group_inputs=1, group_outputs=1),
            layer(rng, size=(1, 1), kernel=(4, 3), padding="SAME"),
            layer(rng, size=(3, 3), kernel=(3, 3), dilations=(1, 1), padding="VALID"),
            layer(rng, size=(2, 9), kernel=(5, 5), strides=(1, 1), padding="SAME"),
            layer(rng, size=(7, 6), kernel=(3, 3), strides=(4, 5), dilations=(1, 1)),
            layer(rng, size=(9, 9), kernel=(3, 3), dilations=(4, 3), padding="VALID"),
            layer(rng, size=(2, 2), kernel=(2, 3), dilations=(9, 5), padding="SAME"),
            layer(rng, size=(4, 4), kernel=(1, 1), strides=(32767, 32767), batches=3),
            layer(rng, size=(1, 3), kernel=(2, 1), dilations=(32767, 1), padding="SAME"),
            layer(rng, size=(5, 4), kernel=(1, 1), strides=(1, 1), group_inputs=17),
        ],
        seed=32,
    )


def test_groups() -> None:
    rng = random.Random(33)
    agree(
        [
            layer(rng, groups=groups, group_inputs=inputs, group_outputs=outputs)
            for groups in (2, 4, 7)
            for inputs in (1, 3)
            for outputs in (1, 2)
        ],
        seed=33,
    )


def test_activations() -> None:
    rng = random.Random(34)
    agree([layer(rng, fused=fused) for fused in draws.ACTIVATIONS for _ in range(3)], seed=34)


def extreme(weight: int, bias: int, zero_point: int, factor: float, offset: int) -> bytes:
    """One sum of 64 products whose sign, size and scale are given."""
    return single_operator(
        "CONV_2D",
        [
            TensorSpec((1, 4, 4, 4), "int8", scale=1.0, zero_point=zero_point),
            TensorSpec((1, 4, 4, 4), "int8", scale=[factor], data=[weight] * 64),
            TensorSpec((1,), "int32", scale=factor, data=[bias]),
        ],
        [TensorSpec((1, 1, 1, 1), "int8", scale=1.0, zero_point=offset)],
        padding="VALID",
        stride_h=1,
        stride_w=1,
    )


def test_extreme_sums() -> None:
    """The ends of int32 as bias, of int8 as weight and zero-points, of the shift as factor."""
    room = 64 * 128 * 255
    agree(
        [
            extreme(weight, bias, zero_point, factor, offset)
            for weight, bias in (
                (-128, -(2**31) + room),
                (127, 2**31 - 1 - room),
                (-128, 2**31 - 1 - room),
                (1, 0),
            )
            for zero_point in (-128, 127)
            for factor, offset in ((2.0**-31, 127), (2.0**-25, -128), (0.999, 0), (2.0**29, -128))
        ],
        seed=35,
        styles=("uniform", "low", "high"),
    )


SOURCE = TensorSpec((1, 4, 4, 2), "int8", scale=0.5, zero_point=1)
FILTER = TensorSpec((4, 3, 3, 2), "int8", scale=[0.1] * 4, data=bytes(72))
BIAS = TensorSpec((4,), "int32", scale=0.05, data=[1, 2, 3, 4])
OUTPUT = TensorSpec((1, 2, 2, 4), "int8", scale=0.5)


def example(
    source: TensorSpec = SOURCE,
    filter_: TensorSpec | None = FILTER,
    bias: TensorSpec = BIAS,
    output: TensorSpec = OUTPUT,
    **options: Any,
) -> bytes:
    """A layer that is supported, with some of its tensors or options replaced."""
    inputs = [source, filter_, bias]
    options = {"padding": "VALID", "stride_h": 1, "stride_w": 1} | options
    return single_operator("CONV_2D", inputs, [output], **options)


REFUSED = {
    "filter is present": example(filter_=None),
    "filter is int8": example(filter_=replace(FILTER, dtype="uint8")),
    "filter is a constant": example(filter_=replace(FILTER, data=None)),
    "filter has rank 4": example(filter_=replace(FILTER, shape=(4, 9, 2))),
    "filter depth divides": example(
        filter_=replace(FILTER, shape=(4, 3, 2, 3)),
    ),
    "groups divide the output channels": example(
        filter_=replace(FILTER, shape=(3, 3, 8, 1), scale=0.1)
    ),
    "zero-point 0 and one scale, or one along axis 0": example(
        filter_=replace(FILTER, shape=(4, 3, 3, 2), scale=[0.1, 0.1], axis=3)
    ),
    "zero-points other than 0": example(filter_=replace(FILTER, zero_point=-1)),
    "input scale · filter scale / output scale is less than 2\\^30": example(
        output=replace(OUTPUT, scale=1e-12)
    ),
    "bias is int32": example(bias=replace(BIAS, dtype="int64")),
    "bias is a constant": example(bias=replace(BIAS, data=None)),
    "one value for each output channel": example(bias=replace(BIAS, shape=(3,), data=[1, 2, 3])),
    "32-bit accumulator": example(
        bias=replace(BIAS, data=[0, 0, -(2**31), 0]), filter_=replace(FILTER, data=[1] * 72)
    ),
    "stride_h is from 1": example(stride_h=0),
    "stride_w is from 1": example(stride_w=1 << 15),
    "dilation_h_factor is from 1": example(dilation_h_factor=-1),
    "dilation_w_factor is from 1": example(dilation_w_factor=0),
    "fused activation": example(fused_activation_function="TANH"),
    "window of 5 over 4 elements": example(dilation_w_factor=2),
    "padding of 49150 elements": example(
        filter_=replace(FILTER, shape=(4, 1, 4, 2), data=bytes(32)),
        dilation_w_factor=32767,
        padding="SAME",
    ),
    "must have shape 1x2x2x4": example(output=replace(OUTPUT, shape=(1, 3, 2, 4))),
    "input has rank 4": example(source=replace(SOURCE, shape=(4, 4, 2))),
    "input is quantized with one scale": example(source=replace(SOURCE, scale=None)),
    "outputs are quantized with one": example(output=replace(OUTPUT, scale=[0.5] * 4, axis=3)),
    "outputs have the element type": example(output=replace(OUTPUT, dtype="int16")),
}


def test_the_example_is_supported() -> None:
    agree([example()])


@pytest.mark.parametrize("rule", REFUSED)
def test_refused(rule: str) -> None:
    with pytest.raises(UnsupportedError, match=rule):
        tinyrt.load(REFUSED[rule])
