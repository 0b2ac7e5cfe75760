"""Metadata added to a file: the rest of it is as it was, for every reader."""

import dataclasses
from pathlib import Path

import pytest

from tests import peer
from tests.builder import encode
from tests.corpus import MODELS
from tests.falsify import sound_model
from tinyrt import load, schema
from tinyrt.errors import FormatError, UnsupportedError
from tinyrt.metadata import with_metadata
from tinyrt.records import record, text

CONTENT = bytes(range(200, 256)) * 5


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
@pytest.mark.parametrize("content", [b"", CONTENT[:-1], CONTENT], ids=len)
def test_everything_else_is_as_it_was(path: Path, content: bytes) -> None:
    model = path.read_bytes()
    new = with_metadata(model, "ours", content)
    assert new.endswith(model)
    assert (len(new) - len(model)) % 64 == 0
    before, after = schema.read_model(model), schema.read_model(new)
    number = len(before.buffers)
    assert after == dataclasses.replace(
        before,
        buffers=(*before.buffers, schema.Buffer(data=memoryview(content))),
        metadata=(*before.metadata, schema.Metadata(name="ours", buffer=number)),
    )
    assert list(peer.differences(after, peer.read(new))) == []
    assert not content or new.index(content) % 16 == 0
    assert load(new).macs == load(model).macs


def entries(model: bytes) -> list[tuple[str, bytes]]:
    """Names and contents of a model's metadata."""
    read = schema.read_model(model)
    return [(item.name, bytes(read.buffers[item.buffer].data)) for item in read.metadata]


def test_an_entry_takes_the_place_of_those_of_its_name() -> None:
    model = encode(sound_model())
    for name, content in (("a", b"1"), ("b", b"2"), ("a", b"3"), ("c", b"4"), ("a", CONTENT)):
        model = with_metadata(model, name, content)
    assert entries(model) == [("b", b"2"), ("c", b"4"), ("a", CONTENT)]


@record
class LaterModel(schema.Model):
    """The root table of a schema to come."""

    external_buffers: str = text(9)
    later: str = text(10)


def later(**fields: str) -> bytes:
    sound = sound_model()
    known = {name: getattr(sound, name) for name, _ in schema.Model.layout}
    return encode(LaterModel(**known, **fields))


def test_fields_of_the_root_that_are_not_read_are_kept() -> None:
    new = with_metadata(later(external_buffers="here"), "ours", CONTENT)
    root = schema.read_model(new).table
    assert root is not None
    found = root.field(9)
    at = found + int.from_bytes(new[found : found + 4], "little")
    assert new[at + 4 : at + 9] == b"here\0"


def test_what_cannot_be_moved_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="fields that tinyrt does not know"):
        with_metadata(later(later="what?"), "ours", CONTENT)
    with_metadata(later(), "ours", CONTENT)
    sound = sound_model()
    outside = (*sound.buffers, schema.Buffer(offset=64, size=4))
    with pytest.raises(UnsupportedError, match="outside of its FlatBuffers part"):
        with_metadata(encode(dataclasses.replace(sound, buffers=outside)), "ours", CONTENT)
    with pytest.raises(FormatError):
        with_metadata(encode(sound)[:-200], "ours", CONTENT)
