"""MEAN."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Self

from tinyrt import constraints, scales
from tinyrt.fast.totals import POSITIONS, by_steps
from tinyrt.fixedpoint import Numerics, quantize_multiplier, requantize_to_int8
from tinyrt.graph import DType, Node, Shape
from tinyrt.kernel import HeldRun, Int32s, Kernel, Overlap, Run, Touch, Value, as_bytes
from tinyrt.options import ReducerOptions
from tinyrt.short_multiplier import staircase

COUNT_LIMIT = 1 << 23
"""Most inputs of one mean: 2^23 · 255 stays in int32."""


def _factor(node: Node) -> float:
    return scales.scale_of(node.input(0)) / scales.scale_of(node.outputs[0])


def _reduced_axes(node: Node) -> frozenset[int]:
    """The axes to take the mean along; negative ones count from the end, repetitions once."""
    rank = len(node.input(0).shape)
    return frozenset(axis % rank for axis in node.input(1).integers()) if rank else frozenset()


def axes_in_range(node: Node) -> str | None:
    """Each axis is a dimension of the input, counted from its end where it is negative."""
    source, axes = node.input(0), node.input(1)
    rank = len(source.shape)
    for axis in axes.integers():
        if rank and not -rank <= axis < rank:
            return f"axis {axis} of {source}"
    return None


def count_within_limit(node: Node) -> str | None:
    """A mean is taken over at most 2^23 inputs."""
    shape = node.input(0).shape
    count = math.prod(shape[axis] for axis in _reduced_axes(node))
    return None if count <= COUNT_LIMIT else f"{count} of {node.input(0)}"


LANES_LIMIT = 1 << 20
"""Most inputs that are summed as lanes: these take some twenty times the bytes of the tensor."""


@dataclass(frozen=True, slots=True)
class Mean(Kernel):
    """MEAN, int8: the mean along any axes of a row-major tensor.

    The input is described by sizes and strides, in elements, of the dimensions that are kept and
    of those that are reduced; neighbours of one kind are one dimension.

    **Source:** QuantizedMeanOrSum in TFLM's reference/reduce.h: the factor 1/count goes into the
    multiplier, with a truncating division, and not into the sum.
    """

    opcode = "MEAN"
    c_name = "mean_s8"
    arity = (2, 2)
    folded = (1,)
    constraints = (
        constraints.present(1, "axis"),
        constraints.input_is(1, "axis", DType.INT32),
        constraints.output_type_as_input,
        constraints.constant(1, "axis"),
        constraints.per_tensor(0, "input"),
        constraints.per_tensor_outputs,
        axes_in_range,
        count_within_limit,
        scales.factor_fits("input scale / output scale", _factor),
    )

    outputs: int
    count: int
    kept_rank: int
    kept_sizes: Int32s
    kept_strides: Int32s
    reduced_rank: int
    reduced_sizes: Int32s
    reduced_strides: Int32s
    input_offset: int
    output_offset: int
    multiplier: int
    shift: int
    numerics: Numerics

    @classmethod
    def infer(cls, node: Node) -> tuple[Shape, ...]:
        """The input's shape without the reduced axes, or with 1 in their place (keep_dims)."""
        shape, reduced = node.input(0).shape, _reduced_axes(node)
        if node.options_as(ReducerOptions).keep_dims:
            return (tuple(1 if axis in reduced else size for axis, size in enumerate(shape)),)
        return (tuple(size for axis, size in enumerate(shape) if axis not in reduced),)

    @classmethod
    def prepare(cls, node: Node, numerics: Numerics) -> Self:
        """Fold 1/count into the factor of the scales."""
        shape, axes = node.input(0).shape, _reduced_axes(node)
        kept, reduced = _joined(shape, axes, reduced=False), _joined(shape, axes, reduced=True)
        count = math.prod(size for size, _ in reduced)
        multiplier, shift = quantize_multiplier(_factor(node), numerics)
        # As many bits as the division costs are put in front of it, but the shift stays ≥ −31.
        spare = min(count.bit_length() - 1, 32, 31 + shift)
        return cls(
            outputs=math.prod(size for size, _ in kept),
            count=count,
            kept_rank=len(kept),
            kept_sizes=tuple(size for size, _ in kept),
            kept_strides=tuple(stride for _, stride in kept),
            reduced_rank=len(reduced),
            reduced_sizes=tuple(size for size, _ in reduced),
            reduced_strides=tuple(stride for _, stride in reduced),
            input_offset=-scales.zero_point_of(node.input(0)),
            output_offset=scales.zero_point_of(node.outputs[0]),
            multiplier=(multiplier << spare) // count,
            shift=shift - spare,
            numerics=numerics,
        )

    def fast(self) -> Run:
        """Sum lanes, where the last axis alone is kept."""
        run = self.held()
        return self.reference if run is None else lambda source: (as_bytes(run(source)[0]),)

    def held(self) -> HeldRun | None:
        """The total of each channel, where all positions of one image are averaged."""
        sizes = self.outputs, self.count
        if (*self.kept_sizes, *self.reduced_sizes) != sizes or self.reduced_strides != sizes[:1]:
            return None
        if self.outputs * self.count > LANES_LIMIT:
            return None
        zero = self.count * self.input_offset
        steps = staircase(
            self.multiplier,
            self.shift,
            self.output_offset,
            -128,
            127,
            self.numerics,
            zero - 128 * self.count,
            zero + 127 * self.count,
        )
        if steps is None or self.count > POSITIONS:
            return None
        # Totals of bytes that are each 128 more than the value.
        steps = steps.moved(128 * self.count - zero, 128)
        return by_steps(self.outputs, steps.base, steps.steps)

    def reference(self, *operands: Value) -> tuple[Value, ...]:
        """Sum the inputs of each mean, then scale the sum."""
        source = memoryview(operands[0]).cast("b")
        # The longest dimension is summed as a slice: little memory, however large the input is.
        reduced = sorted(zip(self.reduced_sizes, self.reduced_strides, strict=True))
        longest, stride = reduced.pop()
        extent = (longest - 1) * stride + 1
        output = bytearray()
        for start in _positions(zip(self.kept_sizes, self.kept_strides, strict=True)):
            total = sum(
                sum(source[start + first : start + first + extent : stride])
                for first in _positions(reduced)
            )
            value = requantize_to_int8(
                total + self.count * self.input_offset,
                self.multiplier,
                self.shift,
                self.output_offset,
                -128,
                127,
                self.numerics,
            )
            output.append(value & 0xFF)
        return (output,)

    def overlap(self) -> tuple[Overlap, ...]:
        """In place: each mean begins at a greater byte than the one before, or further."""
        return (Overlap(operand=0, forward=0),)

    def touches(self) -> Iterator[Touch]:
        """Mean by mean."""
        reduced = list(zip(self.reduced_sizes, self.reduced_strides, strict=True))
        size, stride = reduced.pop()
        extent = (size - 1) * stride + 1
        kept = zip(self.kept_sizes, self.kept_strides, strict=True)
        for number, start in enumerate(_positions(kept)):
            firsts = (start + first for first in _positions(reduced))
            reads = tuple((0, range(first, first + extent, stride)) for first in firsts)
            yield Touch(reads, range(number, number + 1))


def _joined(shape: Shape, axes: frozenset[int], *, reduced: bool) -> list[tuple[int, int]]:
    """Size and stride of the dimensions of one kind; at least one, of size 1."""
    dimensions = [
        (size, math.prod(shape[axis + 1 :]), axis in axes)
        for axis, size in enumerate(shape)
        if size > 1
    ]
    runs = [(kind, list(run)) for kind, run in groupby(dimensions, key=lambda entry: entry[2])]
    joined = [
        (math.prod(size for size, _, _ in run), run[-1][1]) for kind, run in runs if kind is reduced
    ]
    return joined or [(1, 1)]


def _positions(dimensions: Iterable[tuple[int, int]]) -> Iterator[int]:
    """The offsets that dimensions, each a size and a stride, reach in row-major order."""
    positions = iter((0,))
    for size, stride in dimensions:
        positions = _stepped(positions, size, stride)
    return positions


def _stepped(starts: Iterator[int], size: int, stride: int) -> Iterator[int]:
    return (start + step for start in starts for step in range(0, size * stride, stride))
