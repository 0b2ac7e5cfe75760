"""Lanes with a scale each against the rounding of every single one."""

import random
from collections.abc import Callable
from functools import partial

import pytest

from tests.fast.draws import PROFILES
from tinyrt import lanes
from tinyrt.fast.lanewise import lanewise, needed_bits
from tinyrt.fast.requantize import least_bits
from tinyrt.fixedpoint import Numerics, quantize_multiplier, requantize_to_int8
from tinyrt.short_multiplier import Staircase, fit, staircase

Rounding = Callable[[int], int]


def drawn(rng: random.Random, numerics: Numerics, count: int) -> list[tuple[Staircase, Rounding]]:
    """Channels of one output, with what becomes of an accumulator; some are constant."""
    offset = rng.randint(-128, 127)
    low = rng.choice((-128, offset))
    found = []
    for _ in range(count):
        multiplier, shift = quantize_multiplier(2.0 ** rng.uniform(-13, -6))
        settings = multiplier, shift, offset, low, 127, numerics
        span = rng.randint(1, 1 << 18)
        first = -rng.randint(0, span) + rng.choice((0, 0, 0, 1 << 19, -(1 << 19)))
        stairs = staircase(*settings, first, first + span)
        assert stairs is not None
        found.append((stairs, partial(_rounded, settings)))
    return found


def _rounded(settings: tuple[int, int, int, int, int, Numerics], accumulator: int) -> int:
    return requantize_to_int8(accumulator, *settings)


@pytest.mark.parametrize("numerics", PROFILES)
@pytest.mark.parametrize("seed", range(12))
def test_every_lane_is_rounded_by_its_own_scale(numerics: Numerics, seed: int) -> None:
    """At the ends of the range, on both sides of steps, and in between."""
    rng = random.Random(seed)
    channels = drawn(rng, numerics, rng.choice((1, 2, 7, 40)))
    bits = max(20, *(least_bits(stairs) for stairs, _ in channels))
    convert = lanewise([stairs for stairs, _ in channels], bits)
    assert convert is not None
    for _ in range(30):
        accumulators = []
        for stairs, _ in channels:
            places = [stairs.first, stairs.last, rng.randint(stairs.first, stairs.last)]
            if stairs.steps:
                step = rng.choice(stairs.steps)
                places += [step, step - 1]
            accumulators.append(rng.choice(places))
        biased = [x + bias for x, bias in zip(accumulators, convert.biases, strict=True)]
        assert all(0 <= lane < 1 << bits for lane in biased)
        # What lies above the lanes does not matter.
        vector = lanes.of_integers(biased, bits) + (rng.randrange(9) << bits * len(biased))
        values = convert(vector)
        assert values < 1 << bits * len(biased)
        wanted = [rounded(x) + 128 for x, (_, rounded) in zip(accumulators, channels, strict=True)]
        assert lanes.to_integers(values, len(biased), bits) == wanted


def test_a_constant_channel_stays_in_its_lane() -> None:
    """It is always limited, whatever its accumulator: and that may be wider than all others."""
    settings = *quantize_multiplier(2.0**-9), 0, -128, 127, Numerics.TFLM
    narrow = staircase(*settings, -3000, 3000)
    wide = staircase(*settings, -(1 << 24), -(1 << 24) + (1 << 18))
    assert narrow is not None
    assert wide is not None
    assert not wide.steps
    assert least_bits(wide) < needed_bits(wide) == 19
    assert lanewise([narrow, wide, narrow], 18) is None
    convert = lanewise([narrow, wide, narrow], 20)
    assert convert is not None
    for x in (wide.first, wide.last):
        accumulators = (5, x, -2000)
        biased = [a + bias for a, bias in zip(accumulators, convert.biases, strict=True)]
        values = lanes.to_integers(convert(lanes.of_integers(biased, 20)), 3, 20)
        assert values == [_rounded(settings, a) + 128 for a in accumulators]


def test_lines_that_step_down() -> None:
    """The midpoints of two lines' addends may have the upper one below the lower one."""
    rng = random.Random(7)
    found = 0
    while found < 6:
        settings = *quantize_multiplier(2.0 ** rng.uniform(-12, -9)), 5, -128, 127, Numerics.TFLM
        stairs = staircase(*settings, -rng.randint(1, 30_000), rng.randint(1, 30_000))
        if stairs is None or not stairs.steps or least_bits(stairs) > 16:
            continue
        line = fit(stairs, 24)
        if line is None or line.step >= 0:
            continue
        found += 1
        convert = lanewise([stairs] * 4, 16)
        assert convert is not None
        for _ in range(300):
            accumulators = [rng.choice(stairs.steps) - rng.randint(0, 1) for _ in range(4)]
            biased = [x + bias for x, bias in zip(accumulators, convert.biases, strict=True)]
            values = lanes.to_integers(convert(lanes.of_integers(biased, 16)), 4, 16)
            assert values == [_rounded(settings, x) + 128 for x in accumulators]


def test_lanes_that_are_too_narrow() -> None:
    channels = drawn(random.Random(1), Numerics.TFLM, 5)
    bits = max(least_bits(stairs) for stairs, _ in channels)
    assert bits > 16
    assert lanewise([stairs for stairs, _ in channels], bits - 1) is None


def test_two_lines_are_met() -> None:
    """Double rounding, where results straddle zero, needs two parallel lines."""
    rng = random.Random(2)
    found = 0
    for _ in range(40):
        channels = drawn(rng, Numerics.TFLM, 3)
        convert = lanewise([stairs for stairs, _ in channels], 20)
        found += convert is not None and any(half.steps for half in convert.halves)
    assert found >= 3
