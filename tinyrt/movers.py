"""What the operators have in common that move elements and compute nothing.

They work on bytes, whatever the element type. `prepare` reduces each of them to one of three
plans, with dimensions that are adjacent in memory made one: `StridedCopy` (SLICE, STRIDED_SLICE,
TRANSPOSE), `Join` (CONCATENATION, PACK) and `Part` (SPLIT, UNPACK).
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Self

from tinyrt.constraints import rule
from tinyrt.graph import Node, Shape
from tinyrt.kernel import (
    Constraint,
    Int32s,
    Kernel,
    Overlap,
    Run,
    Strip,
    Touch,
    Value,
    Variadic,
    View,
)

MANY = 1 << 12
"""Most tensors on a variadic side of an operator."""
RUN_BYTES = 16
"""Longer runs are copied one by one."""
LOOPS = 5
"""Nested loops of a strided copy; an input of as many dimensions never needs more."""


def axis_in(axis: int, rank: int) -> int:
    """The dimension that an axis names among `rank`; a negative one counts from the end.

    Raises:
        ValueError: there is no such dimension.
    """
    if not -rank <= axis < rank:
        raise ValueError(f"axis {axis} among {rank} dimensions")
    return axis % rank


def byte_strides(shape: Shape, element_bytes: int) -> tuple[int, ...]:
    """Bytes from one element to the next along each dimension, row-major."""
    return tuple(element_bytes * math.prod(shape[axis + 1 :]) for axis in range(len(shape)))


def elements(position: int, role: str, count: Callable[[Node], int]) -> Constraint:
    """The rule that one input, where it is present, has as many elements as `count` says."""

    def check(node: Node) -> str | None:
        tensor = node.optional_input(position)
        if tensor is None or tensor.elements == count(node):
            return None
        return f"{role} {tensor} (must have {count(node)} elements)"

    return rule(f"The {role} has the number of elements that it needs.", check)


def none_left_out(node: Node) -> str | None:
    """No input is left out."""
    for position, tensor in enumerate(node.inputs):
        if tensor is None:
            return f"input {position} is left out"
    return None


def _taken(data: bytes, first: int, count: int, stride: int) -> bytes:
    """`count` bytes at regular distances of either sign."""
    if stride == 0:
        return data[first : first + 1] * count
    last = first + (count - 1) * stride
    if stride > 0:
        return data[first : last + 1 : stride]
    return data[first : last - 1 if last else None : stride]


@dataclass(frozen=True, slots=True)
class StridedCopy(Kernel):
    """Writes runs of bytes one after the other that it reads at regular distances."""

    c_name = "strided_copy"
    input_type = None

    offset: int
    """Byte of the input at which the first run begins."""
    counts: Int32s
    """Turns of each of the `LOOPS` nested loops, outermost first."""
    strides: Int32s
    """Bytes, of either sign, from turn to turn of each loop."""
    run_bytes: int

    @classmethod
    def over(cls, offset: int, loops: Sequence[tuple[int, int]], element_bytes: int) -> Self:
        """Plan a copy element by element in as few loops as possible.

        Args:
            offset: byte of the input at which the first element begins.
            loops: turns and stride in bytes for each dimension of the output, outermost first.
            element_bytes: bytes of an element.
        """
        run_bytes = element_bytes
        joined: list[tuple[int, int]] = []
        for count, stride in reversed(loops):
            if count == 1:
                continue
            if not joined and stride == run_bytes:
                run_bytes *= count
            elif joined and stride == math.prod(joined[-1]):
                joined[-1] = (joined[-1][0] * count, joined[-1][1])
            else:
                joined.append((count, stride))
        joined += [(1, 0)] * (LOOPS - len(joined))
        counts, strides = zip(*reversed(joined), strict=True)
        return cls(offset, counts, strides, run_bytes)

    def reference(self, *operands: Value) -> tuple[Value, ...]:
        """Take the runs in the order of the loops."""
        source, output = operands[0], bytearray()
        for start in self._starts(0, self.offset):
            output += source[start : start + self.run_bytes]
        return (output,)

    def fast(self) -> Run:
        """Slices along the longest loop, where runs are short."""
        if self.run_bytes > RUN_BYTES:
            return self.reference
        # The bytes of a run are one more loop; of each: turns, strides of input and of output.
        loops: list[tuple[int, int, int]] = []
        pitch = 1
        sizes = (*zip(self.counts, self.strides, strict=True), (self.run_bytes, 1))
        for count, stride in reversed(sizes):
            if count != 1:
                loops.append((count, stride, pitch))
            pitch *= count
        if not pitch or not loops:
            return self.reference
        longest = max(loops)
        count, stride, step = longest
        loops.remove(longest)
        starts = [(self.offset, 0)]
        for turns, source_stride, target_stride in loops:
            starts = [
                (source + turn * source_stride, target + turn * target_stride)
                for turn in range(turns)
                for source, target in starts
            ]

        def run(source: Value) -> tuple[Value, ...]:
            data, output = bytes(source), bytearray(pitch)
            end = (count - 1) * step + 1
            for first, target in starts:
                output[target : target + end : step] = _taken(data, first, count, stride)
            return (output,)

        return run

    def _starts(self, loop: int, start: int) -> Iterator[int]:
        """The byte at which each run begins, for the loops from `loop` on."""
        for turn in range(self.counts[loop]):
            place = start + turn * self.strides[loop]
            if loop == LOOPS - 1:
                yield place
            else:
                yield from self._starts(loop + 1, place)

    def overlap(self) -> tuple[Overlap, ...]:
        """Where the runs are read in their order, what is skipped lets the output lag behind."""
        extent, skipped = self.run_bytes, 0
        for count, stride in zip(reversed(self.counts), reversed(self.strides), strict=True):
            if count > 1 and stride < extent:
                return ()
            if extent == 1 < count:  # the second byte is further from the first in the input
                skipped = stride - 1
            extent += (count - 1) * stride
        return (Overlap(operand=0, forward=-self.offset - skipped),)

    def views(self) -> tuple[View, ...]:
        """A single run is a piece of the input."""
        return (View(0, 0, -self.offset),) if math.prod(self.counts) == 1 else ()

    def touches(self) -> Iterator[Touch]:
        """Run by run, byte by byte: where they overlap, runs move downwards."""
        written = 0
        for start in self._starts(0, self.offset):
            for byte in range(start, start + self.run_bytes):
                yield Touch(((0, range(byte, byte + 1)),), range(written, written + 1))
                written += 1


@dataclass(frozen=True, slots=True)
class Join(Kernel):
    """Writes a block of every input in turn, `outer` times over."""

    c_name = "concatenation"
    input_type = None
    arity = (1, MANY)
    variadic = Variadic.INPUTS

    outer: int
    input_count: int
    block_bytes: Int32s
    """Bytes that each input gives at a turn."""

    @classmethod
    def along(cls, node: Node, axis: int) -> Self:
        """Plan to join the inputs along one of their dimensions."""
        first = node.input(0)
        blocks = (math.prod(t.shape[axis:]) * t.dtype.bytes for t in node.inputs if t is not None)
        return cls(math.prod(first.shape[:axis]), len(node.inputs), tuple(blocks))

    def strip(self, rows: range, height: int) -> Strip | None:
        """The same rows of every input; inputs that are joined row by row have no such form."""
        if self.outer % height:
            return None
        part = replace(self, outer=self.outer // height * len(rows))
        return Strip(part, (rows,) * self.input_count)

    def reference(self, *operands: Value) -> tuple[Value, ...]:
        """Go round the inputs."""
        output = bytearray()
        for turn in range(self.outer):
            for source, block in zip(operands, self.block_bytes, strict=True):
                output += source[turn * block : (turn + 1) * block]
        return (output,)

    def overlap(self) -> tuple[Overlap, ...]:
        """Blocks of other inputs push one away from its place in its own, the last one most."""
        turns, total, before = self.outer - 1, sum(self.block_bytes), 0
        found = []
        for position, block in enumerate(self.block_bytes):
            found.append(Overlap(position, forward=turns * (total - block) + before))
            before += block
        return tuple(found)

    def views(self) -> tuple[View, ...]:
        """With one turn, every input is a piece of the output."""
        if self.outer != 1:
            return ()
        starts = accumulate(self.block_bytes, initial=0)
        return tuple(
            View(i, 0, start) for i, start in zip(range(self.input_count), starts, strict=False)
        )

    def touches(self) -> Iterator[Touch]:
        """Block by block, byte by byte: where they overlap, blocks move downwards."""
        written = 0
        for turn in range(self.outer):
            for position, block in enumerate(self.block_bytes):
                for byte in range(turn * block, (turn + 1) * block):
                    reads = ((position, range(byte, byte + 1)),)
                    yield Touch(reads, range(written, written + 1))
                    written += 1


@dataclass(frozen=True, slots=True)
class Part(Kernel):
    """Deals a block of the input to every output in turn, `outer` times over."""

    c_name = "split"
    input_type = None
    output_arity = (1, MANY)
    variadic = Variadic.OUTPUTS

    outer: int
    output_count: int
    block_bytes: Int32s
    """Bytes that each output gets at a turn."""

    @classmethod
    def along(cls, shape: Shape, axis: int, element_bytes: int, output_count: int) -> Self:
        """Plan to part an input into equal outputs along one of its dimensions."""
        block = math.prod(shape[axis:]) * element_bytes // output_count
        return cls(math.prod(shape[:axis]), output_count, (block,) * output_count)

    def reference(self, *operands: Value) -> tuple[Value, ...]:
        """Go round the outputs."""
        source, start = operands[0], 0
        outputs = tuple(bytearray() for _ in self.block_bytes)
        for _ in range(self.outer):
            for output, block in zip(outputs, self.block_bytes, strict=True):
                output.extend(source[start : start + block])
                start += block
        return outputs

    def views(self) -> tuple[View, ...]:
        """With one turn, every output is a piece of the input."""
        if self.outer != 1:
            return ()
        starts = accumulate(self.block_bytes, initial=0)
        return tuple(
            View(0, i, -start) for i, start in zip(range(self.output_count), starts, strict=False)
        )

    def touches(self) -> Iterator[Touch]:
        """Block by block, byte by byte: where they overlap, blocks move downwards."""
        read = 0
        for turn in range(self.outer):
            for position, block in enumerate(self.block_bytes):
                for byte in range(turn * block, (turn + 1) * block):
                    yield Touch(((0, range(read, read + 1)),), range(byte, byte + 1), position)
                    read += 1
