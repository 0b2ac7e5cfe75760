"""LOGISTIC."""

from collections.abc import Callable
from dataclasses import dataclass

from tinyrt import constraints, gemmlowp, lookup, sigmoids
from tinyrt.fixedpoint import Numerics, clamp, rounding_divide_by_pot
from tinyrt.graph import Node
from tinyrt.scales import zero_point_of

OUTPUT_BITS = 8
"""The output counts steps of 2^−8 from −128."""


def output_zero_point(node: Node) -> str | None:
    """The output's zero-point is −128; its scale is taken to be 1/256."""
    output = node.outputs[0]
    found = zero_point_of(output)
    return None if found == -128 else f"{output} has zero-point {found}"


@dataclass(frozen=True, slots=True)
class Logistic(lookup.Lookup):
    """LOGISTIC, int8: 1 / (1 + exp(−x)), by gemmlowp's fixed-point arithmetic.

    **Source:** CalculateArithmeticOpDataLogistic in TFLM's logistic_common.cc, Logistic in
    reference/integer_ops/logistic.h.
    """

    opcode = "LOGISTIC"
    constraints = (
        constraints.output_type_as_input,
        constraints.per_tensor(0, "input"),
        constraints.per_tensor_outputs,
        sigmoids.input_scale_in_range,
        output_zero_point,
    )

    @classmethod
    def mapping(cls, node: Node, numerics: Numerics) -> Callable[[int], int]:
        """Saturate outside of (−15, 15), roughly; else compute."""

        def logistic(raw: int) -> int:
            value = gemmlowp.logistic(raw, sigmoids.INPUT_INTEGER_BITS)
            return clamp(rounding_divide_by_pot(value, 31 - OUTPUT_BITS) - 128, -128, 127)

        return sigmoids.saturating(node, numerics, logistic)
