"""Pieces of wholes: inputs that are joined, outputs that are split off, without a copy.

Where a kernel moves a tensor as one run of bytes (CONCATENATION and SPLIT along the outermost
dimension, SLICE of whole rows), the smaller buffer may lie inside the larger one. That saves its
bytes, but ties the two together: whether it pays is for the planner to try.
"""

from dataclasses import replace

from tinyrt.load import Program
from tinyrt.plan.bounds import sections_of
from tinyrt.plan.lifetimes import Arena
from tinyrt.plan.problem import Diagonal, Inside, Problem, gaps_of, items_of


def insides_of(program: Program, arena: Arena) -> tuple[Inside, ...]:
    """Every piece that can lie inside its whole; one level deep."""
    tensors, buffers = program.graph.tensors, arena.problem.buffers
    tied = {number for tie in arena.problem.ties for number in (tie.one, tie.other)}
    holder = {tensor: n for tensor, (n, _) in arena.holder.items() if n not in tied}
    fixed = {holder[t.index] for t in tensors if t.is_variable and t.index in holder}
    found: dict[int, Inside] = {}
    wholes: set[int] = set()
    for step in program.steps:
        for view in () if step.calls or step.kernel.alias else step.code.views():
            pair = step.operands[view.operand], step.results[view.result]
            if any(tensor not in holder for tensor in pair) or step.operands.count(pair[0]) > 1:
                continue  # an operand that is joined twice cannot lie in both places
            operand, result = (holder[tensor] for tensor in pair)
            part, whole = (operand, result) if view.offset >= 0 else (result, operand)
            if buffers[part].size > buffers[whole].size:
                part, whole = whole, part
            inside = Inside(part, whole, abs(view.offset))
            if (
                inside.offset % arena.problem.alignment == 0
                and inside.offset + buffers[part].size <= buffers[whole].size
                and part not in found
                and part not in wholes
                and whole not in found
                and not {part, whole} & fixed
                and part != whole
            ):
                found[part] = inside
                wholes.add(whole)
    return tuple(found.values())


def floor_of(problem: Problem, insides: tuple[Inside, ...]) -> int:
    """Bytes that are needed whichever pieces lie in their wholes, or anywhere else."""
    pairs = tuple(
        Diagonal(
            inside.part,
            inside.whole,
            -1 - number,
            -problem.buffers[inside.part].size,
            -problem.buffers[inside.part].size - problem.buffers[inside.whole].size,
        )
        for number, inside in enumerate(insides)
    )
    free = replace(problem, diagonals=problem.diagonals + pairs, insides=())
    items, gaps = items_of(free), gaps_of(free, {})
    heights = (section.least_height(gaps) for section in sections_of(items, gaps))
    return max(heights, default=0) * problem.alignment
