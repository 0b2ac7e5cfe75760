"""What operators on two tensors share: dimensions of size 1 are stretched to the other's size.

The loops over the output are worked out once. Neighbouring dimensions that are walked alike are one
loop, so that two tensors of one shape give a single loop, and a bias for each channel gives two.

**Source:** BroadcastBinaryOpSimple in tensorflow/lite/kernels/internal/reference/broadcast_loop.h.
"""

import math
import sys
from abc import abstractmethod
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import repeat
from typing import Self

from tinyrt import constraints
from tinyrt.fixedpoint import INT32_MAX, INT32_MIN, clamp, wrap32
from tinyrt.graph import DType, Node, Shape
from tinyrt.kernel import Int32s, Kernel, Overlap, Run, Strip, Touch, Value
from tinyrt.options import ActivationFunctionType
from tinyrt.planar import FLIP

MAX_RANK = 6
"""As in TFLM (RuntimeShape); TINYRT_BROADCAST_LOOPS in C."""

ACTIVATION_INT32 = {
    ActivationFunctionType.NONE: (INT32_MIN, INT32_MAX),
    ActivationFunctionType.RELU: (0, INT32_MAX),
    ActivationFunctionType.RELU_N1_TO_1: (-1, 1),
    ActivationFunctionType.RELU6: (0, 6),
}
"""What fused activations leave of unscaled int32 outputs."""


def broadcast_shape(shape1: Shape, shape2: Shape) -> Shape:
    """The shape that two shapes are stretched to; missing leading dimensions count as 1.

    Raises:
        ValueError: a dimension differs and is 1 in neither.
    """
    rank = max(len(shape1), len(shape2))
    sizes = []
    for size1, size2 in zip(_extended(shape1, rank), _extended(shape2, rank), strict=True):
        if size1 != size2 and 1 not in (size1, size2):
            raise ValueError(
                f"{'x'.join(map(str, shape1))} and {'x'.join(map(str, shape2))} do not broadcast "
                f"({size1} against {size2}: equal, or one of them 1)"
            )
        sizes.append(size2 if size1 == 1 else size1)
    return tuple(sizes)


def _extended(shape: Shape, rank: int) -> Shape:
    return (1,) * (rank - len(shape)) + shape


def loops(shape1: Shape, shape2: Shape) -> tuple[Int32s, Int32s, Int32s]:
    """The loops over a broadcast output, outermost first; at least one.

    Returns:
        The count of each loop, and how many elements further it takes the first and the second
        operand at each turn (0 where it is stretched; the innermost loop's are 0 or 1).
    """
    output = broadcast_shape(shape1, shape2)
    if 0 in output:
        return (0,), (1,), (1,)
    extents: list[int] = []
    strides: list[tuple[int, int]] = []
    full1 = full2 = 1
    sizes = zip(output, _extended(shape1, len(output)), _extended(shape2, len(output)), strict=True)
    for size, size1, size2 in reversed(tuple(sizes)):
        if size == 1:
            continue
        stride = (0 if size1 == 1 else full1, 0 if size2 == 1 else full2)
        if strides and all(
            outer == inner * extents[0] for outer, inner in zip(stride, strides[0], strict=True)
        ):
            extents[0] *= size
        else:
            extents.insert(0, size)
            strides.insert(0, stride)
        full1 *= size1
        full2 *= size2
    if not extents:
        return (1,), (1,), (1,)
    return tuple(extents), tuple(s for s, _ in strides), tuple(s for _, s in strides)


def _starts(extents: Int32s, strides: Int32s) -> Iterator[int]:
    """Where the runs of the innermost loop start; these are the loops around it."""
    if not extents:
        yield 0
        return
    for turn in range(extents[0]):
        for start in _starts(extents[1:], strides[1:]):
            yield turn * strides[0] + start


@dataclass(frozen=True, slots=True)
class Broadcast(Kernel):
    """Base of the operators on two tensors."""

    arity = (2, 2)

    loops: int
    extents: Int32s
    strides1: Int32s
    strides2: Int32s

    @classmethod
    def infer(cls, node: Node) -> tuple[Shape, ...]:
        """The shape that both inputs are stretched to."""
        return (broadcast_shape(node.input(0).shape, node.input(1).shape),)

    def stretched(self, values: memoryview, strides: Int32s) -> Iterator[int]:
        """An operand's elements, one for each element of the output."""
        run = self.extents[-1]
        for start in _starts(self.extents[:-1], strides[:-1]):
            if strides[-1]:
                yield from values[start : start + run]
            elif run:
                yield from repeat(values[start], run)

    def strip(self, rows: range, height: int) -> Strip | None:
        """The same rows of the operands; an operand that is the same for all rows is whole."""
        turns, *inner = self.extents
        if turns % height:
            return None
        reads = tuple(rows if s[0] else None for s in (self.strides1, self.strides2))
        return Strip(replace(self, extents=(turns // height * len(rows), *inner)), reads)

    def looked_up(self, table: Callable[[], bytes]) -> Run:
        """A run that looks up every pair of bytes, for int8 operands.

        Args:
            table: makes, when first needed, the output byte (plus 128) of each pair of input bytes
                (each plus 128), the first operand's counting 256.
        """
        results: list[int] = []

        def run(first: Value, second: Value) -> tuple[Value, ...]:
            if not results:
                results.extend(table())
            stretched1 = bytes(self.stretched(memoryview(bytes(first)), self.strides1))
            stretched2 = bytes(self.stretched(memoryview(bytes(second)), self.strides2))
            pairs = bytearray(2 * len(stretched1))
            # Native 16-bit integers.
            low = 0 if sys.byteorder == "little" else 1
            pairs[low::2] = stretched2.translate(FLIP)
            pairs[1 - low :: 2] = stretched1.translate(FLIP)
            found = map(results.__getitem__, memoryview(pairs).cast("H"))
            return (bytes(found).translate(FLIP),)

        return run

    def overlap(self) -> tuple[Overlap, ...]:
        """In place over an operand that is not stretched: each element is read, then written."""
        return tuple(
            Overlap(operand=operand, forward=0)
            for operand, strides in enumerate((self.strides1, self.strides2))
            if all(strides)
        )

    def touches(self) -> Iterator[Touch]:
        """Element by element."""
        size = self.input_type.bytes if self.input_type else 1
        count = math.prod(self.extents)
        firsts = self.stretched(memoryview(array("i", range(count))), self.strides1)
        seconds = self.stretched(memoryview(array("i", range(count))), self.strides2)
        for number, places in enumerate(zip(firsts, seconds, strict=True)):
            reads = tuple((i, range(p * size, (p + 1) * size)) for i, p in enumerate(places))
            yield Touch(reads, range(number * size, (number + 1) * size))


def no_scales(node: Node) -> str | None:
    """The int32 inputs and outputs are not quantized."""
    for tensor in (*node.inputs, *node.outputs):
        if tensor is not None and tensor.quantization is not None:
            return f"{tensor} has a scale"
    return None


@dataclass(frozen=True, slots=True)
class BroadcastInt32(Broadcast):
    """Base of the operators on two int32 tensors without scales.

    Results wrap around, then the fused activation limits them.
    """

    input_type = DType.INT32

    activation_min: int
    activation_max: int

    @classmethod
    def fold(cls, node: Node, activation: ActivationFunctionType) -> Self:
        """Fold shapes and activation."""
        extents, strides1, strides2 = loops(node.input(0).shape, node.input(1).shape)
        low, high = ACTIVATION_INT32[activation]
        return cls(
            loops=len(extents),
            extents=extents,
            strides1=strides1,
            strides2=strides2,
            activation_min=low,
            activation_max=high,
        )

    @staticmethod
    @abstractmethod
    def combine(value1: int, value2: int) -> int:
        """The exact result for one pair of elements."""

    def reference(self, *operands: Value) -> tuple[Value, ...]:
        """Combine pair by pair."""
        first, second = (memoryview(operand).cast("B").cast("i") for operand in operands)
        output = array(
            "i",
            (
                clamp(wrap32(self.combine(a, b)), self.activation_min, self.activation_max)
                for a, b in zip(
                    self.stretched(first, self.strides1),
                    self.stretched(second, self.strides2),
                    strict=True,
                )
            ),
        )
        return (output.tobytes(),)


RULES = (
    constraints.present(1, "second input"),
    constraints.same_types,
    constraints.max_rank(MAX_RANK),
)
"""What every operator on two tensors asks for first."""
