"""Lanes: many small integers in one big one, so that CPython's own loops do the arithmetic.

A vector (x0, x1, …) is held as `Σ x_n · 2^(bits · n)`. Lanes may be signed: a negative lane borrows
from the next one up, and the sum is still exact. Additions, and products with a scalar, therefore
work on all lanes at once, whatever their signs; so does a product with a short vector of scalars,
which is a product of polynomials in 2^bits.

**Bound.** Lanes can be read out one by one when each lies in [0, 2^bits): then, and only then, are
they the digits of the integer in base 2^bits. Adding a vector that makes every lane of a sum
non-negative is thus all that a signed result needs, provided that largest − least < 2^bits.
Intermediate sums need no bound at all: what counts is the integer, and the integer is exact.
"""

from collections.abc import Callable, Sequence
from math import gcd

BYTE_LANES = (16, 18, 20, 21, 22, 24, 28, 32, 40, 48, 56, 64)
"""Widths to and from which bytes are moved at C speed: one lane to eight fill whole bytes.

Any width from 16 on will do, for then two lanes never share out a byte's two parts.
"""

_MOVED_UP = tuple([bytes([value << bits & 0xFF for value in range(256)]) for bits in range(8)])
_MOVED_DOWN = tuple([bytes([value >> bits for value in range(256)]) for bits in range(8)])


def ones(count: int, bits: int) -> int:
    """A vector of `count` ones; times a scalar, a vector of that scalar."""
    # The geometric sum 1 + 2^bits + … is a quotient without remainder.
    return ((1 << (bits * count)) - 1) // ((1 << bits) - 1)


def of_integers(values: Sequence[int], bits: int) -> int:
    """The vector of any integers, negative ones among them; for packing, not for inner loops."""
    if len(values) <= 16:
        return sum(value << (bits * n) for n, value in enumerate(values))
    middle = len(values) // 2
    return of_integers(values[:middle], bits) + (
        of_integers(values[middle:], bits) << (bits * middle)
    )


def of_bytes(data: bytes | bytearray | memoryview, bits: int) -> int:
    """The vector of the unsigned bytes of `data`."""
    (vector,) = pack(bytes(data), 1, bits)
    return vector


def to_bytes(vector: int, count: int, bits: int) -> bytes:
    """The lowest `count` lanes, each in [0, 255], as bytes; there may be no lanes above them."""
    return unpack((vector,), count, bits)


def pack(data: bytes, vectors: int, bits: int) -> list[int]:
    """As many vectors of unsigned bytes as asked for, of equal length, one behind the other."""
    period, width = _period(bits)
    count = len(data) // vectors
    if count % period:
        # So many lanes fill whole bytes: give every vector more.
        starts = range(0, len(data), count)
        more = bytes(period - count % period)
        data = more.join([*(data[start : start + count] for start in starts), b""])
        count += len(more)
    buffer = bytearray(len(data) // period * width)
    for lane in range(period):
        start, up = divmod(lane * bits, 8)
        part = data[lane::period]
        if up:
            # A lane that begins within a byte has its value in two.
            buffer[start::width] = part.translate(_MOVED_UP[up])
            buffer[start + 1 :: width] = part.translate(_MOVED_DOWN[8 - up])
        else:
            buffer[start::width] = part
    size = count // period * width
    if not size:
        return [0] * vectors
    from_bytes = int.from_bytes
    return [
        from_bytes(buffer[start : start + size], "little") for start in range(0, len(buffer), size)
    ]


def unpack(vectors: Sequence[int], count: int, bits: int) -> bytes:
    """The lowest `count` lanes of every vector, each in [0, 255], one vector behind the other.

    There may be no lanes above them that are not zero.
    """
    period, width = _period(bits)
    groups = -(-count // period)
    size = groups * width
    if period == 1:
        return b"".join([vector.to_bytes(size, "little") for vector in vectors])[::width]
    masks, last = _turns(groups, bits)
    for down, valid in masks:
        vectors = [(vector | vector >> down) & valid for vector in vectors]
    joined = b"".join([(vector | vector >> last).to_bytes(size, "little") for vector in vectors])
    data = bytearray(len(vectors) * groups * period)
    for lane in range(period):
        data[lane::period] = joined[lane::width]
    length = groups * period
    if length == count:
        return bytes(data)
    return b"".join([data[start : start + count] for start in range(0, len(data), length)])


def _turns(groups: int, bits: int) -> tuple[list[tuple[int, int]], int]:
    """How the bytes of lanes that fill whole bytes, a *group*, are brought side by side.

    First the bytes of lanes are, then pairs of them, then pairs of these: in each turn a copy of
    the vector is moved down and put on top, and what it leaves is masked out. Then the first bytes
    of all groups are a slice of the vector's bytes, and the second ones another.

    **Nothing collides.** 2h lanes hold h bytes from bit 0 on and h bytes from bit h·bits on. Copied
    h·(bits − 8) bits down, the latter begin at bit 8h, just above the former. The copy of the
    former comes to lie in the 2h lanes below, from bit h·(bits + 8) on, which is just above what
    these hold, and ends below them, for bits ≥ 16. It is cut off before the next turn.

    Returns:
        Bits to move down by, and the mask, of all turns but the last, which needs none; the bits of
        that one.
    """
    period, width = _period(bits)
    turns = []
    half = 1
    while 2 * half < period:
        # A pattern in whole bytes, for `ones` would divide.
        pattern = ones(period // (2 * half), 2 * half * bits) * ((1 << 16 * half) - 1)
        valid = int.from_bytes(pattern.to_bytes(width, "little") * groups, "little")
        turns.append((half * (bits - 8), valid))
        half *= 2
    return turns, half * (bits - 8)


def phases(bits: int) -> int:
    """How many lanes fill whole bytes, each of which begins at a bit of its own."""
    return _period(bits)[0]


def _period(bits: int) -> tuple[int, int]:
    """How many lanes fill whole bytes, and how many bytes."""
    period = 8 // gcd(bits, 8)
    return period, bits * period // 8


def to_integers(vector: int, count: int, bits: int) -> list[int]:
    """The lowest `count` lanes of a vector of non-negative ones; for tests and short vectors."""
    mask = (1 << bits) - 1
    return [(vector >> (bits * n)) & mask for n in range(count)]


def bit_planes(data: bytes) -> list[bytes]:
    """The bits of eight successive bytes as bytes, for every eight: first all bits 7, then bits 6.

    Eight bytes are a matrix of 8 by 8 bits, which is transposed by exchanging its quarters, then
    the quarters of these, then theirs: all of them at a time, in one integer. The last group may
    be shorter; the bits that it lacks are zero.
    """
    groups = -(-len(data) // 8)
    every = ones(groups, 64)
    matrix = int.from_bytes(data, "little")
    for distance, mask in (
        (7, 0x00AA00AA00AA00AA),
        (14, 0x0000CCCC0000CCCC),
        (28, 0x00000000F0F0F0F0),
    ):
        moved = (matrix ^ matrix >> distance) & (every * mask)
        matrix ^= moved ^ moved << distance
    planes = matrix.to_bytes(groups * 8, "little")
    return [planes[bit::8] for bit in range(7, -1, -1)]


def gathering_order(count: int, bits: int) -> list[int]:
    """Which of `count` bytes each lane holds, lane by lane, where `gatherer` reads them.

    Numbers from `count` on are lanes that fill up the last whole bytes.
    """
    period, _ = _period(bits)
    groups = -(-count // period)
    return [phase * groups + group for group in range(groups) for phase in range(period)]


def gatherer(count: int, bits: int) -> Callable[[int], bytes]:
    """Build the reader of vectors whose lanes, each in [0, 255], lie in `gathering_order`.

    It takes a third of the time of `to_bytes`: the slices are not interleaved again.
    """
    period, width = _period(bits)
    groups = -(-count // period)
    starts, size = range(period), groups * width
    if period == 1:
        return lambda vector: vector.to_bytes(size, "little")[::width]
    masks, last = _turns(groups, bits)

    def gather(vector: int) -> bytes:
        for down, valid in masks:
            vector = (vector | vector >> down) & valid
        data = (vector | vector >> last).to_bytes(size, "little")
        return b"".join([data[start::width] for start in starts])[:count]

    return gather
