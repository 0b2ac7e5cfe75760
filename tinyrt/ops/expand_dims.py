"""EXPAND_DIMS."""

from dataclasses import dataclass

from tinyrt import constraints, movers
from tinyrt.aliases import Alias
from tinyrt.graph import DType, Node, Shape


@dataclass(frozen=True, slots=True)
class ExpandDims(Alias):
    """EXPAND_DIMS, any element type: a new dimension of size 1 before dimension `axis`.

    **Source:** VerifyTensorDim in TFLM's expand_dims.cc.
    """

    opcode = "EXPAND_DIMS"
    arity = (2, 2)
    folded = (1,)
    constraints = (
        *Alias.constraints,
        constraints.present(1, "axis"),
        constraints.input_is(1, "axis", DType.INT32),
        constraints.constant(1, "axis"),
        movers.elements(1, "axis", lambda _: 1),
    )

    @classmethod
    def infer(cls, node: Node) -> tuple[Shape, ...]:
        """The input's shape with a 1 put in; a negative axis counts from the output's end."""
        shape = node.input(0).shape
        axis = movers.axis_in(node.input(1).integers()[0], len(shape) + 1)
        return ((*shape[:axis], 1, *shape[axis:]),)
