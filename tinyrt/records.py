"""Declared tables of a FlatBuffers file become typed records.

A table is declared as a class: `@record class Pool(Record)` with fields such as
`stride_w: int = integer(1, INT32)`, each giving its slot in the table and its type. `decode` turns
a file into such records; a field that is absent has its declared default.

A table that several paths lead to is decoded once, and a table can only hold records of classes
declared before its own: neither sharing nor cycles of offsets make the work grow.
"""

import dataclasses
import struct
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, ClassVar, TypeVar, dataclass_transform

from tinyrt.flatbuffer import (
    BOOL,
    FLOAT32,
    SIZE_LIMIT,
    UINT8,
    UINT32,
    FlatBuffer,
    Limits,
    NumberType,
    Table,
)

RecordT = TypeVar("RecordT", bound="Record")


@dataclass(frozen=True, slots=True)
class Slot(ABC):
    """What a record's field declares: where in the table it stands; subclasses say what it is."""

    slot: int

    @abstractmethod
    def read(self, source: "Decoder", table: Table, at: int) -> object:
        """Decode the field that stands at a byte position."""


@dataclass(frozen=True, slots=True)
class Record:
    """Base of all decoded tables; records compare by their fields, not by where they stood."""

    layout: ClassVar[tuple[tuple[str, Slot], ...]] = ()
    """Name and declaration of each field; `record` fills it in."""

    table: Table | None = dataclasses.field(default=None, kw_only=True, compare=False, repr=False)
    """Where the record stood; None for a record that was not read from a file."""

    @property
    def position(self) -> int:
        """Byte position of the table in the file (0 for a record that was not read)."""
        return 0 if self.table is None else self.table.position

    @property
    def positions(self) -> Mapping[str, int]:
        """Byte position of each field that is present; the others have their defaults."""
        if self.table is None:
            return {}
        found = ((name, self.table.field(declared.slot)) for name, declared in self.layout)
        return {name: at for name, at in found if at}


@dataclass_transform(frozen_default=True, kw_only_default=True)
def record(cls: type[RecordT]) -> type[RecordT]:
    """Make a class of declared fields a frozen, slotted dataclass with its layout."""
    made = dataclass(frozen=True, slots=True, kw_only=True)(cls)
    made.layout = tuple(
        (field.name, field.metadata["slot"])
        for field in dataclasses.fields(made)
        if "slot" in field.metadata
    )
    return made


class Decoder:
    """Turns the tables of one file into records, each table once."""

    __slots__ = ("_records", "buffer")

    def __init__(self, buffer: FlatBuffer) -> None:
        """Take the checked bytes of a file."""
        self.buffer = buffer
        self._records: dict[tuple[type[Record], int], Record] = {}

    def record(self, cls: type[RecordT], position: int) -> RecordT:
        """Decode the table at a position, or find it among those that have been."""
        known = self._records.get((cls, position))
        if isinstance(known, cls):
            return known
        table = self.buffer.table(position)
        values: dict[str, Any] = {}
        for name, declared in cls.layout:
            at = table.field(declared.slot)
            if at:
                self.buffer.path.append(name)
                values[name] = declared.read(self, table, at)
                self.buffer.path.pop()
        made = cls(table=table, **values)
        self._records[cls, position] = made
        return made

    def records(self, cls: type[RecordT], position: int, at_most: int) -> tuple[RecordT, ...]:
        """Decode the vector of tables at a position."""
        start, length = self.buffer.vector(position, 4, at_most)
        self.buffer.spend("elements", length, position)
        offsets = struct.unpack_from(f"<{length}I", self.buffer.data, start)
        made = []
        for index, offset in enumerate(offsets):
            self.buffer.path.append(index)
            made.append(self.record(cls, self.buffer.follow(start + 4 * index, offset)))
            self.buffer.path.pop()
        return tuple(made)


@dataclass(frozen=True, slots=True)
class Number(Slot):
    """One number; with `names`, only those of an enumeration are allowed."""

    number_type: NumberType
    default: float = 0
    names: type[IntEnum] | None = None

    def read(self, source: Decoder, table: Table, at: int) -> object:
        """Decode the field that stands at a byte position."""
        found = source.buffer.inline(table, at, self.number_type)
        if self.names is None:
            return found
        try:
            return self.names(found)
        except ValueError:
            allowed = f"{min(self.names).value} to {max(self.names).value}"
            source.buffer.fail(f"{self.names.__name__} {found} at byte {at:#x} (must be {allowed})")


@dataclass(frozen=True, slots=True)
class Numbers(Slot):
    """A vector of numbers."""

    number_type: NumberType
    at_most: int

    def read(self, source: Decoder, table: Table, at: int) -> object:
        """Decode the field that stands at a byte position."""
        return source.buffer.numbers(
            self.number_type, source.buffer.target(table, at), self.at_most
        )


@dataclass(frozen=True, slots=True)
class Text(Slot):
    """A string."""

    def read(self, source: Decoder, table: Table, at: int) -> object:
        """Decode the field that stands at a byte position."""
        return source.buffer.text(source.buffer.target(table, at))


@dataclass(frozen=True, slots=True)
class Bytes(Slot):
    """A vector of bytes, given as a view of the file; `alignment` is what a writer keeps."""

    alignment: int

    def read(self, source: Decoder, table: Table, at: int) -> object:
        """Decode the field that stands at a byte position."""
        start, length = source.buffer.vector(source.buffer.target(table, at), 1, source.buffer.size)
        return source.buffer.data[start : start + length]


@dataclass(frozen=True, slots=True)
class Child(Slot):
    """A table."""

    record: type[Record]

    def read(self, source: Decoder, table: Table, at: int) -> object:
        """Decode the field that stands at a byte position."""
        return source.record(self.record, source.buffer.target(table, at))


@dataclass(frozen=True, slots=True)
class Children(Slot):
    """A vector of tables."""

    record: type[Record]
    at_most: int

    def read(self, source: Decoder, table: Table, at: int) -> object:
        """Decode the field that stands at a byte position."""
        return source.records(self.record, source.buffer.target(table, at), self.at_most)


@dataclass(frozen=True, slots=True)
class Union(Slot):
    """A table whose class follows from the tag in the slot before; None where undeclared."""

    members: Mapping[int, type[Record]]

    def read(self, source: Decoder, table: Table, at: int) -> object:
        """Decode the field that stands at a byte position."""
        position = source.buffer.target(table, at)
        tag_at = table.field(self.slot - 1)
        tag = source.buffer.inline(table, tag_at, UINT8) if tag_at else 0
        member = self.members.get(tag)
        return None if member is None else source.record(member, position)


def _declare(slot: Slot, default: object) -> Any:
    return dataclasses.field(default=default, metadata={"slot": slot})


def integer(slot: int, number_type: NumberType, default: int = 0) -> Any:
    """Declare an integer."""
    return _declare(Number(slot, number_type, default), default)


def boolean(slot: int, default: bool = False) -> Any:
    """Declare a truth value."""
    return _declare(Number(slot, BOOL, default), default)


def real(slot: int, default: float = 0.0) -> Any:
    """Declare an IEEE single."""
    return _declare(Number(slot, FLOAT32, default), default)


def named(slot: int, number_type: NumberType, default: IntEnum) -> Any:
    """Declare an integer that is one of the default's enumeration."""
    return _declare(Number(slot, number_type, default, type(default)), default)


def numbers(slot: int, number_type: NumberType, at_most: int = SIZE_LIMIT) -> Any:
    """Declare a vector of numbers: a tuple, empty where absent."""
    return _declare(Numbers(slot, number_type, at_most), ())


def text(slot: int) -> Any:
    """Declare a string, empty where absent."""
    return _declare(Text(slot), "")


def content(slot: int, alignment: int = 1) -> Any:
    """Declare a vector of bytes: a view of the file, empty where absent."""
    return _declare(Bytes(slot, alignment), memoryview(b""))


def child(slot: int, cls: type[Record]) -> Any:
    """Declare a table: a record, or None where absent."""
    return _declare(Child(slot, cls), None)


def children(slot: int, cls: type[Record], at_most: int = SIZE_LIMIT) -> Any:
    """Declare a vector of tables: a tuple of records, empty where absent."""
    return _declare(Children(slot, cls, at_most), ())


def union(slot: int, members: Mapping[int, type[Record]]) -> Any:
    """Declare a union by the slot of its value; its tag is in the slot before."""
    return _declare(Union(slot, members), None)


def decode(
    cls: type[RecordT],
    data: bytes | bytearray | memoryview,
    identifier: bytes,
    limits: Limits | None = None,
) -> RecordT:
    """Decode the root table of a file.

    Args:
        cls: what the root table is.
        data: the whole file; it must not change while the records are in use, which view it.
        identifier: the four bytes that mark files of this kind.
        limits: caps on what is decoded.

    Raises:
        FormatError: the file is not well-formed; the text gives the path to the field, the byte,
            what was found and what is allowed.
    """
    buffer = FlatBuffer(memoryview(data).cast("B").toreadonly(), limits or Limits())
    if not 8 <= buffer.size <= SIZE_LIMIT:
        buffer.fail(f"{buffer.size} bytes (must be 8 to {SIZE_LIMIT})")
    found = bytes(buffer.data[4:8])
    if found != identifier:
        buffer.fail(f"identifier {found!r} at byte 0x4 (must be {identifier!r})")
    return Decoder(buffer).record(cls, buffer.number(UINT32, 0, "root offset"))
