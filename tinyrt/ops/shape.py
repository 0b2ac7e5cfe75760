"""SHAPE."""

import struct
from dataclasses import dataclass
from typing import Self

from tinyrt import constraints
from tinyrt.fixedpoint import Numerics
from tinyrt.graph import DType, Node, Shape
from tinyrt.kernel import Int32s, Kernel, Value
from tinyrt.options import RANK_LIMIT, ShapeOptions, TensorType


def out_type_agrees(node: Node) -> str | None:
    """The out_type, where there is one, is the output's element type."""
    wanted, output = node.options_as(ShapeOptions).out_type, node.outputs[0]
    # An absent field reads as float32, which no shape has. TFLM goes by the tensor alone.
    if wanted in {TensorType.FLOAT32, TensorType[output.dtype.name]}:
        return None
    return f"{output}, {node.option_found('out_type', wanted.name)}"


@dataclass(frozen=True, slots=True)
class ShapeOf(Kernel):
    """SHAPE, of a tensor of any element type: its dimensions, as int32 or int64.

    They are known before anything runs; the input is never read. TFLM knows int32 only.

    **Source:** ExtractShape in TFLM's shape.cc.
    """

    opcode = "SHAPE"
    c_name = "shape"
    input_type = None
    folded = (0,)
    constraints = (
        constraints.rank(0, "input", *range(1, RANK_LIMIT + 1)),
        constraints.output_is(DType.INT32, DType.INT64),
        out_type_agrees,
    )

    rank: int
    sizes: Int32s
    output_bytes: int
    """Bytes of an output element: 4 or 8."""

    @classmethod
    def infer(cls, node: Node) -> tuple[Shape, ...]:
        """One element for each dimension of the input."""
        return ((len(node.input(0).shape),),)

    @classmethod
    def prepare(cls, node: Node, numerics: Numerics) -> Self:
        """Take the dimensions, which hold fewer than 2^31 elements together."""
        del numerics
        shape = node.input(0).shape
        return cls(len(shape), shape, node.outputs[0].dtype.bytes)

    def reference(self, *operands: Value) -> tuple[Value, ...]:
        """Write them down."""
        assert not operands
        return (struct.pack(f"<{self.rank}{'i' if self.output_bytes == 4 else 'q'}", *self.sizes),)
