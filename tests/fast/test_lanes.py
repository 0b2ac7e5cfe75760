"""Lanes: bytes and integers in and out, widths and counts of every kind."""

import random

import pytest

from tinyrt import lanes


@pytest.mark.parametrize("bits", lanes.BYTE_LANES)
@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 64, 65])
def test_bytes_there_and_back(bits: int, count: int) -> None:
    data = random.Random(count).randbytes(count)
    vector = lanes.of_bytes(data, bits)
    assert vector == sum(byte << (bits * n) for n, byte in enumerate(data))
    assert lanes.to_bytes(vector, count, bits) == data


def test_extreme_bytes() -> None:
    for bits in lanes.BYTE_LANES:
        for data in (b"\xff" * 33, b"\0" * 33, b"\xff\0" * 17):
            assert lanes.to_bytes(lanes.of_bytes(data, bits), len(data), bits) == data


def test_integers_borrow_and_are_exact() -> None:
    rng = random.Random(1)
    for count in (1, 2, 16, 17, 100):
        values = [rng.randint(-(1 << 40), 1 << 40) for _ in range(count)]
        vector = lanes.of_integers(values, 21)
        assert vector == sum(value << (21 * n) for n, value in enumerate(values))
    small = [rng.randint(-1000, 1000) for _ in range(50)]
    # A bias that makes every lane non-negative makes them digits.
    biased = lanes.of_integers(small, 12) + lanes.ones(50, 12) * 1000
    assert lanes.to_integers(biased, 50, 12) == [value + 1000 for value in small]


def test_ones() -> None:
    for bits in (1, 7, 20, 24, 40):
        for count in (0, 1, 2, 33):
            assert lanes.ones(count, bits) == sum(1 << (bits * n) for n in range(count))


@pytest.mark.parametrize("bits", [*range(16, 45), 56, 64])
@pytest.mark.parametrize("count", [1, 2, 3, 7, 8, 33, 64, 640])
def test_gathered_bytes(bits: int, count: int) -> None:
    order = lanes.gathering_order(count, bits)
    assert sorted(order) == list(range(len(order)))
    assert len(order) % lanes.phases(bits) == 0
    assert count <= len(order) < count + lanes.phases(bits)
    gather = lanes.gatherer(count, bits)
    one = bytearray(count)
    one[count // 2] = 255
    for data in (random.Random(bits).randbytes(count), b"\xff" * count, bytes(count), bytes(one)):
        # Lanes without a byte of their own hold anything that bytes hold.
        filled = data + b"\xff" * (len(order) - count)
        vector = sum(filled[byte] << (bits * lane) for lane, byte in enumerate(order))
        assert gather(vector) == data
