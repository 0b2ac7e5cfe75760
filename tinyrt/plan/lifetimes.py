"""From a program to the buffers of its arena: who is in use from which step to which.

Step n is the n-th operator. Graph inputs are written before step 0, in "step" −1; graph outputs
are read after the last one, in step "number of steps". Constants are not in the arena. Operators
that only rename their input's bytes (RESHAPE and its like) join input and output into one buffer,
and so do kernels whose output may share bytes with a dying input in place only.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from tinyrt.load import Program, Step
from tinyrt.plan.problem import Buffer, Diagonal, Problem

ALIGNMENT = 16
"""Bytes: what the kernels' widest loads and the peers' arenas are aligned to."""


@dataclass(frozen=True, slots=True)
class Arena:
    """A program's packing problem, and what its buffers stand for."""

    problem: Problem
    holder: Mapping[int, int]
    """The buffer of each tensor in the arena."""
    scratch: Mapping[int, int]
    """The buffer of each operator's working memory, by node index."""


def arena_of(program: Program, *, overlap: bool = True) -> Arena:
    """Work out the lifetimes.

    Args:
        program: whose tensors.
        overlap: let outputs run into dying inputs, as far as their kernels declare.
    """
    tensors = program.graph.tensors
    roots = _roots(program, overlap=overlap)
    end = len(program.steps)
    first: dict[int, int] = {}
    last: dict[int, int] = {}

    def use(tensor: int, step: int) -> None:
        root = roots.get(tensor, tensor)
        if not tensors[root].is_constant:
            first.setdefault(root, step)
            last[root] = max(step, last.get(root, step))

    for tensor in program.graph.inputs:
        use(tensor, -1)
    for number, step in enumerate(program.steps):
        for tensor in (*step.operands, *step.results):
            use(tensor, number)
    for tensor in program.graph.outputs:
        use(tensor, end)
    for state in tensors:
        if state.is_variable and state.index in last:  # it outlives the run
            first[state.index], last[state.index] = -1, end
    order = list(first)
    number_of = {root: number for number, root in enumerate(order)}
    buffers = [
        Buffer(tensors[root].label, first[root], last[root] + 1, tensors[root].bytes)
        for root in order
    ]
    scratch: dict[int, int] = {}
    for number, step in enumerate(program.steps):
        size = step.scratch_bytes
        if size:
            scratch[step.node.index] = len(buffers)
            buffers.append(Buffer(f"scratch of {step.node.name}", number, number + 1, size))
    holder = {
        tensor: number_of[root]
        for tensor in range(len(tensors))
        if (root := roots.get(tensor, tensor)) in number_of
    }
    diagonals = tuple(
        pair
        for number, step in enumerate(program.steps)
        if overlap and step.results
        for pair in diagonals_of(step, number, holder, buffers)
    )
    return Arena(Problem(tuple(buffers), diagonals, (), ALIGNMENT), holder, scratch)


def _roots(program: Program, *, overlap: bool) -> dict[int, int]:
    """For each renamed or overwritten tensor, the tensor whose buffer it is in."""
    tensors = program.graph.tensors
    last_uses = _last_uses(program)
    roots: dict[int, int] = {}
    for number, step in enumerate(program.steps):
        if step.kernel.alias:
            source = step.operands[0]
            root = roots.get(source, source)
            if not tensors[root].is_constant:
                roots.update((result, root) for result in step.results)
        elif overlap:
            for source in _overwritten(step):
                root = roots.get(source, source)
                names = (tensor for tensor in last_uses if roots.get(tensor, tensor) == root)
                if (
                    not tensors[root].is_constant
                    and not tensors[root].is_variable
                    and tensors[step.results[0]].bytes == tensors[root].bytes
                    and max(last_uses[tensor] for tensor in names) == number
                ):
                    roots[step.results[0]] = root
                    break
    return roots


def _overwritten(step: Step) -> tuple[int, ...]:
    """The tensors that a step's first output may replace where they are, and nowhere else."""
    return tuple(step.operands[o.operand] for o in step.overlaps if o.only_in_place)


def _last_uses(program: Program) -> dict[int, int]:
    """The last step that reads each tensor; the number of steps for graph outputs."""
    found = {
        tensor: number for number, step in enumerate(program.steps) for tensor in step.operands
    }
    return found | dict.fromkeys(program.graph.outputs, len(program.steps))


def diagonals_of(
    step: Step, number: int, holder: Mapping[int, int], buffers: list[Buffer]
) -> tuple[Diagonal, ...]:
    """How a step's first output may share bytes with the operands that die in it."""
    target = holder[step.results[0]]
    if step.kernel.alias or buffers[target].lower != number:
        return ()
    found: dict[int, Diagonal] = {}
    overlaps = [overlap for overlap in step.overlaps if not overlap.only_in_place]
    for overlap in overlaps:
        source = holder.get(step.operands[overlap.operand])
        if source is None or buffers[source].upper != number + 1:
            continue
        pair = Diagonal(source, target, step.node.index, overlap.forward, overlap.backward)
        found[source] = _both(found[source], pair) if source in found else pair
    # A dying buffer that is also read without leave to be overwritten must stay whole.
    allowed = {overlap.operand for overlap in overlaps}
    for position, tensor in enumerate(step.operands):
        if position not in allowed:
            found.pop(holder.get(tensor, -1), None)
    return tuple(found.values())


def _both(one: Diagonal, other: Diagonal) -> Diagonal:
    """The distances that two readings of the same buffer both allow."""
    return Diagonal(
        one.source,
        one.target,
        one.operator,
        _greater(one.forward, other.forward),
        _greater(one.backward, other.backward),
    )


def _greater(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else max(one, other)
