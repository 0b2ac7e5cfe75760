"""Pooling and means in lanes against their reference twins."""

import random
from dataclasses import replace
from typing import Any

import pytest

from tests.fast.draws import PROFILES, STYLES, assert_same, axis, content
from tinyrt.fast.stacked import StackedRun
from tinyrt.fixedpoint import quantize_multiplier
from tinyrt.ops.average_pool_2d import AveragePool2D
from tinyrt.ops.max_pool_2d import MaxPool2D
from tinyrt.ops.mean import Mean
from tinyrt.planar import Facts, Grid, Image, Phases, Pitch, Planes
from tinyrt.pooling import Pool2D


def pool(kind: type[Pool2D], rng: random.Random, **fixed: Any) -> Pool2D:
    """A random layer."""
    h, kh, sh, _, pt, oh = axis(rng, {"dilation": 1, **fixed}, "height")
    w, kw, sw, _, pl, ow = axis(rng, {"dilation": 1, **fixed}, "width")
    low = fixed.get("low", rng.choice((-128, -128, rng.randint(-128, 100))))
    return kind(
        batches=fixed.get("batches", 1),
        input_height=h,
        input_width=w,
        depth=fixed.get("depth", rng.choice((1, 3, 8))),
        filter_height=kh,
        filter_width=kw,
        output_height=oh,
        output_width=ow,
        stride_height=sh,
        stride_width=sw,
        pad_top=pt,
        pad_left=pl,
        activation_min=low,
        activation_max=rng.choice((127, 127, rng.randint(low, 127))),
    )


def check(kernel: Pool2D, rng: random.Random) -> None:
    size = kernel.batches * kernel.input_height * kernel.input_width * kernel.depth
    for style in STYLES:
        assert_same(kernel, [content(rng, size, style)], style)


@pytest.mark.parametrize("kind", [AveragePool2D, MaxPool2D])
@pytest.mark.parametrize("seed", range(40))
def test_random_layers(kind: type[Pool2D], seed: int) -> None:
    rng = random.Random(seed)
    check(pool(kind, rng), rng)


@pytest.mark.parametrize("kind", [AveragePool2D, MaxPool2D])
@pytest.mark.parametrize("kernel", [1, 2, 3, 4, 6])
def test_windows_side_by_side(kind: type[Pool2D], kernel: int) -> None:
    """Even counts have halves to be rounded, of either sign."""
    rng = random.Random(kernel)
    fixed = {"height": 12, "width": 12, "kernel": kernel, "stride": kernel, "same": False}
    check(pool(kind, rng, low=-128, **fixed), rng)
    check(pool(kind, rng, batches=2, **fixed), rng)


def test_one_window_over_the_image() -> None:
    rng = random.Random(1)
    for size in (1, 2, 5, 8):
        fixed = {"height": size, "width": size, "kernel": size, "stride": 1, "same": False}
        for low in (-128, -20, 30):
            check(pool(AveragePool2D, rng, low=low, **fixed), rng)


@pytest.mark.parametrize("numerics", PROFILES)
@pytest.mark.parametrize("count", [1, 9, 49, 300])
def test_means(numerics: Any, count: int) -> None:
    rng = random.Random(count)
    for outputs in (1, 7, 64):
        multiplier, shift = quantize_multiplier(2.0 ** rng.uniform(-2, 2), numerics)
        spare = min(count.bit_length() - 1, 31 + shift)
        kernel = Mean(
            outputs=outputs,
            count=count,
            kept_rank=1,
            kept_sizes=(outputs,),
            kept_strides=(1,),
            reduced_rank=1,
            reduced_sizes=(count,),
            reduced_strides=(outputs,),
            input_offset=rng.randint(-127, 128),
            output_offset=rng.randint(-128, 127),
            multiplier=(multiplier << spare) // count,
            shift=shift - spare,
            numerics=numerics,
        )
        for style in STYLES:
            assert_same(kernel, [content(rng, outputs * count, style)], style)


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("kind", [AveragePool2D, MaxPool2D])
def test_windows_inside_are_done_for_all_channels_at_once(kind: type[Pool2D], turned: bool) -> None:
    """Any stride, rows and columns left over, from bytes and from planes of other grids."""
    rng = random.Random(turned)
    stacked = 0
    for _ in range(60):
        fixed = {"same": False, "kernel": rng.choice((2, 2, 3)), "stride": rng.choice((1, 2, 3))}
        kernel = pool(kind, rng, height=rng.randint(3, 9), width=rng.randint(3, 9), **fixed)
        image = kernel.planar((1,))
        if image is None:
            continue
        size = kernel.input_height * kernel.input_width * kernel.depth
        pitch = Pitch(image.row_lanes(turned), 20, turned)
        run = image.build(pitch, [Facts.none(kernel.depth)])
        assert run is not None
        stacked += isinstance(run, StackedRun)
        # Windows that overlap all the way, and those that reach outside, take planes.
        assert fixed["stride"] > 1 or not isinstance(run, StackedRun)
        for style in STYLES:
            data = content(rng, size, style)
            expected = bytes(kernel.reference(data)[0])
            sources = [data]
            for other in (
                Pitch(kernel.input_width + 1, 24),
                Pitch(kernel.input_height + 2, 20, turned=True),
                Pitch(kernel.input_width + 2, 22, bands=2),
            ):
                grid = Grid.of(image.source, other)
                phases = Phases(image.source, other, 1, 1, ((0, 0),), range(kernel.depth))
                sources.append(Planes(grid, phases.planes(data)))
            for source in sources:
                planes = Planes(Grid.of(image.target, pitch), run.run(run.phases.planes(source)))
                assert planes.to_bytes() == expected, f"{style}\n{kernel}"
    assert stacked >= 20


def test_windows_of_more_inputs_than_lanes_can_add_up() -> None:
    """Averages of large windows are left to sums in parts."""
    rng = random.Random(12)
    fixed = {"height": 140, "width": 140, "kernel": 70, "stride": 70, "same": False, "depth": 1}
    kernel = replace(pool(AveragePool2D, rng, low=-128, **fixed), activation_max=127)
    image = kernel.planar((1,))
    assert image is not None
    run = image.build(Pitch(image.row_lanes(False), 20), [Facts.none(1)])
    assert not isinstance(run, StackedRun)
    check(kernel, rng)


def test_planes_are_split_for_each_reader_in_its_form() -> None:
    """A pool takes all channels of a phase as one, a convolution one by one: of the same planes."""
    rng = random.Random(13)
    image, pitch = Image(6, 8, 3), Pitch(5, 20)
    data = rng.randbytes(6 * 8 * 3)
    whole = Phases(image, Pitch(9, 20), 1, 1, ((0, 0),), range(3))
    planes = Planes(Grid.of(image, Pitch(9, 20)), whole.planes(data))
    apart = Phases(image, pitch, 2, 2, ((0, 0), (1, 1)), range(3))
    stacked = replace(apart, stacked=True)
    for first, second in ((apart, stacked), (stacked, apart)):
        value = replace(planes, phases={})
        for phases in (first, second, first):
            assert list(phases.planes(value)) == list(phases.planes(data))
            assert len(phases.planes(value)) == (2 if phases.stacked else 6)
