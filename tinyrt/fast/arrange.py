"""Which tensors are handed on as planes, on which grids; and the runs that follow from it.

Operators that take planes share the pitch of their producer. So tensors and operators fall into
clusters, and a cluster has one pitch: rows as long as its neediest member asks for, along the
longer axis of its images, in lanes as narrow as its members can use.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter

from tinyrt.fast.winograd import BANDS
from tinyrt.graph import Shape
from tinyrt.kernel import Held, HeldRun, Kernel, Run, Value, as_bytes
from tinyrt.planar import Facts, Grid, Pitch, PlanarOperator, PlanarRun, Planes

BANDED = 1.25
"""Estimates for bands are multiplied by this: rows are moved more dearly within a network."""

LANE_BITS = (20, 21, 22, 24, 32)
"""Widths that are tried, from the one that a cluster's members ask for upwards."""


@dataclass(frozen=True, slots=True)
class Stage:
    """An operator with the tensors that it reads and writes."""

    kernel: Kernel
    operands: tuple[int, ...]
    results: tuple[int, ...]
    shape: Shape
    """Of the first result."""


def arrange(stages: Sequence[Stage], kept: Collection[int]) -> list[HeldRun]:
    """Build the run of every stage.

    Args:
        stages: in order.
        kept: tensors that must be bytes, the graph's outputs among them.

    Returns:
        For each stage a function from the values of its operands to those of its results.
    """
    operators = [stage.kernel.planar(stage.shape) for stage in stages]
    runs: list[HeldRun | None] = [None] * len(stages)
    facts: dict[int, Facts] = {}
    for cluster in _clusters(stages, operators):
        for number, run in _build(cluster, stages, operators, kept, facts).items():
            runs[number] = run
    return [
        run or stage.kernel.held() or _lowered(stage.kernel.fast())
        for run, stage in zip(runs, stages, strict=True)
    ]


def alone(operator: PlanarOperator, images: int) -> Run | None:
    """The run of one operator from bytes to bytes, for a batch of images.

    None where no lanes can hold what it computes.
    """
    pitch_of = _pitches([operator])
    facts = Facts.none(operator.source.channels)
    for pitch in pitch_of:
        built = operator.build(pitch, [facts])
        if built is not None:
            return _batch(built, Grid.of(operator.target, pitch), images)
    return None


def _batch(built: PlanarRun, grid: Grid, images: int) -> Run:
    def run(*operands: Value) -> tuple[Value, ...]:
        output = bytearray()
        sizes = [len(operand) // images for operand in operands]
        for image in range(images):
            parts = [
                memoryview(operand)[image * size : (image + 1) * size]
                for operand, size in zip(operands, sizes, strict=True)
            ]
            planes = built.run(*[built.phases.planes(part) for part in parts])
            output += Planes(grid, planes).to_bytes()
        return (output,)

    return run


def _clusters(
    stages: Sequence[Stage], operators: Sequence[PlanarOperator | None]
) -> list[list[int]]:
    """Stages that share a pitch, in order."""
    cluster_of: dict[int, list[int]] = {}
    producer: dict[int, int] = {}
    for number, (stage, operator) in enumerate(zip(stages, operators, strict=True)):
        if operator is None:
            continue
        members = [number]
        if operator.takes_planes:
            for tensor in stage.operands:
                if tensor in producer and cluster_of[producer[tensor]] is not members:
                    members = sorted(members + cluster_of[producer[tensor]])
                    for member in members:
                        cluster_of[member] = members
        for member in members:
            cluster_of[member] = members
        producer |= dict.fromkeys(stage.results, number)
    return list({id(members): members for members in cluster_of.values()}.values())


def _pitches(operators: Sequence[PlanarOperator]) -> list[Pitch]:
    """The pitches that a cluster may have, the one to be tried first in front."""

    def lanes(turned: bool) -> int:
        row = max(operator.row_lanes(turned) for operator in operators)
        return sum(
            row * (operator.target.width if turned else operator.target.height)
            for operator in operators
        )

    turned = lanes(True) < lanes(False)
    row = max(operator.row_lanes(turned) for operator in operators)
    least = max(operator.lane_bits() for operator in operators)
    found: list[Pitch] = []
    for bits in LANE_BITS:
        if bits >= least:
            found += _by_cost(Pitch(row, bits, turned), operators)
    return found


def _by_cost(plain: Pitch, operators: Sequence[PlanarOperator]) -> list[Pitch]:
    """The pitch, and the same in bands, the fastest first."""
    banded = [replace(plain, bands=bands) for bands in BANDS]
    costs = [(cost * BANDED, pitch) for pitch in banded if (cost := _cost(operators, pitch))]
    if not costs:
        return [plain]
    costs.append((_cost(operators, plain) or 0.0, plain))
    return [pitch for _, pitch in sorted(costs, key=itemgetter(0))]


def _cost(operators: Sequence[PlanarOperator], pitch: Pitch) -> float | None:
    total = 0.0
    for operator in operators:
        cost = operator.nanoseconds(pitch)
        if cost is None:
            return None
        total += cost
    return total


def _build(
    cluster: Sequence[int],
    stages: Sequence[Stage],
    operators: Sequence[PlanarOperator | None],
    kept: Collection[int],
    facts: dict[int, Facts],
) -> dict[int, HeldRun]:
    """The runs of a cluster's members, at the first pitch that holds them all.

    What is known of the tensors that they write is added to `facts`.
    """
    members = [(number, operators[number]) for number in cluster]
    chosen = [(number, operator) for number, operator in members if operator is not None]
    for pitch in _pitches([operator for _, operator in chosen]):
        found = dict(facts)
        runs: dict[int, HeldRun] = {}
        for number, operator in chosen:
            stage = stages[number]
            nothing = Facts.none(operator.source.channels)
            known = [found.get(tensor, nothing) for tensor in stage.operands]
            built = operator.build(pitch, known)
            if built is None:
                break
            (result,) = stage.results
            grid = Grid.of(operator.target, pitch)
            found[result] = Facts(built.channels, grid)
            runs[number] = _planar(built, grid, result in kept)
        else:
            facts |= found
            return runs
    return {}


def _planar(built: PlanarRun, grid: Grid, bytes_wanted: bool) -> HeldRun:
    def run(*operands: Held) -> tuple[Held, ...]:
        result = Planes(grid, built.run(*map(built.phases.planes, operands)))
        return (result.to_bytes() if bytes_wanted else result,)

    return run


def _lowered(run: Run) -> HeldRun:
    """A run on bytes that takes any form."""

    def lowered(*operands: Held) -> tuple[Held, ...]:
        return run(*[as_bytes(operand) for operand in operands])

    return lowered
