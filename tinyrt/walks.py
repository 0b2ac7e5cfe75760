"""How far the output of a window operator may run into its input.

A kernel that computes output pixels in row-major order, or in the reverse of it, has read some of
its input for the last time when it writes a pixel. From which bytes each window begins and ends at,
the exact distances follow (see `Overlap`): in either direction, what has been written must not
reach what is yet to be read. Windows are separable, a range of rows times a range of columns, so
that rows and columns are looked at once each, not every pixel.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from tinyrt.kernel import Overlap, Touch


def taps(
    outputs: int, inputs: int, window: int, stride: int, dilation: int, pad: int
) -> tuple[range, ...]:
    """Along one axis, the places inside the input that the window of each output covers."""
    found = []
    for output in range(outputs):
        origin = output * stride - pad
        first = max(0, -(origin // dilation))
        end = min(window, -((origin - inputs) // dilation))
        found.append(range(origin + first * dilation, origin + end * dilation, dilation))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Walk:
    """A walk over the pixels of an NHWC output, each computed from a window of input pixels."""

    batches: int
    rows: tuple[range, ...]
    """Input rows under each row of outputs; none where a window is all padding."""
    columns: tuple[range, ...]
    """Input columns under each column of outputs."""
    input_height: int
    input_width: int
    input_bytes: int
    """Of a pixel."""
    output_bytes: int
    groups: int = 1
    """Equal parts of the pixels, each of the output computed from that of the input alone."""
    block: int = 0
    """Pixels whose windows are all read before one of them is written; 0: a window is read anew
    for every byte of its pixel."""

    def overlap(self, *, backward: bool = False) -> Overlap:
        """The exact distances.

        Args:
            backward: whether the kernel can walk backwards as well.
        """
        # All images but two are like these two, moved by as many bytes as input and output differ.
        images = min(self.batches, 2)
        growth = len(self.rows) * len(self.columns) * self.output_bytes
        growth -= self.input_height * self.input_width * self.input_bytes
        more = max(0, (self.batches - images) * growth)
        forward = self._forward(images) + more
        return Overlap(0, forward, self._backward(images) + more if backward else None)

    def _bounds(self, images: int) -> Iterator[tuple[int, tuple[int, int] | None]]:
        """For each row of outputs: its number, and where the first and last input row begin."""
        pitch = self.input_width * self.input_bytes
        for number in range(images * len(self.rows)):
            image, y = divmod(number, len(self.rows))
            rows, base = self.rows[y], image * self.input_height
            yield number, ((base + rows[0]) * pitch, (base + rows[-1]) * pitch) if rows else None

    def _forward(self, images: int) -> int:
        """The most bytes by which what is written reaches beyond what is read later."""
        size, step = self.input_bytes, self.output_bytes
        row_bytes = len(self.columns) * step
        begins = [(x, columns[0] * size) for x, columns in enumerate(self.columns) if columns]
        greatest = -self._input_bytes
        if not begins:
            return greatest
        within = [x * step - begin for x, begin in begins if x > 0]
        if not self.block:
            within += [x * step - begin + self._own_forward() for x, begin in begins]
        least = min(begin for _, begin in begins)
        later: int | None = None
        for number, bounds in reversed(list(self._bounds(images))):
            if later is not None:
                greatest = max(greatest, (number + 1) * row_bytes - later - least)
            if bounds is not None:
                first, _ = bounds
                greatest = max((greatest, *(number * row_bytes - first + lead for lead in within)))
                later = first if later is None else min(later, first)
        return greatest

    def _backward(self, images: int) -> int:
        """The same where all goes from the end to the beginning."""
        size, step = self.input_bytes, self.output_bytes
        row_bytes = len(self.columns) * step
        ends = [(x, (columns[-1] + 1) * size) for x, columns in enumerate(self.columns) if columns]
        surplus = images * len(self.rows) * row_bytes
        surplus -= images * self.input_height * self.input_width * size
        greatest = -self._input_bytes
        if not ends:
            return greatest
        within = [end - (x + 1) * step for x, end in ends if x + 1 < len(self.columns)]
        if not self.block:
            within += [end - x * step + self._own_backward() for x, end in ends]
        most = max(end for _, end in ends)
        earlier: int | None = None
        for number, bounds in self._bounds(images):
            base = surplus - number * row_bytes
            if earlier is not None:
                greatest = max(greatest, base + earlier + most)
            if bounds is not None:
                _, last = bounds
                greatest = max((greatest, *(base + last + lead for lead in within)))
                earlier = last if earlier is None else max(earlier, last)
        return greatest

    @property
    def _input_bytes(self) -> int:
        return self.batches * self.input_height * self.input_width * self.input_bytes

    def _own_forward(self) -> int:
        """What of a pixel is written, less what is skipped of its window, before a last read."""
        read, written = self.input_bytes // self.groups, self.output_bytes // self.groups
        return written - 1 + max(0, (self.groups - 1) * (written - read))

    def _own_backward(self) -> int:
        """The same from the end: the first byte of a group is its last to be written."""
        read, written = self.input_bytes // self.groups, self.output_bytes // self.groups
        return max(-1 - (self.groups - 1) * read, -1 - (self.groups - 1) * written)

    # --- the same, byte by byte --------------------------------------------------------------

    def touches(self, *, backward: bool = False) -> Iterator[Touch]:
        """Everything that is read and written, in order."""
        pixels = range(self.batches * len(self.rows) * len(self.columns))
        order = pixels[::-1] if backward else pixels
        if self.block:
            for start in range(0, len(order), self.block):
                block = order[start : start + self.block]
                reads = tuple((0, part) for pixel in block for part in self._window(pixel, 0, 1))
                first, end = min(block), max(block) + 1
                yield Touch(reads, range(first * self.output_bytes, end * self.output_bytes))
            return
        size = self.output_bytes // self.groups
        groups = range(self.groups)
        for pixel in order:
            for group in groups[::-1] if backward else groups:
                reads = tuple((0, part) for part in self._window(pixel, group, self.groups))
                begin = pixel * self.output_bytes + group * size
                written = range(begin, begin + size)
                last = written[:1] if backward else written[-1:]
                if size > 1:
                    yield Touch(reads, written[1:] if backward else written[:-1])
                yield Touch(reads, last)

    def _window(self, pixel: int, group: int, groups: int) -> Iterator[range]:
        """The input bytes of a group under one window."""
        row, x = divmod(pixel, len(self.columns))
        image, y = divmod(row, len(self.rows))
        columns, size = self.columns[x], self.input_bytes
        part = size // groups
        for input_row in self.rows[y]:
            base = (image * self.input_height + input_row) * self.input_width * size + group * part
            if part == 1 and columns:
                last = base + columns[-1] * size
                yield range(base + columns[0] * size, last + 1, columns.step * size)
            elif groups == 1 and columns.step == 1 and columns:
                yield range(base + columns[0] * size, base + (columns[-1] + 1) * size)
            else:
                for column in columns:
                    yield range(base + column * size, base + column * size + part)


def row_by_row(rows: int, input_bytes: int, output_bytes: int) -> Walk:
    """The walk of a kernel to which each row is a pixel of its own."""
    return Walk(
        batches=1,
        rows=taps(rows, rows, 1, 1, 1, 0),
        columns=(range(1),),
        input_height=rows,
        input_width=1,
        input_bytes=input_bytes,
        output_bytes=output_bytes,
    )


@dataclass(frozen=True, slots=True)
class Elements:
    """A walk from element to element, each read before it is written."""

    count: int
    input_bytes: int
    """Of an element."""
    output_bytes: int

    def overlap(self) -> Overlap:
        """In place, or as far apart as the output is longer."""
        growth = self.output_bytes - self.input_bytes
        return Overlap(0, max(growth, (self.count - 1) * growth))

    def touches(self) -> Iterator[Touch]:
        """Everything that is read and written, in order."""
        read, written = self.input_bytes, self.output_bytes
        for number in range(self.count):
            reads = ((0, range(number * read, (number + 1) * read)),)
            yield Touch(reads, range(number * written, (number + 1) * written))
