"""PAD, TRANSPOSE and CONCATENATION in CMSIS-NN, for tensors of int8.

**Source:** arm_pad_s8.c, arm_transpose_s8.c and arm_concatenation_s8_x.c in CMSIS-NN at 99f736a.
"""

from itertools import accumulate

from tinyrt.cmsis_nn.calls import Array, Call, Dims, Operand, Result, Struct
from tinyrt.movers import Join
from tinyrt.ops.pad import LEVELS, Pad
from tinyrt.ops.transpose import Transpose

UINT16_MAX = (1 << 16) - 1
_RANK = 4
"""Dimensions of a tensor there."""
_GATHERED = 7
"""With MVE a matrix is transposed by 16-bit offsets; they span so many of its rows."""


def pad(kernel: Pad) -> Call | None:
    """arm_pad_s8: four of our five levels are as many dimensions."""
    sizes = (*kernel.counts, kernel.run_bytes)
    if kernel.value_bytes > 1 or (kernel.before[0], sizes[0], kernel.after[0]) != (0, 1, 0):
        return None
    # A level's borders are in bytes; one step along its dimension is all of the level inside it.
    pitches = [1] * LEVELS
    for level in range(LEVELS - 2, -1, -1):
        inner = kernel.before[level + 1] + kernel.after[level + 1]
        pitches[level] = inner + sizes[level + 1] * pitches[level + 1]
    before, after = (
        [bytes_ // pitch for bytes_, pitch in zip(borders, pitches, strict=True)]
        for borders in (kernel.before, kernel.after)
    )
    (value,) = memoryview(kernel.value).cast("b")
    return Call(
        "arm_pad_s8",
        (Operand(0), Result(), value, Dims(*sizes[1:]), Dims(*before[1:]), Dims(*after[1:])),
    )


def transpose(kernel: Transpose) -> Call | None:
    """arm_transpose_s8 of the fewest dimensions that the permutation needs."""
    loops = [pair for pair in zip(kernel.counts, kernel.strides, strict=True) if pair[0] > 1]
    if kernel.run_bytes > 1:
        loops.append((kernel.run_bytes, 1))
    if not 2 <= len(loops) <= _RANK:
        return None  # nothing moves, or too much
    # The input's dimensions, outermost first, are those whose stride is greatest.
    order = sorted(range(len(loops)), key=lambda axis: -loops[axis][1])
    shape = [loops[axis][0] for axis in order]
    permutation = tuple(order.index(axis) for axis in range(len(loops)))
    if len(loops) == 2 and max(shape[0], _GATHERED * shape[1]) > UINT16_MAX:
        return None
    rest = [1] * (_RANK - len(loops))
    return Call(
        "arm_transpose_s8",
        (
            Operand(0),
            Result(),
            Dims(*shape, *rest),
            Dims(*(count for count, _ in loops), *rest),
            Struct(
                "transpose",
                "cmsis_nn_transpose_params",
                {
                    "num_dims": len(loops),
                    "permutations": Array("permutation", "uint32_t", permutation),
                },
            ),
        ),
    )


def join(kernel: Join) -> tuple[Call, ...]:
    """arm_concatenation_s8_x for each input: all dimensions from the axis on are one."""
    total = sum(kernel.block_bytes)
    if max(total, kernel.outer) > UINT16_MAX:
        return ()
    places = accumulate(kernel.block_bytes, initial=0)
    return tuple(
        Call(
            "arm_concatenation_s8_x",
            (Operand(position), block, 1, 1, kernel.outer, Result(), total, place),
            returns_status=False,
        )
        for position, (block, place) in enumerate(zip(kernel.block_bytes, places, strict=False))
    )
