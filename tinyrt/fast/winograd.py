"""Convolutions with fewer products: Winograd's minimal filtering, along the rows of a grid.

Two taps at two positions, y0 = g0·d0 + g1·d1 and y1 = g0·d1 + g1·d2, are three products, not four:

    m0 = g0·(d0 − d1),  m1 = (g0 + g1)·d1,  m2 = g1·(d1 − d2):   y0 = m0 + m1,  y1 = m1 − m2.

Four positions of three taps need six products in place of twelve. Here d0, d1, … are *bands*: a
plane whose rows lie in an order of their own, rows 0, 4, 8, … first, then 1, 5, 9, … and so on.
A band is a slice of the integer. What row r + 1 is to row r, one band is to the next, and the next
of the last is the first, moved by a row. The sums of the g are made when the layer is prepared,
those of the d once for all output channels, those of the m once for each of them. Along a row, taps
stay polynomials.

**Exactness.** Winograd's coefficients are fractions; they are brought to the products' side, where
what is divided leaves no remainder: it is so many times an integer combination of accumulators, in
every lane and so as one integer. What the lanes hold meanwhile is of no concern: only the final sum
must fit them, and it is bounded as if it had been added up directly.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from operator import mul, sub

from tinyrt.fast.block import Block, BlockBuilder, channel_range
from tinyrt.fast.costs import ADD, CALL, DIGIT_BITS
from tinyrt.fast.frame import Frame
from tinyrt.fast.requantize import converter, least_bits
from tinyrt.fast.straight import Convert, ConvertAll, convert_all, convert_cost
from tinyrt.planar import Channel, Grid, Phases, Pitch, PlanarRun

Transform = Callable[[Sequence[int]], Sequence[int]]


@dataclass(frozen=True, slots=True)
class Filtering:
    """A way to compute the taps of one column at so many successive rows."""

    products: int
    inputs: Transform
    """From successive rows, one less than there are outputs and taps, to factors."""
    weights: Transform
    """From taps to the other factors."""
    outputs: Transform
    """From products to rows."""


def _inputs_2_2(d: Sequence[int]) -> Sequence[int]:
    return d[0] - d[1], d[1], d[1] - d[2]


def _weights_2_2(g: Sequence[int]) -> Sequence[int]:
    return g[0], g[0] + g[1], g[1]


def _outputs_2_2(m: Sequence[int]) -> Sequence[int]:
    return m[0] + m[1], m[1] - m[2]


def _inputs_4_2(d: Sequence[int]) -> Sequence[int]:
    return d[0] - d[1], d[1], d[1] - d[2], d[2] - d[3], d[3], d[3] - d[4]


def _weights_4_2(g: Sequence[int]) -> Sequence[int]:
    both = g[0] + g[1]
    return g[0], both, g[1], g[0], both, g[1]


def _outputs_4_2(m: Sequence[int]) -> Sequence[int]:
    return m[0] + m[1], m[1] - m[2], m[3] + m[4], m[4] - m[5]


def _inputs_2_3(d: Sequence[int]) -> Sequence[int]:
    return d[0] - d[2], d[1] + d[2], d[2] - d[1], d[1] - d[3]


def _weights_2_3(g: Sequence[int]) -> Sequence[int]:
    outer = g[0] + g[2]
    return g[0], outer + g[1], outer - g[1], g[2]


def _outputs_2_3(m: Sequence[int]) -> Sequence[int]:
    return m[0] + (m[1] + m[2] >> 1), (m[1] - m[2] >> 1) - m[3]


def _inputs_4_3(d: Sequence[int]) -> Sequence[int]:
    # By the numerators of Lagrange's polynomials for 0, 1, −1, 2, −2, and by their product.
    even2, odd2 = d[4] - d[2], d[3] - d[1]
    even1, odd1 = d[4] - 4 * d[2], d[3] - 4 * d[1]
    twice = 2 * odd2
    return (
        even2 - 4 * (d[2] - d[0]),
        even1 + odd1,
        even1 - odd1,
        even2 + twice,
        even2 - twice,
        d[5] - d[3] - 2 * twice,
    )


def _weights_4_3(g: Sequence[int]) -> Sequence[int]:
    # The filter's polynomial at the same points.
    outer, twice = g[0] + g[2], 2 * g[1]
    fourfold = g[0] + 4 * g[2]
    return 2 * g[0], outer + g[1], outer - g[1], fourfold + twice, fourfold - twice, g[2]


def _outputs_4_3(m: Sequence[int]) -> Sequence[int]:
    # Of the denominators 4, −6, −6, 24 and 24, the threes first: what they divide is
    # 6·y2, and 12·y1 + 3·(m1 − m2).
    even1, odd1 = m[1] + m[2], m[1] - m[2]
    even = (m[3] + m[4] - even1) // 3
    odd = (m[3] - m[4] + odd1) // 3
    return (
        m[0] + even - even1 >> 3,
        odd - odd1 >> 2,
        even >> 1,
        (2 * odd - odd1 >> 1) + m[5],
    )


FILTERINGS = {
    (2, 2): Filtering(3, _inputs_2_2, _weights_2_2, _outputs_2_2),
    (4, 2): Filtering(6, _inputs_4_2, _weights_4_2, _outputs_4_2),
    (2, 3): Filtering(4, _inputs_2_3, _weights_2_3, _outputs_2_3),
    (4, 3): Filtering(6, _inputs_4_3, _weights_4_3, _outputs_4_3),
}
"""By bands and taps."""

BANDS = tuple(sorted({bands for bands, _ in FILTERINGS}))

ROW = 200.0
"""Nanoseconds that it takes to move a row."""

PASSES = 45
"""Additions that a transform takes, more or less."""


@dataclass(frozen=True, slots=True)
class Bands:
    """Where the bands of a plane lie that a tap, or a filtering, meets."""

    below: tuple[tuple[int, int], ...]
    """Of each band that a plane has: bits below it, and its mask."""
    met: tuple[tuple[int, int, int], ...]
    """Band, its mask, bits that it is moved up by (or down)."""

    def of(self, plane: int) -> list[int]:
        """Those that are met."""
        bands = [plane >> below & mask if below else plane & mask for below, mask in self.below]
        return [
            bands[band] >> -up if up < 0 else (bands[band] & mask) << up if up else bands[band]
            for band, mask, up in self.met
        ]


@dataclass(frozen=True, slots=True)
class Stripes:
    """What planes of one phase become before they are multiplied."""

    planes: range
    """Of the phase."""
    bands: Bands | None
    """None where whole planes are met as they are."""
    inputs: Transform
    up: int
    """Bits that factors are moved up by."""
    zeros: tuple[int, ...] = ()
    """Of each factor, what the zero-point makes of it; empty where it is nothing."""

    def factors(self, plane: int) -> Sequence[int]:
        """One factor for each product."""
        found = (plane,) if self.bands is None else self.inputs(self.bands.of(plane))
        if self.zeros:
            found = list(map(sub, found, self.zeros))
        return [factor << self.up for factor in found] if self.up else found


@dataclass(frozen=True, slots=True)
class Part:
    """The taps in rows of one phase."""

    filtering: Filtering | None
    """None where each tap has products of its own, with whole planes."""
    stripes: tuple[Stripes, ...]
    """For each tap, unless there is a filtering; and for each phase of the columns."""

    def factors(self, planes: Sequence[int]) -> list[list[int]]:
        """For each product, the factors from all planes."""
        rows = [
            stripe.factors(planes[number]) for stripe in self.stripes for number in stripe.planes
        ]
        return [list(product) for product in zip(*rows, strict=True)]

    def joined(self, products: Sequence[int], height: int) -> int:
        """The sum over this part's taps, band upon band of so many bits."""
        if self.filtering is None:
            return products[0]
        return _stacked(self.filtering.outputs(products), height)


def _stacked(bands: Sequence[int], height: int) -> int:
    total = 0
    for band in reversed(bands):
        total = (total << height) + band
    return total


@dataclass(frozen=True, slots=True)
class FilterJob:
    """One output channel."""

    channel: int
    factors: tuple[tuple[tuple[int, ...], ...], ...]
    """Of each part and product: a polynomial for each plane."""
    bias: int
    convert: Convert


@dataclass(frozen=True)
class FilteringRun(PlanarRun):
    """A convolution prepared for a grid in bands."""

    phases: Phases
    channels: Sequence[Channel]
    known: tuple[tuple[int, int], ...]
    """Output channels that do not depend on the input, with their planes."""
    parts: tuple[Part, ...]
    jobs: tuple[FilterJob, ...]
    height: int
    """Bits of a band."""

    def run(self, *operands: Sequence[int]) -> list[int]:
        """Factors of all planes, then channel by channel."""
        (planes,) = operands
        results = [0] * len(self.channels)
        for channel, plane in self.known:
            results[channel] = plane
        met = [part.factors(planes) for part in self.parts]
        totals = []
        for job in self.jobs:
            total = job.bias
            for part, sources, factors in zip(self.parts, met, job.factors, strict=True):
                products = [
                    sum(map(mul, each, planes_))
                    for each, planes_ in zip(factors, sources, strict=True)
                ]
                total += part.joined(products, self.height)
            totals.append(total)
        for job, plane in zip(self.jobs, self.convert(totals), strict=True):
            results[job.channel] = plane
        return results

    @cached_property
    def convert(self) -> ConvertAll:
        """The conversions of all jobs."""
        return convert_all([job.convert for job in self.jobs])


@dataclass(frozen=True)
class Scheme:
    """How the windows of a frame meet bands."""

    frame: Frame

    @classmethod
    def of(cls, frame: Frame) -> "Scheme | None":
        """None where the bands of input and output differ in height."""
        stored = Grid(frame.rows.stored, frame.columns.stored, frame.pitch)
        return cls(frame) if stored.band_rows == frame.masks.grid.band_rows else None

    @cached_property
    def band_bits(self) -> int:
        """Of all lanes of a band."""
        pitch = self.frame.pitch
        return self.frame.masks.grid.band_rows * pitch.row_lanes * pitch.lane_bits

    @cached_property
    def offsets(self) -> dict[int, list[int]]:
        """For each phase of the rows, the taps' offsets within."""
        found: dict[int, list[int]] = {}
        for phase, offset in self.frame.rows.taps:
            found.setdefault(phase, []).append(offset)
        return found

    def filtering(self, phase: int, block: Block) -> Filtering | None:
        """The one for this phase of the rows, where it is faster than a product for each tap."""
        offsets = self.offsets[phase]
        found = FILTERINGS.get((self.frame.pitch.bands, len(offsets)))
        if found is None or offsets != list(range(offsets[0], offsets[0] + len(offsets))):
            return None
        faster = self._cost(block, offsets, found) < self._cost(block, offsets, None)
        return found if faster else None

    def nanoseconds(self, block: Block) -> float:
        """What the products and transforms of a layer take."""
        sums = sum(
            self._cost(block, offsets, self.filtering(phase, block))
            for phase, offsets in self.offsets.items()
        )
        digits = self.frame.pitch.bands * self.band_bits / DIGIT_BITS
        sums += convert_cost(len(block.outputs), digits)
        if self.frame.rows.stride == self.frame.columns.stride == 1:
            return sums
        # Rows of the input are sorted one by one.
        return sums + ROW * self.frame.source.channels * self.frame.rows.size

    def _cost(self, block: Block, offsets: list[int], filtering: Filtering | None) -> float:
        digits = self.band_bits / DIGIT_BITS
        whole = digits * self.frame.pitch.bands
        inputs, outputs = len(block.inputs), len(block.outputs)
        if filtering is None:
            products = inputs * outputs * len(offsets)
            total = sum(products * (2 * CALL + cost * whole) for cost in self.frame.product_costs)
            return total + inputs * len(offsets) * 4 * (CALL + ADD * whole)
        products = inputs * outputs * filtering.products
        total = sum(products * (2 * CALL + cost * digits) for cost in self.frame.product_costs)
        return total + (inputs + outputs) * (PASSES * CALL + PASSES * ADD * digits)

    def parts(self, block: Block) -> tuple[Part, ...]:
        """All phases of the rows."""
        columns = list(dict.fromkeys(phase for _, _, phase in self.frame.keys))
        inputs = len(block.inputs)
        found = []
        for row, offsets in self.offsets.items():
            filtering = self.filtering(row, block)
            rows = [offsets] if filtering else [[offset] for offset in offsets]
            stripes = [
                self._stripes(row, c, taps, filtering, inputs) for taps in rows for c in columns
            ]
            found.append(Part(filtering, tuple(stripes)))
        return tuple(found)

    def _stripes(
        self, row: int, column: int, taps: list[int], filtering: Filtering | None, inputs: int
    ) -> Stripes:
        frame, bands, height = self.frame, self.frame.pitch.bands, self.band_bits
        mask = (1 << height) - 1
        row_bits = frame.pitch.row_lanes * frame.pitch.lane_bits
        met = []
        for place in range(taps[0], taps[-1] + bands):
            moved, band = divmod(place, bands)
            # A band that moves up leaves its last rows behind.
            met.append((band, mask >> max(0, -moved) * row_bits, -moved * row_bits))
        start = frame.wanted.index((row, column)) * inputs
        below = tuple((band * height, mask) for band in range(bands))
        plain = Stripes(
            planes=range(start, start + inputs),
            bands=None if taps == [0] and filtering is None else Bands(below, tuple(met)),
            inputs=filtering.inputs if filtering else lambda rows: (_stacked(rows, height),),
            up=0,
        )
        up = (frame.skip - frame.highest(column)) * frame.pitch.lane_bits
        zeros = tuple(plain.factors(self._zeros(row, column)))
        return replace(plain, up=up, zeros=zeros if any(zeros) else ())

    def _zeros(self, row: int, column: int) -> int:
        """The zero-point at every input of a phase, where it has to be subtracted."""
        frame, pitch = self.frame, self.frame.pitch
        if not frame.padded:
            return 0
        plain = Pitch(pitch.row_lanes, pitch.lane_bits)
        rows = range(row, frame.rows.size, frame.rows.stride)
        columns = len(range(column, frame.columns.size, frame.columns.stride))
        total = 0
        for band in range(pitch.bands):
            ones = Grid(len(rows[band :: pitch.bands]), columns, plain).vector()
            total += ones << band * self.band_bits
        return total * frame.zero_point


def filtering_run(frame: Frame, block: Block) -> FilteringRun | None:
    """Prepare a convolution whose channels are all in one block.

    Args:
        frame: its windows on a grid in bands.
        block: all output channels.

    Returns:
        The run; None where there is none, or lanes are too narrow.
    """
    scheme = Scheme.of(frame)
    if scheme is None:
        return None
    builder = BlockBuilder.of(frame, block)
    parts = scheme.parts(block)
    facts: list[Channel] = []
    jobs: list[FilterJob] = []
    for output in block.outputs:
        scalar, steps = builder.staircase(output)
        if steps is None or least_bits(steps) > frame.pitch.lane_bits:
            return None
        if not steps.steps:
            facts.append(frame.constant(steps.base))
            continue
        facts.append(channel_range(steps))
        added, convert = converter(steps, frame.masks)
        taps = builder.factors(output, range(len(block.inputs)))
        jobs.append(
            FilterJob(
                channel=output.channel,
                factors=_products(scheme, parts, taps, len(block.inputs)),
                bias=frame.everywhere * (scalar + added),
                convert=convert,
            )
        )
    known = [(n, fact.plane) for n, fact in enumerate(facts) if fact.plane is not None]
    return FilteringRun(
        phases=frame.phases(block.inputs),
        channels=facts,
        known=tuple(known),
        parts=parts,
        jobs=tuple(jobs),
        height=scheme.band_bits,
    )


def _products(
    scheme: Scheme, parts: Sequence[Part], polynomials: Sequence[int], inputs: int
) -> tuple[tuple[tuple[int, ...], ...], ...]:
    """For each part and product, the factors of all its planes.

    Args:
        scheme: of the layer.
        parts: likewise.
        polynomials: for each key and input.
        inputs: input channels.
    """
    frame = scheme.frame
    size = len(frame.product_costs) * inputs
    found: list[tuple[tuple[int, ...], ...]] = []
    for row, part in zip(scheme.offsets, parts, strict=True):
        taps = [
            polynomials[number * size : (number + 1) * size]
            for number, (phase, _) in enumerate(frame.rows.taps)
            if phase == row
        ]
        if part.filtering is None:
            found.append((tuple(chain.from_iterable(taps)),))
        else:
            products = [part.filtering.weights(each) for each in zip(*taps, strict=True)]
            found.append(tuple(zip(*products, strict=True)))
    return tuple(found)
