"""AVERAGE_POOL_2D of a whole map that comes a few rows at a time."""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from tinyrt.fast.pooling import mean
from tinyrt.fixedpoint import Numerics, clamp
from tinyrt.graph import DType, Node, Shape, Tensor
from tinyrt.kernel import Kernel, Overlap, Touch, Value, Variadic
from tinyrt.ops.average_pool_2d import AveragePool2D


@dataclass(frozen=True, slots=True)
class AveragePoolRows(Kernel):
    """Adds rows to the sums of the rows before; with the last ones, it divides.

    **Source:** as AVERAGE_POOL_2D; integers add up in any order.
    """

    opcode = "AVERAGE_POOL_2D"
    c_name = "average_pool_rows_s8"
    variadic: ClassVar[Variadic] = Variadic.INPUTS

    input_count: int
    pixels: int
    depth: int
    count: int
    activation_min: int
    activation_max: int

    @classmethod
    def of(cls, operator: AveragePool2D) -> Self | None:
        """What takes all rows at once; none where windows do not cover the map."""
        size = operator.input_height, operator.input_width
        covers = operator.filter_height >= size[0] and operator.filter_width >= size[1]
        if not covers or operator.pad_top or operator.pad_left or operator.batches != 1:
            return None
        if (operator.output_height, operator.output_width) != (1, 1):
            return None
        count = size[0] * size[1]
        low, high = operator.activation_min, operator.activation_max
        return cls(1, count, operator.depth, count, low, high)

    def part(self, pixels: int, *, first: bool, last: bool) -> Self:
        """What takes some of the pixels."""
        count = self.count if last else 0
        return replace(self, input_count=1 if first else 2, pixels=pixels, count=count)

    @classmethod
    def infer(cls, node: Node) -> tuple[Shape, ...]:
        """One pixel."""
        return (node.outputs[0].shape,)

    @classmethod
    def prepare(cls, node: Node, numerics: Numerics) -> Self:
        """All rows at once."""
        whole = cls.of(AveragePool2D.prepare(node, numerics))
        assert whole is not None, "windows do not cover the map"
        return whole

    def sums(self, like: Tensor, index: int) -> Tensor:
        """The tensor of the sums so far."""
        name = f"{like.label}, sums"
        return replace(like, index=index, name=name, dtype=DType.INT32, quantization=None)

    def reference(self, *operands: Value) -> tuple[Value, ...]:
        """Sum each channel, then divide."""
        rows = memoryview(operands[0]).cast("B").cast("b")
        before = memoryview(operands[1]).cast("B").cast("i") if self.input_count > 1 else None
        sums = array("i", (sum(rows[c :: self.depth]) for c in range(self.depth)))
        if before is not None:
            sums = array("i", map(int.__add__, before, sums))
        if not self.count:
            return (sums.tobytes(),)
        low, high = self.activation_min, self.activation_max
        return (bytes(clamp(mean(total, self.count), low, high) & 0xFF for total in sums),)

    def overlap(self) -> tuple[Overlap, ...]:
        """Sums are added to in place."""
        in_place = self.input_count > 1 and not self.count
        return (Overlap(operand=1, forward=0, only_in_place=True),) if in_place else ()

    def touches(self) -> Iterator[Touch]:
        """Channel by channel."""
        size = 1 if self.count else 4
        for channel in range(self.depth):
            reads = [(0, range(channel, self.pixels * self.depth, self.depth))]
            if self.input_count > 1:
                reads.append((1, range(4 * channel, 4 * channel + 4)))
            yield Touch(tuple(reads), range(size * channel, size * (channel + 1)))
