"""DEQUANTIZE."""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar, Literal, Self

from tinyrt import constraints
from tinyrt.fixedpoint import Numerics
from tinyrt.graph import DType, Node, Shape
from tinyrt.kernel import Kernel, Overlap, Run, Strip, Touch, Value
from tinyrt.scales import scale_of, single, single_bits, single_of_bits, zero_point_of
from tinyrt.walks import Elements


@dataclass(frozen=True, slots=True)
class Dequantize(Kernel):
    """DEQUANTIZE, int8 → float32: scale · (value − zero-point).

    The difference is exact as a single, so that their single-precision product is rounded once, as
    the reference's double-precision product is when it is stored.

    **Source:** DequantizePrepare in TFLM's dequantize_common.cc, Dequantize in
    reference/dequantize.h.
    """

    opcode = "DEQUANTIZE"
    c_name = "dequantize_s8_f32"
    input_format: ClassVar[Literal["b", "h"]] = "b"
    constraints = (
        constraints.output_is(DType.FLOAT32),
        constraints.per_tensor(0, "input"),
    )

    elements: int
    input_offset: int
    scale_bits: int
    """The input scale, an IEEE single, as an integer of the same 32 bits."""

    @classmethod
    def infer(cls, node: Node) -> tuple[Shape, ...]:
        """The input's shape."""
        return (node.input(0).shape,)

    @classmethod
    def prepare(cls, node: Node, numerics: Numerics) -> Self:
        """Take scale and zero-point."""
        del numerics
        source = node.input(0)
        return cls(source.elements, -zero_point_of(source), single_bits(scale_of(source)))

    def real(self, value: int) -> float:
        """The real number for one element."""
        return single(single_of_bits(self.scale_bits) * (value + self.input_offset))

    def strip(self, rows: range, height: int) -> Strip | None:
        """The elements of the same rows."""
        return Strip(replace(self, elements=self.elements // height * len(rows)), (rows,))

    def reference(self, *operands: Value) -> tuple[Value, ...]:
        """Multiply each element."""
        source = memoryview(operands[0]).cast("B").cast(self.input_format)
        return (array("f", map(self.real, source)).tobytes(),)

    def fast(self) -> Run:
        """Look up the real number of each value."""
        reals = [self.real(value) for value in (*range(128), *range(-128, 0))]
        return lambda source: (array("f", map(reals.__getitem__, bytes(source))).tobytes(),)

    def overlap(self) -> tuple[Overlap, ...]:
        """Element by element; int8 has the leave of C to alias a float."""
        return (Elements(self.elements, 1, 4).overlap(),)

    def touches(self) -> Iterator[Touch]:
        """Element by element."""
        return Elements(self.elements, 1, 4).touches()


@dataclass(frozen=True, slots=True)
class DequantizeInt16(Dequantize):
    """DEQUANTIZE, int16 → float32: as for int8.

    **Source:** Dequantize in reference/dequantize.h.
    """

    c_name = "dequantize_s16_f32"
    input_type = DType.INT16
    input_format = "h"

    def fast(self) -> Run:
        """Nothing is faster."""
        return self.reference

    def overlap(self) -> tuple[Overlap, ...]:
        """None: C may reorder what it reads as int16 and what it writes as float."""
        return ()
