"""MUL."""

from bisect import bisect_right
from dataclasses import dataclass
from typing import Self

from tinyrt import broadcast, constraints, windows
from tinyrt.fixedpoint import Numerics, quantize_multiplier, requantize_to_int8
from tinyrt.graph import Node
from tinyrt.kernel import Run, Value
from tinyrt.options import ActivationFunctionType, MulOptions
from tinyrt.scales import factor_fits, scale_of, zero_point_of
from tinyrt.short_multiplier import staircase


def _activation(node: Node) -> ActivationFunctionType:
    return node.options_as(MulOptions).fused_activation_function


def _factor(node: Node) -> float:
    """The real factor of the integers' product, in double precision."""
    return scale_of(node.input(0)) * scale_of(node.input(1)) / scale_of(node.outputs[0])


@dataclass(frozen=True, slots=True)
class Mul(broadcast.Broadcast):
    """MUL, int8: the product of two tensors that broadcast; at most 255² before it is rescaled.

    **Source:** CalculateOpDataMul in TFLM's mul_common.cc, MulElementwise in
    reference/integer_ops/mul.h.
    """

    opcode = "MUL"
    c_name = "mul_s8"
    constraints = (
        *broadcast.RULES,
        constraints.per_tensor(0, "first input"),
        constraints.per_tensor(1, "second input"),
        constraints.per_tensor_outputs,
        windows.fused_activation(_activation),
        factor_fits("input scale · input scale / output scale", _factor),
    )

    input1_offset: int
    input2_offset: int
    output_offset: int
    output_multiplier: int
    output_shift: int
    activation_min: int
    activation_max: int
    numerics: Numerics

    @classmethod
    def prepare(cls, node: Node, numerics: Numerics) -> Self:
        """Fold shapes, scales and activation."""
        first, second, output = node.input(0), node.input(1), node.outputs[0]
        extents, strides1, strides2 = broadcast.loops(first.shape, second.shape)
        multiplier, shift = quantize_multiplier(_factor(node), numerics)
        low, high = windows.activation_range(_activation(node), output)
        return cls(
            loops=len(extents),
            extents=extents,
            strides1=strides1,
            strides2=strides2,
            input1_offset=-zero_point_of(first),
            input2_offset=-zero_point_of(second),
            output_offset=zero_point_of(output),
            output_multiplier=multiplier,
            output_shift=shift,
            activation_min=low,
            activation_max=high,
            numerics=numerics,
        )

    def fast(self) -> Run:
        """Look each pair up; tables of the products are made when they are first needed."""
        return self.looked_up(self._table)

    def _table(self) -> bytes:
        first = [value + self.input1_offset for value in range(-128, 128)]
        second = [value + self.input2_offset for value in range(-128, 128)]
        ends = [a * b for a in (first[0], first[-1]) for b in (second[0], second[-1])]
        stairs = staircase(
            self.output_multiplier,
            self.output_shift,
            self.output_offset,
            self.activation_min,
            self.activation_max,
            self.numerics,
            min(ends),
            max(ends),
        )
        if stairs is None:
            return bytes([self._result(a * b) + 128 for a in first for b in second])
        steps, base = stairs.steps, stairs.base + 128
        return bytes([base + bisect_right(steps, a * b) for a in first for b in second])

    def _result(self, product: int) -> int:
        return requantize_to_int8(
            product,
            self.output_multiplier,
            self.output_shift,
            self.output_offset,
            self.activation_min,
            self.activation_max,
            self.numerics,
        )

    def reference(self, *operands: Value) -> tuple[Value, ...]:
        """Multiply pair by pair."""
        first, second = (memoryview(operand).cast("B").cast("b") for operand in operands)
        output = bytearray(
            self._result((a + self.input1_offset) * (b + self.input2_offset)) & 0xFF
            for a, b in zip(
                self.stretched(first, self.strides1),
                self.stretched(second, self.strides2),
                strict=True,
            )
        )
        return (output,)


@dataclass(frozen=True, slots=True)
class MulInt32(broadcast.BroadcastInt32):
    """MUL, int32: wraps around, then the fused activation limits it; scales do not count.

    **Source:** EvalMulQuantizedReference in TFLM's mul_common.cc, Mul in reference/mul.h.
    """

    opcode = "MUL"
    c_name = "mul_s32"
    constraints = (*broadcast.RULES, windows.fused_activation(_activation))

    @classmethod
    def prepare(cls, node: Node, numerics: Numerics) -> Self:
        """Fold shapes and activation."""
        del numerics
        return cls.fold(node, _activation(node))

    @staticmethod
    def combine(value1: int, value2: int) -> int:
        """The product."""
        return value1 * value2
