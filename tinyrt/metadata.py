"""Adds metadata to a .tflite file and leaves every byte of it as it is.

A FlatBuffers file is a graph of offsets, of which those from tables and vectors only point
forward. A new root table therefore goes before the old file, with the vectors that get longer; all
else it refers to where it stands, further on. The old file is the end of the new one, unchanged,
and offsets within it stay right because they are relative.

**Source:** the FlatBuffers binary format as its "internals" page describes it; the schema's Model.
"""

import struct
from collections.abc import Sequence

from tinyrt import schema
from tinyrt.errors import UnsupportedError
from tinyrt.flatbuffer import Table

_ALIGNMENT = 64
"""The old file moves by a multiple of this: what was aligned stays aligned."""
_DATA_ALIGNMENT = 16
"""What the schema asks of a Buffer's data."""
_VERSION, _BUFFERS, _METADATA = 0, 4, 6
"""Slots of the Model table."""
_SLOTS = 10
"""Of the Model table; all but the version are offsets."""


def with_metadata(model: bytes, name: str, content: bytes) -> bytes:
    """The same model with one more entry of metadata, in place of any of that name.

    Args:
        model: a .tflite file.
        name: of the entry.
        content: of its buffer.

    Raises:
        FormatError: the file is not a well-formed model.
        UnsupportedError: it has parts that cannot be moved, or that nothing is known of.
    """
    old = schema.read_model(model)
    root = old.table
    assert root is not None
    unknown = (root.vtable_size - 4) // 2 - _SLOTS
    if unknown > 0 and any(root.field(_SLOTS + slot) for slot in range(unknown)):
        raise UnsupportedError("the model's root table has fields that tinyrt does not know")
    if any(buffer.offset > 1 for buffer in old.buffers):
        raise UnsupportedError("the model has constants outside of its FlatBuffers part")
    front = _Front(old, root)
    front.write(name, content)
    return front.finish(model)


class _Front:
    """What comes before the old file; positions count from the beginning of the new one."""

    def __init__(self, old: schema.Model, root: Table) -> None:
        self._old = old
        self._root = root
        self._bytes = bytearray(8)
        self._here: list[tuple[int, int]] = []
        """Offsets to fill in: where they stand, and what they lead to in the front."""
        self._beyond: list[tuple[int, int]] = []
        """Likewise, to a position in the old file."""

    def write(self, name: str, content: bytes) -> None:
        """Write the new root table and all that is new below it."""
        self._bytes[4:8] = schema.FILE_IDENTIFIER
        slots = {slot: at for slot in range(_SLOTS) if (at := self._root.field(slot))}
        fields = self._table([slot in {*slots, _BUFFERS, _METADATA} for slot in range(_SLOTS)])
        self._here.append((0, fields[0] - 4))
        for slot, at in slots.items():
            if slot == _VERSION:
                self._bytes[fields[slot] : fields[slot] + 4] = self._root.data[at : at + 4]
            elif slot not in {_BUFFERS, _METADATA}:
                self._beyond.append((fields[slot], self._target(at)))
        kept = [number for number, item in enumerate(self._old.metadata) if item.name != name]
        buffers, metadata = self._elements(_BUFFERS), self._elements(_METADATA)
        buffer_at = self._vector(fields[_BUFFERS], buffers)
        metadata_at = self._vector(fields[_METADATA], [metadata[number] for number in kept])
        # Metadata: name, index of the buffer.
        entry = self._table([True, True])
        self._here.append((metadata_at, entry[0] - 4))
        struct.pack_into("<I", self._bytes, entry[1], len(buffers))
        text = name.encode()
        self._here.append((entry[0], len(self._bytes)))
        self._bytes += struct.pack("<I", len(text)) + text + b"\0"
        # Buffer: data.
        (data_field,) = self._table([True])
        self._here.append((buffer_at, data_field - 4))
        self._pad(_DATA_ALIGNMENT, ahead=4)
        self._here.append((data_field, len(self._bytes)))
        self._bytes += struct.pack("<I", len(content)) + content

    def finish(self, model: bytes) -> bytes:
        """The new file."""
        self._pad(_ALIGNMENT)
        size = len(self._bytes)
        targets = self._here + [(at, size + target) for at, target in self._beyond]
        for at, target in targets:
            struct.pack_into("<I", self._bytes, at, target - at)
        return bytes(self._bytes) + model

    def _pad(self, alignment: int, ahead: int = 0) -> None:
        """Go on until what comes after `ahead` more bytes is aligned."""
        self._bytes += bytes(-(len(self._bytes) + ahead) % alignment)

    def _table(self, present: Sequence[bool]) -> list[int]:
        """A vtable and a table of fields of 4 bytes; where each field stands, 0 if it is absent."""
        self._pad(4)
        vtable = len(self._bytes)
        offsets = [4 * sum(present[: n + 1]) if there else 0 for n, there in enumerate(present)]
        sizes = (4 + 2 * len(present), 4 + 4 * sum(present))
        self._bytes += struct.pack(f"<{2 + len(present)}H", *sizes, *offsets)
        self._pad(4)
        table = len(self._bytes)
        self._bytes += struct.pack("<i", table - vtable) + bytes(sizes[1] - 4)
        return [table + offset if offset else 0 for offset in offsets]

    def _vector(self, field: int, old: Sequence[int]) -> int:
        """A vector of tables in the old file and one more, whose place is returned."""
        self._pad(4)
        self._here.append((field, len(self._bytes)))
        self._bytes += struct.pack("<I", len(old) + 1)
        start = len(self._bytes)
        self._beyond += [(start + 4 * number, target) for number, target in enumerate(old)]
        self._bytes += bytes(4 * len(old) + 4)
        return start + 4 * len(old)

    def _target(self, at: int) -> int:
        """Where the offset leads to that stands at a position of the old file."""
        (offset,) = struct.unpack_from("<I", self._root.data, at)
        return at + int(offset)

    def _elements(self, slot: int) -> list[int]:
        """The positions of the tables of one of the old root's vectors."""
        at = self._root.field(slot)
        if not at:
            return []
        vector = self._target(at)
        (length,) = struct.unpack_from("<I", self._root.data, vector)
        return [self._target(vector + 4 + 4 * number) for number in range(length)]
