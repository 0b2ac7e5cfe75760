"""Which tensors are handed on as planes, on which grids; and the runs that follow from it.

Operators that take planes share the pitch of their producer. So tensors and operators fall into
clusters, and a cluster has one pitch: rows as long as its neediest member asks for, along the
longer axis of its images, in lanes as narrow as its members can use.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from tinyrt.kernel import Kernel, Run, Value
from tinyrt.planar import Channel, Grid, Pitch, PlanarOperator, PlanarRun, Planes

LANE_BITS = (20, 24, 32)
"""Widths that are tried, from the one that a cluster's members ask for upwards."""

Held = Value | Planes
"""A tensor's value between two operators."""

HeldRun = Callable[..., tuple[Held, ...]]
"""Computes the outputs' values from those of the operands, in any form."""


@dataclass(frozen=True, slots=True)
class Stage:
    """An operator with the tensors that it reads and writes."""

    kernel: Kernel
    operands: tuple[int, ...]
    results: tuple[int, ...]


def as_bytes(value: Held) -> Value:
    """The bytes of a value in any form."""
    return value.to_bytes() if isinstance(value, Planes) else value


def arrange(stages: Sequence[Stage], kept: Collection[int]) -> list[HeldRun]:
    """Build the run of every stage.

    Args:
        stages: in order.
        kept: tensors that must be bytes, the graph's outputs among them.

    Returns:
        For each stage a function from the values of its operands to those of its results.
    """
    operators = [stage.kernel.planar() for stage in stages]
    clusters = _clusters(stages, operators)
    runs: list[HeldRun | None] = [None] * len(stages)
    for cluster in clusters:
        for number, run in _build(cluster, stages, operators, kept).items():
            runs[number] = run
    return [run or _lowered(stage.kernel.fast()) for run, stage in zip(runs, stages, strict=True)]


def alone(operator: PlanarOperator, images: int) -> Run | None:
    """The run of one operator from bytes to bytes, for a batch of images.

    None where no lanes can hold what it computes.
    """
    pitch_of = _pitches([operator])
    facts = [Channel()] * operator.source.channels
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
    return [Pitch(row, bits, turned) for bits in LANE_BITS if bits >= least]


def _build(
    cluster: Sequence[int],
    stages: Sequence[Stage],
    operators: Sequence[PlanarOperator | None],
    kept: Collection[int],
) -> dict[int, HeldRun]:
    """The runs of a cluster's members, at the first pitch that holds them all."""
    members = [(number, operators[number]) for number in cluster]
    chosen = [(number, operator) for number, operator in members if operator is not None]
    for pitch in _pitches([operator for _, operator in chosen]):
        facts: dict[int, Sequence[Channel]] = {}
        runs: dict[int, HeldRun] = {}
        for number, operator in chosen:
            stage = stages[number]
            unknown = [Channel()] * operator.source.channels
            # What is known of a channel holds for planes of this pitch only.
            known = [
                facts.get(tensor, unknown) if operator.takes_planes else unknown
                for tensor in stage.operands
            ]
            built = operator.build(pitch, known)
            if built is None:
                break
            facts[stage.results[0]] = built.channels
            bytes_wanted = stage.results[0] in kept
            runs[number] = _planar(built, Grid.of(operator.target, pitch), bytes_wanted)
        else:
            return runs
    return {}


def _planar(built: PlanarRun, grid: Grid, bytes_wanted: bool) -> HeldRun:
    phases, pitch = built.phases, grid.pitch
    takes_planes = phases.row_stride == phases.column_stride == 1

    def run(*operands: Held) -> tuple[Held, ...]:
        planes = [
            value.channels
            if isinstance(value, Planes) and takes_planes and value.grid.pitch == pitch
            else phases.planes(as_bytes(value))
            for value in operands
        ]
        result = Planes(grid, built.run(*planes))
        return (result.to_bytes() if bytes_wanted else result,)

    return run


def _lowered(run: Run) -> HeldRun:
    """A run on bytes that takes any form."""

    def lowered(*operands: Held) -> tuple[Held, ...]:
        return run(*[as_bytes(operand) for operand in operands])

    return lowered
