"""The output channels of a convolution, prepared: polynomials, bounds and the way of adding up."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from operator import add, mul

from tinyrt import lanes
from tinyrt.fast.costs import DIGIT_BITS
from tinyrt.fast.frame import Frame, Source
from tinyrt.fast.requantize import converter, least_bits, parts_converter
from tinyrt.fast.straight import ConvertAll, convert_all
from tinyrt.fast.sums import (
    Job,
    LookupPlan,
    Lookups,
    LookupTable,
    PartProducts,
    Products,
    lookup_plan,
    lookup_table,
    products_cost,
    selector,
    weights_of,
)
from tinyrt.planar import Channel
from tinyrt.short_multiplier import Staircase

Steps = Callable[[int, int], Staircase | None]
"""The staircase of an output channel, given the least and greatest accumulator."""


@dataclass(frozen=True, slots=True)
class Output:
    """One output channel, with its filter as it meets the input channels of its block."""

    channel: int
    bias: int
    filter: Sequence[Sequence[int]]
    """For each tap, row by row of the image, the weights of the block's input channels."""
    steps: Steps


@dataclass(frozen=True, slots=True)
class Block:
    """Input channels that the same output channels see."""

    inputs: Sequence[int]
    outputs: Sequence[Output]


_RAISED = 16
"""Sources from which on it pays that no factor is negative."""

_DENSE = 0.9
"""The share of factors that must not be zero for that: raised, none is."""


@dataclass(frozen=True)
class Group:
    """The jobs of one block."""

    sources: tuple[Source, ...]
    products: tuple[Products, ...] = ()
    parts: tuple[PartProducts, ...] = ()
    table: LookupTable | None = None
    """Those that look up subset sums of the sources."""
    raised_by: int = 0
    """If not zero, factors of products are raised by 2 to this power, so that none is negative."""

    @classmethod
    def of_products(
        cls, sources: tuple[Source, ...], jobs: Sequence[Products], parts: tuple[PartProducts, ...]
    ) -> "Group":
        """Jobs by products, their factors raised where that pays.

        CPython adds faster than it subtracts. What is added too much is the same for all jobs.
        """
        factors = [factor for job in jobs for factor in job.factors]
        every = len(jobs) * len(sources)
        worth_it = len(jobs) > 1 and len(sources) >= _RAISED and len(factors) >= _DENSE * every
        if not worth_it or min(factors) >= 0:
            return cls(sources, tuple(jobs), parts)
        bits = max(map(int.bit_length, factors))
        # No factor may become a digit longer.
        if -(-(bits + 1) // DIGIT_BITS) > -(-bits // DIGIT_BITS):
            return cls(sources, tuple(jobs), parts)
        rows = weights_of(jobs, len(sources))
        raised = [
            replace(job, select=None, factors=tuple([factor + (1 << bits) for factor in row]))
            for job, row in zip(jobs, rows, strict=True)
        ]
        return cls(sources, tuple(raised), parts, None, bits)

    @cached_property
    def whole(self) -> tuple[Products | Lookups, ...]:
        """The jobs whose sums are in one vector."""
        return (*(self.table.jobs if self.table else ()), *self.products)

    @cached_property
    def channels(self) -> tuple[int, ...]:
        """Of the planes that are made, in order."""
        return tuple(job.channel for job in (*self.whole, *self.parts))

    @cached_property
    def convert(self) -> ConvertAll:
        """The conversions of whole sums."""
        return convert_all([job.convert for job in self.whole])

    def planes(self, met: Sequence[int]) -> list[int]:
        """The output planes from those of the sources."""
        totals = self.table.totals(met) if self.table else []
        raised = sum(met) << self.raised_by if self.raised_by else 0
        totals += [job.total(met) - raised for job in self.products]
        return self.convert(totals) + [job.run(met) for job in self.parts]


@dataclass(frozen=True)
class BlockBuilder:
    """Everything that the output channels of one block share."""

    shared: Frame
    live: list[int]
    """Inputs of the block, by position, that depend on the data."""
    fixed: list[int]
    """The others."""
    sources: tuple[Source, ...]
    """For each key, the live inputs."""
    constants: list[int]
    """For each key, the planes of the fixed inputs."""
    values: list[tuple[int, int]]
    """Least and greatest that each input contributes."""
    middles: list[int]
    """Least plus greatest."""
    spans: list[int]
    """Greatest less least."""
    staircases: dict[int, tuple[int, Staircase | None]]
    """Those of the output channels that were asked for."""

    @classmethod
    def of(cls, shared: Frame, block: Block) -> "BlockBuilder":
        """Tell the inputs that are known beforehand from the others."""
        planes = [shared.inputs[channel].plane for channel in block.inputs]
        live = [n for n, plane in enumerate(planes) if plane is None]
        fixed = [n for n, plane in enumerate(planes) if plane is not None]
        values = [shared.values(channel) for channel in block.inputs]
        return cls(
            shared=shared,
            live=live,
            fixed=fixed,
            sources=tuple(shared.shifted(block.inputs[n], k) for k in shared.keys for n in live),
            constants=[
                source.of(shared.known[source.plane])
                for key in shared.keys
                for n in fixed
                for source in (shared.shifted(block.inputs[n], key),)
            ],
            values=values,
            middles=[least + greatest for least, greatest in values],
            spans=[greatest - least for least, greatest in values],
            staircases={},
        )

    def group(self, jobs: Sequence[Job]) -> Group:
        """The jobs, those by lookups where that is faster."""
        products = tuple(job for job in jobs if isinstance(job, Products))
        parts = tuple(job for job in jobs if isinstance(job, PartProducts))
        plan = self.plan(products)
        if plan is None:
            return Group.of_products(self.sources, products, parts)
        table = lookup_table(products, len(self.sources), self.digits, plan)
        return Group(self.sources, (), parts, table)

    def plan(self, jobs: Sequence[Products]) -> LookupPlan | None:
        """How to look up where that is possible and faster; of polynomials it is not."""
        if not jobs or len(self.shared.keys) != 1 or len(self.shared.columns.offsets) != 1:
            return None
        rows = weights_of(jobs, len(self.sources))
        plan = lookup_plan(rows, self.digits)
        return plan if plan.nanoseconds < products_cost(rows, self.digits) else None

    @property
    def digits(self) -> float:
        """Of a plane, as Python holds integers."""
        return self.shared.masks.grid.lanes * self.shared.masks.bits / DIGIT_BITS

    def job(self, output: Output) -> tuple[Job, Channel] | None:
        """Prepare one output channel; None where lanes cannot hold it."""
        shared, masks = self.shared, self.shared.masks
        scalar, steps = self.staircase(output)
        if steps is None:
            return None
        if not steps.steps:
            return _idle(output.channel), shared.constant(steps.base)
        factors = self.factors(output, self.live)
        constant = 0
        if self.fixed:
            constant = sum(map(mul, self.factors(output, self.fixed), self.constants))
        if least_bits(steps) > masks.bits:
            parts = self.parts(output, steps, scalar, factors, constant)
            return None if parts is None else (parts, channel_range(steps))
        added, convert = converter(steps, masks)
        vector = shared.everywhere * (scalar + added) + constant
        if all(factors):
            return Products(output.channel, None, tuple(factors), vector, convert), channel_range(
                steps
            )
        some = [n for n, factor in enumerate(factors) if factor]
        if not some:
            plane = convert(vector)
            values = lanes.to_bytes(plane, masks.grid.lanes, masks.bits)
            return _idle(output.channel), Channel(min(values), max(values), plane)
        chosen = tuple(factors[n] for n in some)
        return Products(output.channel, selector(some), chosen, vector, convert), channel_range(
            steps
        )

    def staircase(self, output: Output) -> tuple[int, Staircase | None]:
        """What an accumulator has besides its products; and what it becomes, if that is known."""
        if output.channel not in self.staircases:
            scalar = output.bias
            if not self.shared.padded:
                # No window meets a virtual input: the zero-point counts alike everywhere.
                scalar -= self.shared.zero_point * sum(map(sum, output.filter))
            least, greatest = self.extremes(output)
            found = scalar, output.steps(scalar + least, scalar + greatest)
            self.staircases[output.channel] = found
        return self.staircases[output.channel]

    def alive(self, output: Output) -> bool:
        """Whether an output channel depends on the data, as far as its range tells."""
        _, steps = self.staircase(output)
        return steps is None or bool(steps.steps)

    def parts(
        self, output: Output, steps: Staircase, scalar: int, factors: list[int], constant: int
    ) -> PartProducts | None:
        """A channel in as many sums as its bounds ask for; None where one product is too much."""
        limit = 1 << self.shared.masks.bits
        bounds = self.product_bounds(output)
        ends = [
            (self.values[n][0] * tap[n], self.values[n][1] * tap[n])
            for tap in output.filter
            for n in self.fixed
        ]
        lowest, highest = sum(map(min, ends)), sum(map(max, ends))
        found: list[tuple[list[int], int]] = []
        members: list[int] = []
        for number, (low, high) in enumerate(bounds):
            if not factors[number]:
                continue
            if members and highest + high - lowest - low >= limit:
                found.append((members, -lowest))
                members, lowest, highest = [], 0, 0
            members.append(number)
            lowest, highest = lowest + low, highest + high
            if highest - lowest >= limit:
                return None
        found.append((members, -lowest))
        bias = sum(added for _, added in found)
        convert = parts_converter(steps, self.shared.masks, bias - scalar)
        if convert is None:
            return None
        # The constant inputs belong to the first part, whose bounds began with theirs.
        vectors = [self.shared.everywhere * added for _, added in found]
        vectors[0] += constant
        parts = [
            (selector(which), tuple(factors[n] for n in which), vector)
            for (which, _), vector in zip(found, vectors, strict=True)
        ]
        return PartProducts(output.channel, tuple(parts), convert)

    def product_bounds(self, output: Output) -> list[tuple[int, int]]:
        """Least and greatest of each product, over the taps that its polynomial has."""
        bounds: list[tuple[int, int]] = []
        for terms in self.shared.terms:
            taps = [output.filter[place] for place, _ in terms]
            for n in self.live:
                least, greatest = self.values[n]
                ends = [(tap[n] * least, tap[n] * greatest) for tap in taps]
                bounds.append((sum(map(min, ends)), sum(map(max, ends))))
        return bounds

    def factors(self, output: Output, which: Sequence[int]) -> list[int]:
        """For each key, the polynomial of each of these inputs."""
        everything = len(which) == len(self.values)
        factors: list[int] = []
        for terms in self.shared.terms:
            total: list[int] = []
            for place, up in terms:
                tap = output.filter[place]
                weights = tap if everything else [tap[n] for n in which]
                if up:
                    weights = [weight << up for weight in weights]
                total = list(map(add, total, weights)) if total else list(weights)
            factors += total
        return factors

    def extremes(self, output: Output) -> tuple[int, int]:
        """Least and greatest sum over all inputs.

        A product's ends lie by weight · middle / 2 from zero, |weight| · span / 2 to either side.
        """
        middle = span = 0
        for tap in output.filter:
            middle += sum(map(mul, tap, self.middles))
            span += sum(map(mul, map(abs, tap), self.spans))
        return (middle - span) >> 1, (middle + span) >> 1


def channel_range(steps: Staircase) -> Channel:
    """What is known of an output channel that is not constant."""
    return Channel(steps.base + 128, steps.top + 128)


def _idle(channel: int) -> Products:
    """The job of a channel that is known: there is none."""
    return Products(channel, None, (), 0, lambda vector: vector)
