"""Convolutions with lanes of output channels, whether or not that form would have been chosen."""

import random
from dataclasses import replace

import pytest

from tests.fast.draws import STYLES, content, conv
from tinyrt.fast.block import BlockBuilder
from tinyrt.fast.convolve import Convolution, planes_cost
from tinyrt.fast.frame import Frame
from tinyrt.fast.scatter import Scatter, scatter, scatter_cost
from tinyrt.kernel import Kernel
from tinyrt.planar import Channel, Facts, Grid, Pitch, Planes


def scattered(kernel: Kernel, *, turned: bool, bits: int) -> tuple[Scatter | None, Grid]:
    """The kernel in this form, on lanes of this width."""
    image = kernel.planar((1,))
    assert isinstance(image, Convolution)
    pitch = Pitch(image.row_lanes(turned), bits, turned)
    rows, columns = (image.columns, image.rows) if turned else (image.rows, image.columns)
    nothing = Facts.none(image.source.channels)
    frame = Frame(rows, columns, image.source, image.target, image.zero_point, pitch, nothing)
    (block,) = image.blocks
    return scatter(BlockBuilder.of(frame, block), block), Grid.of(image.target, pitch)


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("bits", [20, 24, 32])
def test_random_convolutions(turned: bool, bits: int) -> None:
    rng = random.Random(bits + turned)
    found = 0
    for _ in range(40):
        kernel = conv(rng, groups=1, factor=2.0 ** rng.uniform(-14, -4))
        if kernel.planar((1,)) is None:
            continue
        run, grid = scattered(kernel, turned=turned, bits=bits)
        if run is None:
            continue
        found += 1
        size = kernel.input_height * kernel.input_width * kernel.input_depth
        for style in STYLES:
            data = content(rng, size, style, -kernel.input_offset)
            planes = Planes(grid, run.run(run.phases.planes(data)))
            assert planes.to_bytes() == bytes(kernel.reference(data)[0]), f"{style}\n{kernel}"
    assert found >= 20


def test_few_positions_and_many_channels() -> None:
    """A layer of the shape that this form is for: it is chosen, and gives the same bytes."""
    rng = random.Random(1)
    fixed = {"height": 3, "width": 3, "kernel": 1, "stride": 1, "dilation": 1, "groups": 1}
    kernel = conv(rng, depth=128, channels=256, factor=2.0**-10, input_offset=128, **fixed)
    image = kernel.planar((1,))
    assert isinstance(image, Convolution)
    (block,) = image.blocks
    pitch = Pitch(3, 24)
    nothing = Facts.none(128)
    frame = Frame(image.rows, image.columns, image.source, image.target, 0, pitch, nothing)
    every = block.outputs, range(128)
    assert scatter_cost(frame, *every) < planes_cost(frame, *every)
    data = rng.randbytes(9 * 128)
    assert bytes(kernel.fast()(data)[0]) == bytes(kernel.reference(data)[0])


@pytest.mark.parametrize("kernel_size", [1, 3])
def test_channels_of_which_something_is_known(kernel_size: int) -> None:
    """Idle inputs are left out, idle outputs are constant; narrow ranges leave all bytes right."""
    rng = random.Random(kernel_size)
    left_out = idle = 0
    for _ in range(60):
        fixed = {"height": 4, "width": 3, "kernel": kernel_size, "stride": 1, "dilation": 1}
        kernel = conv(
            rng, depth=9, channels=11, factor=2.0 ** rng.uniform(-18, -5), groups=1, **fixed
        )
        image = kernel.planar((1,))
        assert isinstance(image, Convolution)
        (block,) = image.blocks
        pitch = Pitch(image.row_lanes(turned=False), 24)
        # Of some inputs the plane is known, of some a range.
        ranges = [sorted(rng.choices(range(256), k=2)) for _ in range(9)]
        grid = Grid.of(image.source, pitch)
        channels = [
            Channel(0, 0, 0) if n % 3 == 0 else Channel(*ranges[n]) if n % 3 == 1 else Channel()
            for n in range(9)
        ]
        # A plane may also be known and not zero: the same value everywhere.
        channels[4] = Channel(77, 77, grid.vector() * 77)
        frame = Frame(
            image.rows,
            image.columns,
            image.source,
            image.target,
            image.zero_point,
            pitch,
            Facts(channels, grid),
        )
        run = scatter(BlockBuilder.of(frame, block), block)
        if run is None:
            continue
        left_out += len(run.phases.used) < 9
        idle += len(run.known) > 0
        for _ in range(4):
            data = bytes(
                rng.choice(
                    (channel.least, channel.greatest, rng.randint(channel.least, channel.greatest))
                )
                ^ 0x80
                for _ in range(12)
                for channel in channels
            )
            expected = bytes(kernel.reference(data)[0])
            for value in (data, grid_planes(data, grid, 9)):
                planes = Planes(Grid.of(image.target, pitch), run.run(run.phases.planes(value)))
                assert planes.to_bytes() == expected, kernel
    assert left_out >= 40
    assert idle >= 1


def test_a_pixel_that_windows_meet_through_different_taps() -> None:
    """Each window is one pixel, but not all of the pixel's contribution."""
    rng = random.Random(4)
    kernel = conv(rng, depth=64, channels=64, groups=1, factor=0.0003, input_offset=128)
    kernel = replace(
        kernel,
        batches=1,
        input_height=1,
        input_width=2,
        filter_height=1,
        filter_width=2,
        output_height=1,
        output_width=2,
        stride_height=1,
        stride_width=1,
        dilation_height=1,
        dilation_width=2,
        pad_top=0,
        pad_left=1,
        filter=bytes(rng.randint(0, 127) for _ in range(64 * 2 * 64)),
    )
    run, grid = scattered(kernel, turned=False, bits=24)
    assert run is not None
    for style in STYLES:
        data = content(rng, 128, style)
        planes = Planes(grid, run.run(run.phases.planes(data)))
        assert planes.to_bytes() == bytes(kernel.reference(data)[0])


def grid_planes(data: bytes, grid: Grid, channels: int) -> Planes:
    """The bytes of an image as planes."""
    return Planes(
        grid,
        [
            sum(
                (data[(row * grid.columns + column) * channels + channel] ^ 0x80)
                << (row * grid.pitch.row_lanes + column) * grid.pitch.lane_bits
                for row in range(grid.rows)
                for column in range(grid.columns)
            )
            for channel in range(channels)
        ],
    )
