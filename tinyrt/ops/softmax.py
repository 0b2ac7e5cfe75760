"""SOFTMAX."""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from tinyrt import constraints, gemmlowp
from tinyrt.fixedpoint import (
    Numerics,
    clamp,
    quantize_multiplier,
    rounding_divide_by_pot,
    saturating_rounding_doubling_high_mul,
)
from tinyrt.graph import Node, Shape
from tinyrt.kernel import Kernel, Overlap, Run, Touch, Value
from tinyrt.options import SoftmaxOptions
from tinyrt.scales import scale_of, zero_point_of

_DIFFERENCE_INTEGER_BITS = 5
"""Differences from a row's maximum are Q5.26: those below −31 are not worth adding."""
_SUM_INTEGER_BITS = 12
"""Sums of exponentials are Q12.19."""
DEPTH_LIMIT = (1 << _SUM_INTEGER_BITS) - 1


def _scaled_beta(node: Node) -> float:
    beta = node.options_as(SoftmaxOptions).beta
    return beta * scale_of(node.input(0)) * (1 << (31 - _DIFFERENCE_INTEGER_BITS))


def beta_above_least(node: Node) -> str | None:
    """The product of beta, input scale and 2^26 is greater than 1."""
    if _scaled_beta(node) > 1.0:  # false for NaN as well
        return None
    return node.option_found("beta", node.options_as(SoftmaxOptions).beta)


def row_within_limit(node: Node) -> str | None:
    """The input has a last dimension, of at most 4095: the sum of as many ones is below 2^12."""
    source = node.input(0)
    if source.shape and source.shape[-1] <= DEPTH_LIMIT:
        return None
    return f"input {source}"


def probability_output(node: Node) -> str | None:
    """The output has scale 1/256 and zero-point -128."""
    scale, zero_point = scale_of(node.outputs[0]), zero_point_of(node.outputs[0])
    if scale == 1 / 256 and zero_point == -128:
        return None
    return f"scale {scale:g} and zero-point {zero_point}"


@dataclass(frozen=True, slots=True)
class Softmax(Kernel):
    """SOFTMAX, int8: exponentials along the last axis, divided by their sum.

    Nothing is requantized by the numeric profile: left shifts round alike in both.

    **Source:** Softmax in TFLM's reference/softmax.h, PreprocessSoftmaxScaling and
    CalculateInputRadius in quantization_util.cc. TFLM aborts where a row's exponentials add up to
    512 or more; here all of that row rounds to zero, which its arithmetic would give.
    """

    opcode = "SOFTMAX"
    c_name = "softmax_s8"
    constraints = (
        constraints.output_type_as_input,
        constraints.per_tensor(0, "input"),
        constraints.per_tensor_outputs,
        row_within_limit,
        beta_above_least,
        probability_output,
    )

    rows: int
    depth: int
    multiplier: int
    left_shift: int
    difference_min: int
    """Inputs that are less than their row's maximum by more than this count as zero; ≤ 0."""

    @classmethod
    def infer(cls, node: Node) -> tuple[Shape, ...]:
        """The shape of the input."""
        return (node.input(0).shape,)

    @classmethod
    def prepare(cls, node: Node, numerics: Numerics) -> Self:
        """Fold beta and the input's scale into one factor of at most 2^31 − 1."""
        del numerics
        shape = node.input(0).shape
        multiplier, left_shift = quantize_multiplier(min(_scaled_beta(node), (1 << 31) - 1.0))
        radius = ((1 << _DIFFERENCE_INTEGER_BITS) - 1) << (31 - _DIFFERENCE_INTEGER_BITS)
        return cls(
            rows=math.prod(shape[:-1]),
            depth=shape[-1],
            multiplier=multiplier,
            left_shift=left_shift,
            # `>>` floors: no difference that is kept leaves int32 when it is shifted left.
            difference_min=-(radius >> left_shift),
        )

    def fast(self) -> Run:
        """Value by value: one of at most 256 in a row has one exponential and one result."""
        known: dict[int, tuple[int, int]] = {}

        def exponential(difference: int) -> tuple[int, int]:
            """And what of it is added up."""
            if difference not in known:
                value = self._exponential(difference)
                known[difference] = value, _summand(value)
            return known[difference]

        def row_of(row: bytes) -> bytes:
            counts = Counter(row)
            values = [(byte - 256 if byte > 127 else byte, byte) for byte in counts]
            greatest, _ = max(values)
            found = [(byte, *exponential(value - greatest)) for value, byte in values]
            total = sum([summand * counts[byte] for byte, _, summand in found])
            reciprocal, shift = _reciprocal(total)
            half = 1 << (shift - 1)
            table = bytearray(256)
            for byte, value, _ in found:
                # `_probability`, without its calls: nothing is negative here, and halves go up.
                rounded = (reciprocal * value + (1 << 30) >> 31) + half >> shift
                table[byte] = min(rounded, 255) ^ 0x80
            return row.translate(table)

        size, depth = self.rows * self.depth, self.depth

        def run(source: Value) -> tuple[Value, ...]:
            data = bytes(source)
            rows = [row_of(data[start : start + depth]) for start in range(0, size, depth)]
            return (b"".join(rows),)

        return run

    def reference(self, *operands: Value) -> tuple[Value, ...]:
        """Exponentials of the differences from the maximum, times the reciprocal of their sum."""
        source = memoryview(operands[0]).cast("b").tolist()
        output = bytearray()
        for start in range(0, self.rows * self.depth, self.depth):
            row = source[start : start + self.depth]
            greatest = max(row)
            exponentials = [self._exponential(value - greatest) for value in row]
            reciprocal, shift = _reciprocal(sum(map(_summand, exponentials)))
            for value in exponentials:
                output.append(_probability(value, reciprocal, shift))
        return (output,)

    def _exponential(self, difference: int) -> int:
        """Exponential of a difference of inputs, without integer bits; 0 for those too far away."""
        if difference < self.difference_min:
            return 0
        scaled = saturating_rounding_doubling_high_mul(
            difference << self.left_shift, self.multiplier
        )
        return gemmlowp.exp_on_negative_values(scaled, _DIFFERENCE_INTEGER_BITS)

    def overlap(self) -> tuple[Overlap, ...]:
        """In place: a row is summed up before it is overwritten, from its first value on."""
        return (Overlap(operand=0, forward=0),)

    def touches(self) -> Iterator[Touch]:
        """Row by row, element by element."""
        for start in range(0, self.rows * self.depth, self.depth):
            row = range(start, start + self.depth)
            yield Touch(((0, row),), row[:0])
            for place in row:
                element = range(place, place + 1)
                yield Touch(((0, element),), element)


def _summand(exponential: int) -> int:
    """An exponential as it is added up, with the integer bits of a sum."""
    return rounding_divide_by_pot(exponential, _SUM_INTEGER_BITS)


def _reciprocal(total: int) -> tuple[int, int]:
    """The reciprocal of a sum of exponentials, and how far its products are to be shifted right."""
    # total = (1 + x) · 2^bits_over_unit with x in [0, 1).
    headroom = 32 - total.bit_length()
    bits_over_unit = _SUM_INTEGER_BITS - headroom
    reciprocal = gemmlowp.one_over_one_plus_x((total << headroom) - (1 << 31))
    return reciprocal, bits_over_unit + 31 - 8


def _probability(exponential: int, reciprocal: int, shift: int) -> int:
    """The output byte of an exponential."""
    quotient = saturating_rounding_doubling_high_mul(reciprocal, exponential)
    return clamp(rounding_divide_by_pot(quotient, shift) - 128, -128, 127) & 0xFF
