"""Lowered kernels on a core with vectors: tails, odd sizes, and windows at every border."""

import math
import random
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

import tinyrt
from tests.builder import TensorSpec, single_operator
from tests.harness import agree
from tests.ops import draws, pairs
from tinyrt.kernel import CKernel
from tinyrt.load import Optimize, lower
from tinyrt.lower.add_same import AddSame
from tinyrt.lower.conv_2d_packed import Conv2DPacked
from tinyrt.lower.depthwise_conv_3x3 import DepthwiseConv3x3
from tinyrt.lower.fully_connected_packed import FullyConnectedPacked

TARGETS = ("cortex-m55",)
STYLES = ("uniform", "low", "high")


def layer(
    rng: random.Random,
    opcode: str,
    source: Sequence[int],
    filter_: Sequence[int],
    result: Sequence[int],
    **options: Any,
) -> bytes:
    """A layer with weights of all sizes but −128; the last axis or the first has the channels."""
    channels = result[-1]
    axis = 3 if opcode == "DEPTHWISE_CONV_2D" else 0
    low = -128 if options.get("fused_activation_function") == "RELU" else rng.randint(-128, 127)
    taps = math.prod(filter_) // channels
    reach = min(127, (1 << 15) // taps)  # sums stay below 2^22
    scales = [rng.uniform(0.0005, 0.02) for _ in range(channels)]
    spread = 0.1 * max(scales) * reach * math.sqrt(taps)
    return single_operator(
        opcode,
        [
            TensorSpec(source, "int8", scale=0.1, zero_point=rng.randint(-128, 127)),
            TensorSpec(
                filter_,
                "int8",
                scale=scales,
                axis=axis,
                data=[rng.randint(-reach, reach) for _ in range(math.prod(filter_))],
            ),
            TensorSpec(
                (channels,),
                "int32",
                scale=1e-4,
                data=[rng.randint(-9000, 9000) for _ in range(channels)],
            ),
        ],
        [TensorSpec(result, "int8", scale=spread * rng.uniform(0.2, 1.5), zero_point=low)],
        **options,
    )


def window(
    rng: random.Random, size: tuple[int, int], depth: int, channels: int | None, **fixed: Any
) -> bytes:
    """A convolution of a size; depthwise where no number of channels is given."""
    geometry = draws.geometry(rng, **{"size": size, "dilations": (1, 1), **fixed})
    options = geometry.options | {"fused_activation_function": fixed.get("fused", "NONE")}
    shapes = (1, *size, depth)
    if channels is None:
        filter_ = (1, *geometry.kernel, depth)
        result = (1, *geometry.output, depth)
        options["depth_multiplier"] = 1
        return layer(rng, "DEPTHWISE_CONV_2D", shapes, filter_, result, **options)
    filter_ = (channels, *geometry.kernel, depth)
    return layer(rng, "CONV_2D", shapes, filter_, (1, *geometry.output, channels), **options)


def assert_agree(models: list[bytes], kernel: type[CKernel], seed: int) -> None:
    """All the models have such a kernel, and it computes what TFLM does."""
    for model in models:
        assert isinstance(lower(tinyrt.load(model), Optimize.SPEED).steps[0].lowered, kernel)
    agree(models, seed=seed, styles=STYLES, targets=TARGETS)


CONVOLUTIONS: tuple[dict[str, Any], ...] = (
    {"size": (3, 3), "kernel": (1, 1), "strides": (1, 1)},
    {"size": (5, 7), "kernel": (3, 3), "strides": (1, 1)},
    {"size": (6, 5), "kernel": (3, 2), "strides": (2, 2), "padding": "SAME"},
    {"size": (7, 6), "kernel": (2, 3), "strides": (2, 1), "dilations": (2, 2)},
)


@pytest.mark.parametrize("fused", ["NONE", "RELU", "RELU6"])
def test_conv_2d(fused: str) -> None:
    rng = random.Random(fused)
    models = [
        window(rng, depth=depth, channels=channels, fused=fused, **geometry)
        for geometry in CONVOLUTIONS
        for depth, channels in ((1, 2), (4, 3), (11, 7), (16, 4), (20, 5), (64, 2))
    ]
    assert_agree(models, Conv2DPacked, 201)


def depthwise_sizes() -> Iterator[tuple[tuple[int, int], int]]:
    """Heights and widths, and a depth that is not the same for all."""
    sizes = ((1, 1), (3, 3), (3, 4), (2, 9), (6, 6), (7, 9), (25, 5), (17, 21), (4, 35), (9, 131))
    for number, size in enumerate(sizes):
        yield size, (1, 3, 4, 8, 16, 17)[number % 6]


@pytest.mark.parametrize("stride", [1, 2])
def test_depthwise_conv_3x3(stride: int) -> None:
    rng = random.Random(stride)
    models = [
        window(
            rng,
            size,
            depth,
            None,
            kernel=(3, 3),
            strides=(stride, stride),
            padding=padding,
            fused="RELU",
        )
        for padding in ("SAME", "VALID")
        for size, depth in depthwise_sizes()
    ]
    assert_agree(models, DepthwiseConv3x3, 202)


def test_depthwise_conv_3x3_of_many_channels() -> None:
    """Where there is room, sixteen channels of a pixel go together."""
    rng = random.Random(206)
    models = [
        window(
            rng,
            size,
            depth,
            None,
            kernel=(3, 3),
            strides=(stride, stride),
            padding=padding,
            fused="RELU",
        )
        for padding in ("SAME", "VALID")
        for stride in (1, 2)
        for size, depth in (((3, 3), 32), ((4, 3), 16), ((6, 6), 16), ((8, 5), 48))
    ]
    for model in models:
        kernel = lower(tinyrt.load(model), Optimize.SPEED).steps[0].lowered
        assert isinstance(kernel, DepthwiseConv3x3)
        assert kernel.lanes
    agree(models, seed=206, styles=STYLES, targets=TARGETS, optimize=Optimize.SPEED)


def test_fully_connected() -> None:
    rng = random.Random(203)
    models = [
        layer(
            rng,
            "FULLY_CONNECTED",
            (batches, depth),
            (units, depth),
            (batches, units),
            fused_activation_function=fused,
        )
        for units in (1, 7, 8, 12, 33)
        for depth in (4, 12, 16, 20, 132)
        for batches, fused in ((1, "NONE"), (3, "RELU"), (1, "RELU6"))
    ]
    assert_agree(models, FullyConnectedPacked, 203)


def test_add() -> None:
    rng = random.Random(204)
    models = [
        pairs.random_int8(
            "ADD",
            rng,
            shapes=((1, size), (1, size)),
            constant=None,
            fused=fused,
            scales=scales,
            output_scale=output,
        )
        for fused in draws.ACTIVATIONS
        for size in (1, 15, 16, 37)
        for scales, output in (((0.5, 0.31), 0.9), ((0.02, 0.5), 0.7), ((0.4, 0.4), 1.1))
    ]
    # Where rounding once instead of twice would show, an ADD keeps its own kernel.
    fit = [
        model
        for model in models
        if lower(tinyrt.load(model), Optimize.SPEED).steps[0].lowered is not None
    ]
    assert len(fit) > len(models) // 2
    assert_agree(fit, AddSame, 204)
