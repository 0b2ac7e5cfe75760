"""FULLY_CONNECTED as products of a row of input with four channels at a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from tinyrt import walks
from tinyrt.fixedpoint import INT32_MAX
from tinyrt.kernel import CKernel, Int8Data, Int8s, Int32s, Overlap, Touch
from tinyrt.ops.fully_connected import FullyConnected

_CHANNELS = 4
_DEPTHS = 4
_VECTOR_DEPTHS = 16


@dataclass(frozen=True, slots=True)
class FullyConnectedWide(CKernel):
    """FULLY_CONNECTED, int8, with rows of four values or more, and sums of any size in 32 bits."""

    c_name = "fully_connected_wide_s8"

    batches: int
    input_depth: int
    output_depth: int
    output_offset: int
    activation_min: int
    activation_max: int
    filter: Int8Data
    bias: Int32s
    per_channel: int
    multipliers: Int32s
    shifts: Int8s

    @classmethod
    def of(cls, operator: FullyConnected) -> Self | None:
        """The kernel for an operator, if it can be computed so."""
        depth = operator.input_depth
        if depth < _DEPTHS:
            return None
        weights = memoryview(operator.filter).cast("b").tolist()
        filters = [weights[start : start + depth] for start in range(0, len(weights), depth)]
        bias = tuple(
            bias + operator.input_offset * sum(filter_)
            for bias, filter_ in zip(operator.bias, filters, strict=True)
        )
        # No part of a sum leaves 32 bits, whatever the order.
        if any(
            abs(start) + 128 * sum(map(abs, filter_)) > INT32_MAX
            for start, filter_ in zip(bias, filters, strict=True)
        ):
            return None
        return cls(
            batches=operator.batches,
            input_depth=depth,
            output_depth=operator.output_depth,
            output_offset=operator.output_offset,
            activation_min=operator.activation_min,
            activation_max=operator.activation_max,
            filter=_interleaved(filters, depth),
            bias=bias,
            per_channel=operator.per_channel,
            multipliers=operator.multipliers,
            shifts=operator.shifts,
        )

    def _walk(self) -> walks.Walk:
        """How the C walks: a row is a pixel."""
        return walks.row_by_row(self.batches, self.input_depth, self.output_depth)

    def overlap(self) -> tuple[Overlap, ...]:
        """Row by row: within a row everything is read until its end."""
        return (self._walk().overlap(),)

    def touches(self) -> Iterator[Touch]:
        """Row by row."""
        return self._walk().touches()


def _interleaved(filters: list[list[int]], depth: int) -> bytes:
    """Four weights of each of four channels in turn, filled up with zeros for what is read."""
    padded = [filter_ + [0] * (-depth % _DEPTHS) for filter_ in filters]
    padded += [[0] * len(padded[0])] * (-len(filters) % _CHANNELS)
    values = [
        weight
        for first in range(0, len(padded), _CHANNELS)
        for place in range(0, len(padded[0]), _DEPTHS)
        for filter_ in padded[first : first + _CHANNELS]
        for weight in filter_[place : place + _DEPTHS]
    ]
    # Vectors read whole sixteens of depths.
    behind = -len(padded[0]) % _VECTOR_DEPTHS * _CHANNELS
    return bytes(value & 0xFF for value in (*values, *(0,) * behind))
