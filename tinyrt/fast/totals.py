"""Sums over all positions of an image, channel by channel: global pooling and means."""

from bisect import bisect_right
from collections.abc import Sequence

from tinyrt import lanes
from tinyrt.kernel import Held, HeldRun
from tinyrt.planar import FLIP, Planes

POSITIONS = 1 << 23
"""Most positions whose total a lane holds."""

_LANE_BITS = 32


def totals(value: Held, channels: int) -> Sequence[int]:
    """The sum of each channel's bytes, each plus 128, over all positions.

    Args:
        value: one image, as planes or as int8 bytes with the channels innermost; of `POSITIONS`
            at most.
        channels: of the image.
    """
    if isinstance(value, Planes):
        base = (1 << value.grid.pitch.lane_bits) - 1
        if value.grid.lanes * 255 < base:
            # 2^bits is 1 modulo 2^bits − 1: the remainder is the sum of the digits, as of nines.
            return [plane % base for plane in value.channels]
        value = value.to_bytes()
    data = bytes(value).translate(FLIP)
    # One integer for each position, its lanes the channels.
    total = sum(lanes.pack(data, len(data) // channels, _LANE_BITS))
    return memoryview(total.to_bytes(channels * 4, "little")).cast("I").tolist()


def by_steps(channels: int, base: int, steps: Sequence[int]) -> HeldRun:
    """A run that looks up what each channel's total becomes.

    Args:
        channels: of the image.
        base: the result, plus 128, of totals below the first step.
        steps: non-decreasing; from each on, the result is one more.
    """

    def run(value: Held) -> tuple[Held, ...]:
        results = [base + bisect_right(steps, total) for total in totals(value, channels)]
        return (bytes(results).translate(FLIP),)

    return run
