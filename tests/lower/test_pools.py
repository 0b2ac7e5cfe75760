"""Pools on every kind of core: depths around what goes together, windows at every border."""

import random

import pytest

from tests.builder import TensorSpec, single_operator
from tests.harness import agree
from tests.ops import draws, pools

TARGETS = ("cortex-m3", "cortex-m4", "cortex-m55")


def layer(
    opcode: str, rng: random.Random, depth: int, size: tuple[int, int], **fixed: int
) -> bytes:
    """A pool with half its windows in the padding."""
    kernel, stride = fixed.get("kernel", 3), fixed.get("stride", 2)
    output = tuple(draws.window_output(side, kernel, stride, 1, "SAME") for side in size)
    zero_point = rng.choice(draws.ZERO_POINTS)
    return single_operator(
        opcode,
        [TensorSpec((1, *size, depth), "int8", scale=0.1, zero_point=zero_point)],
        [TensorSpec((1, *output, depth), "int8", scale=0.1, zero_point=zero_point)],
        padding="SAME",
        stride_h=stride,
        stride_w=stride,
        filter_height=kernel,
        filter_width=kernel,
        fused_activation_function=rng.choice(draws.ACTIVATIONS),
    )


@pytest.mark.parametrize("opcode", ["AVERAGE_POOL_2D", "MAX_POOL_2D"])
def test_layers(opcode: str) -> None:
    rng = random.Random(opcode)
    models = [layer(opcode, rng, depth, (5, 4)) for depth in (1, 3, 4, 7, 8, 9, 15, 16, 17, 33)]
    # As many values as 16 bits add up, and more.
    models += [
        layer(opcode, rng, 9, (16, 16), kernel=33),
        layer(opcode, rng, 5, (17, 17), kernel=35),
    ]
    models += pools.geometry(opcode, rng)[:4]
    agree(models, seed=91, targets=TARGETS)
