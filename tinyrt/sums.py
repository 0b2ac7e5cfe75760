"""What int8 ADD and SUB share: both operands are brought to one finer scale before they meet.

The scale is twice the larger input scale, divided by 2^20; an operand is at most 255 steps from its
zero-point, so that 255 · 2^20 and the sum of two such values, each halved at least, fit in int32.

The factors are taken in double precision. TFLM's sub_common.cc once took SUB's in single precision;
the oracle's build does not.

**Source:** TFLM's add_common.cc and reference/integer_ops/add.h; sub_common.cc and reference/sub.h.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Self

from tinyrt import broadcast, constraints, windows
from tinyrt.fast import addition
from tinyrt.fast.addition import Addition, RescaledPair
from tinyrt.fixedpoint import Numerics, quantize_multiplier, requantize, requantize_to_int8
from tinyrt.graph import Node, Shape
from tinyrt.kernel import Constraint, Run, Value
from tinyrt.options import ActivationFunctionType
from tinyrt.planar import Image, PlanarOperator
from tinyrt.scales import scale_of, zero_point_of
from tinyrt.short_multiplier import staircase

LEFT_SHIFT = 20
"""Fraction bits that operands gain before they are rescaled."""


def factors(node: Node) -> tuple[float, float, float]:
    """The real factors of the first operand, the second operand and the result."""
    scale1, scale2 = scale_of(node.input(0)), scale_of(node.input(1))
    twice_larger = 2.0 * max(scale1, scale2)
    return (
        scale1 / twice_larger,
        scale2 / twice_larger,
        twice_larger / ((1 << LEFT_SHIFT) * scale_of(node.outputs[0])),
    )


def factors_fit(node: Node) -> str | None:
    """Inputs and result are rescaled by factors between 0 and 1."""
    found = factors(node)
    # Just below 1 a multiplier rounds up to 1, with shift 1.
    if all(0.0 < factor < 1.0 and quantize_multiplier(factor)[1] <= 0 for factor in found):
        return None
    return "factors {:g}, {:g} and {:g}".format(*found)


def rules(activation: Callable[[Node], ActivationFunctionType]) -> tuple[Constraint, ...]:
    """All that int8 ADD and SUB ask for; `activation` reads the node's choice."""
    return (
        *broadcast.RULES,
        constraints.per_tensor(0, "first input"),
        constraints.per_tensor(1, "second input"),
        constraints.per_tensor_outputs,
        windows.fused_activation(activation),
        factors_fit,
    )


@dataclass(frozen=True, slots=True)
class RescaledSum(broadcast.Broadcast):
    """Base of ADD and SUB."""

    sign: ClassVar[int]
    """What the second operand is taken times: 1 or −1."""

    input1_offset: int
    input1_multiplier: int
    input1_shift: int
    input2_offset: int
    input2_multiplier: int
    input2_shift: int
    output_offset: int
    output_multiplier: int
    output_shift: int
    activation_min: int
    activation_max: int
    numerics: Numerics

    @classmethod
    def fold(cls, node: Node, numerics: Numerics, activation: ActivationFunctionType) -> Self:
        """Fold shapes, scales and activation."""
        first, second, output = node.input(0), node.input(1), node.outputs[0]
        extents, strides1, strides2 = broadcast.loops(first.shape, second.shape)
        multipliers = [quantize_multiplier(factor, numerics) for factor in factors(node)]
        low, high = windows.activation_range(activation, output)
        return cls(
            loops=len(extents),
            extents=extents,
            strides1=strides1,
            strides2=strides2,
            input1_offset=-zero_point_of(first),
            input1_multiplier=multipliers[0][0],
            input1_shift=multipliers[0][1],
            input2_offset=-zero_point_of(second),
            input2_multiplier=multipliers[1][0],
            input2_shift=multipliers[1][1],
            output_offset=zero_point_of(output),
            output_multiplier=multipliers[2][0],
            output_shift=multipliers[2][1],
            activation_min=low,
            activation_max=high,
            numerics=numerics,
        )

    def _rescaled(self, value: int, offset: int, multiplier: int, shift: int) -> int:
        return requantize((value + offset) << LEFT_SHIFT, multiplier, shift, self.numerics)

    def pair(self) -> RescaledPair | None:
        """The operator on two bytes; None where its result would wrap."""
        scaled1 = tuple(
            self._rescaled(v, self.input1_offset, self.input1_multiplier, self.input1_shift)
            for v in range(-128, 128)
        )
        scaled2 = tuple(
            self.sign
            * self._rescaled(v, self.input2_offset, self.input2_multiplier, self.input2_shift)
            for v in range(-128, 128)
        )
        result = staircase(
            self.output_multiplier,
            self.output_shift,
            self.output_offset,
            self.activation_min,
            self.activation_max,
            self.numerics,
            min(scaled1) + min(scaled2),
            max(scaled1) + max(scaled2),
        )
        return None if result is None else RescaledPair(scaled1, scaled2, result)

    def planar(self, shape: Shape) -> PlanarOperator | None:
        """Plane by plane, where both operands are images of one size."""
        pair = self.pair()
        alike = len(self.extents) == 1 and self.strides1 == self.strides2 == (1,)
        if pair is None or not alike or len(shape) != 4 or shape[0] != 1:
            return None
        image = Image(*shape[1:])
        return Addition(image, image, pair)

    def fast(self) -> Run:
        """In lanes where both operands are of one size; else look up each pair."""
        pair = self.pair()
        if pair is None:
            return self.reference
        if len(self.extents) == 1 and self.strides1 == self.strides2 == (1,):
            run = addition.elementwise(pair, self.extents[0])
            if run is not None:
                return run
        return self.looked_up(pair.table)

    def reference(self, *operands: Value) -> tuple[Value, ...]:
        """Rescale each of the 256 values that an operand can have, then add pair by pair."""
        first, second = (memoryview(operand).cast("B") for operand in operands)
        values = [*range(128), *range(-128, 0)]
        scaled1 = [
            self._rescaled(v, self.input1_offset, self.input1_multiplier, self.input1_shift)
            for v in values
        ]
        scaled2 = [
            self._rescaled(v, self.input2_offset, self.input2_multiplier, self.input2_shift)
            for v in values
        ]
        output = bytearray(
            requantize_to_int8(
                scaled1[a] + self.sign * scaled2[b],
                self.output_multiplier,
                self.output_shift,
                self.output_offset,
                self.activation_min,
                self.activation_max,
                self.numerics,
            )
            & 0xFF
            for a, b in zip(
                self.stretched(first, self.strides1),
                self.stretched(second, self.strides2),
                strict=True,
            )
        )
        return (output,)
