"""Lowered kernels: random layers, odd sizes and tails, byte for byte on the host, M3 and M4."""

import random
from collections.abc import Sequence
from typing import Any

import pytest

import tinyrt
from tests.builder import TensorSpec, single_operator
from tests.corpus import MODELS
from tests.harness import agree, assert_c_agrees, python_tensors
from tests.ops import draws
from tinyrt.emit import emit
from tinyrt.fixedpoint import Numerics
from tinyrt.kernel import CKernel
from tinyrt.load import Optimize, lower
from tinyrt.lower.conv_2d_packed import Conv2DPacked
from tinyrt.lower.depthwise_conv_fours import DepthwiseConvFours
from tinyrt.lower.fully_connected_wide import FullyConnectedWide
from tinyrt.mcu.cases import Case
from tinyrt.plan import plan
from tinyrt.plan.trace_check import check_touches
from tinyrt.samples import random_inputs

TARGETS = ("host", "cortex-m3", "cortex-m4")
"""Portable C with sanitizers, portable C on a core, and the DSP instructions."""


def lowered_kernels(model: bytes) -> list[CKernel]:
    """The kernels that stand in for operators' own."""
    program = lower(tinyrt.load(model), Optimize.BALANCED)
    return [step.lowered for step in program.steps if step.lowered is not None]


def agree_lowered(models: Sequence[bytes], seed: int) -> None:
    """Assert that each layer is lowered, and that the C of all agrees with TFLM."""
    for model in models:
        assert lowered_kernels(model)
    agree(models, seed=seed, targets=TARGETS)


def weights(rng: random.Random, shape: Sequence[int], axis: int | None) -> TensorSpec:
    """Weights without −128, which has no place in a half; sometimes a channel of zeros."""
    spec = draws.weights(rng, shape, axis)
    assert spec.data is not None
    values = [max(-127, int(value)) for value in spec.data]
    if axis == 0 and rng.random() < 0.3:
        taps = len(values) // shape[0]
        values[:taps] = [0] * taps
    return TensorSpec(spec.shape, spec.dtype, scale=spec.scale, axis=spec.axis, data=values)


def bias(rng: random.Random, count: int) -> list[TensorSpec]:
    """Biases that leave room for the sums."""
    values = [rng.randint(-5000, 5000) for _ in range(count)]
    return [TensorSpec((count,), "int32", scale=1e-4, data=values)]


def conv_2d(rng: random.Random, **fixed: Any) -> bytes:
    geometry = draws.geometry(rng, **fixed)
    batches = fixed.get("batches", rng.choice((1, 1, 2)))
    depth = fixed.get("depth", rng.choice((1, 2, 3, 4, 8, 9)))
    channels = fixed.get("channels", rng.choice((2, 3, 4, 7)))
    source = draws.activation(rng, batches, *geometry.size, depth)
    filter_ = weights(rng, (channels, *geometry.kernel, depth), rng.choice((None, 0)))
    return single_operator(
        "CONV_2D",
        [source, filter_, *bias(rng, channels)],
        [draws.output(rng, source, filter_, batches, *geometry.output, channels)],
        fused_activation_function=rng.choice(draws.ACTIVATIONS),
        **geometry.options,
    )


def depthwise(rng: random.Random, **fixed: Any) -> bytes:
    stride = fixed.get("stride", rng.choice((1, 2)))
    geometry = draws.geometry(
        rng,
        kernel=(3, 3),
        strides=(stride, stride),
        dilations=(1, 1),
        padding=fixed.get("padding", rng.choice(("SAME", "VALID"))),
        size=fixed.get("size", (rng.randint(3, 12), rng.randint(3, 12))),
    )
    depth = fixed.get("depth", rng.choice((1, 2, 4, 7, 16)))
    source = draws.activation(rng, 1, *geometry.size, depth)
    filter_ = weights(rng, (1, 3, 3, depth), rng.choice((None, 3)))
    output = draws.output(rng, source, filter_, 1, *geometry.output, depth)
    return single_operator(
        "DEPTHWISE_CONV_2D",
        [source, filter_, *bias(rng, depth)],
        [TensorSpec(output.shape, "int8", scale=output.scale, zero_point=-128)],
        depth_multiplier=1,
        fused_activation_function=rng.choice(("NONE", "RELU")),
        **geometry.options,
    )


def one_channel(rng: random.Random, **fixed: Any) -> bytes:
    """Filters of one input channel, which are those of a convolution."""
    geometry = draws.geometry(rng, **fixed)
    channels = rng.choice((2, 3, 8))
    source = draws.activation(rng, rng.choice((1, 2)), *geometry.size, 1)
    filter_ = weights(rng, (1, *geometry.kernel, channels), rng.choice((None, 3)))
    return single_operator(
        "DEPTHWISE_CONV_2D",
        [source, filter_, *bias(rng, channels)],
        [draws.output(rng, source, filter_, source.shape[0], *geometry.output, channels)],
        depth_multiplier=channels,
        fused_activation_function=rng.choice(draws.ACTIVATIONS),
        **geometry.options,
    )


def any_window(rng: random.Random, depth: int, **fixed: Any) -> bytes:
    """A depthwise convolution whose window or activation no other kernel takes."""
    geometry = draws.geometry(rng, **fixed)
    batches = rng.choice((1, 2))
    source = draws.activation(rng, batches, *geometry.size, depth)
    filter_ = draws.weights(rng, (1, *geometry.kernel, depth), rng.choice((None, 3)))
    return single_operator(
        "DEPTHWISE_CONV_2D",
        [source, filter_, *draws.bias(rng, depth)],
        [draws.output(rng, source, filter_, batches, *geometry.output, depth)],
        depth_multiplier=1,
        fused_activation_function=rng.choice(draws.ACTIVATIONS),
        **geometry.options,
    )


def fully_connected(rng: random.Random, **fixed: Any) -> bytes:
    batches = fixed.get("batches", rng.choice((1, 1, 3)))
    depth = fixed.get("depth", 4 * rng.randint(1, 14))
    channels = fixed.get("channels", rng.randint(1, 20))
    source = draws.activation(rng, batches, depth)
    filter_ = weights(rng, (channels, depth), None)
    scale = source.scale * filter_.scale[0]
    values = [rng.randint(-5000, 5000) for _ in range(channels)]
    return single_operator(
        "FULLY_CONNECTED",
        [source, filter_, TensorSpec((channels,), "int32", scale=scale, data=values)],
        [draws.output(rng, source, filter_, batches, channels)],
        fused_activation_function=rng.choice(draws.ACTIVATIONS),
    )


def add(rng: random.Random) -> bytes:
    shape = (1, rng.randint(1, 5), rng.randint(1, 5), rng.randint(1, 9))
    zero_point = rng.choice((-128, -128, *draws.ZERO_POINTS))
    return single_operator(
        "ADD",
        [draws.activation(rng, *shape), draws.activation(rng, *shape)],
        [TensorSpec(shape, "int8", scale=rng.uniform(0.01, 0.3), zero_point=zero_point)],
        fused_activation_function=rng.choice(draws.ACTIVATIONS),
    )


def test_conv_2d() -> None:
    rng = random.Random(71)
    models = [conv_2d(rng) for _ in range(30)]
    models += [
        conv_2d(rng, size=(1, 1), kernel=(1, 1), depth=1, channels=2, batches=1),
        conv_2d(rng, size=(5, 5), kernel=(1, 1), strides=(1, 1), depth=64, channels=5),
        conv_2d(rng, size=(7, 4), kernel=(1, 1), strides=(2, 3), depth=12, channels=6),
        conv_2d(rng, size=(9, 9), kernel=(3, 3), strides=(1, 1), depth=20, padding="SAME"),
        conv_2d(rng, size=(8, 9), kernel=(3, 2), strides=(2, 2), depth=5, dilations=(2, 3)),
        conv_2d(rng, size=(49, 10), kernel=(10, 4), strides=(2, 2), depth=1, padding="SAME"),
    ]
    agree_lowered([model for model in models if lowered_kernels(model)], seed=71)


def test_depthwise_conv_2d() -> None:
    rng = random.Random(72)
    models = [depthwise(rng) for _ in range(24)]
    models += [
        *(
            depthwise(rng, size=size, padding="SAME", stride=1)
            for size in ((3, 3), (1, 5), (5, 1), (4, 11), (25, 5), (2, 2))
        ),
        *(
            depthwise(rng, size=size, padding="SAME", stride=2, depth=16)
            for size in ((5, 5), (6, 6), (9, 4))
        ),
        # A plane that holds a few rows only.
        depthwise(rng, size=(20, 96), stride=2, depth=4),
    ]
    agree_lowered([model for model in models if lowered_kernels(model)], seed=72)


def test_fully_connected() -> None:
    rng = random.Random(73)
    models = [fully_connected(rng) for _ in range(24)]
    models += [fully_connected(rng, channels=channels, depth=16) for channels in (1, 8, 9, 16)]
    agree_lowered([model for model in models if lowered_kernels(model)], seed=73)


def test_filters_of_one_channel() -> None:
    rng = random.Random(77)
    models = [one_channel(rng) for _ in range(16)]
    models.append(one_channel(rng, size=(9, 11), kernel=(5, 4), strides=(2, 2), padding="SAME"))
    models = [model for model in models if lowered_kernels(model)]
    assert sum(isinstance(lowered_kernels(m)[0], Conv2DPacked) for m in models) >= 12
    agree_lowered(models, seed=77)


def test_depthwise_conv_2d_of_any_window() -> None:
    rng = random.Random(79)
    models = [any_window(rng, depth) for depth in (4, 5, 6, 7, 8, 9, 16, 19)]
    models += [
        any_window(rng, 4, size=(7, 6), kernel=(5, 5), strides=(1, 1), padding="SAME"),
        any_window(rng, 7, size=(8, 9), kernel=(3, 3), strides=(2, 1), dilations=(2, 3)),
        any_window(rng, 12, size=(3, 3), kernel=(2, 2), strides=(1, 1), padding="SAME"),
        any_window(rng, 5, size=(1, 9), kernel=(1, 7), strides=(1, 2), padding="SAME"),
    ]
    kernels = [kernel for model in models for kernel in lowered_kernels(model)]
    assert sum(isinstance(kernel, DepthwiseConvFours) for kernel in kernels) >= 10
    agree(models, seed=79, targets=(*TARGETS, "cortex-m55"))


def test_sums_of_any_size() -> None:
    """Weights of -128, depths that no word divides, and rows whose sums leave 22 bits."""
    rng = random.Random(78)
    models = []
    for depth, channels in ((4, 1), (5, 4), (11, 9), (16, 2), (50, 3), (643, 5), (1000, 4)):
        source = draws.activation(rng, rng.choice((1, 2)), depth)
        filter_ = draws.weights(rng, (channels, depth), rng.choice((None, 0)))
        scale = source.scale * filter_.scale[0]
        values = [rng.randint(-90000, 90000) for _ in range(channels)]
        models.append(
            single_operator(
                "FULLY_CONNECTED",
                [source, filter_, TensorSpec((channels,), "int32", scale=scale, data=values)],
                [draws.output(rng, source, filter_, source.shape[0], channels)],
                fused_activation_function=rng.choice(draws.ACTIVATIONS),
            )
        )
    kernels = [kernel for model in models for kernel in lowered_kernels(model)]
    assert sum(isinstance(kernel, FullyConnectedWide) for kernel in kernels) >= 5
    agree(models, seed=78, targets=(*TARGETS, "cortex-m55"))


def test_add() -> None:
    rng = random.Random(74)
    models = [add(rng) for _ in range(24)]
    agree_lowered([model for model in models if lowered_kernels(model)], seed=74)


@pytest.mark.parametrize(
    ("make", "least"), [(conv_2d, 40), (depthwise, 40), (fully_connected, 40), (add, 40)]
)
def test_most_layers_are_lowered(make: Any, least: int) -> None:
    rng = random.Random(75)
    assert sum(bool(lowered_kernels(make(rng))) for _ in range(50)) >= least


def test_one_rounding() -> None:
    """The profile `single` has no oracle here: the plain kernels are held to LiteRT elsewhere."""
    rng = random.Random(76)
    models = [make(rng) for make in (conv_2d, depthwise, fully_connected, add) for _ in range(8)]
    programs = [tinyrt.load(model, Numerics.SINGLE) for model in models]
    runs = [(random_inputs(program.graph, 76),) for program in programs]
    cases = [
        Case(emit(lowered, plan(lowered), f"single_{number}", "single.tflite"), run)
        for number, (program, run) in enumerate(zip(programs, runs, strict=True))
        for lowered in (lower(program, Optimize.BALANCED),)
    ]
    expected = [
        (program, [python_tensors(model, run[0], "reference", "single")])
        for program, model, run in zip(programs, models, runs, strict=True)
    ]
    for target in TARGETS:
        assert_c_agrees(target, cases, expected)


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
@pytest.mark.parametrize("optimize", [Optimize.BALANCED, Optimize.SPEED])
def test_what_kernels_overwrite_is_read_before(path: Any, optimize: Optimize) -> None:
    program = lower(tinyrt.load(path.read_bytes()), optimize)
    check_touches(program, plan(program))


def test_size_keeps_the_plain_kernels() -> None:
    program = tinyrt.load(MODELS[0].read_bytes())
    again = lower(lower(program, Optimize.BALANCED), Optimize.SIZE)
    assert all(step.lowered is None for step in again.steps)
