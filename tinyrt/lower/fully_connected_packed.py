"""FULLY_CONNECTED as products of a row of input with eight channels at a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from tinyrt import walks
from tinyrt.kernel import CKernel, Int32s, Overlap, Touch
from tinyrt.lower.channels import channels
from tinyrt.lower.pairs import GREATEST_SHIFT, octet_stream
from tinyrt.ops.fully_connected import FullyConnected


@dataclass(frozen=True, slots=True)
class FullyConnectedPacked(CKernel):
    """FULLY_CONNECTED, int8, with rows of a multiple of four values."""

    c_name = "fully_connected_packed_s8"

    batches: int
    input_depth: int
    output_depth: int
    output_offset: int
    activation_min: int
    activation_max: int
    stream: Int32s

    @classmethod
    def of(cls, operator: FullyConnected) -> Self | None:
        """The kernel for an operator, if it can be computed so."""
        depth = operator.input_depth
        if depth % 4 != 0:
            return None
        weights = memoryview(operator.filter).cast("b").tolist()
        filters = [weights[start : start + depth] for start in range(0, len(weights), depth)]
        repeats = 1 if operator.per_channel else operator.output_depth
        found = channels(
            operator,
            filters,
            operator.multipliers * repeats,
            operator.shifts * repeats,
            GREATEST_SHIFT,
        )
        stream = None if found is None else octet_stream(found)
        if stream is None:
            return None
        return cls(
            batches=operator.batches,
            input_depth=depth,
            output_depth=operator.output_depth,
            output_offset=operator.output_offset,
            activation_min=operator.activation_min,
            activation_max=operator.activation_max,
            stream=stream,
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
