"""FULLY_CONNECTED in lanes of output channels against its reference twin."""

import random
from dataclasses import replace
from typing import Any

import pytest

from tests.fast.draws import PROFILES, STYLES, assert_same, content, filter_bytes, scales
from tinyrt.ops.fully_connected import FullyConnected


def layer(rng: random.Random, **fixed: Any) -> FullyConnected:
    """A random layer."""
    depth = fixed.get("depth", rng.choice((1, 2, 7, 8, 9, 64, 100)))
    channels = fixed.get("channels", rng.choice((1, 2, 10, 33)))
    per_channel = fixed.get("per_channel", rng.random() < 0.5)
    reach = fixed.get("bias", rng.choice((0, 1000, 100_000)))
    return FullyConnected(
        batches=fixed.get("batches", rng.choice((1, 1, 3))),
        input_depth=depth,
        output_depth=channels,
        input_offset=fixed.get("input_offset", rng.choice((128, 0, rng.randint(-127, 128)))),
        filter=filter_bytes(rng, depth * channels),
        bias=tuple(rng.randint(-reach, reach) for _ in range(channels)),
        per_channel=int(per_channel),
        **scales(
            rng,
            channels if per_channel else 1,
            depth,
            fixed.get("numerics", rng.choice(PROFILES)),
            fixed.get("factor"),
        ),
    )


def check(kernel: FullyConnected, rng: random.Random) -> None:
    size = kernel.batches * kernel.input_depth
    for style in STYLES:
        assert_same(kernel, [content(rng, size, style, -kernel.input_offset)], style)


@pytest.mark.parametrize("seed", range(80))
def test_random_layers(seed: int) -> None:
    rng = random.Random(seed)
    check(layer(rng), rng)


@pytest.mark.parametrize("per_channel", [False, True])
@pytest.mark.parametrize("zero_point", [-128, 0, 127])
def test_extremes(per_channel: bool, zero_point: int) -> None:
    """All weights and inputs at an extreme, products and lookups."""
    rng = random.Random(zero_point)
    for weight in (b"\x80", b"\x7f"):
        for depth in (8, 640):
            kernel = layer(
                rng, depth=depth, channels=9, per_channel=per_channel, input_offset=-zero_point
            )
            check(replace(kernel, filter=weight * (depth * 9)), rng)


def test_biases_beyond_narrow_lanes() -> None:
    rng = random.Random(1)
    for bias in (1 << 20, 1 << 26, 1 << 30):
        for factor in (1e-2, 1e-5, 1e-8):
            check(layer(rng, bias=bias, factor=factor), rng)


def test_steep_factors() -> None:
    rng = random.Random(2)
    for factor in (0.4, 1.0, 2.5, 1e6):
        for numerics in PROFILES:
            check(layer(rng, factor=factor, numerics=numerics), rng)
