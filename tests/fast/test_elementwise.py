"""Tables of pairs, thresholds of singles, slices: what moves or maps elements one by one."""

import math
import random
import struct

import pytest

from tests.fast.draws import PROFILES, assert_same
from tinyrt.fixedpoint import Numerics, quantize_multiplier
from tinyrt.movers import LOOPS, StridedCopy
from tinyrt.ops.mul import Mul
from tinyrt.ops.quantize import Quantize
from tinyrt.ops.softmax import Softmax
from tinyrt.ops.transpose import Transpose
from tinyrt.scales import single_bits, single_of_bits

EVERY_PAIR = bytes(a for a in range(256) for _ in range(256)), bytes(range(256)) * 256


@pytest.mark.parametrize("numerics", PROFILES)
@pytest.mark.parametrize("seed", range(5))
def test_every_product(numerics: Numerics, seed: int) -> None:
    rng = random.Random(seed)
    multiplier, shift = quantize_multiplier(rng.choice((0.001, 0.01, 0.5, 3.0, 1e6)), numerics)
    kernel = Mul(
        loops=1,
        extents=(65536,),
        strides1=(1,),
        strides2=(1,),
        input1_offset=rng.randint(-127, 128),
        input2_offset=rng.randint(-127, 128),
        output_offset=rng.randint(-128, 127),
        output_multiplier=multiplier,
        output_shift=shift,
        activation_min=rng.choice((-128, -5)),
        activation_max=rng.choice((127, 50)),
        numerics=numerics,
    )
    assert_same(kernel, EVERY_PAIR)


@pytest.mark.parametrize("seed", range(6))
def test_singles_around_every_step(seed: int) -> None:
    rng = random.Random(seed)
    scale = single_of_bits(single_bits(2.0 ** rng.uniform(-20, 10)))
    offset = rng.choice((-128, 127, rng.randint(-128, 127)))
    middles = [(value - 0.5 - offset) * scale for value in range(-130, 130)]
    bits = [single_bits(real) for real in middles]
    near = [single_of_bits(b + d) for b in bits if abs(b) < 0x7F000000 for d in (-2, -1, 0, 1, 2)]
    extremes = [0.0, -0.0, 1e30, -1e30, math.inf, 1e-45, -1e-45]
    for values in ([*near, *extremes], [*near, -math.inf], [math.nan, 1.0], [math.inf, -math.inf]):
        kernel = Quantize(len(values), single_bits(scale), offset)
        assert_same(kernel, [struct.pack(f"<{len(values)}f", *values)])


@pytest.mark.parametrize("seed", range(30))
def test_strided_copies(seed: int) -> None:
    rng = random.Random(seed)
    element_bytes = rng.choice((1, 1, 2, 4, 20))
    counts = [rng.randint(1, 6) for _ in range(rng.randint(1, LOOPS))]
    order = list(range(len(counts)))
    rng.shuffle(order)
    pitches = {}
    size = element_bytes
    for axis in order:
        pitches[axis] = size
        size *= counts[axis]
    offset, loops = 0, []
    for axis, count in enumerate(counts):
        turned = rng.random() < 0.3
        offset += (count - 1) * pitches[axis] if turned else 0
        stride = 0 if rng.random() < 0.1 else -pitches[axis] if turned else pitches[axis]
        loops.append((count, stride))
    kernel = Transpose.over(offset, loops, element_bytes)
    assert isinstance(kernel, StridedCopy)
    assert_same(kernel, [rng.randbytes(size)])


def test_softmax_rows() -> None:
    rng = random.Random(1)
    for depth in (1, 2, 12, 100, 1000):
        multiplier, shift = quantize_multiplier(min(0.1 * (1 << 26), (1 << 31) - 1.0))
        kernel = Softmax(3, depth, multiplier, shift, -(((1 << 5) - 1 << 26) >> shift))
        fast = kernel.fast()
        for _ in range(3):
            data = rng.randbytes(3 * depth)
            assert bytes(fast(data)[0]) == bytes(kernel.reference(data)[0])
