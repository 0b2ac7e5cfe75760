"""ADD of two tensors of one shape."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Self

from tinyrt.fixedpoint import requantize, requantize_to_int8
from tinyrt.kernel import CKernel, Overlap, Touch
from tinyrt.ops.add import Add
from tinyrt.sums import LEFT_SHIFT

_HALF = (1 << 30, 0)
"""Multiplier and shift of the operand with the larger scale: it is halved, exactly."""


@dataclass(frozen=True, slots=True)
class AddSame(CKernel):
    """ADD, int8, without broadcasting.

    The operand that is not halved is rounded once instead of twice. That may differ in the last of
    its 20 fraction bits; `of` tries all values whose rounding differs, with all values of the
    other operand.
    """

    c_name = "add_same_s8"

    elements: int
    half_input: int
    half_offset: int
    other_offset: int
    other_factor: int
    other_multiplier: int
    output_multiplier: int
    output_shift: int
    output_offset: int
    activation_min: int
    activation_max: int

    @classmethod
    def of(cls, operator: Add, known: CKernel | None = None) -> Self | None:
        """The kernel for an operator, if it can be computed so.

        Args:
            operator: what it is to compute.
            known: the kernel for the same scales on more elements, if there is one.
        """
        if operator.loops != 1 or not all((*operator.strides1, *operator.strides2)):
            return None
        sides = (
            (operator.input1_offset, operator.input1_multiplier, operator.input1_shift),
            (operator.input2_offset, operator.input2_multiplier, operator.input2_shift),
        )
        half = 0 if sides[0][1:] == _HALF else 1
        other_offset, other_multiplier, other_shift = sides[1 - half]
        if sides[half][1:] != _HALF or other_shift < -LEFT_SHIFT or operator.output_shift >= 0:
            return None
        kernel = cls(
            elements=operator.extents[0],
            half_input=half,
            half_offset=sides[half][0],
            other_offset=other_offset,
            other_factor=1 << (LEFT_SHIFT + 1 + other_shift),
            other_multiplier=other_multiplier,
            output_multiplier=operator.output_multiplier,
            output_shift=-operator.output_shift,
            output_offset=operator.output_offset,
            activation_min=operator.activation_min,
            activation_max=operator.activation_max,
        )
        if isinstance(known, cls) and replace(known, elements=kernel.elements) == kernel:
            return kernel
        return kernel if kernel._equals(operator, other_shift) else None

    def _equals(self, operator: Add, other_shift: int) -> bool:
        """Whether rounding once changes no output."""
        for other in range(-128, 128):
            value = other + self.other_offset
            twice = requantize(
                value << LEFT_SHIFT, self.other_multiplier, other_shift, operator.numerics
            )
            # `>>` floors: half up.
            once = (value * self.other_factor * self.other_multiplier + (1 << 31)) >> 32
            if once == twice:
                continue
            for half in range(-128, 128):
                halved = (half + self.half_offset) << (LEFT_SHIFT - 1)
                one, two = (
                    requantize_to_int8(
                        halved + scaled,
                        self.output_multiplier,
                        -self.output_shift,
                        self.output_offset,
                        self.activation_min,
                        self.activation_max,
                        operator.numerics,
                    )
                    for scaled in (once, twice)
                )
                if one != two:
                    return False
        return True

    def overlap(self) -> tuple[Overlap, ...]:
        """In place over either: each element is read, then written."""
        return (Overlap(operand=0, forward=0), Overlap(operand=1, forward=0))

    def touches(self) -> Iterator[Touch]:
        """Element by element."""
        for element in range(self.elements):
            place = range(element, element + 1)
            yield Touch(((0, place), (1, place)), place)
