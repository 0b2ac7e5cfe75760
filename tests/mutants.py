"""Falsified .tflite files: every way to lie that the format has, seeded.

Lies are written into the bytes of a sound file. Those about structure (`truncate`, `flip`, `word`,
`splice`) go anywhere; those about meaning go where the reader says that a field stands.
"""

import random
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tinyrt import records, schema

INTEGERS = (0, 1, 2, 3, 4, 7, 8, 15, 64, 127, 128, 255, 4096, 65535, 65536, 1 << 20, 1 << 24)
INTEGERS += (1 << 29, (1 << 31) - 1, -1, -2, -3, -128, -129, -(1 << 31))
REALS = (0.0, -0.0, -1.0, 1e-45, 1e-38, 1e-20, 0.5, 1.0, 1e9, 3.4e38)
REALS += (float("inf"), float("-inf"), float("nan"))


@dataclass(frozen=True, slots=True)
class Slot:
    """One number of a file: where it stands, its type, and the field it belongs to."""

    at: int
    code: str
    """Of `struct`."""
    owner: str
    field: str

    def written(self, content: bytearray, value: float) -> None:
        """Put a number there, wrapped to the type's range."""
        if self.code == "f":
            struct.pack_into("<f", content, self.at, value)
            return
        size = struct.calcsize(self.code)
        whole = int(value) & ((1 << 8 * size) - 1)
        content[self.at : self.at + size] = whole.to_bytes(size, "little")

    def value(self, content: bytes) -> float:
        """The number that stands there."""
        return float(struct.unpack_from(f"<{self.code}", content, self.at)[0])


def slots(content: bytes) -> list[Slot]:
    """Every number of a model that has a meaning, but for the bytes of constants."""
    return list(_slots(content, schema.read_model(content)))


def _slots(content: bytes, record: records.Record) -> Iterator[Slot]:
    owner, positions = type(record).__name__, record.positions
    for name, slot in record.layout:
        at, value = positions.get(name), getattr(record, name)
        if at is None:
            continue
        if isinstance(slot, records.Number):
            yield Slot(at, slot.number_type.codec.format[-1], owner, name)
            continue
        yield Slot(at, "I", owner, f"offset of {name}")
        start = at + struct.unpack_from("<I", content, at)[0]
        if isinstance(slot, records.Text | records.Bytes | records.Numbers | records.Children):
            yield Slot(start, "I", owner, f"length of {name}")
        if isinstance(slot, records.Numbers):
            code, size = slot.number_type.codec.format[-1], slot.number_type.bytes
            for position in range(len(value)):
                yield Slot(start + 4 + size * position, code, owner, name)
        elif isinstance(slot, records.Children):
            for position, item in enumerate(value):
                yield Slot(start + 4 + 4 * position, "I", owner, f"offset in {name}")
                yield from _slots(content, item)
        elif isinstance(slot, records.Child | records.Union) and value is not None:
            yield from _slots(content, value)


class Mutator:
    """Makes mutants of one file."""

    def __init__(self, content: bytes) -> None:
        """Take a sound file."""
        self.content = content
        self._slots = slots(content)
        groups: dict[str, list[Slot]] = {}
        for slot in self._slots:
            groups.setdefault(f"{slot.owner}.{slot.field}", []).append(slot)
        self._fields = list(groups.values())
        self._named: Mapping[str, Sequence[Slot]] = groups
        self._tensors = len(schema.read_model(content).subgraphs[0].tensors)
        self._structure = self._outside_of_constants()

    def mutants(self, count: int, seed: int) -> Iterator[tuple[str, bytes]]:
        """Names and contents; every kind of lie in turn, the same for the same seed."""
        rng = random.Random(seed)
        for number in range(count):
            kind = KINDS[number % len(KINDS)]
            yield f"{kind.__name__} {number}", kind(self, rng)

    def _outside_of_constants(self) -> list[int]:
        """Positions of bytes that are no constant's: what corruption can do most with."""
        model = schema.read_model(self.content)
        whole = bytearray(len(self.content))
        for buffer in model.buffers:
            at = buffer.positions.get("data")
            if at is not None and len(buffer.data) > 64:
                start = at + struct.unpack_from("<I", self.content, at)[0] + 4
                whole[start : start + len(buffer.data)] = b"\1" * len(buffer.data)
        return [position for position, constant in enumerate(whole) if not constant]

    # --- structure ---------------------------------------------------------------------------

    def truncate(self, rng: random.Random) -> bytes:
        """The file ends early."""
        return self.content[: rng.choice([rng.randrange(len(self.content)), rng.randrange(64)])]

    def flip(self, rng: random.Random) -> bytes:
        """Bits, one to many."""
        made = bytearray(self.content)
        for _ in range(rng.choice([1, 1, 2, 8, 64])):
            made[rng.choice(self._structure)] ^= 1 << rng.randrange(8)
        return bytes(made)

    def word(self, rng: random.Random) -> bytes:
        """An aligned word of 2 or 4 bytes: most often a length, an offset, a vtable's entry."""
        made = bytearray(self.content)
        size = rng.choice([2, 4])
        at = rng.choice(self._structure) & -size
        near = int.from_bytes(made[at : at + size], "little") + rng.randrange(-8, 9)
        value = rng.choice([near, rng.choice(INTEGERS), rng.getrandbits(32), len(made) - at])
        made[at : at + size] = (value & ((1 << 8 * size) - 1)).to_bytes(size, "little")
        return bytes(made[: len(self.content)])

    def splice(self, rng: random.Random) -> bytes:
        """Bytes of the file in another place; inserted, left out, or over others."""
        made = bytearray(self.content)
        at, source = rng.choice(self._structure), rng.choice(self._structure)
        length = rng.choice([1, 2, 4, 8, 16, 40])
        chunk = self.content[source : source + length]
        made[at : at + rng.choice([0, length, len(chunk)])] = chunk if rng.random() < 0.8 else b""
        return bytes(made)

    # --- meaning -----------------------------------------------------------------------------

    def _lie(self, rng: random.Random, made: bytearray, slot: Slot) -> None:
        if slot.code == "f":
            old = slot.value(self.content)
            slot.written(made, rng.choice([*REALS, -old, rng.uniform(-4, 4)]))
            return
        old = int(slot.value(bytes(made)))
        near = old + rng.choice([-1, 1, -4, 4, old])
        slot.written(made, rng.choice([near, rng.choice(INTEGERS), old ^ 1 << rng.randrange(31)]))

    def _one(self, rng: random.Random, *fields: str) -> bytes:
        """A lie in one of some fields, or any: each field that the file has is as likely."""
        chosen = [self._named[name] for name in fields if name in self._named] or self._fields
        made = bytearray(self.content)
        self._lie(rng, made, rng.choice(rng.choice(chosen)))
        return bytes(made)

    def field(self, rng: random.Random) -> bytes:
        """Any number of the file."""
        return self._one(rng)

    def reference(self, rng: random.Random) -> bytes:
        """An offset or a length."""
        names = [name for name in self._named if "offset" in name or "length" in name]
        return self._one(rng, *names)

    def shape(self, rng: random.Random) -> bytes:
        """A dimension or an element type."""
        return self._one(rng, "Tensor.shape", "Tensor.shape_signature", "Tensor.type")

    def index(self, rng: random.Random) -> bytes:
        """An index within range that is another's: what range checks cannot see."""
        names = ("Operator.inputs", "Operator.outputs", "SubGraph.inputs", "SubGraph.outputs")
        if rng.random() < 0.3:
            return self._one(rng, *names, "Tensor.buffer", "Operator.opcode_index")
        made = bytearray(self.content)
        chosen = [self._named[name] for name in names if name in self._named]
        rng.choice(rng.choice(chosen)).written(made, rng.randrange(self._tensors))
        return bytes(made)

    def quantization(self, rng: random.Random) -> bytes:
        """A scale, a zero-point, an axis, a scheme."""
        owner = "QuantizationParameters"
        names = ("scale", "zero_point", "quantized_dimension", "details_type")
        return self._one(rng, *(f"{owner}.{name}" for name in names))

    def options(self, rng: random.Random) -> bytes:
        """An option, the kind of options, or the operator itself."""
        names = [name for name in self._named if "Options." in name and " of " not in name]
        return self._one(rng, *names, "Operator.builtin_options_type", "OperatorCode.builtin_code")

    def order(self, rng: random.Random) -> bytes:
        """Operators that read what they, or later ones, compute; tensors that are variables."""
        made = bytearray(self.content)
        reads, writes = self._named["Operator.inputs"], self._named["Operator.outputs"]
        for _ in range(rng.choice([1, 1, 2])):
            source = rng.choice(writes)
            rng.choice(reads).written(made, source.value(self.content))
        return bytes(made)

    def several(self, rng: random.Random) -> bytes:
        """Several lies at once, so that one may hide another."""
        made = bytearray(self.content)
        for _ in range(rng.randrange(2, 5)):
            self._lie(rng, made, rng.choice(rng.choice(self._fields)))
        return bytes(made)


KINDS: tuple[Callable[[Mutator, random.Random], bytes], ...] = (
    Mutator.truncate,
    Mutator.flip,
    Mutator.word,
    Mutator.splice,
    Mutator.field,
    Mutator.field,
    Mutator.reference,
    Mutator.shape,
    Mutator.shape,
    Mutator.index,
    Mutator.quantization,
    Mutator.options,
    Mutator.options,
    Mutator.order,
    Mutator.several,
)
"""Every kind of lie; some weigh double."""
