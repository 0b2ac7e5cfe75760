"""Conversions by one line, all channels of a layer in one loop.

What most accumulators become is one line (`requantize.py` finds it): lanes are limited, multiplied
by a short factor in lanes of twice the width, and the byte is cut out of the product. Some twenty
operations on a plane take 30 ns each before they do anything; so a layer's channels share one loop,
and the constants that they have in common.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tinyrt.fast.costs import ADD, CALL

Convert = Callable[[int], int]
"""From a vector of biased accumulators to a plane."""

ConvertAll = Callable[[Sequence[int]], list[int]]
"""The same for several channels, whose vectors come in order."""


def convert_cost(channels: int, digits: float) -> float:
    """Nanoseconds for planes of so many digits: about twenty operations, a third of them cheap."""
    return channels * (20 * CALL + 10 * ADD * digits)


@dataclass(frozen=True, slots=True)
class Scaling:
    """The constants of a line in lanes of twice the width; channels have them in common or not."""

    addends: tuple[int, int]
    """What is added to products of even lanes, and to those of odd ones."""
    cuts: tuple[int, int]
    """Where the results stand in them."""
    down: int
    """Bits that results are moved down by."""
    above: int = 0
    """What carries a result beyond `tops` into bit L − 1; zero where there can be none."""
    tops: int = 0


@dataclass(frozen=True, slots=True)
class Straight:
    """The conversion of a channel by one line: limit, multiply, cut out. See `convert_all`."""

    bits: int
    """Of a lane, L."""
    sign: int
    """Bit L − 1 of every lane of the accumulators."""
    carry: int
    """The same of a plane."""
    takes: tuple[int, int]
    """The even lanes, and the odd ones."""
    factor: int
    raised: int
    """What puts the top of the line at 2^(L − 1) − 1; zero where nothing lies beyond it."""
    scaling: Scaling

    def __call__(self, lanes_: int) -> int:
        """The plane of this channel alone."""
        (plane,) = _straight_planes((self,))((lanes_,))
        return plane


def convert_all(converts: Sequence[Convert]) -> ConvertAll:
    """The conversions of channels that have the same masks, as one.

    Most channels take one line. All of these are converted in one loop, for a call each and
    constants of their own would cost as much as the arithmetic on a short plane.
    """
    straight = [(n, c) for n, c in enumerate(converts) if isinstance(c, Straight)]
    others = [(n, c) for n, c in enumerate(converts) if not isinstance(c, Straight)]
    if not straight:
        return lambda vectors: [c(v) for c, v in zip(converts, vectors, strict=True)]
    planes_of = _straight_planes([convert for _, convert in straight])
    if not others:
        return planes_of
    places = [n for n, _ in straight]

    def convert(vectors: Sequence[int]) -> list[int]:
        planes = list(vectors)
        for place, plane in zip(places, planes_of([vectors[n] for n in places]), strict=True):
            planes[place] = plane
        for place, convert_one in others:
            planes[place] = convert_one(vectors[place])
        return planes

    return convert


def _straight_planes(channels: Sequence[Straight]) -> ConvertAll:
    first = channels[0]
    sign, carry, down = first.sign, first.carry, first.bits - 1
    even_take, odd_take = first.takes
    # One object for what channels have in common.
    scalings: dict[Scaling, tuple[int, ...]] = {}
    constants = []
    for c in channels:
        s = c.scaling
        found = (*s.addends, *s.cuts, s.down, s.above, s.tops)
        constants.append((c.factor, c.raised, scalings.setdefault(s, found)))

    def convert(vectors: Sequence[int]) -> list[int]:
        planes = []
        for lanes_, (factor, raised, scaling) in zip(vectors, constants, strict=True):
            even_addend, odd_addend, even_cut, odd_cut, moved, above, tops = scaling
            reached = lanes_ & sign
            limits = lanes_ & (reached - (reached >> down))
            if raised:
                limits += raised
                beyond = limits & sign
                if beyond:
                    # The subtraction makes lower bits all ones; they swallow what the lane held.
                    limits = (limits | (beyond - (beyond >> down))) ^ beyond
            even = (limits & even_take) * factor + even_addend & even_cut
            odd = (limits & odd_take) * factor + odd_addend & odd_cut
            plane = (even | odd) >> moved
            if above:
                beyond = plane + above & carry
                if beyond:
                    plane ^= (plane ^ tops) & (beyond - (beyond >> down))
            planes.append(plane)
        return planes

    return convert
