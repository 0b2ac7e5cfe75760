"""RESHAPE."""

import math
from dataclasses import dataclass

from tinyrt.aliases import Alias
from tinyrt.graph import DType, Node, Shape
from tinyrt.options import ReshapeOptions


@dataclass(frozen=True, slots=True)
class Reshape(Alias):
    """RESHAPE, any element type: the same elements in the same order under another shape.

    The declared output shape counts, as in TFLM, wherever it holds as many elements as the input:
    there the shape operand may be computed at run time, and is not read. Only a resized input asks
    for the new shape itself: the operand where it is a constant, else the option, else the
    output's shape signature.

    **Source:** PrepareReshapeReference in TFLM's reshape_common.cc.
    """

    opcode = "RESHAPE"
    arity = (1, 2)
    folded = (1,)

    @classmethod
    def infer(cls, node: Node) -> tuple[Shape, ...]:
        """The new shape; one −1 in it stands for whatever is left over."""
        elements, output = node.input(0).elements, node.outputs[0]
        if output.elements == elements:
            return (output.shape,)
        wanted = cls._wanted(node)
        rest = math.prod(size for size in wanted if size != -1)
        if wanted.count(-1) == 1 and rest > 0:
            wanted = tuple(elements // rest if size == -1 else size for size in wanted)
        if math.prod(wanted) != elements or min(wanted, default=1) < 0:
            raise ValueError(f"{node.input(0)} cannot take the shape {'x'.join(map(str, wanted))}")
        return (wanted,)

    @staticmethod
    def _wanted(node: Node) -> Shape:
        shape, output = node.optional_input(1), node.outputs[0]
        if shape is not None and shape.is_constant and shape.dtype is DType.INT32:
            return shape.integers()
        return node.options_as(ReshapeOptions).new_shape or output.shape_signature or output.shape
