"""SUB."""

from dataclasses import dataclass
from typing import Self

from tinyrt import broadcast, sums, windows
from tinyrt.fixedpoint import Numerics
from tinyrt.graph import Node
from tinyrt.options import ActivationFunctionType, SubOptions


def _activation(node: Node) -> ActivationFunctionType:
    return node.options_as(SubOptions).fused_activation_function


@dataclass(frozen=True, slots=True)
class Sub(sums.RescaledSum):
    """SUB, int8: the first tensor less the second; they broadcast.

    **Source:** CalculateOpDataSub in TFLM's sub_common.cc, SubElementwise in reference/sub.h.
    """

    opcode = "SUB"
    c_name = "sub_s8"
    sign = -1
    constraints = sums.rules(_activation)

    @classmethod
    def prepare(cls, node: Node, numerics: Numerics) -> Self:
        """Fold shapes, scales and activation."""
        return cls.fold(node, numerics, _activation(node))


@dataclass(frozen=True, slots=True)
class SubInt32(broadcast.BroadcastInt32):
    """SUB, int32 without scales: wraps around, then the fused activation limits it.

    **Source:** EvalSub in TFLM's sub.cc.
    """

    opcode = "SUB"
    c_name = "sub_s32"
    constraints = (
        *broadcast.RULES,
        broadcast.no_scales,
        windows.fused_activation(_activation),
    )

    @classmethod
    def prepare(cls, node: Node, numerics: Numerics) -> Self:
        """Fold shapes and activation."""
        del numerics
        return cls.fold(node, _activation(node))

    @staticmethod
    def combine(value1: int, value2: int) -> int:
        """The difference."""
        return value1 - value2
