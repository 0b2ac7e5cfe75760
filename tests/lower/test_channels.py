"""Channels that are given other numbers compute the same outputs."""

import random

import pytest

from tinyrt.fixedpoint import Numerics, requantize_to_int8
from tinyrt.lower.channels import BOUND, Channel, channels, reach
from tinyrt.lower.pairs import GREATEST_SHIFT, octet_stream, pair_stream
from tinyrt.ops.fully_connected import FullyConnected


def dense(
    weights: list[int], bias: int, multiplier: int, shift: int, zero_point: int, low: int
) -> FullyConnected:
    return FullyConnected(
        batches=1,
        input_depth=len(weights),
        output_depth=1,
        input_offset=0,
        output_offset=zero_point,
        activation_min=low,
        activation_max=127,
        filter=bytes(weight & 0xFF for weight in weights),
        bias=(bias,),
        per_channel=0,
        multipliers=(multiplier,),
        shifts=(shift,),
        numerics=Numerics.TFLM,
    )


def outputs(channel: Channel, operator: FullyConnected, sums: list[int]) -> list[int]:
    """Of sums without bias."""
    return [
        requantize_to_int8(
            value + channel.bias,
            channel.multiplier,
            -channel.shift,
            operator.output_offset,
            operator.activation_min,
            operator.activation_max,
            operator.numerics,
        )
        for value in sums
    ]


@pytest.mark.parametrize(
    ("bias", "multiplier", "shift"),
    [
        (1 << 30, 1320764593, -27),  # dead: one output above the zero-point
        (-(1 << 30), 1171292447, -26),
        (1 << 30, 0, 0),
        (26571660, 1565063334, -20),  # one step in all of its reach
        (300, 1565063334, -18),
        (-4000, 1 << 30, -9),
        (77, (1 << 31) - 1, -1),
    ],
)
def test_same_outputs(bias: int, multiplier: int, shift: int) -> None:
    rng = random.Random(bias)
    weights = [0] * 9 if abs(bias) == 1 << 30 else [rng.randint(-127, 127) for _ in range(9)]
    for zero_point, low in ((-128, -128), (3, -128), (5, 5)):
        operator = dense(weights, bias, multiplier, shift, zero_point, low)
        found = channels(operator, [weights], (multiplier,), (shift,), 20)
        assert found is not None
        (channel,) = found
        assert 1 <= channel.shift <= 20
        assert max(map(abs, (channel.bias, *reach(channel)))) < BOUND
        plain = Channel(tuple(weights), bias, multiplier, -shift)
        first, last = (value - bias for value in reach(plain))
        sums = sorted({first, last, 0, *(rng.randint(first, last) for _ in range(2000))})
        wanted = outputs(plain, operator, sums)
        # A channel of one output has no weights left, and so no sums.
        kept = sums if any(channel.weights) else [0] * len(sums)
        assert outputs(channel, operator, kept) == wanted


def test_too_steep_a_channel_has_no_form() -> None:
    operator = dense([100] * 9, 0, 1 << 30, 1, 0, -128)
    assert channels(operator, [[100] * 9], (1 << 30,), (1,), GREATEST_SHIFT) is None


def test_a_half_holds_both_weights() -> None:
    a, b = Channel((-1, 127, -127, 5), 7, 1 << 30, 1), Channel((-127, -1, 0, 127), -9, 3 << 29, 16)
    words = pair_stream((a, b), 4)
    assert words is not None
    bias_b, *weights, tail, multiplier_a, multiplier_b = words[:6]
    assert (bias_b, multiplier_a, multiplier_b) == (-9 * 256, 1 << 30, 3 << 29)
    assert (tail >> 9, tail >> 4 & 15, tail & 15) == (7, 15, 0)
    halves = []
    for word in weights:
        halves += [((word & 0xFFFF) ^ 0x8000) - 0x8000, word >> 16]
    assert halves == [256 * b.weights[i] + a.weights[i] for i in (0, 2, 1, 3)]


def test_a_half_does_not_hold_minus_128_above_a_negative_weight() -> None:
    a, b = Channel((-1, 0, 0, 0), 0, 0, 1), Channel((-128, 0, 0, 0), 0, 0, 1)
    assert pair_stream((a, b), 4) is None
    assert octet_stream((a, b)) is None
    assert pair_stream((b, a), 4) is not None
