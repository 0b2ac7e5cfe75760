"""The output channels of a convolution, prepared: polynomials, bounds and the way of adding up."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from operator import mul

from tinyrt import lanes
from tinyrt.fast.frame import Frame, Source
from tinyrt.fast.requantize import converter, least_bits, parts_converter
from tinyrt.fast.sums import (
    DIGIT_BITS,
    Job,
    Lookups,
    PartProducts,
    Products,
    SubsetSums,
    best_group,
    selector,
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


@dataclass(frozen=True, slots=True)
class Group:
    """The jobs of one block that are added up alike."""

    sources: tuple[Source, ...]
    subset_sums: SubsetSums | None
    jobs: tuple[Job, ...]


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

    @classmethod
    def of(cls, shared: Frame, block: Block) -> "BlockBuilder":
        """Tell the inputs that are known beforehand from the others."""
        planes = [shared.inputs[channel].plane for channel in block.inputs]
        live = [n for n, plane in enumerate(planes) if plane is None]
        fixed = [n for n, plane in enumerate(planes) if plane is not None]
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
            values=[shared.values(channel) for channel in block.inputs],
        )

    def groups(self, jobs: Sequence[Job]) -> Iterator[Group]:
        """The jobs, those by lookups where that is faster."""
        products = [job for job in jobs if isinstance(job, Products)]
        group = self.lookup_group(products)
        if group is None:
            yield Group(self.sources, None, tuple(jobs))
            return
        sums = SubsetSums(group)
        yield Group(self.sources, sums, tuple(self.by_lookups(job, sums) for job in products))
        others = tuple(job for job in jobs if not isinstance(job, Products))
        if others:
            yield Group(self.sources, None, others)

    def lookup_group(self, jobs: Sequence[Products]) -> int | None:
        """Planes of a group of subset sums; None where products are faster, or polynomials."""
        if len(self.shared.keys) != 1 or len(self.shared.columns.offsets) != 1:
            return None
        digits = self.shared.masks.grid.lanes * self.shared.masks.bits / DIGIT_BITS
        weights = sum(len(job.factors) for job in jobs)
        return best_group(len(self.sources), len(jobs), weights, digits)

    def by_lookups(self, job: Products, sums: SubsetSums) -> Lookups:
        """The same job by lookups in subset sums."""
        places: Sequence[int] = range(len(self.sources))
        weights = [0] * len(places)
        met = places if job.select is None else job.select(places)
        for place, factor in zip(met, job.factors, strict=True):
            weights[place] = factor
        return Lookups(job.channel, sums.selectors(weights), job.bias, job.convert)

    def job(self, output: Output) -> tuple[Job, Channel] | None:
        """Prepare one output channel; None where lanes cannot hold it."""
        shared = self.shared
        masks = shared.masks
        scalar = output.bias
        if not shared.padded:
            # No window meets a virtual input: the zero-point counts alike everywhere.
            scalar -= shared.zero_point * sum(map(sum, output.filter))
        least, greatest = self.extremes(output)
        steps = output.steps(scalar + least, scalar + greatest)
        if steps is None:
            return None
        factors = self.factors(output, self.live)
        some = [n for n, factor in enumerate(factors) if factor]
        constant = 0
        if self.fixed:
            constant = sum(map(mul, self.factors(output, self.fixed), self.constants))
        fact = Channel(steps.base + 128, steps.top + 128)
        if least_bits(steps) > masks.bits:
            parts = self.parts(output, steps, scalar, factors, constant)
            return None if parts is None else (parts, fact)
        added, convert = converter(steps, masks)
        vector = self.everywhere(scalar + added) + constant
        if not some:
            plane = convert(vector)
            values = lanes.to_bytes(plane, masks.grid.lanes, masks.bits)
            fact = Channel(min(values), max(values), plane)
        select = None
        if len(some) < len(factors):
            factors = [factors[n] for n in some]
            select = selector(some)
        return Products(output.channel, select, tuple(factors), vector, convert), fact

    def everywhere(self, scalar: int) -> int:
        """A scalar in every lane that a sum may reach.

        Lanes above the grid are garbage, but none may be negative and make the integer so; lanes
        below it belong to the polynomial's lower terms.
        """
        shared = self.shared
        offsets = [offset for _, offset in shared.rows.taps]
        rows = shared.rows.stored + max(0, -min(offsets)) + 1
        count = max(rows, shared.rows.output + 1) * shared.pitch.row_lanes + shared.skip
        return lanes.ones(count, shared.masks.bits) * scalar

    def parts(
        self, output: Output, steps: Staircase, scalar: int, factors: list[int], constant: int
    ) -> PartProducts | None:
        """A channel in as many sums as its bounds ask for; None where one product is too much."""
        limit = 1 << self.shared.masks.bits
        bounds = self.product_bounds(output)
        fixed = [n in self.fixed for n in range(len(self.values))]
        lowest = sum(
            min(weight * least, weight * greatest)
            for tap in output.filter
            for weight, (least, greatest), known in zip(tap, self.values, fixed, strict=True)
            if known
        )
        highest = sum(
            max(weight * least, weight * greatest)
            for tap in output.filter
            for weight, (least, greatest), known in zip(tap, self.values, fixed, strict=True)
            if known
        )
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
        vectors = [self.everywhere(added) for _, added in found]
        vectors[0] += constant
        parts = [
            (selector(which), tuple(factors[n] for n in which), vector)
            for (which, _), vector in zip(found, vectors, strict=True)
        ]
        return PartProducts(output.channel, tuple(parts), convert)

    def product_bounds(self, output: Output) -> list[tuple[int, int]]:
        """Least and greatest of each product, over the taps that its polynomial has."""
        shared = self.shared
        bounds: list[tuple[int, int]] = []
        for number, (_, _, column_phase) in enumerate(shared.keys):
            row = number * len(shared.rows.offsets) // len(shared.keys)
            taps = [
                output.filter[shared.tap(row, column)]
                for column, (phase, _) in enumerate(shared.columns.taps)
                if phase == column_phase
            ]
            for n in self.live:
                least, greatest = self.values[n]
                ends = [(tap[n] * least, tap[n] * greatest) for tap in taps]
                bounds.append((sum(map(min, ends)), sum(map(max, ends))))
        return bounds

    def factors(self, output: Output, which: Sequence[int]) -> list[int]:
        """For each key, the polynomial of each of these inputs."""
        shared = self.shared
        everything = len(which) == len(self.values)
        factors: list[int] = []
        for number, (_, _, column_phase) in enumerate(shared.keys):
            row = number * len(shared.rows.offsets) // len(shared.keys)
            highest = shared.highest(column_phase)
            total: list[int] = []
            for kx, (phase, offset) in enumerate(shared.columns.taps):
                if phase != column_phase:
                    continue
                tap = output.filter[shared.tap(row, kx)]
                weights = tap if everything else [tap[n] for n in which]
                up = (highest - offset) * shared.masks.bits
                if total:
                    total = [t + (w << up) for t, w in zip(total, weights, strict=True)]
                else:
                    total = [w << up for w in weights]
            factors += total
        return factors

    def extremes(self, output: Output) -> tuple[int, int]:
        """Least and greatest sum over all inputs."""
        least = greatest = 0
        alike = len(set(self.values)) == 1
        for tap in output.filter:
            if alike:
                low, high = self.values[0]
                total, magnitude = sum(tap), sum(map(abs, tap))
                positive, negative = (magnitude + total) >> 1, (total - magnitude) >> 1
                least += positive * low + negative * high
                greatest += positive * high + negative * low
                continue
            for weight, (low, high) in zip(tap, self.values, strict=True):
                least += weight * (low if weight > 0 else high)
                greatest += weight * (high if weight > 0 else low)
        return least, greatest
