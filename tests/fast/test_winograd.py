"""Convolutions on bands, with fewer products: the filterings alone, and layers of all kinds."""

import random

import pytest

from tests.fast.draws import STYLES, content, conv
from tinyrt.fast.convolve import Convolution
from tinyrt.fast.frame import Frame
from tinyrt.fast.winograd import BANDS, FILTERINGS, Scheme
from tinyrt.ops.conv_2d import Conv2D
from tinyrt.planar import Facts, Grid, Image, Phases, Pitch, Planes

EVERY_WIDTH = (22, 24, 32)


@pytest.mark.parametrize(("bands", "taps"), FILTERINGS)
def test_filterings_are_exact(bands: int, taps: int) -> None:
    """On any integers, negative ones and large ones."""
    filtering = FILTERINGS[bands, taps]
    rng = random.Random(bands * taps)
    for reach in (3, 255, 1 << 700):
        rows = [rng.randint(-reach, reach) for _ in range(bands + taps - 1)]
        weights = [rng.choice((-128, 127, rng.randint(-128, 127))) for _ in range(taps)]
        inputs, factors = filtering.inputs(rows), filtering.weights(weights)
        assert len(inputs) == len(factors) == filtering.products < bands * taps
        products = [a * b for a, b in zip(inputs, factors, strict=True)]
        wanted = [sum(weights[k] * rows[n + k] for k in range(taps)) for n in range(bands)]
        assert list(filtering.outputs(products)) == wanted


def check(kernel: Conv2D, pitch: Pitch, rng: random.Random) -> bool:
    """Compare with the reference, from bytes and from planes; False where there is no such run."""
    image = kernel.planar((1,))
    if not isinstance(image, Convolution) or image.nanoseconds(pitch) is None:
        return False
    run = image.build(pitch, [Facts.none(kernel.input_depth)])
    if run is None:
        return False
    size = kernel.input_height * kernel.input_width * kernel.input_depth
    for style in STYLES:
        data = content(rng, size, style, -kernel.input_offset)
        wanted = bytes(kernel.reference(data)[0])
        for value in (data, planes(data, kernel, pitch), planes(data, kernel, other(pitch, rng))):
            found = Planes(Grid.of(image.target, pitch), run.run(run.phases.planes(value)))
            assert found.to_bytes() == wanted, f"{style} {pitch}\n{kernel}"
    return True


def planes(data: bytes, kernel: Conv2D, pitch: Pitch) -> Planes:
    """The input as planes of a pitch."""
    image = Image(kernel.input_height, kernel.input_width, kernel.input_depth)
    phases = Phases(image, pitch, 1, 1, ((0, 0),), range(image.channels))
    return Planes(Grid.of(image, pitch), phases.planes(data))


def other(pitch: Pitch, rng: random.Random) -> Pitch:
    """Another pitch on the same side."""
    bands = rng.choice((1, *BANDS))
    return Pitch(pitch.row_lanes + rng.randrange(3), rng.choice(EVERY_WIDTH), pitch.turned, bands)


def pitch_of(kernel: Conv2D, rng: random.Random, bands: int) -> Pitch:
    """A pitch that holds rows of the input and of the output."""
    image = kernel.planar((1,))
    turned = rng.random() < 0.5
    longest = kernel.input_height if turned else kernel.input_width
    least = image.row_lanes(turned) if image else 1
    return Pitch(max(least, longest), rng.choice(EVERY_WIDTH), turned, bands)


@pytest.mark.parametrize("bands", BANDS)
@pytest.mark.parametrize("part", range(4))
def test_random_convolutions(bands: int, part: int) -> None:
    rng = random.Random(bands * 10 + part)
    found = 0
    for _ in range(30):
        kernel = conv(rng, groups=1, factor=2.0 ** rng.uniform(-14, -4))
        found += check(kernel, pitch_of(kernel, rng, bands), rng)
    assert found >= 10


@pytest.mark.parametrize("bands", BANDS)
@pytest.mark.parametrize("stride", [1, 2])
def test_filterings_are_used(bands: int, stride: int) -> None:
    """Layers of many channels, for which the transforms pay."""
    rng = random.Random(bands + stride)
    fixed = {"kernel": 3, "dilation": 1, "same": True, "groups": 1}
    height, width = 16 * stride, 28 * stride
    for offset in (128, -5):
        kernel = conv(
            rng,
            height=height,
            width=width,
            depth=32,
            channels=32,
            stride=stride,
            factor=0.001,
            input_offset=offset,
            **fixed,
        )
        image = kernel.planar((1,))
        assert isinstance(image, Convolution)
        pitch = Pitch(max(image.row_lanes(False), width), 24, False, bands)
        nothing = Facts.none(32)
        frame = Frame(
            image.rows, image.columns, image.source, image.target, image.zero_point, pitch, nothing
        )
        scheme = Scheme.of(frame)
        assert scheme is not None
        (block,) = image.blocks
        assert any(scheme.filtering(phase, block) for phase in scheme.offsets)
        assert check(kernel, pitch, rng)
