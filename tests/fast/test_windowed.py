"""Convolutions on planes against their reference twins: geometry, bounds, profiles."""

import random
from dataclasses import replace

import pytest

from tests.fast.draws import PROFILES, STYLES, assert_same, content, conv, depthwise
from tinyrt.fast.convolve import ConvolutionRun
from tinyrt.fixedpoint import Numerics
from tinyrt.ops.conv_2d import Conv2D
from tinyrt.ops.depthwise_conv_2d import DepthwiseConv2D
from tinyrt.planar import Facts, Pitch


def check(
    kernel: Conv2D | DepthwiseConv2D, rng: random.Random, styles: tuple[str, ...] = STYLES
) -> None:
    size = kernel.batches * kernel.input_height * kernel.input_width * kernel.input_depth
    for style in styles:
        assert_same(kernel, [content(rng, size, style, -kernel.input_offset)], style)


@pytest.mark.parametrize("seed", range(60))
def test_random_convolutions(seed: int) -> None:
    rng = random.Random(seed)
    check(conv(rng), rng)


@pytest.mark.parametrize("seed", range(60))
def test_random_depthwise(seed: int) -> None:
    rng = random.Random(seed)
    check(depthwise(rng), rng)


@pytest.mark.parametrize("numerics", PROFILES)
@pytest.mark.parametrize("positions", [1, 5, 24])
def test_pointwise_by_lookups(numerics: Numerics, positions: int) -> None:
    rng = random.Random(positions)
    fixed = {"kernel": 1, "stride": 1, "dilation": 1, "groups": 1, "numerics": numerics}
    for depth, channels in ((33, 40), (64, 64), (7, 100)):
        kernel = conv(rng, height=positions, width=5, depth=depth, channels=channels, **fixed)
        check(kernel, rng, ("uniform", "edges"))
        check(replace(kernel, filter=rng.randbytes(depth * channels)), rng, ("uniform", "high"))


def test_accumulators_at_their_extremes() -> None:
    """All weights and all inputs at an extreme: every bound is met."""
    rng = random.Random(3)
    for weight in (b"\x80", b"\x7f"):
        for depth in (1, 16, 300):
            kernel = conv(
                rng, height=3, width=4, kernel=3, same=True, groups=1, depth=depth, channels=2
            )
            kernel = replace(kernel, filter=weight * len(kernel.filter))
            check(kernel, rng, ("low", "high", "edges", "uniform"))


def test_more_than_lanes_hold() -> None:
    """Biases and sums that need several vectors, and biases beyond what any lane is wide."""
    rng = random.Random(4)
    for bias in (1 << 19, 1 << 24, (1 << 31) - (1 << 22)):
        for _ in range(6):
            check(conv(rng, depth=16, groups=1, channels=4, bias=bias), rng, ("uniform", "edges"))


@pytest.mark.parametrize("numerics", PROFILES)
def test_steep_factors(numerics: Numerics) -> None:
    """Factors around 1 and above, up to where an accumulator wraps when it is shifted left."""
    rng = random.Random(5)
    for factor in (0.3, 0.499, 0.5, 0.75, 1.0, 1.5, 3.0, 100.0, 1e6, 1e9):
        kernel = conv(rng, numerics=numerics, factor=factor)
        check(kernel, rng, ("uniform", "edges", "sparse"))


def test_tiny_factors() -> None:
    rng = random.Random(6)
    for factor in (1e-4, 1e-6, 1e-9):
        check(conv(rng, factor=factor, bias=1 << 30), rng, ("uniform",))


def test_batches() -> None:
    rng = random.Random(7)
    for _ in range(10):
        check(conv(rng, batches=3), rng, ("uniform", "edges"))
        check(depthwise(rng, batches=2), rng, ("uniform", "edges"))


def test_windows_that_hardly_meet_the_input() -> None:
    rng = random.Random(8)
    for size, kernel, dilation, stride in (
        (2, 3, 9, 1),
        (1, 5, 1, 1),
        (4, 1, 1, 32767),
        (2, 2, 500, 1),
    ):
        fixed = {"height": size, "width": size, "kernel": kernel, "dilation": dilation}
        check(conv(rng, stride=stride, same=True, **fixed), rng, ("uniform",))
        check(depthwise(rng, stride=stride, same=True, **fixed), rng, ("uniform",))


def test_tall_images_lie_on_their_side() -> None:
    rng = random.Random(9)
    for height, width in ((40, 3), (3, 40), (25, 5), (1, 64), (64, 1)):
        check(conv(rng, height=height, width=width), rng, ("uniform",))
        check(depthwise(rng, height=height, width=width), rng, ("uniform",))


def test_lookups_of_fewer_bits() -> None:
    """Small weights but for a few: the few are multiplied, the rest looked up."""
    rng = random.Random(10)
    fixed = {"kernel": 1, "stride": 1, "dilation": 1, "groups": 1, "height": 12, "width": 10}
    for reach in (2, 7, 30):
        kernel = conv(rng, depth=48, channels=48, factor=0.001, bias=300, **fixed)
        small = [rng.randint(-reach, reach) for _ in range(48 * 48)]
        for place in rng.sample(range(48 * 48), 40):
            small[place] = rng.choice((-128, 127, 90))
        kernel = replace(kernel, filter=bytes(weight & 0xFF for weight in small))
        image = kernel.planar((1,))
        assert image is not None
        run = image.build(Pitch(10, 24), [Facts.none(48)])
        assert isinstance(run, ConvolutionRun)
        (table,) = [group.table for group in run.groups if group.table is not None]
        assert table.bits < 8
        assert any(job.beyond for job in table.jobs)
        check(kernel, rng, ("uniform", "edges", "high"))


def test_factors_are_raised_where_none_may_be_negative() -> None:
    """Several dense filters of many taps; one alone, or sparse ones, are left as they are."""
    rng = random.Random(11)
    fixed = {"kernel": 3, "stride": 1, "dilation": 1, "groups": 1, "height": 9, "width": 8}
    for channels, share, raised in ((4, 1.0, True), (1, 1.0, False), (4, 0.5, False)):
        kernel = conv(rng, depth=8, channels=channels, factor=0.001, bias=300, **fixed)
        weights = [
            rng.choice((rng.randint(-128, -1), rng.randint(1, 127))) if rng.random() < share else 0
            for _ in range(8 * 9 * channels)
        ]
        # A whole row of zeros is a factor that is zero.
        if share < 1:
            weights = [0 if n // 24 % 2 else weight for n, weight in enumerate(weights)]
        kernel = replace(kernel, filter=bytes(weight & 0xFF for weight in weights))
        image = kernel.planar((1,))
        assert image is not None
        run = image.build(Pitch(9, 24), [Facts.none(8)])
        assert isinstance(run, ConvolutionRun)
        assert any(group.raised_by for group in run.groups) == raised
        check(kernel, rng, ("uniform", "edges", "low", "high"))
