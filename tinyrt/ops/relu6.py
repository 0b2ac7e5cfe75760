"""RELU6."""

from collections.abc import Callable
from dataclasses import dataclass

from tinyrt import constraints, lookup, windows
from tinyrt.fixedpoint import Numerics, clamp
from tinyrt.graph import Node
from tinyrt.options import ActivationFunctionType


@dataclass(frozen=True, slots=True)
class Relu6(lookup.Lookup):
    """RELU6, int8: limits the input's values to those that stand for 0 and 6.

    The output is taken to have the input's scale and zero-point, whatever it says, as TFLM does.

    **Source:** Relu6Prepare in TFLM's activations_common.cc, Relu6Quantized in activations.h.
    """

    opcode = "RELU6"
    constraints = (
        constraints.output_type_as_input,
        constraints.per_tensor(0, "input"),
    )

    @classmethod
    def mapping(cls, node: Node, numerics: Numerics) -> Callable[[int], int]:
        """Limit; nothing is rescaled."""
        del numerics
        zero, six = windows.activation_range(ActivationFunctionType.RELU6, node.input(0))
        return lambda value: clamp(value, zero, six)
