"""What the PyPI package `tflite`, generated from TensorFlow's schema, reads in a file.

The names of its accessors follow from the declared names, so that one function compares any table.
"""

from collections.abc import Iterator
from typing import Any

import tflite

from tinyrt import records, schema


def differences(record: records.Record, peer: Any, path: str = "Model") -> Iterator[str]:
    """Compare a record, field by field, with the package's object for the same table."""
    for name, slot in record.layout:
        accessor = "".join(part[0].upper() + part[1:] for part in name.split("_"))
        ours = getattr(record, name)
        if isinstance(record, schema.OperatorCode) and name == "builtin_code":
            ours = record.code  # the package's accessor heeds the deprecated byte too
        yield from _field(slot, ours, peer, accessor, f"{path}.{name}")


def _field(slot: records.Slot, ours: Any, peer: Any, accessor: str, path: str) -> Iterator[str]:
    if isinstance(slot, records.Children | records.Numbers | records.Bytes):
        length = getattr(peer, f"{accessor}Length")()
        if length != len(ours):
            yield f"{path}: {len(ours)} elements, not {length}"
        elif isinstance(slot, records.Bytes):
            found = getattr(peer, f"{accessor}AsNumpy")() if length else b""
            if bytes(found) != bytes(ours):
                yield f"{path}: other bytes"
        else:
            for index in range(length):
                theirs = getattr(peer, accessor)(index)
                yield from _value(ours[index], theirs, f"{path}[{index}]")
        return
    theirs = getattr(peer, accessor)()
    if isinstance(slot, records.Union):
        tag = getattr(peer, f"{accessor}Type")()
        member = slot.members.get(tag)
        if type(ours) is not (member or type(None)):
            yield f"{path}: {type(ours).__name__}, not {member}"
        elif isinstance(ours, records.Record):
            table = getattr(tflite, type(ours).__name__)()
            table.Init(theirs.Bytes, theirs.Pos)
            yield from differences(ours, table, path)
    elif isinstance(slot, records.Text):
        yield from _value(ours, (theirs or b"").decode(), path)
    else:
        yield from _value(ours, theirs, path)


def _value(ours: Any, theirs: Any, path: str) -> Iterator[str]:
    if isinstance(ours, records.Record) and theirs is not None:
        yield from differences(ours, theirs, path)
    elif ours != theirs:
        yield f"{path}: {ours}, not {theirs}"


def read(content: bytes) -> tflite.Model:
    """The package's object for a file."""
    return tflite.Model.GetRootAs(content, 0)


def names_of(enumeration: str) -> dict[str, int]:
    """The names of an enumeration in the package."""
    members = vars(getattr(tflite, enumeration))
    return {name: value for name, value in members.items() if isinstance(value, int)}


def options_tag(table: type[records.Record]) -> int:
    """The package's tag of an options table."""
    assert table in schema.BUILTIN_OPTIONS.values()
    return int(getattr(tflite.BuiltinOptions, table.__name__))
