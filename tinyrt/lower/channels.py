"""Output channels as the packed kernels want them: weights, bias, multiplier, right shift.

A kernel computes `floor((2 · x · multiplier + 2^31) / 2^32 …)` on sums x that contain the bias and
the input's zero-point, with a right shift from 1 on. That is the requantization of the operator
itself wherever sums stay below `BOUND` and shifts within the kernel's reach, as they do in all
channels that matter. Those that do not (dead ones that pruning or training left over, with biases
of 2^30 and scales of 2^-28, are common) have few steps or none, and get other numbers that give
the same ones; `short_multiplier.staircase` is the proof.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tinyrt.fixedpoint import Numerics, clamp
from tinyrt.ops.conv_2d import Conv2D
from tinyrt.ops.depthwise_conv_2d import DepthwiseConv2D
from tinyrt.ops.fully_connected import FullyConnected
from tinyrt.short_multiplier import Staircase, staircase

BOUND = 1 << 22
"""What a sum stays below: 256 times as much, and its double, are added in 32 bits."""


@dataclass(frozen=True, slots=True)
class Channel:
    """One output channel."""

    weights: tuple[int, ...]
    """int8, in the order of the filter."""
    bias: int
    """With the input's offset times the sum of the weights; below `BOUND`."""
    multiplier: int
    shift: int
    """To the right, at least 1."""


@dataclass(frozen=True, slots=True)
class Output:
    """How the results of a layer end."""

    offset: int
    low: int
    high: int
    numerics: Numerics

    def staircase(self, multiplier: int, shift: int, first: int, last: int) -> Staircase | None:
        """The outputs of the sums from `first` to `last`; `shift` is to the right."""
        return staircase(
            multiplier, -shift, self.offset, self.low, self.high, self.numerics, first, last
        )


def channels(
    operator: Conv2D | DepthwiseConv2D | FullyConnected,
    filters: Sequence[Sequence[int]],
    multipliers: Sequence[int],
    shifts: Sequence[int],
    greatest_shift: int,
) -> list[Channel] | None:
    """The channels of a layer; None where one has no form that a kernel can compute.

    Args:
        operator: whose biases, offsets and activation.
        filters: the weights of each channel.
        multipliers: of each channel, as `fixedpoint.quantize_multiplier` gives it.
        shifts: likewise; positive shifts left.
        greatest_shift: the greatest right shift that the kernel takes.
    """
    end = Output(
        operator.output_offset, operator.activation_min, operator.activation_max, operator.numerics
    )
    found: list[Channel] = []
    for filter_, bias, multiplier, shift in zip(
        filters, operator.bias, multipliers, shifts, strict=True
    ):
        channel = _channel(filter_, bias, multiplier, -shift, operator.input_offset, end)
        if channel is None or not _fits(channel, greatest_shift):
            channel = channel and _replaced(channel, end, greatest_shift)
        if channel is None:
            return None
        found.append(channel)
    return found


def reach(channel: Channel) -> tuple[int, int]:
    """Least and greatest sum, with the bias, over all int8 inputs."""
    positive = sum(weight for weight in channel.weights if weight > 0)
    negative = sum(weight for weight in channel.weights if weight < 0)
    return (
        channel.bias - 128 * positive + 127 * negative,
        channel.bias + 127 * positive - 128 * negative,
    )


def _channel(
    filter_: Sequence[int], bias: int, multiplier: int, shift: int, input_offset: int, end: Output
) -> Channel | None:
    """The channel as it is, or, if all its outputs are the same, the simplest that has them."""
    channel = Channel(tuple(filter_), bias + input_offset * sum(filter_), multiplier, shift)
    if multiplier == 0:
        constant = clamp(end.offset, end.low, end.high)
    else:
        stairs = end.staircase(multiplier, shift, *reach(channel))
        if stairs is None:
            return None
        if stairs.steps:
            return channel
        constant = stairs.base
    # A quarter of 4 · (constant − offset), which rounds nowhere.
    return Channel((0,) * len(filter_), 4 * (constant - end.offset), 1 << 30, 1)


def _fits(channel: Channel, greatest_shift: int) -> bool:
    return 1 <= channel.shift <= greatest_shift and all(
        abs(value) < BOUND for value in (channel.bias, *reach(channel))
    )


def _replaced(channel: Channel, end: Output, greatest_shift: int) -> Channel | None:
    """A channel of another scale and bias with the same outputs: few steps allow many."""
    wanted = end.staircase(channel.multiplier, channel.shift, *reach(channel))
    assert wanted is not None
    for shift in range(greatest_shift, 0, -1):
        for multiplier in (1 << 30, 3 << 29):
            line = end.staircase(multiplier, shift, 1 - BOUND, BOUND - 1)
            assert line is not None
            number = wanted.base - line.base
            if not 0 <= number < len(line.steps):
                continue
            # Let the first steps meet; the others must then meet as well.
            moved = line.steps[number] - wanted.steps[0]
            other = Channel(channel.weights, channel.bias + moved, multiplier, shift)
            if not _fits(other, greatest_shift):
                continue
            got = end.staircase(multiplier, shift, *reach(other))
            if got is not None and (got.base, got.steps) == (
                wanted.base,
                wanted.moved(moved, 0).steps,
            ):
                return other
    return None
