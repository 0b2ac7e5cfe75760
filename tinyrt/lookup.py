"""What operators share that map each 8-bit element by itself: a table of the 256 results.

The definition fills the table at prepare time, and everything that runs reads it: the same bytes by
construction, in fewer bytes of code and time than the arithmetic would take on the target.
"""

from abc import abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Self

from tinyrt.fixedpoint import Numerics
from tinyrt.graph import Node, Shape
from tinyrt.kernel import Int8Data, Kernel, Overlap, Run, Strip, Touch, Value
from tinyrt.walks import Elements


@dataclass(frozen=True, slots=True)
class Lookup(Kernel):
    """Base of the operators that map 8-bit elements one by one."""

    c_name = "lookup"

    elements: int
    table: Int8Data
    """The output's byte for each input byte, which counts as unsigned: [0 … 127, −128 … −1]."""

    @classmethod
    @abstractmethod
    def mapping(cls, node: Node, numerics: Numerics) -> Callable[[int], int]:
        """The operator's definition: the output value for an input value."""

    @classmethod
    def infer(cls, node: Node) -> tuple[Shape, ...]:
        """The input's shape."""
        return (node.input(0).shape,)

    @classmethod
    def prepare(cls, node: Node, numerics: Numerics) -> Self:
        """Apply the definition to every value that the input can have."""
        mapping = cls.mapping(node, numerics)
        source = node.input(0)
        values = memoryview(bytes(range(256))).cast(source.dtype.format).tolist()
        return cls(source.elements, bytes(mapping(value) & 0xFF for value in values))

    def reference(self, *operands: Value) -> tuple[Value, ...]:
        """Look each element up."""
        return (bytes(self.table[byte] for byte in memoryview(operands[0]).cast("B")),)

    def fast(self) -> Run:
        """Translate all bytes at once."""
        table = self.table
        return lambda source: (bytes(source).translate(table),)

    def strip(self, rows: range, height: int) -> Strip | None:
        """The elements of the same rows."""
        return Strip(replace(self, elements=self.elements // height * len(rows)), (rows,))

    def overlap(self) -> tuple[Overlap, ...]:
        """In place: each element is read, then written."""
        return (Elements(self.elements, 1, 1).overlap(),)

    def touches(self) -> Iterator[Touch]:
        """Element by element."""
        return Elements(self.elements, 1, 1).touches()
