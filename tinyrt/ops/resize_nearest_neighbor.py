"""RESIZE_NEAREST_NEIGHBOR."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Self

from tinyrt import constraints, movers
from tinyrt.fixedpoint import Numerics, float32, round_half_away
from tinyrt.graph import DType, Node, Shape
from tinyrt.kernel import Int32s, Kernel, Overlap, Strip, Touch, Value
from tinyrt.options import ResizeNearestNeighborOptions
from tinyrt.walks import Walk

SIZE_LIMIT = 1 << 14
"""Greatest height and width; the tables of a larger output would not fit a microcontroller."""


def size_in_limits(node: Node) -> str | None:
    """The size is 1 to 16384 in height and in width."""
    size = node.input(1).integers()
    return None if all(1 <= value <= SIZE_LIMIT for value in size) else f"size {size}"


def nearest(index: int, source: int, target: int, options: ResizeNearestNeighborOptions) -> int:
    """The input index nearest to an output index, along one axis.

    TFLM computes it in single precision at every run. Each operation below is rounded to single
    once: sums and products of singles are exact in double precision before that, and a quotient
    of singles that is rounded to double first does not round differently (53 ≥ 2 · 24 + 2 bits).

    Args:
        index: along the output.
        source: size of the input.
        target: size of the output.
        options: how the two grids lie over each other.
    """
    if options.align_corners and target > 1:
        scale = float32(float32(source - 1) / float32(target - 1))
    else:
        scale = float32(float32(source) / float32(target))
    offset = 0.5 if options.half_pixel_centers else 0.0
    place = float32(float32(index + offset) * scale)
    return min(round_half_away(place) if options.align_corners else math.floor(place), source - 1)


@dataclass(frozen=True, slots=True)
class ResizeNearestNeighbor(Kernel):
    """RESIZE_NEAREST_NEIGHBOR, any element type: every output pixel is the nearest input pixel.

    Which one that is, along each axis, is a table.

    **Source:** ResizeNearestNeighbor in TFLM's reference/resize_nearest_neighbor.h.
    """

    opcode = "RESIZE_NEAREST_NEIGHBOR"
    c_name = "resize_nearest_neighbor"
    input_type = None
    arity = (2, 2)
    folded = (1,)
    constraints = (
        constraints.output_type_as_input,
        constraints.rank(0, "input", 4),
        constraints.present(1, "size"),
        constraints.input_is(1, "size", DType.INT32),
        constraints.constant(1, "size"),
        movers.elements(1, "size", lambda _: 2),
        size_in_limits,
    )

    batches: int
    input_height: int
    input_width: int
    output_height: int
    output_width: int
    pixel_bytes: int
    rows: Int32s
    """The input row of each output row."""
    columns: Int32s
    """The input column of each output column."""

    @classmethod
    def infer(cls, node: Node) -> tuple[Shape, ...]:
        """[batches, *size, depth]."""
        batches, _, _, depth = node.input(0).shape
        return ((batches, *node.input(1).integers(), depth),)

    @classmethod
    def prepare(cls, node: Node, numerics: Numerics) -> Self:
        """Fold the grids into tables."""
        del numerics
        options = node.options_as(ResizeNearestNeighborOptions)
        batches, input_height, input_width, depth = node.input(0).shape
        height, width = node.input(1).integers()
        return cls(
            batches=batches,
            input_height=input_height,
            input_width=input_width,
            output_height=height,
            output_width=width,
            pixel_bytes=depth * node.input(0).dtype.bytes,
            rows=tuple(nearest(y, input_height, height, options) for y in range(height)),
            columns=tuple(nearest(x, input_width, width, options) for x in range(width)),
        )

    def strip(self, rows: range, height: int) -> Strip | None:
        """Some rows, from the input rows that they look up."""
        if self.batches != 1 or height != self.output_height:
            return None
        found = self.rows[rows.start : rows.stop]
        first, end = min(found), max(found) + 1
        part = replace(
            self,
            input_height=end - first,
            output_height=len(rows),
            rows=tuple(row - first for row in found),
        )
        return Strip(part, (range(first, end),))

    def reference(self, *operands: Value) -> tuple[Value, ...]:
        """Look every pixel up."""
        source, output = operands[0], bytearray()
        for batch in range(self.batches):
            for y in self.rows:
                row = (batch * self.input_height + y) * self.input_width
                for x in self.columns:
                    start = (row + x) * self.pixel_bytes
                    output += source[start : start + self.pixel_bytes]
        return (output,)

    def _walk(self) -> Walk:
        """How the C walks: pixel by pixel, upwards within a pixel."""
        return Walk(
            batches=self.batches,
            rows=tuple(range(row, row + 1) for row in self.rows),
            columns=tuple(range(column, column + 1) for column in self.columns),
            input_height=self.input_height,
            input_width=self.input_width,
            input_bytes=self.pixel_bytes,
            output_bytes=self.pixel_bytes,
            groups=self.pixel_bytes,
        )

    def overlap(self) -> tuple[Overlap, ...]:
        """As far as the pixels to come allow."""
        return (self._walk().overlap(),)

    def touches(self) -> Iterator[Touch]:
        """Byte by byte."""
        return self._walk().touches()
