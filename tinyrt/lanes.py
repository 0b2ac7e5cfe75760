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
    if bits % 8 == 0:
        width = bits // 8
        buffer = bytearray(len(data) * width)
        buffer[::width] = data
        return int.from_bytes(buffer, "little")
    # Two lanes fill whole bytes; the odd ones are shifted in between the even ones.
    width = bits // 4
    pairs = (len(data) + 1) // 2
    even, odd = bytearray(pairs * width), bytearray(pairs * width)
    even[::width] = data[::2]
    odd[: len(data) // 2 * width : width] = data[1::2]
    return int.from_bytes(even, "little") | int.from_bytes(odd, "little") << bits


def to_bytes(vector: int, count: int, bits: int) -> bytes:
    """The lowest `count` lanes, each in [0, 255], as bytes; there may be no lanes above them."""
    if bits % 8 == 0:
        width = bits // 8
        return vector.to_bytes(count * width, "little")[::width]
    width = bits // 4
    pairs = (count + 1) // 2
    data = bytearray(count)
    data[::2] = vector.to_bytes(pairs * width, "little")[::width]
    # An odd lane begins half a byte within a byte: shifted by four bits, it fills one.
    odd = (vector >> 4).to_bytes(pairs * width, "little")
    data[1::2] = odd[bits // 8 :: width][: count // 2]
    return bytes(data)


def to_integers(vector: int, count: int, bits: int) -> list[int]:
    """The lowest `count` lanes of a vector of non-negative ones; for tests and short vectors."""
    mask = (1 << bits) - 1
    return [(vector >> (bits * n)) & mask for n in range(count)]
