"""The FlatBuffers reader on files that lie, with tables of no format in particular."""

import contextlib
import random
import struct
import time
import tracemalloc
from enum import IntEnum

import pytest

from tests.builder import encode
from tinyrt.errors import FormatError
from tinyrt.flatbuffer import FLOAT32, INT8, INT32, INT64, UINT8, Limits
from tinyrt.records import (
    Record,
    boolean,
    child,
    children,
    content,
    decode,
    integer,
    named,
    numbers,
    real,
    record,
    text,
    union,
)

Colour = IntEnum("Colour", "RED GREEN", start=0)


@record
class Leaf(Record):
    """A small table."""

    size: int = integer(0, INT32, 7)
    name: str = text(1)


@record
class Root(Record):
    """One field of each kind."""

    count: int = integer(0, INT64)
    flag: bool = boolean(1)
    ratio: float = real(2)
    colour: Colour = named(3, INT8, Colour.RED)
    sizes: tuple[int, ...] = numbers(4, INT32, 4)
    ratios: tuple[float, ...] = numbers(5, FLOAT32)
    name: str = text(6)
    data: memoryview = content(7, 16)
    leaf: Leaf | None = child(8, Leaf)
    leaves: tuple[Leaf, ...] = children(9, Leaf, 3)
    any_type: int = integer(10, UINT8)
    any: Leaf | None = union(11, {1: Leaf})


FULL = Root(
    count=-5,
    flag=True,
    ratio=0.5,
    colour=Colour.GREEN,
    sizes=(1, -2, 3),
    ratios=(0.25,),
    name="naïve",
    data=memoryview(b"\1\2\3"),
    leaf=Leaf(size=1, name="a"),
    leaves=(Leaf(size=2, name="b"), Leaf(size=3, name="c")),
    any_type=1,
    any=Leaf(size=4),
)
GOOD = encode(FULL, b"TEST")


def read(data: bytes | bytearray | memoryview, limits: Limits | None = None) -> Root:
    return decode(Root, data, b"TEST", limits)


def refusal(data: bytes | bytearray, limits: Limits | None = None) -> str:
    with pytest.raises(FormatError) as raised:
        read(data, limits)
    return str(raised.value)


def patched(at: int, form: str, value: int) -> bytes:
    changed = bytearray(GOOD)
    struct.pack_into(form, changed, at, value)
    return bytes(changed)


GOOD_ROOT = read(GOOD)
AT = GOOD_ROOT.positions
TABLE = GOOD_ROOT.position
VTABLE = TABLE - struct.unpack_from("<i", GOOD, TABLE)[0]


def target(name: str) -> int:
    """Where the offset in a field leads."""
    return AT[name] + int(struct.unpack_from("<I", GOOD, AT[name])[0])


@pytest.mark.parametrize("data", [GOOD, bytearray(GOOD), memoryview(GOOD)], ids=type)
def test_reads_what_was_written(data: bytes) -> None:
    assert read(data) == FULL


def test_absent_fields_have_their_defaults() -> None:
    assert read(encode(Root(), b"TEST")) == Root()
    assert Leaf().size == 7


def test_a_shared_table_is_decoded_once() -> None:
    leaf = target("leaf")
    leaves = target("leaves")
    changed = bytearray(GOOD)
    for index in range(2):
        at = leaves + 4 + 4 * index
        if leaf > at:
            struct.pack_into("<I", changed, at, leaf - at)
    root = read(changed)
    assert root.leaves[0] is root.leaves[1]
    assert root.leaves[0] is root.leaf


def test_names_that_are_not_utf8() -> None:
    assert read(patched(target("name") + 6, "<B", 0xFF)).name == "na\ufffd\ufffdve"


def test_an_undeclared_member_of_a_union_is_none() -> None:
    assert read(patched(AT["any_type"], "<B", 2)).any is None


@pytest.mark.parametrize(
    ("data", "texts"),
    [
        (b"", ["file: 0 bytes (must be 8 to"]),
        (GOOD[:7], ["file: 7 bytes"]),
        (patched(4, "<I", 0), ["identifier b'\\x00\\x00\\x00\\x00'", "must be b'TEST'"]),
        (patched(0, "<I", 0xFFFFFFF0), ["file: table of 4 bytes at byte 0xfffffff0"]),
        (patched(0, "<I", TABLE + 2), [f"table at byte {TABLE + 2:#x} (must be a multiple of 4)"]),
        (patched(TABLE, "<i", -len(GOOD)), ["vtable of 2 bytes", f"the file has {len(GOOD):#x}"]),
        (patched(TABLE, "<i", TABLE + 2), ["vtable of 2 bytes at byte -0x2"]),
        (patched(TABLE, "<i", -(2**31)), ["vtable of 2 bytes"]),
        (patched(TABLE, "<i", 2**31 - 1), ["vtable at byte -0x"]),
        (patched(VTABLE, "<H", 2), [f"vtable size 2 at byte {VTABLE:#x} (must be even and ≥ 4)"]),
        (patched(VTABLE, "<H", 7), ["vtable size 7"]),
        (patched(VTABLE, "<H", 0xFFFE), ["vtable of 65534 bytes"]),
        (patched(VTABLE + 2, "<H", 0xFFFF), ["table of 65535 bytes"]),
        (patched(VTABLE + 2, "<H", 4), ["count: int64 at byte", "leaves its table of 4 bytes"]),
        (patched(VTABLE + 4, "<H", 0xFFF0), ["count: int64", "leaves its table"]),
        (patched(VTABLE + 4, "<H", AT["count"] - TABLE - 4), ["must be a multiple of 8"]),
        (patched(AT["colour"], "<b", 2), ["colour: Colour 2 at byte", "must be 0 to 1"]),
        (patched(AT["name"], "<I", 0), ["name: offset 0 at byte", "must be 1 to"]),
        (patched(AT["name"], "<I", 0xFFFFFFFF), ["name: offset 4294967295"]),
        (patched(AT["name"], "<I", len(GOOD) - AT["name"]), ["name: vector of 4 bytes"]),
        (patched(target("name"), "<I", 0xFFFFFFFF), ["name: 4294967295 elements"]),
        (patched(target("name"), "<I", 5), ["name: string of 5 bytes", "end in a zero byte"]),
        (
            patched(target("sizes"), "<I", 5) + bytes(8),
            ["sizes: 5 elements at byte", "must be ≤ 4"],
        ),
        (patched(target("ratios"), "<I", 0x40000001), ["ratios: 1073741825 elements"]),
        (patched(target("data"), "<I", len(GOOD)), ["data: ", "elements at byte"]),
        (patched(target("leaves"), "<I", 4), ["leaves: 4 elements at byte", "must be ≤ 3"]),
        (patched(target("leaves") + 8, "<I", 0), ["leaves[1]: offset 0 at byte"]),
        (patched(target("leaves") + 8, "<I", len(GOOD)), ["leaves[1]: offset"]),
        (patched(target("any"), "<i", 2**30), ["any: vtable"]),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_refusals_say_where_what_and_what_is_allowed(data: bytes, texts: list[str]) -> None:
    message = refusal(data)
    for part in texts:
        assert part in message


def test_a_string_at_the_very_end_lacks_its_zero() -> None:
    leaf_only = encode(Root(name="x" * 8), b"TEST")
    at = leaf_only.index(b"x" * 8)
    assert "end of string of 1 bytes" in refusal(leaf_only[: at + 8])


@pytest.mark.parametrize("length", range(len(GOOD)))
def test_every_truncation_is_refused(length: int) -> None:
    """The builder writes the file backwards, so that nothing but padding can be cut unnoticed."""
    try:
        assert read(GOOD[:length]) == FULL
    except FormatError:
        return
    assert not any(GOOD[length:])


def test_limits() -> None:
    assert "more than 3 tables" in refusal(GOOD, Limits(tables=3))
    assert "more than 4 elements" in refusal(GOOD, Limits(elements=4))
    assert "more than 5 text bytes" in refusal(GOOD, Limits(text_bytes=5))
    assert read(GOOD, Limits(tables=5, elements=6, text_bytes=9)) == FULL


@record
class Strings(Record):
    """A table that lets many strings overlap."""

    leaves: tuple[Leaf, ...] = children(0, Leaf, 1 << 20)


@record
class Deep(Record):
    """A table that lets many vectors overlap."""

    sizes: tuple[int, ...] = numbers(0, INT32)


@record
class Vectors(Record):
    """Many of them."""

    tables: tuple[Deep, ...] = children(0, Deep, 1 << 20)


def overlapping(table_count: int, slots: int, tail: bytes) -> bytes:
    """A root with many tables of one offset field each, all leading to places in one long tail.

    The field of slot `slots - 1` of table i leads to byte 4·i of the tail.
    """
    vtable = struct.pack("<HH", 4 + 2 * slots, 8) + bytes(2 * (slots - 1)) + struct.pack("<H", 4)
    root_vtable = struct.pack("<HHH", 6, 8, 4)
    head = bytearray(8) + vtable
    root_vtable_at = len(head)
    head += root_vtable
    head += bytes(-len(head) % 4)
    root = len(head)
    struct.pack_into("<I4s", head, 0, root, b"TEST")
    head += struct.pack("<iI", root - root_vtable_at, 4)
    vector = len(head)
    first = vector + 4 + 4 * table_count
    tail_at = first + 8 * table_count
    head += struct.pack("<I", table_count)
    for index in range(table_count):
        head += struct.pack("<I", first + 8 * index - (vector + 4 + 4 * index))
    for index in range(table_count):
        at = first + 8 * index
        head += struct.pack("<iI", at - 8, tail_at + 4 * index - (at + 4))
    return bytes(head) + tail


OVERLAPS = [
    (Vectors, overlapping(30_000, 1, struct.pack("<I", 200_000) * 230_000), "elements"),
    (Vectors, overlapping(16_000, 1, struct.pack("<I", 14) * 16_020), ""),
    (Vectors, overlapping(100_000, 1, bytes(400_000)), "tables"),
    (Strings, overlapping(30_000, 2, struct.pack("<I", 0x10001) * 60_000), "text bytes"),
    (Strings, overlapping(4_000, 2, struct.pack("<I", 0xF1) * 4_100), ""),
]


@pytest.mark.parametrize(
    ("root", "data", "refused"),
    OVERLAPS,
    ids=["long vectors", "short vectors", "many tables", "long strings", "short strings"],
)
def test_overlaps_cost_neither_time_nor_memory(
    root: type[Record], data: bytes, refused: str
) -> None:
    expectation = (
        pytest.raises(FormatError, match=f"more than .* {refused}")
        if refused
        else contextlib.nullcontext()
    )
    started = time.process_time()
    with expectation:
        decode(root, data, b"TEST")
    assert time.process_time() - started <= 1
    tracemalloc.start()
    with expectation:
        decode(root, data, b"TEST")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak <= 64 * 2**20 + 8 * len(data)


def test_ten_thousand_corruptions() -> None:
    chance = random.Random(20)
    refused = 0
    for _ in range(10_000):
        changed = bytearray(GOOD)
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(len(changed))
            changed[at] = chance.choice((0, 1, 4, 0x7F, 0x80, 0xFF, chance.randrange(256)))
        try:
            assert isinstance(read(changed), Root)
        except FormatError:
            refused += 1
    assert 1_000 < refused < 9_990
