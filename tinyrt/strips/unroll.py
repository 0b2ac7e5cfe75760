"""Line-buffered execution: a program in which some operators run strip by strip.

A strip is a block of rows. For each, every operator computes only the rows that are due, so that
the maps in between never exist whole: *lines* hold the few rows in use. In NHWC a block of rows is
a contiguous range of bytes, so that each step is an ordinary kernel on excerpts of tensors.

Windows reach back over rows of the strip before. These are kept: as a rule they are copied to where
the next rows are going to follow them; the planner may leave them where they are. To compute them
once more would save no memory, for they must be there in either case, and would cost from 6 % to
250 % of all MACs on the networks at hand.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import count

from tinyrt.kernel import Kernel
from tinyrt.load import Excerpt, Part, Program, Step
from tinyrt.strips.average_pool_rows import AveragePoolRows
from tinyrt.strips.keep import Keep
from tinyrt.strips.schedule import Schedule, Task


def unroll(program: Program, schedule: Schedule) -> Program:
    """The same model with some operators run strip by strip; it computes the same bytes.

    Args:
        program: the model.
        schedule: which operators, and which of their rows when.
    """
    unroller = _Unroller(program, schedule)
    steps = tuple(unroller.steps())
    region = schedule.region
    return replace(
        program,
        graph=replace(program.graph, tensors=tuple(unroller.tensors)),
        steps=(*program.steps[: region.start], *steps, *program.steps[region.stop :]),
        excerpts=unroller.excerpts,
    )


@dataclass(frozen=True, slots=True)
class _Lines:
    """The rows of a tensor that exist at the moment, and the tensor that holds them."""

    tensor: int
    rows: range


class _Unroller:
    """Collects steps, tensors and excerpts."""

    def __init__(self, program: Program, schedule: Schedule) -> None:
        self._program = program
        self._schedule = schedule
        self._kernels: dict[int, list[Kernel]] = {}
        self._lines: dict[int, _Lines] = {}
        self._sums: tuple[int, ...] = ()
        """The sums of the rows so far, where a mean is taken."""
        self.tensors = list(program.graph.tensors)
        self.excerpts = dict(program.excerpts)
        self._keys = count(max(node.index for node in program.graph.nodes) + 1)

    def steps(self) -> Iterator[Step]:
        """The steps of the region, strip by strip."""
        rows_of = self._all_lines()
        for number, tasks in enumerate(self._schedule.strips):
            for task in tasks:
                rows = rows_of.get((task.step, task.rows.start))
                if rows is not None:
                    yield from self._next_lines(number, task, rows)
                yield self._step(number, task)

    def _all_lines(self) -> Mapping[tuple[int, int], range]:
        """The rows of all lines, by the operator and the first row of the task they begin with.

        Lines go on as long as they are no taller than the tallest must be: that saves copies.
        """
        inner: dict[int, list[Task]] = {}
        for tasks in self._schedule.strips:
            for task in tasks:
                if task.step != self._schedule.region[-1]:
                    inner.setdefault(task.step, []).append(task)
        found: dict[tuple[int, int], range] = {}
        for step, own in inner.items():
            room = max(task.rows.stop - task.kept.start for task in own)
            first = own[0]
            for task in own:
                if task.rows.stop - first.kept.start > room or not task.kept:
                    first = task
                found[step, first.rows.start] = range(first.kept.start, task.rows.stop)
        return found

    def _next_lines(self, number: int, task: Task, rows: range) -> Iterator[Step]:
        """Lines with room for the rows of a task, after those that are kept."""
        step = self._program.steps[task.step]
        tensor = step.results[0]
        before = self._excerpt(tensor, task.kept) if task.kept else -1
        self._lines[tensor] = _Lines(self._rows_of(tensor, rows), rows)
        if task.kept:
            after = self._excerpt(tensor, task.kept)
            part = Part(number, next(self._keys), task.kept)
            yield Step(step.node, Keep(), (before,), (after,), part=part)

    def _step(self, number: int, task: Task) -> Step:
        """The computation of a task's rows."""
        step = self._program.steps[task.step]
        operands = tuple(
            operand if rows is None else self._excerpt(operand, rows)
            for operand, rows in zip(step.operands, task.strip.reads, strict=True)
        )
        if isinstance(task.strip.kernel, AveragePoolRows):
            operands += self._sums
            result = step.results[0] if task.rows else self._new_sums(step, task.strip.kernel)
        else:
            result = self._excerpt(step.results[0], task.rows)
        kernel = self._shared(task)
        part = Part(number, next(self._keys), task.rows, step.lowered)
        return Step(step.node, kernel, operands, (result,), part=part)

    def _new_sums(self, step: Step, kernel: AveragePoolRows) -> int:
        """A new tensor for sums."""
        index = len(self.tensors)
        self.tensors.append(kernel.sums(self.tensors[step.results[0]], index))
        self._sums = (index,)
        return index

    def _shared(self, task: Task) -> Kernel:
        """One object for all equal kernels of an operator: what is packed for it is packed once."""
        known = self._kernels.setdefault(task.step, [])
        for kernel in known:
            if kernel == task.strip.kernel:
                return kernel
        known.append(task.strip.kernel)
        return task.strip.kernel

    def _excerpt(self, tensor: int, rows: range) -> int:
        """Rows of a tensor, where they are at the moment."""
        lines = self._lines.get(tensor)
        if lines is None:
            lines = _Lines(tensor, range(self.tensors[tensor].shape[1]))
        if rows == lines.rows:
            return lines.tensor
        original = self.tensors[tensor]
        index = self._rows_of(tensor, rows)
        row_bytes = original.bytes // original.shape[1]
        self.excerpts[index] = Excerpt(lines.tensor, (rows.start - lines.rows.start) * row_bytes)
        return index

    def _rows_of(self, tensor: int, rows: range) -> int:
        """A new tensor for rows of another."""
        original, index = self.tensors[tensor], len(self.tensors)
        _, _, *inner = original.shape
        self.tensors.append(
            replace(
                original,
                index=index,
                name=f"{original.label}[{rows.start}:{rows.stop}]",
                shape=(1, len(rows), *inner),
                shape_signature=(),
            )
        )
        return index
