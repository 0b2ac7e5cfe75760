"""Which rows of which operator are computed in which strip.

The rows of an inner tensor run ahead of the sink's by what the windows in between reach. Every
strip adds to each tensor as many rows as the strides make of the strip's own; the first strips
only fill the lead, so that no strip is larger than the others. No row is computed twice.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from tinyrt.graph import Tensor
from tinyrt.kernel import Strip
from tinyrt.load import Program
from tinyrt.ops.average_pool_2d import AveragePool2D
from tinyrt.strips.average_pool_rows import AveragePoolRows


@dataclass(frozen=True, slots=True)
class Task:
    """One operator's work in one strip."""

    step: int
    """The operator, by its step in the program without strips."""
    rows: range
    """The rows of its output that it computes; none where it only adds to sums."""
    kept: range
    """The rows right before them that this strip or a later one still reads."""
    strip: Strip


@dataclass(frozen=True, slots=True)
class Schedule:
    """The work of some operators in a row, strip by strip."""

    region: range
    """Their steps in the program without strips."""
    rows: Fraction
    """Rows of the sink in a strip; less than 1 where a row takes several strips."""
    strips: tuple[tuple[Task, ...], ...]
    pooled: bool
    """Whether the last of the steps takes the mean of the sink."""


def schedule(program: Program, region: range, rows: Fraction) -> Schedule | None:
    """Work out the rows of each strip, from the last operator back to the first.

    Args:
        program: the model, without strips.
        region: its steps that are to be run strip by strip; the sink is what the last one writes,
            or reads if it takes the mean of a whole map.
        rows: of the sink, in a strip.

    Returns:
        None where the operators cannot be run so.
    """
    if not is_closed(program, region):
        return None
    pool = _pool(program, region[-1])
    if pool is not None:
        whole, region = region, region[:-1]
        if not region:
            return None
    else:
        whole = region
    sink = program.steps[region[-1]].results[0]
    tensors = [program.steps[number].results[0] for number in region]
    heights = {tensor: program.graph.tensors[tensor].shape[1] for tensor in tensors}
    if heights[sink] < 2:
        return None
    first = _work(program, region, {}, {sink: range(1)})
    second = _work(program, region, {}, {sink: range(1, 2)})
    if first is None or second is None:
        return None
    paces = {t: second.rows[t].stop - first.rows[t].stop for t in tensors}
    leads = {t: first.rows[t].stop - paces[t] for t in tensors}
    number = -max(math.ceil(leads[t] / (paces[t] * rows)) for t in tensors if paces[t])
    done = dict.fromkeys(tensors, 0)
    strips: list[_Work] = []
    while done[sink] < heights[sink]:
        number += 1
        goals = {t: min(heights[t], math.floor(leads[t] + paces[t] * number * rows)) for t in done}
        fresh = {t: range(done[t], goals[t]) for t in done if goals[t] > done[t]}
        work = _work(program, region, done, fresh)
        if work is None:
            return None
        done |= {task.tensor: task.rows.stop for task in work.tasks}
        if work.tasks:
            strips.append(work)
    tasks = _with_kept(strips)
    if pool is not None:
        tasks = tuple(_with_pool(program, pool, whole[-1], tasks))
    return Schedule(whole, rows, tasks, pool is not None)


def _pool(program: Program, number: int) -> AveragePoolRows | None:
    """The mean of a whole map, if that is what a step takes."""
    kernel = program.steps[number].kernel
    return AveragePoolRows.of(kernel) if isinstance(kernel, AveragePool2D) else None


def _with_pool(
    program: Program, pool: AveragePoolRows, step: int, strips: Sequence[tuple[Task, ...]]
) -> Iterator[tuple[Task, ...]]:
    """The strips that end in the sink, each with its rows added to the mean."""
    sink = program.graph.tensors[program.steps[step].operands[0]]
    _, height, width, _ = sink.shape
    for tasks in strips:
        adding: list[Task] = []
        for rows in (task.rows for task in tasks if task.step == step - 1):
            last = rows.stop == height
            kernel = pool.part(len(rows) * width, first=rows.start == 0, last=last)
            adding.append(Task(step, range(int(last)), range(0), Strip(kernel, (rows,))))
        yield (*tasks, *adding)


def is_map(tensor: Tensor) -> bool:
    """Whether the rows of a tensor are blocks of bytes: rank 4, batch 1."""
    return len(tensor.shape) == 4 and tensor.shape[0] == 1 and tensor.elements > 0


def is_closed(program: Program, region: range) -> bool:
    """Whether all that a region computes are maps, of which others use only the last."""
    if not region:
        return False
    steps = program.steps[region.start : region.stop]
    if not all(len(s.results) == 1 and is_map(program.graph.tensors[s.results[0]]) for s in steps):
        return False
    inner = {step.results[0] for step in steps[:-1]}
    later = {tensor for step in program.steps[region.stop :] for tensor in step.operands}
    return not inner & (later | set(program.graph.outputs))


@dataclass(frozen=True, slots=True)
class _Fresh:
    """A task before it is known what else is kept."""

    step: int
    tensor: int
    rows: range
    strip: Strip
    sources: tuple[int, ...]
    """The tensors that the strip reads, as its `reads` has them."""

    def keeping(self, oldest: int | None) -> Task:
        """The task, where all from this row on is needed still; None: no row is."""
        first = self.rows.start
        kept = range(first if oldest is None else min(first, oldest), first)
        return Task(self.step, self.rows, kept, self.strip)


@dataclass(frozen=True, slots=True)
class _Work:
    """A strip: its tasks in order, and the rows that are asked for of each tensor."""

    tasks: tuple[_Fresh, ...]
    rows: Mapping[int, range]


def _work(
    program: Program, region: range, done: Mapping[int, int], wanted: Mapping[int, range]
) -> _Work | None:
    """What it takes to compute some rows, where the first ones are there already."""
    rows = dict(wanted)
    tensors = program.graph.tensors
    inner = {program.steps[number].results[0] for number in region}
    tasks: list[_Fresh] = []
    for number in reversed(region):
        step = program.steps[number]
        (tensor,) = step.results
        asked = rows.get(tensor, range(0))
        fresh = range(max(asked.start, done.get(tensor, 0)), asked.stop)
        if not fresh:
            continue
        strip = step.kernel.strip(fresh, tensors[tensor].shape[1])
        if strip is None:
            return None
        for source, read in zip(step.operands, strip.reads, strict=True):
            if read is None:
                if source in inner:
                    return None
                continue
            if tensors[source].is_constant or not is_map(tensors[source]):
                return None
            known = rows.get(source, read)
            rows[source] = range(min(known.start, read.start), max(known.stop, read.stop))
        tasks.append(_Fresh(number, tensor, fresh, strip, step.operands))
    return _Work(tuple(reversed(tasks)), rows)


def _with_kept(strips: Sequence[_Work]) -> tuple[tuple[Task, ...], ...]:
    """Say of every task which rows before its own are needed still: from the last strip back."""
    oldest: dict[int, int] = {}
    found: list[tuple[Task, ...]] = []
    for work in reversed(strips):
        for task in work.tasks:
            for source, read in zip(task.sources, task.strip.reads, strict=True):
                if read is not None:
                    oldest[source] = min(read.start, oldest.get(source, read.start))
        found.append(tuple(task.keeping(oldest.get(task.tensor)) for task in work.tasks))
    return tuple(reversed(found))
