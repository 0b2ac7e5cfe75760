"""Reads the tables, vectors and strings of a FlatBuffers file that nobody vouches for.

Every offset, vtable, vector and string is checked against the bytes that are there before it is
read, by subtraction (`length <= size - position`), so that no sum can leave the checked range.
`Limits` caps what overlapping tables and vectors could otherwise multiply; vectors and strings are
read once however often they are shared. This module knows nothing of TFLite.

The number types are declared here and not taken from the `flatbuffers` package, because that
package imports NumPy where it finds it (a quarter of a second), and tinyrt never does so by itself.

**Source:** the FlatBuffers binary format as its "internals" page describes it; the set of checks is
that of `flatbuffers::Verifier`.
"""

import dataclasses
import struct
from dataclasses import dataclass
from typing import Any, NoReturn

from tinyrt.errors import FormatError

SIZE_LIMIT = 2**31 - 1
"""Greatest size of a file in bytes: offsets to vtables are signed and 32 bits wide."""


@dataclass(frozen=True, slots=True)
class NumberType:
    """A little-endian number as it stands in the file, aligned to its own size."""

    name: str
    codec: struct.Struct
    bytes: int


def _number_type(name: str, code: str) -> NumberType:
    codec = struct.Struct(f"<{code}")
    return NumberType(name, codec, codec.size)


BOOL = _number_type("bool", "?")
INT8 = _number_type("int8", "b")
UINT8 = _number_type("uint8", "B")
UINT16 = _number_type("uint16", "H")
INT32 = _number_type("int32", "i")
UINT32 = _number_type("uint32", "I")
INT64 = _number_type("int64", "q")
UINT64 = _number_type("uint64", "Q")
FLOAT32 = _number_type("float32", "f")


@dataclass(frozen=True, slots=True)
class Limits:
    """Caps on what is decoded from one file, far above what models have."""

    tables: int = 1 << 14
    """Tables decoded."""
    elements: int = 1 << 18
    """Elements of all vectors, but for those of bytes, which are not copied."""
    text_bytes: int = 1 << 20
    """Bytes of all strings."""


@dataclass(frozen=True, slots=True)
class Table:
    """Where one table lies; its vtable has been checked to lie within the file."""

    data: memoryview
    position: int
    size: int
    """Bytes of the table's own fields, from `position`."""
    vtable: int
    vtable_size: int

    def field(self, slot: int) -> int:
        """The position of a field, or 0 where it is absent and has its default."""
        entry = 4 + 2 * slot
        if entry + 2 > self.vtable_size:
            return 0
        (offset,) = UINT16.codec.unpack_from(self.data, self.vtable + entry)
        return self.position + offset if offset else 0


class FlatBuffer:
    """The checked bytes of one file and what has been decoded of them."""

    __slots__ = ("_left", "_limits", "_vectors", "data", "path", "size")

    def __init__(self, data: memoryview, limits: Limits) -> None:
        """Take a flat, read-only view of bytes."""
        self.data = data
        self.size = len(data)
        self._limits = limits
        self._left = dataclasses.asdict(limits)
        self._vectors: dict[tuple[str, int], Any] = {}
        self.path: list[str | int] = []
        """Names and indices from the root to what is being read, kept by the caller for errors."""

    def fail(self, message: str) -> NoReturn:
        """Refuse the file; the text begins with the path from the root to the field."""
        steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.path)
        raise FormatError(f"{''.join(steps).removeprefix('.') or 'file'}: {message}")

    def require(self, at: int, length: int, alignment: int, what: str) -> None:
        """Check that `length` bytes at a position lie within the file and are aligned."""
        if at % alignment:
            self.fail(f"{what} at byte {at:#x} (must be a multiple of {alignment})")
        if not 0 <= at <= self.size or length > self.size - at:
            self.fail(f"{what} of {length} bytes at byte {at:#x} (the file has {self.size:#x})")

    def number(self, number_type: NumberType, at: int, what: str) -> Any:
        """Read one number."""
        self.require(at, number_type.bytes, number_type.bytes, what)
        return number_type.codec.unpack_from(self.data, at)[0]

    def inline(self, table: Table, at: int, number_type: NumberType) -> Any:
        """Read a number among a table's own fields."""
        if number_type.bytes > table.size - (at - table.position):
            self.fail(f"{number_type.name} at byte {at:#x} leaves its table of {table.size} bytes")
        return self.number(number_type, at, number_type.name)

    def target(self, table: Table, at: int) -> int:
        """Follow the offset that stands in a field."""
        return self.follow(at, self.inline(table, at, UINT32))

    def follow(self, at: int, offset: int) -> int:
        """Give the position that an offset standing at another leads to."""
        if not 0 < offset <= self.size - at:
            self.fail(f"offset {offset} at byte {at:#x} (must be 1 to {self.size - at})")
        return at + offset

    def spend(self, resource: str, amount: int, at: int) -> None:
        """Count something that was read against its limit."""
        self._left[resource] -= amount
        if self._left[resource] < 0:
            limit = dataclasses.asdict(self._limits)[resource]
            self.fail(f"more than {limit} {resource.replace('_', ' ')} with the one at {at:#x}")

    def table(self, position: int) -> Table:
        """Check the table at a position and its vtable."""
        self.spend("tables", 1, position)
        vtable = position - self.number(INT32, position, "table")
        vtable_size = self.number(UINT16, vtable, "vtable")
        if vtable_size < 4 or vtable_size % 2:
            self.fail(f"vtable size {vtable_size} at byte {vtable:#x} (must be even and ≥ 4)")
        self.require(vtable, vtable_size, 2, "vtable")
        (size,) = UINT16.codec.unpack_from(self.data, vtable + 2)
        self.require(position, max(size, 4), 4, "table")
        return Table(self.data, position, size, vtable, vtable_size)

    def vector(self, position: int, element_bytes: int, at_most: int) -> tuple[int, int]:
        """Check the vector at a position.

        Returns:
            Where its elements begin, and how many there are.
        """
        length = self.number(UINT32, position, "vector")
        start = position + 4
        fitting = min(at_most, (self.size - start) // element_bytes)
        if length > fitting:
            self.fail(f"{length} elements at byte {position:#x} (must be ≤ {fitting})")
        self.require(start, length * element_bytes, element_bytes if length else 1, "vector")
        return start, length

    def numbers(
        self, number_type: NumberType, position: int, at_most: int
    ) -> tuple[int, ...] | tuple[float, ...]:
        """Read the vector of numbers at a position."""
        start, length = self.vector(position, number_type.bytes, at_most)
        known: tuple[int, ...] | None = self._vectors.get((number_type.name, position))
        if known is not None:
            return known
        self.spend("elements", length, position)
        made = struct.unpack_from(f"<{length}{number_type.codec.format[-1]}", self.data, start)
        self._vectors[number_type.name, position] = made
        return made

    def text(self, position: int) -> str:
        """Read the string at a position; bytes that are not UTF-8 become U+FFFD."""
        start, length = self.vector(position, 1, self.size)
        known: str | None = self._vectors.get(("text", position))
        if known is not None:
            return known
        self.spend("text_bytes", length, position)
        if self.number(UINT8, start + length, "end of string"):
            self.fail(f"string of {length} bytes at byte {position:#x} does not end in a zero byte")
        made = bytes(self.data[start : start + length]).decode(errors="replace")
        self._vectors["text", position] = made
        return made
