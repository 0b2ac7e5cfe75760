"""PAD and PADV2."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from operator import mul
from typing import Self

from tinyrt import constraints, movers
from tinyrt.fixedpoint import Numerics
from tinyrt.graph import DType, Node, Shape
from tinyrt.kernel import Int8Data, Int32s, Kernel, Overlap, Touch, Value

LEVELS = 5
"""Nested levels of borders; an input of as many dimensions never needs more."""


def output_quantized(node: Node) -> str | None:
    """An int8 output has one scale and zero-point: the zero to pad with."""
    return constraints.per_tensor_outputs(node) if node.input(0).dtype is DType.INT8 else None


def value_type_as_input(node: Node) -> str | None:
    """The value has the element type of the input."""
    source, value = node.input(0), node.optional_input(2)
    return None if value is None or value.dtype is source.dtype else f"{source} and {value}"


def value_quantized_as_output(node: Node) -> str | None:
    """An int8 value has the scale and zero-point of the output."""
    value, output = node.optional_input(2), node.outputs[0]
    if value is None or value.dtype is not DType.INT8 or value.quantization == output.quantization:
        return None
    return f"{value} and {output} differ"


def _borders(node: Node) -> list[tuple[int, int, int]]:
    """Elements before, inside and after, for each dimension."""
    paddings = node.input(1).integers()
    return list(zip(paddings[::2], node.input(0).shape, paddings[1::2], strict=True))


@dataclass(frozen=True, slots=True)
class Pad(Kernel):
    """PAD: borders around the input, of real zero or of a given value.

    The plan is a nest of `LEVELS` levels over bytes. Each writes `before[level]` bytes of border,
    the next level `counts[level]` times over, then `after[level]` bytes of border; the last one
    has `run_bytes` bytes of the input between its borders.

    **Source:** PadImpl in TFLM's reference/pad.h.
    """

    opcode = "PAD"
    c_name = "pad"
    input_type = None
    arity = (2, 3)
    folded = (1, 2)
    constraints = (
        constraints.input_is(0, "input", DType.INT8, DType.INT16, DType.INT32, DType.FLOAT32),
        constraints.output_type_as_input,
        constraints.rank(0, "input", *range(1, LEVELS + 1)),
        output_quantized,
        constraints.present(1, "paddings tensor"),
        constraints.input_is(1, "paddings tensor", DType.INT32),
        constraints.constant(1, "paddings tensor"),
        movers.elements(1, "paddings tensor", lambda node: 2 * len(node.input(0).shape)),
        constraints.constant(2, "value"),
        movers.elements(2, "value", lambda _: 1),
        value_type_as_input,
        value_quantized_as_output,
    )

    before: Int32s
    counts: Int32s
    after: Int32s
    run_bytes: int
    value_bytes: int
    """Period of the border: 1 where all bytes of the value are equal."""
    value: Int8Data

    @classmethod
    def infer(cls, node: Node) -> tuple[Shape, ...]:
        """The input's sizes, each with the two paddings added."""
        paddings = node.input(1).integers()
        if min(paddings) < 0:
            raise ValueError(f"paddings {paddings} (must be at least 0)")
        return (tuple(map(sum, _borders(node))),)

    @classmethod
    def prepare(cls, node: Node, numerics: Numerics) -> Self:
        """Make every dimension without a border a part of the one around it."""
        del numerics
        element_bytes = node.input(0).dtype.bytes
        levels = [(0, element_bytes, 0)]
        for before, size, after in reversed(_borders(node)):
            inner = 1
            if levels[-1][0] == levels[-1][2] == 0:
                _, inner, _ = levels.pop()
            levels.append((before * inner, size * inner, after * inner))
        levels += [(0, 1, 0)] * (LEVELS - len(levels))
        levels.reverse()
        pitches = [math.prod(map(sum, levels[level + 1 :])) for level in range(LEVELS)]
        borders_before, sizes, borders_after = zip(*levels, strict=True)
        value = cls._value(node)
        return cls(
            before=tuple(map(mul, borders_before, pitches)),
            counts=sizes[:-1],
            after=tuple(map(mul, borders_after, pitches)),
            run_bytes=sizes[-1],
            value_bytes=len(value),
            value=value,
        )

    @staticmethod
    def _value(node: Node) -> bytes:
        """The bytes to repeat in the border."""
        source, given, output = node.input(0), node.optional_input(2), node.outputs[0]
        if given is not None:
            assert given.data is not None
            value = bytes(given.data)
        elif source.dtype is DType.INT8:
            assert output.quantization is not None
            value = bytes([output.quantization.zero_point & 0xFF])
        else:
            value = bytes(source.dtype.bytes)
        return value[:1] if len(set(value)) == 1 else value

    def reference(self, *operands: Value) -> tuple[Value, ...]:
        """Write borders and runs of the input, level by level."""
        source, output = operands[0], bytearray()
        starts = range(0, len(source), self.run_bytes)
        self._write(0, (source[i : i + self.run_bytes] for i in starts), output)
        return (output,)

    def _write(self, level: int, runs: Iterator[Value], output: bytearray) -> None:
        output += self._border(self.before[level])
        if level == LEVELS - 1:
            output += next(runs)
        else:
            for _ in range(self.counts[level]):
                self._write(level + 1, runs, output)
        output += self._border(self.after[level])

    def _border(self, length: int) -> bytes:
        return self.value * (length // self.value_bytes)

    def overlap(self) -> tuple[Overlap, ...]:
        """The borders before a run push it away from its place in the input, the last one most."""
        return (
            Overlap(operand=0, forward=self._starts()[-1] - self._input_bytes + self.run_bytes),
        )

    def touches(self) -> Iterator[Touch]:
        """Run by run, byte by byte: where they overlap, runs move downwards."""
        written = 0
        for number, start in enumerate(self._starts()):
            yield Touch((), range(written, start))
            for byte in range(self.run_bytes):
                source = number * self.run_bytes + byte
                target = start + byte
                yield Touch(((0, range(source, source + 1)),), range(target, target + 1))
            written = start + self.run_bytes
        yield Touch((), range(written, written + sum(self.after)))

    @property
    def _input_bytes(self) -> int:
        return math.prod(self.counts) * self.run_bytes

    def _starts(self) -> list[int]:
        """The byte of the output at which each run begins."""
        starts, pitch = [self.before[-1]], self.before[-1] + self.run_bytes + self.after[-1]
        levels = zip(self.before[:-1], self.counts, self.after[:-1], strict=True)
        for before, count, after in reversed(list(levels)):
            starts = [before + turn * pitch + start for turn in range(count) for start in starts]
            pitch = before + count * pitch + after
        return starts


@dataclass(frozen=True, slots=True)
class PadV2(Pad):
    """PADV2: PAD with a third input, the value; TFLM takes both operators with and without it.

    **Source:** pad.cc in TFLM's micro/kernels, which registers one kernel for both.
    """

    opcode = "PADV2"
