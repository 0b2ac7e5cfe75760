"""ADD."""

from dataclasses import dataclass
from typing import Self

from tinyrt import broadcast, sums, windows
from tinyrt.fixedpoint import Numerics
from tinyrt.graph import Node
from tinyrt.options import ActivationFunctionType, AddOptions


def _activation(node: Node) -> ActivationFunctionType:
    return node.options_as(AddOptions).fused_activation_function


@dataclass(frozen=True, slots=True)
class Add(sums.RescaledSum):
    """ADD, int8: the sum of two tensors that broadcast.

    **Source:** CalculateOpDataAdd in TFLM's add_common.cc, AddFunc in
    reference/integer_ops/add.h.
    """

    opcode = "ADD"
    c_name = "add_s8"
    sign = 1
    constraints = sums.rules(_activation)

    @classmethod
    def prepare(cls, node: Node, numerics: Numerics) -> Self:
        """Fold shapes, scales and activation."""
        return cls.fold(node, numerics, _activation(node))


@dataclass(frozen=True, slots=True)
class AddInt32(broadcast.BroadcastInt32):
    """ADD, int32 without scales: wraps around. A fused activation is ignored, as TFLM does.

    **Source:** EvalAdd in TFLM's add.cc.
    """

    opcode = "ADD"
    c_name = "add_s32"
    constraints = (
        *broadcast.RULES,
        broadcast.no_scales,
        windows.fused_activation(_activation),
    )

    @classmethod
    def prepare(cls, node: Node, numerics: Numerics) -> Self:
        """Fold the shapes."""
        del numerics
        return cls.fold(node, ActivationFunctionType.NONE)

    @staticmethod
    def combine(value1: int, value2: int) -> int:
        """The sum."""
        return value1 + value2
