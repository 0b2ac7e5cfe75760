"""ADD and SUB: planes in two variables against the definition, for every pair of bytes."""

import random
from itertools import product
from typing import Any

import pytest

from tests.fast.draws import assert_same
from tinyrt.fast.addition import fit
from tinyrt.fixedpoint import Numerics, quantize_multiplier
from tinyrt.ops.add import Add
from tinyrt.ops.sub import Sub

EVERY_PAIR = bytes(a for a in range(256) for _ in range(256)), bytes(range(256)) * 256


def operator(rng: random.Random, kind: type[Add] | type[Sub], **fixed: Any) -> Add | Sub:
    """A random operator; `scales` fixes the scales of both inputs and of the output."""
    draw = [2.0 ** rng.uniform(-6, 1) for _ in range(3)]
    scale1, scale2, scale_out = fixed.get("scales", draw)
    numerics = fixed.get("numerics", rng.choice(tuple(Numerics)))
    twice = 2.0 * max(scale1, scale2)
    factors = (scale1 / twice, scale2 / twice, min(0.99, twice / ((1 << 20) * scale_out)))
    (m1, s1), (m2, s2), (m3, s3) = (quantize_multiplier(f, numerics) for f in factors)
    offset = rng.choice((-128, rng.randint(-128, 127)))
    low = rng.choice((-128, offset))
    return kind(
        loops=1,
        extents=fixed.get("extents", (65536,)),
        strides1=fixed.get("strides1", (1,)),
        strides2=fixed.get("strides2", (1,)),
        input1_offset=rng.randint(-127, 128),
        input1_multiplier=m1,
        input1_shift=s1,
        input2_offset=rng.randint(-127, 128),
        input2_multiplier=m2,
        input2_shift=s2,
        output_offset=offset,
        output_multiplier=m3,
        output_shift=s3,
        activation_min=low,
        activation_max=rng.choice((127, rng.randint(low, 127))),
        numerics=numerics,
    )


@pytest.mark.parametrize("kind", [Add, Sub])
@pytest.mark.parametrize("seed", range(6))
def test_every_pair(kind: type[Add] | type[Sub], seed: int) -> None:
    assert_same(operator(random.Random(seed), kind), EVERY_PAIR)


@pytest.mark.parametrize("kind", [Add, Sub])
@pytest.mark.parametrize(
    "scales",
    [(1.0, 1.0, 1.0), (1.0, 1.0, 2.0), (1.0, 0.5, 1.0), (1.0, 1e-4, 1.0), (1.0, 1.0, 50.0)],
)
def test_ties_and_lopsided_scales(
    kind: type[Add] | type[Sub], scales: tuple[float, float, float]
) -> None:
    assert_same(operator(random.Random(7), kind, scales=scales), EVERY_PAIR)


def test_tables_equal_planes() -> None:
    """Where there is a plane, the table of all pairs is what it computes."""
    rng = random.Random(8)
    found = 0
    for _ in range(6):
        pair = operator(rng, rng.choice((Add, Sub))).pair()
        assert pair is not None
        plane = fit(pair, 40, 30)
        if plane is None:
            continue
        found += 1
        table, stairs = pair.table(), pair.result
        for a, b in product(range(0, 256, 5), range(256)):
            place = 255 - b if pair.subtracts else b
            value = (a * plane.first + place * plane.second + plane.addend) >> plane.shift
            limited = min(max(value, stairs.base), stairs.top)
            assert limited + 128 == table[256 * a + b]
    assert found > 3


def test_stretched_operands() -> None:
    rng = random.Random(9)
    for kind in (Add, Sub):
        for strides1, strides2 in (((1,), (0,)), ((0,), (1,)), ((7, 1), (0, 1)), ((0, 1), (7, 1))):
            extents = (21,) if len(strides1) == 1 else (3, 7)
            kernel = operator(rng, kind, extents=extents, strides1=strides1, strides2=strides2)
            sizes = [21 if 0 not in s else 1 if len(s) == 1 else 7 for s in (strides1, strides2)]
            assert_same(kernel, [rng.randbytes(size) for size in sizes])


def test_sizes() -> None:
    rng = random.Random(10)
    for size in (1, 2, 3, 1000):
        kernel = operator(rng, Add, extents=(size,))
        assert_same(kernel, [rng.randbytes(size), rng.randbytes(size)])
