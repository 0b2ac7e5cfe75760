"""QUANTIZE."""

import math
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import repeat
from typing import ClassVar, Literal, Self

from tinyrt import constraints, lookup
from tinyrt.fixedpoint import Numerics, clamp, quantize_multiplier, requantize, wrap32
from tinyrt.graph import DType, Node, Shape
from tinyrt.kernel import Kernel, Overlap, Run, Strip, Touch, Value
from tinyrt.planar import FLIP
from tinyrt.scales import (
    factor_fits,
    round_single,
    scale_of,
    single,
    single_bits,
    single_of_bits,
    zero_point_of,
)
from tinyrt.walks import Elements

_FORMATS: Mapping[int, Literal["b", "h", "i"]] = {1: "b", 2: "h", 4: "i"}


def _types(node: Node) -> tuple[DType | None, DType | None]:
    """Element types of input and output."""
    source = node.optional_input(0)
    return (
        None if source is None else source.dtype,
        node.outputs[0].dtype if node.outputs else None,
    )


@dataclass(frozen=True, slots=True)
class Quantize(Kernel):
    """QUANTIZE, float32 → int8: round(value / scale) + zero-point, halves away from zero.

    The quotient is in single precision. Where it leaves int32, TFLM's result is undefined; here it
    is what TFLM gives on Arm: the output saturates, and a NaN becomes the zero-point.

    **Source:** AffineQuantize in reference/quantize.h.
    """

    opcode = "QUANTIZE"
    c_name = "quantize_f32_s8"
    input_type = DType.FLOAT32
    output_type: ClassVar[DType] = DType.INT8
    constraints = (
        constraints.output_is(DType.INT8, DType.INT16),
        constraints.per_tensor_outputs,
    )

    elements: int
    scale_bits: int
    """The output scale, an IEEE single, as an integer of the same 32 bits."""
    output_offset: int

    @classmethod
    def runs(cls, node: Node) -> bool:
        """Other outputs than int16; those that no QUANTIZE gives are refused by rule."""
        return _types(node)[0] is DType.FLOAT32 and _types(node)[1] is not DType.INT16

    @classmethod
    def infer(cls, node: Node) -> tuple[Shape, ...]:
        """The input's shape."""
        return (node.input(0).shape,)

    @classmethod
    def prepare(cls, node: Node, numerics: Numerics) -> Self:
        """Take scale and zero-point."""
        del numerics
        output = node.outputs[0]
        return cls(output.elements, single_bits(scale_of(output)), zero_point_of(output))

    def strip(self, rows: range, height: int) -> Strip | None:
        """The elements of the same rows."""
        return Strip(replace(self, elements=self.elements // height * len(rows)), (rows,))

    def reference(self, *operands: Value) -> tuple[Value, ...]:
        """Divide, round, limit."""
        values = memoryview(operands[0]).cast("B").cast("f")
        return (array(self.output_type.format, map(self._quantizer(), values)).tobytes(),)

    def _quantizer(self) -> Callable[[float], int]:
        scale = single_of_bits(self.scale_bits)
        limits = self.output_type.integer_range
        assert limits is not None

        def quantize(value: float) -> int:
            return clamp(round_single(single(value / scale)) + self.output_offset, *limits)

        return quantize

    def fast(self) -> Run:
        """Look up between which singles a value lies, for the result grows with it."""
        if self.output_type is not DType.INT8:
            return self.reference
        quantize = self._quantizer()
        steps = [_first_single(quantize, value) for value in range(-127, 128)]

        def run(source: Value) -> tuple[Value, ...]:
            values = memoryview(source).cast("B").cast("f").tolist()
            if math.isnan(sum(values)):  # perhaps a NaN, which is neither above nor below anything
                return self.reference(source)
            return (bytes(map(bisect_right, repeat(steps), values)).translate(FLIP),)

        return run

    def overlap(self) -> tuple[Overlap, ...]:
        """Element by element; int8 has the leave of C to alias a float."""
        return (Elements(self.elements, 4, 1).overlap(),)

    def touches(self) -> Iterator[Touch]:
        """Element by element."""
        return Elements(self.elements, 4, 1).touches()


def _first_single(quantize: Callable[[float], int], value: int) -> float:
    """The least single that becomes `value` or more; the greatest of all if none does."""
    low, high = -0x7F800000, 0x7F800000  # both infinities
    while low < high:
        middle = (low + high) >> 1
        if quantize(_single_at(middle)) >= value:
            high = middle
        else:
            low = middle + 1
    return _single_at(low)


def _single_at(place: int) -> float:
    """The singles in order, zero at 0."""
    return math.copysign(single_of_bits(abs(place)), place)


@dataclass(frozen=True, slots=True)
class QuantizeInt16(Quantize):
    """QUANTIZE, float32 → int16: as for int8.

    **Source:** AffineQuantize in reference/quantize.h.
    """

    c_name = "quantize_f32_s16"
    output_type = DType.INT16

    @classmethod
    def runs(cls, node: Node) -> bool:
        """An int16 output."""
        return _types(node) == (DType.FLOAT32, DType.INT16)

    def overlap(self) -> tuple[Overlap, ...]:
        """None: C may reorder what it reads as float and what it writes as int16."""
        return ()


def _factor(node: Node) -> float:
    """The real factor, in double precision."""
    return scale_of(node.input(0)) / scale_of(node.outputs[0])


_BYTES = frozenset(((DType.INT8, DType.INT8), (DType.INT8, DType.UINT8), (DType.UINT8, DType.INT8)))
_WIDER = frozenset(
    (
        (DType.INT8, DType.INT16),
        (DType.INT8, DType.INT32),
        (DType.INT16, DType.INT8),
        (DType.INT16, DType.INT16),
        (DType.INT16, DType.INT32),
        (DType.INT32, DType.INT8),
        (DType.INT32, DType.INT16),
    )
)


def _integer_types(node: Node) -> str | None:
    return None if _types(node) in _BYTES | _WIDER else f"{node.input(0)} → {node.outputs[0]}"


def positive_scales(node: Node) -> str | None:
    """The scales are positive."""
    for tensor in (node.input(0), node.outputs[0]):
        if not scale_of(tensor) > 0.0:
            return f"{tensor} has scale {scale_of(tensor):g}"
    return None


_INTEGER_RULES = (
    constraints.rule(
        "The types are int8 → int8, uint8, int16 or int32; uint8 → int8; int16 → int8, int16 or "
        "int32; int32 → int8 or int16.",
        _integer_types,
    ),
    constraints.per_tensor(0, "input"),
    constraints.per_tensor_outputs,
    positive_scales,
    factor_fits("input scale / output scale", _factor),
)


@dataclass(frozen=True, slots=True)
class Requantize(Kernel):
    """QUANTIZE between integer types: from one scale and zero-point to another.

    Differences and sums with zero-points wrap around in 32 bits, which only int32 can bring about.

    **Source:** PrepareQuantizeReference in TFLM's quantize_common.cc, Requantize in
    reference/requantize.h.
    """

    opcode = "QUANTIZE"
    c_name = "rescale"
    input_type = None
    constraints = _INTEGER_RULES

    elements: int
    input_bytes: int
    """Bytes of an element: 1, 2 or 4, signed."""
    output_bytes: int
    input_offset: int
    output_offset: int
    multiplier: int
    shift: int
    output_min: int
    output_max: int
    numerics: Numerics

    @classmethod
    def runs(cls, node: Node) -> bool:
        """What no other class runs; types that no QUANTIZE has are refused by rule."""
        return _types(node) not in _BYTES and _types(node)[0] is not DType.FLOAT32

    @classmethod
    def infer(cls, node: Node) -> tuple[Shape, ...]:
        """The input's shape."""
        return (node.input(0).shape,)

    @classmethod
    def prepare(cls, node: Node, numerics: Numerics) -> Self:
        """Fold the scales."""
        source, output = node.input(0), node.outputs[0]
        limits = output.dtype.integer_range
        assert limits is not None
        multiplier, shift = quantize_multiplier(_factor(node), numerics)
        return cls(
            elements=source.elements,
            input_bytes=source.dtype.bytes,
            output_bytes=output.dtype.bytes,
            input_offset=wrap32(-zero_point_of(source)),
            output_offset=zero_point_of(output),
            multiplier=multiplier,
            shift=shift,
            output_min=limits[0],
            output_max=limits[1],
            numerics=numerics,
        )

    def rescaled(self, value: int) -> int:
        """The output for one element."""
        steps = wrap32(value + self.input_offset)
        steps = requantize(steps, self.multiplier, self.shift, self.numerics)
        return clamp(wrap32(steps + self.output_offset), self.output_min, self.output_max)

    def strip(self, rows: range, height: int) -> Strip | None:
        """The elements of the same rows."""
        return Strip(replace(self, elements=self.elements // height * len(rows)), (rows,))

    def reference(self, *operands: Value) -> tuple[Value, ...]:
        """Rescale each element."""
        source = memoryview(operands[0]).cast("B").cast(_FORMATS[self.input_bytes])
        return (array(_FORMATS[self.output_bytes], map(self.rescaled, source)).tobytes(),)

    def overlap(self) -> tuple[Overlap, ...]:
        """Element by element; C may reorder accesses of two sizes, unless one is a byte."""
        sizes = self.input_bytes, self.output_bytes
        if self.input_bytes != self.output_bytes and min(sizes) > 1:
            return ()
        return (Elements(self.elements, *sizes).overlap(),)

    def touches(self) -> Iterator[Touch]:
        """Element by element."""
        return Elements(self.elements, self.input_bytes, self.output_bytes).touches()


@dataclass(frozen=True, slots=True)
class RequantizeBytes(lookup.Lookup):
    """QUANTIZE between 8-bit types: int8 → int8, int8 → uint8, uint8 → int8.

    **Source:** Requantize in reference/requantize.h.
    """

    opcode = "QUANTIZE"
    input_type = None
    constraints = _INTEGER_RULES

    @classmethod
    def runs(cls, node: Node) -> bool:
        """8-bit types, of which one at least is int8."""
        return _types(node) in _BYTES

    @classmethod
    def mapping(cls, node: Node, numerics: Numerics) -> Callable[[int], int]:
        """As for wider types."""
        return Requantize.prepare(node, numerics).rescaled
