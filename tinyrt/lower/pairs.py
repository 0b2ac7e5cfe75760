"""The weights of two channels in one word: what `kernels/tinyrt_packed.h` describes.

Channels A and B share 16-bit halves, 256 · B + A, for which B must not be −128 where A is negative.
Of four depths, the first and third share a word, and the second and fourth, as SXTB16 unpacks four
bytes of input.
"""

from collections.abc import Sequence

from tinyrt.fixedpoint import wrap32
from tinyrt.lower.channels import Channel

GREATEST_SHIFT = 16
"""Shifts less 1 are stored in four bits; 256 · 257 · 2^(shift − 2) must stay below 2^31."""
_NOTHING_SHIFT = 1
_BEHIND = 3
"""Words behind the last pair: eight words may be read where two, and the tail, are left."""


def pair_stream(channels: Sequence[Channel], row: int) -> tuple[int, ...] | None:
    """The words of all pairs, one pair after the other; None where weights share no half.

    Args:
        channels: two or more; an odd last one is paired with its predecessor once more.
        row: how many weights are filled up to a multiple of four each time.
    """
    words: list[int] = []
    for first in range(0, len(channels), 2):
        a, b = channels[first : first + 2] if first + 1 < len(channels) else channels[-2:]
        parts = [
            _words(a.weights[start : start + row], b.weights[start : start + row])
            for start in range(0, len(a.weights), row)
        ]
        if any(part is None for part in parts):
            return None
        words.append(256 * b.bias)
        words += [word for part in parts if part is not None for word in part]
        words += _tail(a, b)
    # Kernels that read four groups of four at a time read as far.
    words += [0] * _BEHIND
    return tuple(words)


def octet_stream(channels: Sequence[Channel]) -> tuple[int, ...] | None:
    """The words of four pairs at a time, filled up with channels for nothing."""
    nothing = Channel((0,) * len(channels[0].weights), 0, 0, _NOTHING_SHIFT)
    words: list[int] = []
    for first in range(0, len(channels), 8):
        eight = [*channels[first : first + 8], *[nothing] * 7][:8]
        pairs = list(zip(eight[::2], eight[1::2], strict=True))
        parts = [found for a, b in pairs if (found := _words(a.weights, b.weights)) is not None]
        if len(parts) < len(pairs):
            return None
        words += [256 * b.bias for _, b in pairs]
        for place in range(0, len(parts[0]), 2):
            for part in parts:
                words += part[place : place + 2]
        for a, b in pairs:
            words += _tail(a, b)
    # Kernels that read sixteen depths at a time read as far behind the last three words of a pair.
    depths = len(channels[0].weights)
    words += [0] * max(0, 2 * (-depths % 16) - 4 * 3)
    return tuple(words)


def _words(a: Sequence[int], b: Sequence[int]) -> list[int] | None:
    """Two words for each four depths."""
    halves = [256 * high + low for low, high in zip(a, b, strict=True)]
    if min(halves) < -(1 << 15):
        return None
    halves += [0] * (-len(halves) % 4)
    return [
        wrap32(halves[first] & 0xFFFF | halves[first + 2] << 16)
        for group in range(0, len(halves), 4)
        for first in (group, group + 1)
    ]


def _tail(a: Channel, b: Channel) -> tuple[int, int, int]:
    return a.bias << 9 | (b.shift - 1) << 4 | (a.shift - 1), a.multiplier, b.multiplier
