"""MEAN: any axes, scales at the ends of the shift's range, and what is refused."""

import itertools
import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

import tinyrt
from tests.builder import TensorSpec, single_operator
from tests.harness import agree
from tests.ops import draws
from tinyrt.errors import UnsupportedError


def mean(
    source: TensorSpec, axes: Sequence[int], keep_dims: bool, scale: float, zero_point: int
) -> bytes:
    """A model whose output shape follows from the axes."""
    rank = len(source.shape)
    reduced = {axis % rank for axis in axes} if rank else set()
    sizes = [
        1 if axis in reduced else size
        for axis, size in enumerate(source.shape)
        if keep_dims or axis not in reduced
    ]
    return single_operator(
        "MEAN",
        [source, TensorSpec((len(axes),), "int32", data=axes)],
        [TensorSpec(sizes, "int8", scale=scale, zero_point=zero_point)],
        keep_dims=keep_dims,
    )


def random_mean(rng: random.Random, shape: Sequence[int], axes: Sequence[int]) -> bytes:
    source = draws.activation(rng, *shape)
    scale = source.scale * rng.choice((1.0, 0.1, 0.37, 1.7, 30.0))
    return mean(source, axes, rng.random() < 0.5, scale, rng.choice(draws.ZERO_POINTS))


def test_all_axes_of_an_image() -> None:
    rng = random.Random(91)
    choices = [axes for count in range(1, 5) for axes in itertools.permutations(range(4), count)]
    sample = [axes for axes in choices if len(axes) < 3 or rng.random() < 0.3]
    agree([random_mean(rng, (2, 3, 4, 5), axes) for axes in sample], seed=91, styles=("uniform",))


def test_shapes() -> None:
    rng = random.Random(92)
    layers: list[tuple[tuple[int, ...], tuple[int, ...]]] = [
        ((7,), (0,)),
        ((1,), (-1,)),
        ((), (0,)),
        ((3, 5), (0, 0, -2)),
        ((2, 3, 4), (-1, 0)),
        ((1, 1, 1, 1), (1, 2)),
        ((1, 6, 5, 16), (1, 2)),
        ((1, 6, 5, 16), (2, 1)),
        ((1, 6, 5, 16), (-2, -3)),
        ((2, 1, 9, 3), (1, 2)),
        ((2, 2, 3, 2, 2), (0, 2, 4)),
        ((2, 3, 2, 2, 1, 3), (1, 3, 5)),
        ((1, 64, 64, 3), (1, 2)),
    ]
    agree([random_mean(rng, *layer) for layer in layers], seed=92)


def test_random_layers() -> None:
    rng = random.Random(93)
    models = []
    for _ in range(24):
        shape = [rng.randint(1, 6) for _ in range(rng.randint(1, 5))]
        axes = rng.sample(range(-len(shape), len(shape)), rng.randint(1, len(shape)))
        models.append(random_mean(rng, shape, axes))
    agree(models, seed=93)


def test_scales() -> None:
    """Shifts from left ones to −31, where no bits are left to put in front of the division."""
    models = []
    for ratio in (1e8, 300.0, 2.0, 1.0, 0.4, 1e-5, 3e-9, 6e-10, 2.4e-10, 1e-10, 1e-20):
        source = TensorSpec((1, 5, 7, 3), "int8", scale=1e-3, zero_point=-128)
        models.append(mean(source, (1, 2), True, 1e-3 / ratio, 9))
    agree(models, seed=94)


SOURCE = TensorSpec((1, 4, 4, 2), "int8", scale=0.5, zero_point=1)
AXES = TensorSpec((2,), "int32", data=(1, 2))
OUTPUT = TensorSpec((1, 2), "int8", scale=0.5)


def example(
    source: TensorSpec = SOURCE,
    axes: TensorSpec | None = AXES,
    output: TensorSpec = OUTPUT,
    **options: Any,
) -> bytes:
    return single_operator("MEAN", [source, axes], [output], **options)


REFUSED = {
    "axis is present": example(axes=None),
    "axis is int32": example(axes=replace(AXES, dtype="int64")),
    "axis is a constant": example(axes=replace(AXES, data=None)),
    "outputs have the element type": example(output=replace(OUTPUT, dtype="int16")),
    "input is quantized": example(source=replace(SOURCE, scale=None)),
    "outputs are quantized": example(output=replace(OUTPUT, scale=[0.5, 0.5], axis=1)),
    "axis 4 of": example(axes=replace(AXES, data=(1, 4))),
    "axis -5 of": example(axes=replace(AXES, data=(-5, 1))),
    "at most 2\\^23 inputs": example(
        source=replace(SOURCE, shape=(1, 4096, 2049, 1)), output=replace(OUTPUT, shape=(1, 1))
    ),
    "input scale / output scale is less than 2\\^30": example(output=replace(OUTPUT, scale=1e-10)),
    "must have shape 1x2": example(output=replace(OUTPUT, shape=(1, 1, 1, 2))),
    "must have shape 1x1x1x2": example(keep_dims=True),
}


def test_the_example_is_supported() -> None:
    scalar = TensorSpec((), "int32", data=-1)
    agree([example(), example(axes=scalar, output=replace(OUTPUT, shape=(1, 4, 4)))])


@pytest.mark.parametrize("rule", REFUSED)
def test_refused(rule: str) -> None:
    with pytest.raises(UnsupportedError, match=rule):
        tinyrt.load(REFUSED[rule])
