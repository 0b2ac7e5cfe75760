"""Convolutions on planes: for windows at many positions, depthwise among them.

**A row of a filter is a polynomial.** With lanes of L bits, `w0·2^2L + w1·2^L + w2` times a plane
adds up the three taps of a row at every position in one multiplication; a 3x3 filter is three such
products with the plane shifted by a row each way. What lies outside of the image is zero in the
plane, or in the plane less its zero-point. With strides, the plane is first split by phase, so that
a tap is a shift again.

**Bounds.** An accumulator is its bias plus, for every tap, a weight times an input less its
zero-point, or nothing where the window reaches outside. The extremes of that sum over the ranges in
which the inputs are known to lie bound every lane, those in the gaps among them.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from tinyrt.fast.block import Block, BlockBuilder, Group, Output
from tinyrt.fast.costs import CALL, DIGIT_BITS
from tinyrt.fast.frame import Axis, Frame
from tinyrt.fast.scatter import scatter, scatter_cost, used_inputs
from tinyrt.fast.straight import Convert, ConvertAll, convert_all, convert_cost
from tinyrt.fast.sums import Job, sums_cost
from tinyrt.fast.winograd import Scheme, filtering_run
from tinyrt.planar import Channel, Facts, Image, Phases, Pitch, PlanarOperator, PlanarRun

SPLIT = 10.0
"""Nanoseconds for an element, where planes are split by phase."""


@dataclass(frozen=True)
class Convolution(PlanarOperator):
    """A convolution of one image."""

    rows: Axis
    columns: Axis
    source: Image
    target: Image
    zero_point: int
    """The input's, plus 128: what lies outside of the image counts as much."""
    made: Callable[[], Iterator[Block]]
    """Makes the blocks."""

    @cached_property
    def blocks(self) -> Sequence[Block]:
        """All output channels."""
        return tuple(self.made())

    @property
    def takes_planes(self) -> bool:
        """Without strides, a tap is a shift."""
        return self.rows.stride == self.columns.stride == 1

    def lane_bits(self) -> int:
        """Twenty bits where most channels fit, for such lanes are the fastest."""
        needs = sorted(
            (255 * sum(sum(map(abs, tap)) for tap in output.filter)).bit_length()
            for block in self.blocks
            for output in block.outputs
        )
        return min(max(needs[len(needs) * 3 // 4], 20), 24)

    def row_lanes(self, turned: bool) -> int:
        """Least number of lanes of a row."""
        return self.rows.lanes if turned else self.columns.lanes

    def nanoseconds(self, pitch: Pitch) -> float | None:
        """By the fastest way that there is."""
        frame = self._frame(pitch, Facts.none(self.source.channels))
        blocks = self.blocks
        if pitch.bands > 1:
            scheme = Scheme.of(frame) if len(blocks) == 1 else None
            return None if scheme is None else scheme.nanoseconds(blocks[0])
        if len(blocks) == 1:
            outputs, inputs = blocks[0].outputs, range(self.source.channels)
            return min(planes_cost(frame, outputs, inputs), scatter_cost(frame, outputs, inputs))
        return sum(planes_cost(frame, block.outputs, range(len(block.inputs))) for block in blocks)

    def build(self, pitch: Pitch, facts: Sequence[Facts]) -> PlanarRun | None:
        """Prepare all channels; None where lanes cannot hold one."""
        frame = self._frame(pitch, facts[0])
        blocks = self.blocks
        if pitch.bands > 1:
            return filtering_run(frame, blocks[0]) if len(blocks) == 1 else None
        builders = [BlockBuilder.of(frame, block) for block in blocks]
        if len(blocks) == 1:
            (builder,) = builders
            outputs = list(filter(builder.alive, blocks[0].outputs))
            inputs = used_inputs(frame, outputs)
            ways = scatter_cost(frame, outputs, inputs), planes_cost(frame, outputs, inputs)
            run = scatter(builder, blocks[0]) if ways[0] < ways[1] else None
            if run is not None:
                return run
        return _build(frame, blocks, builders)

    def _frame(self, pitch: Pitch, facts: Facts) -> Frame:
        rows, columns = self.rows, self.columns
        if pitch.turned:
            rows, columns = columns, rows
        return Frame(rows, columns, self.source, self.target, self.zero_point, pitch, facts)


@dataclass(frozen=True, slots=True)
class Single:
    """An output channel with planes of its own, as in a depthwise layer."""

    channel: int
    sources: tuple[tuple[int, int], ...]
    """Of each factor the plane, and bits that it is moved down by."""
    factors: tuple[int, ...]
    bias: int
    convert: Convert

    @property
    def three_rows(self) -> tuple[int, int] | None:
        """Bits that one plane is moved up and down by, where the rows of a filter are all."""
        planes = {plane for plane, _ in self.sources}
        shifts = [down for _, down in self.sources]
        if len(planes) == 1 and len(shifts) == 3 and shifts[0] < shifts[1] == 0 < shifts[2]:
            return -shifts[0], shifts[2]
        return None


@dataclass(frozen=True)
class Singles:
    """Channels with planes of their own: sums of all, then the conversions of all."""

    members: tuple[Single, ...]
    three_rows: tuple[int, int] | None
    """Of every member, or None."""

    @classmethod
    def of(cls, members: Sequence[Single]) -> "list[Singles]":
        """The members in groups that are added up alike."""
        kinds: dict[tuple[int, int] | None, list[Single]] = {}
        for single in members:
            kinds.setdefault(single.three_rows, []).append(single)
        return [cls(tuple(found), kind) for kind, found in kinds.items()]

    @cached_property
    def channels(self) -> tuple[int, ...]:
        """Of the members."""
        return tuple(single.channel for single in self.members)

    @cached_property
    def convert(self) -> ConvertAll:
        """The conversions of the members."""
        return convert_all([single.convert for single in self.members])

    @cached_property
    def sums(self) -> Callable[[Sequence[int]], list[int]]:
        """A function from planes to the sums of the members."""
        if self.three_rows is None:
            terms = [(single.sources, single.factors, single.bias) for single in self.members]

            def added(planes: Sequence[int]) -> list[int]:
                return [
                    sum(
                        [
                            (planes[n] >> down if down > 0 else planes[n] << -down) * factor
                            if down
                            else planes[n] * factor
                            for (n, down), factor in zip(sources, factors, strict=True)
                        ],
                        bias,
                    )
                    for sources, factors, bias in terms
                ]

            return added
        up, down = self.three_rows
        rows = [(s.sources[0][0], *s.factors, s.bias) for s in self.members]

        def three_rows(planes: Sequence[int]) -> list[int]:
            return [
                bias + (plane << up) * above + plane * middle + (plane >> down) * below
                for n, above, middle, below, bias in rows
                for plane in (planes[n],)
            ]

        return three_rows


@dataclass(frozen=True)
class ConvolutionRun(PlanarRun):
    """A convolution prepared for a grid."""

    phases: Phases
    channels: Sequence[Channel]
    known: tuple[tuple[int, int], ...]
    """Output channels that do not depend on the input, with their planes."""
    groups: tuple[Group, ...]
    singles: tuple[Singles, ...] = ()
    """Groups of one job."""

    def run(self, *operands: Sequence[int]) -> list[int]:
        """The output planes; input channels that were known beforehand are not looked at."""
        (planes,) = operands
        results = [0] * len(self.channels)
        for channel, plane in self.known:
            results[channel] = plane
        for singles in self.singles:
            found = singles.convert(singles.sums(planes))
            for channel, plane in zip(singles.channels, found, strict=True):
                results[channel] = plane
        for group in self.groups:
            met = [source.of(planes[source.plane]) for source in group.sources]
            for channel, plane in zip(group.channels, group.planes(met), strict=True):
                results[channel] = plane
        return results


def planes_cost(frame: Frame, outputs: Sequence[Output], inputs: Sequence[int]) -> float:
    """Nanoseconds of a block on planes, from planes to planes.

    Args:
        frame: the windows on a grid.
        outputs: the channels that depend on the data.
        inputs: those that they depend on.
    """
    digits = frame.masks.grid.lanes * frame.pitch.lane_bits / DIGIT_BITS
    if not outputs or not inputs:
        return 0.0
    if len(outputs[0].filter) == 1:
        rows = [[output.filter[0][n] for n in inputs] for output in outputs]
        sums = sums_cost(rows, digits)
    else:
        weights = sum(1 for output in outputs for tap in output.filter for n in inputs if tap[n])
        # One product for the taps of a row that have the same phase.
        terms = weights / len(frame.columns.offsets)
        sums = terms * sum(2 * CALL + cost * digits for cost in frame.product_costs)
    strides = frame.rows.stride * frame.columns.stride
    split = SPLIT * frame.rows.size * frame.columns.size * len(inputs) if strides > 1 else 0.0
    return sums + split + convert_cost(len(outputs), digits)


def _build(
    frame: Frame, blocks: Sequence[Block], builders: Sequence[BlockBuilder]
) -> ConvolutionRun | None:
    known: list[tuple[int, int]] = []
    facts: dict[int, Channel] = {}
    groups: list[Group] = []
    for block, parts in zip(blocks, builders, strict=True):
        jobs: list[Job] = []
        for output in block.outputs:
            found = parts.job(output)
            if found is None:
                return None
            job, fact = found
            facts[output.channel] = fact
            if fact.plane is None:
                jobs.append(job)
            else:
                known.append((output.channel, fact.plane))
        if jobs:
            groups.append(parts.group(jobs))
    sources = {source.plane for group in groups for source in group.sources}
    phases = frame.phases(sorted({plane % frame.source.channels for plane in sources}))
    channels = [facts[number] for number in range(len(facts))]
    singles = [_single(group) for group in groups]
    return ConvolutionRun(
        phases=phases,
        channels=channels,
        known=tuple(known),
        groups=tuple(g for g, single in zip(groups, singles, strict=True) if single is None),
        singles=tuple(Singles.of([single for single in singles if single is not None])),
    )


def _single(group: Group) -> Single | None:
    """The only job of a group, in the plainest form; None where that is not all there is to it."""
    if group.table is not None or group.parts or len(group.products) != 1:
        return None
    (job,) = group.products
    if any(source.zero for source in group.sources):
        return None
    every = range(len(group.sources))
    sources = [group.sources[n] for n in (job.select(every) if job.select else every)]
    places = tuple((source.plane, source.shift) for source in sources)
    return Single(job.channel, places, job.factors, job.bias, job.convert)
