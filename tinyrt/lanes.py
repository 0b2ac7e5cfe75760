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

from collections.abc import Sequence

BYTE_LANES = (16, 20, 24, 28, 32, 40, 48, 56, 64)
"""Widths to and from which bytes are moved at C speed: one lane or two fill whole bytes."""

_UPPER_NIBBLE = bytes((value << 4) & 0xFF for value in range(256))
_LOWER_NIBBLE = bytes(value >> 4 for value in range(256))


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
    count = len(data) // vectors
    if bits % 8 == 0:
        width = bits // 8
        buffer = bytearray(len(data) * width)
        buffer[::width] = data
        size = count * width
    else:
        if count % 2:
            # Two lanes fill whole bytes: give every vector one more.
            starts = range(0, len(data), count)
            data = b"\0".join([*(data[start : start + count] for start in starts), b""])
            count += 1
        width = bits // 4
        buffer = bytearray(len(data) // 2 * width)
        odd = data[1::2]
        middle = bits // 8
        buffer[::width] = data[::2]
        # An odd lane begins half a byte within a byte.
        buffer[middle::width] = odd.translate(_UPPER_NIBBLE)
        buffer[middle + 1 :: width] = odd.translate(_LOWER_NIBBLE)
        size = count // 2 * width
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
    if bits % 8 == 0:
        width = bits // 8
        size = count * width
        return b"".join([vector.to_bytes(size, "little") for vector in vectors])[::width]
    width = bits // 4
    even = count + count % 2
    size = even // 2 * width
    joined = b"".join([vector.to_bytes(size, "little") for vector in vectors])
    middle = bits // 8
    lower = int.from_bytes(joined[middle::width].translate(_LOWER_NIBBLE), "little")
    upper = int.from_bytes(joined[middle + 1 :: width].translate(_UPPER_NIBBLE), "little")
    data = bytearray(len(vectors) * even)
    data[::2] = joined[::width]
    data[1::2] = (lower | upper).to_bytes(len(data) // 2, "little")
    if even == count:
        return bytes(data)
    return b"".join([data[start : start + count] for start in range(0, len(data), even)])


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
