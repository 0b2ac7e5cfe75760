"""Staircases against requantization itself, and lines against staircases, over whole ranges."""

import random

import pytest

from tinyrt.fixedpoint import Numerics, quantize_multiplier, requantize_to_int8
from tinyrt.short_multiplier import (
    Line,
    Staircase,
    factor_from_zero,
    fit,
    fit_within,
    shortest,
    staircase,
)

PROFILES = tuple(Numerics)
MULTIPLIERS = (1 << 30, (1 << 30) + 1, 1518500250, (1 << 31) - 1)


class Case:
    """A random requantization with the accumulators that reach it."""

    def __init__(self, rng: random.Random, numerics: Numerics, reach: int, shift: int) -> None:
        self.multiplier = rng.choice((*MULTIPLIERS, rng.randrange(1 << 30, 1 << 31)))
        self.shift = shift
        self.offset = rng.choice((-128, 127, 0, rng.randint(-128, 127)))
        self.low = rng.choice((-128, max(-128, self.offset), rng.randint(-128, 127)))
        self.high = rng.choice((127, rng.randint(self.low, 127)))
        self.numerics = numerics
        self.first, self.last = sorted((rng.randint(-reach, reach), rng.randint(-reach, reach)))

    def truth(self, x: int) -> int:
        """The reference."""
        return requantize_to_int8(
            x, self.multiplier, self.shift, self.offset, self.low, self.high, self.numerics
        )

    def stairs(self) -> Staircase | None:
        """The staircase in closed form."""
        return staircase(
            self.multiplier,
            self.shift,
            self.offset,
            self.low,
            self.high,
            self.numerics,
            self.first,
            self.last,
        )


def value(stairs: Staircase, x: int) -> int:
    """A staircase by its definition."""
    return stairs.base + sum(step <= x for step in stairs.steps)


def around(stairs: Staircase) -> list[int]:
    """Both sides of every step, and the ends."""
    places = {stairs.first, stairs.last, *stairs.steps, *(step - 1 for step in stairs.steps)}
    return [x for x in places if stairs.first <= x <= stairs.last]


@pytest.mark.parametrize("numerics", PROFILES)
@pytest.mark.parametrize("shift", [3, 1, 0, -1, -2, -3, -5])
def test_every_accumulator(numerics: Numerics, shift: int) -> None:
    rng = random.Random(shift)
    for _ in range(60):
        case = Case(rng, numerics, 700, shift)
        stairs = case.stairs()
        assert stairs is not None
        for x in range(case.first, case.last + 1):
            assert value(stairs, x) == case.truth(x), (case.__dict__, x)


@pytest.mark.parametrize("numerics", PROFILES)
def test_steps_far_apart(numerics: Numerics) -> None:
    rng = random.Random(5)
    for _ in range(150):
        case = Case(rng, numerics, (1 << 31) - 1, -rng.randint(0, 31))
        stairs = case.stairs()
        assert stairs is not None
        for x in around(stairs):
            assert value(stairs, x) == case.truth(x), (case.__dict__, x)


def test_a_zero_factor_is_level() -> None:
    stairs = staircase(0, 0, 5, -128, 127, Numerics.TFLM, -1000, 1000)
    assert stairs is not None
    assert (stairs.base, stairs.steps) == (5, ())


def test_wrapping_is_refused() -> None:
    assert staircase(1 << 30, 5, 0, -128, 127, Numerics.TFLM, -(1 << 27), 0) is None
    assert staircase(1 << 30, 5, 0, -128, 127, Numerics.SINGLE, -(1 << 28), 0) is None
    near = staircase(1 << 30, 5, 0, -128, 127, Numerics.TFLM, -(1 << 26), (1 << 26) - 1)
    assert near is not None


def moved_to_zero(stairs: Staircase) -> Staircase:
    """As lanes use it: from 0 on, with values from 0 on."""
    narrow = stairs.narrowed()
    return narrow.moved(-narrow.first, 128)


@pytest.mark.parametrize("numerics", PROFILES)
@pytest.mark.parametrize(("product_bits", "factor_bits"), [(40, 30), (48, 30), (60, 30), (32, 16)])
def test_lines_equal_their_staircases(
    numerics: Numerics, product_bits: int, factor_bits: int
) -> None:
    rng = random.Random(product_bits)
    found = 0
    for _ in range(300):
        case = Case(rng, numerics, 1 << rng.randint(4, 24), -rng.randint(0, 14))
        stairs = case.stairs()
        assert stairs is not None
        if not stairs.steps:
            continue
        stairs = moved_to_zero(stairs)
        line = fit_within(stairs, product_bits, factor_bits)
        if line is None:
            continue
        found += 1
        assert line.factor < 1 << factor_bits
        for x in around(stairs):
            assert line(x) == value(stairs, x), (case.__dict__, line, x)
            raised = line.step if x >= line.split else 0
            assert 0 <= x * line.factor + line.addend + raised < 1 << product_bits
    assert found > 100


@pytest.mark.parametrize("numerics", PROFILES)
def test_a_line_always_exists_up_to_slope_one(numerics: Numerics) -> None:
    rng = random.Random(8)
    for _ in range(400):
        shift = -rng.randint(0, 31)
        case = Case(rng, numerics, 1 << rng.randint(2, 31 if shift < -20 else 24), shift)
        case.first, case.last = max(case.first, -(1 << 31)), min(case.last, (1 << 31) - 1)
        stairs = case.stairs()
        assert stairs is not None
        if stairs.steps:
            line = fit(moved_to_zero(stairs), stairs.exponent)
            assert line is not None, case.__dict__


def test_every_element_of_a_line() -> None:
    rng = random.Random(9)
    for _ in range(40):
        case = Case(rng, Numerics.TFLM, 1500, -rng.randint(0, 5))
        stairs = case.stairs()
        assert stairs is not None
        if not stairs.steps:
            continue
        stairs = moved_to_zero(stairs)
        line = fit_within(stairs, 40, 30)
        if line is not None:
            for x in range(stairs.first, stairs.last + 1):
                assert line(x) == value(stairs, x)


def test_shortest_is_exact_and_minimal() -> None:
    rng = random.Random(10)
    for _ in range(20):
        case = Case(rng, Numerics.TFLM, 1 << 15, -rng.randint(5, 9))
        stairs = case.stairs()
        assert stairs is not None
        if not stairs.steps:
            continue
        stairs = moved_to_zero(stairs)
        line = shortest(stairs, 40)
        assert line is not None
        assert all(line(x) == value(stairs, x) for x in around(stairs))
        assert all(fit(stairs, shift) is None for shift in range(line.shift))


def test_relu_layers_have_short_lines() -> None:
    """The case of most layers: zero-point −128, so that no result below zero counts."""
    stairs = staircase(1518500250, -8, -128, -128, 127, Numerics.TFLM, -500_000, 500_000)
    assert stairs is not None
    line = shortest(moved_to_zero(stairs), 40)
    assert line is not None
    assert line == Line(line.factor, line.addend, line.shift)
    assert line.factor.bit_length() <= 22


@pytest.mark.parametrize("numerics", PROFILES)
@pytest.mark.parametrize("high", [127, 20])
def test_factors_for_an_addend_of_one_half(numerics: Numerics, high: int) -> None:
    """Behind a ReLU: any factor that is found gives every output from zero on."""
    rng = random.Random(high)
    found = 0
    for _ in range(40):
        multiplier, exponent = quantize_multiplier(2.0 ** rng.uniform(-11, -3), numerics)
        first, last = -rng.randint(0, 1 << 18), rng.randint(1 << 8, 1 << 18)
        offset = rng.choice((-128, -100))
        stairs = staircase(multiplier, exponent, offset, offset, high, numerics, first, last)
        if stairs is None or not stairs.steps:
            continue
        for shift in (12, 16, 20, 24):
            # The first of two roundings is worth 2^(30 − exponent) of the second one's result.
            for more in (0, 1 << max(0, shift + 30 - stairs.exponent)):
                addend = ((2 * (offset + 128) + 1) << (shift - 1)) + more
                factor = factor_from_zero(stairs, shift, addend, 128)
                if factor is None:
                    continue
                found += 1
                ends = [0, 1, last, *stairs.steps, *(step - 1 for step in stairs.steps)]
                for x in {*ends, *(rng.randint(0, last) for _ in range(50))}:
                    value = ((x * factor + addend) >> shift) - 128
                    wanted = requantize_to_int8(
                        x, multiplier, exponent, offset, offset, high, numerics
                    )
                    assert value == wanted or value > wanted == high == stairs.top
    assert found > 10
