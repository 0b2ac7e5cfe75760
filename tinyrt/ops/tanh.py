"""TANH."""

from collections.abc import Callable
from dataclasses import dataclass

from tinyrt import constraints, gemmlowp, lookup, sigmoids
from tinyrt.fixedpoint import Numerics, clamp, rounding_divide_by_pot
from tinyrt.graph import Node

OUTPUT_BITS = 7
"""The output counts steps of 2^−7 from 0."""


@dataclass(frozen=True, slots=True)
class Tanh(lookup.Lookup):
    """TANH, int8: hyperbolic tangent, by gemmlowp's fixed-point arithmetic.

    The output is taken to have scale 1/128 and zero-point 0, whatever it says, as TFLM does.

    **Source:** CalculateArithmeticOpData in TFLM's tanh.cc, Tanh in
    reference/integer_ops/tanh.h.
    """

    opcode = "TANH"
    constraints = (
        constraints.output_type_as_input,
        constraints.per_tensor(0, "input"),
        sigmoids.input_scale_in_range,
    )

    @classmethod
    def mapping(cls, node: Node, numerics: Numerics) -> Callable[[int], int]:
        """Saturate outside of (−15, 15), roughly; else compute."""

        def tanh(raw: int) -> int:
            value = gemmlowp.tanh(raw, sigmoids.INPUT_INTEGER_BITS)
            return clamp(rounding_divide_by_pot(value, 31 - OUTPUT_BITS), -128, 127)

        return sigmoids.saturating(node, numerics, tanh)
