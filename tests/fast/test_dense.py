"""FULLY_CONNECTED in lanes of output channels against its reference twin."""

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.fast.draws import PROFILES, STYLES, assert_same, content, filter_bytes, scales
from tinyrt import lanes
from tinyrt.fast import dense
from tinyrt.fast.columns import HALF_BITS, LANE_BITS, Matrix, Paired, Singly, choose
from tinyrt.fast.lanewise import lanewise_cost
from tinyrt.fixedpoint import Numerics
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


Choice = Callable[[Matrix, bool, int], Singly | Paired | None]


def forced(monkeypatch: pytest.MonkeyPatch, choice: Choice) -> list[Singly | Paired]:
    """Have the layers that follow take another way; those that did are put into the list."""
    taken = []

    def chosen(matrix: Matrix, skipped: bool, needed: int) -> Singly | Paired | None:
        way = choice(matrix, skipped, needed)
        if way is not None:
            taken.append(way)
        return way

    monkeypatch.setattr(dense, "choose", chosen)
    return taken


def narrow(rng: random.Random, **fixed: Any) -> FullyConnected:
    """A layer with one scale whose accumulators any way can hold."""
    return layer(rng, per_channel=False, bias=1000, factor=2.0 ** rng.uniform(-14, -2), **fixed)


@pytest.mark.parametrize("half", range(16, 23))
def test_pairs(half: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half lanes of any width, in groups that are as large as can be; any zero-point."""
    rng = random.Random(half)
    taken = forced(monkeypatch, lambda matrix, _skipped, _needed: Paired.of(matrix, half))
    kernels = [narrow(rng, depth=rng.choice((1, 2, 7, 16, 33, 200))) for _ in range(25)]
    for kernel in kernels:
        check(kernel, rng)
        for weight in (b"\x80", b"\x7f"):
            check(replace(kernel, filter=weight * len(kernel.filter)), rng)
    assert len(taken) == 3 * len(STYLES) * len(kernels)
    assert all(isinstance(way, Paired) and way.half_bits == half for way in taken)
    assert half > 20 or any(len(way.groups) > 1 for way in taken if isinstance(way, Paired))


@pytest.mark.parametrize("bits", LANE_BITS)
def test_single_inputs(bits: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lanes of any width that is enough, whether inputs of −128 are left out or not."""
    rng = random.Random(bits)

    def choice(matrix: Matrix, skipped: bool, needed: int) -> Singly | None:
        return Singly.of(matrix, bits, skipped) if needed <= bits else None

    taken = forced(monkeypatch, choice)
    for _ in range(25):
        check(narrow(rng, depth=rng.choice((1, 2, 7, 16, 33))), rng)
    assert {way.skipped for way in taken if isinstance(way, Singly)} == {False, True}
    assert {way.lane_bits for way in taken} == {bits}


@pytest.mark.parametrize("half", HALF_BITS)
@pytest.mark.parametrize("style", ["uniform", "low", "high", "edges"])
def test_groups_of_pairs(half: int, style: str) -> None:
    """All half lanes of a group's sums fit, and one pair more would not."""
    rng = random.Random(half)
    depth, channels = 1400, 5
    matrix = Matrix(depth, channels, content(rng, depth * channels, style))
    way = Paired.of(matrix, half)
    assert sum(way.groups) == depth // 2
    weights = memoryview(matrix.data).cast("b").tolist()
    rows = [
        weights[n * depth : (n + 1) * depth] if n < channels else [0] * depth for n in way.order
    ]

    def widest(first: int, last: int) -> int:
        """The widest range of a half lane, of the products of some pairs."""
        sizes = [0]
        for lane, row in enumerate(rows):
            before = rows[lane - 1] if lane else [0] * depth
            for other in (row, before):
                a, b = row[first:last], other[depth // 2 + first : depth // 2 + last]
                sizes.append(255 * sum(map(abs, (*a, *b))))
        return max(sizes)

    first = 0
    for size in way.groups:
        assert widest(first, first + size) < 1 << half
        assert first + size == depth // 2 or widest(first, first + size + 1) >= 1 << half
        first += size
    assert len(way.groups) > 1 or half == 22


@pytest.mark.parametrize("half", HALF_BITS)
def test_sums_of_pairs(half: int) -> None:
    """Lanes hold the accumulators themselves, and nothing of the other halves or groups' biases."""
    rng = random.Random(half)
    for depth in (1, 2, 9, 640):
        matrix = Matrix(depth, 9, content(rng, depth * 9, "edges"))
        way = Paired.of(matrix, half)
        biases = [rng.randint(0, 1 << 20) + 255 * 128 * depth for _ in way.order]
        for style in STYLES:
            inputs = content(rng, depth, style)
            total = way.sums(biases)(inputs)
            expected = [
                bias
                + sum(
                    weight * (value + 128)
                    for weight, value in zip(
                        memoryview(matrix.data[n * depth : (n + 1) * depth]).cast("b"),
                        memoryview(inputs).cast("b"),
                        strict=False,
                    )
                )
                for n, bias in zip(way.order, biases, strict=True)
            ]
            assert lanes.to_integers(total, len(way.order), way.lane_bits) == expected


def test_choice() -> None:
    """Pairs for many inputs that are not behind a ReLU, in several groups where that is faster."""
    rng = random.Random(3)
    small = bytes(rng.randint(-20, 20) & 0xFF for _ in range(640 * 128))
    way = choose(Matrix(640, 128, small), False, 22)
    assert isinstance(way, Paired)
    assert len(way.groups) > 1
    assert isinstance(choose(Matrix(640, 128, small), True, 22), Singly)
    assert isinstance(choose(Matrix(8, 128, small[: 8 * 128]), False, 17), Singly)
    wide = choose(Matrix(128, 640, small), True, 21)
    assert wide is not None
    assert wide.lane_bits == 21
    # Few channels are not worth the time that an odd width takes to be read.
    narrow_ = choose(Matrix(128, 8, small[: 128 * 8]), True, 19)
    assert narrow_ is not None
    assert lanes.phases(narrow_.lane_bits) <= 2
    assert choose(Matrix(8, 8, bytes(64)), False, 33) is None


def test_layers_are_fast() -> None:
    """Lanes hold all layers of common ranges: none of them is left to the reference."""
    rng = random.Random(4)
    for _ in range(100):
        kernel = narrow(rng)
        assert kernel.fast() != kernel.reference, kernel


@pytest.mark.parametrize("cost", [0.0, 1e9])
def test_a_scale_for_each_channel(cost: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lane by lane and channel by channel, whichever would have been chosen."""
    rng = random.Random(3)
    made = []

    def lanewise(*arguments: Any) -> Any:
        made.append(real(*arguments))
        return made[-1]

    real = dense.lanewise
    monkeypatch.setattr(dense, "lanewise", lanewise)
    monkeypatch.setattr(dense, "lanewise_cost", lambda _channels, _bits: cost)
    for channels in (1, 3, 9, 40, 130):
        for zero_point in (-128, 5, 127):
            kernel = layer(
                rng, depth=30, channels=channels, per_channel=True, input_offset=-zero_point
            )
            check(kernel, rng)
            check(replace(kernel, filter=b"\x80\x7f" * (15 * channels)), rng)
    assert any(convert is not None for convert in made) == (cost == 0)


def test_many_channels_are_scaled_lane_by_lane() -> None:
    assert lanewise_cost(128, 20) < dense.SCALING * 128
    assert lanewise_cost(8, 20) > dense.SCALING * 8


def test_a_channel_that_is_always_limited_does_not_meet_its_neighbours() -> None:
    """Heavy weights and a bias that keeps the channel at its least value, among light ones."""
    rng = random.Random(0)
    depth, channels = 200, 32
    rows = [bytes(rng.randint(-4, 4) & 0xFF for _ in range(depth)) for _ in range(channels)]
    rows[5] = b"\x7f" * depth
    bias = [0] * channels
    bias[5] = -(1 << 23)
    kernel = layer(rng, depth=depth, channels=channels, per_channel=True, factor=0.006)
    kernel = replace(kernel, filter=b"".join(rows), bias=tuple(bias), input_offset=-3, batches=1)
    check(kernel, rng)
    for _ in range(30):
        data = bytes(rng.randint(60, 127) for _ in range(depth))
        assert_same(kernel, [data], "high")


@pytest.mark.parametrize(
    ("weight", "multiplier", "shift"),
    [(90, 1268800343, -16), (114, 1167292415, -15), (120, 1074685923, -16)],
)
def test_factors_of_more_than_a_digit(weight: int, multiplier: int, shift: int) -> None:
    """Staircases so long that no factor of 30 bits equals them: the model's own multiplier does."""
    rng = random.Random(5)
    kernel = replace(
        layer(rng, depth=2000, channels=4, per_channel=False, batches=1, input_offset=128),
        filter=bytes([weight]) * 8000,
        bias=(5,) * 4,
        multipliers=(multiplier,),
        shifts=(shift,),
        numerics=Numerics.TFLM,
        output_offset=-128,
        activation_min=-128,
        activation_max=127,
    )
    check(kernel, rng)
    for _ in range(20):
        least = rng.randint(-128, 127)
        data = bytes(rng.randint(least, 127) & 0xFF for _ in range(2000))
        assert_same(kernel, [data], "a range")
