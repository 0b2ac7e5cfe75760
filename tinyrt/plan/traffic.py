"""How many bytes an operator reads and writes in each buffer.

Each multiplication reads its input once, so what is multiplied more often counts more often; what
is not multiplied is read once. Results are written once; working memory is written and read.
"""

from tinyrt.load import Program
from tinyrt.plan.lifetimes import Arena


def traffic_of(program: Program, arena: Arena) -> tuple[int, ...]:
    """Bytes that a run reads and writes in each buffer of an arena."""
    moved = [0] * len(arena.problem.buffers)
    tensors = program.graph.tensors
    for step in program.steps:
        if step.kernel.alias and arena.places.get(step.operands[0]) == arena.places.get(
            step.results[0]
        ):
            continue
        macs = step.kernel.cost().macs
        for index in step.operands:
            if index in arena.holder:
                tensor = tensors[index]
                element = tensor.bytes // max(1, tensor.elements)
                moved[arena.holder[index][0]] += max(tensor.bytes, macs * element)
        for index in step.results:
            if index in arena.holder:
                moved[arena.holder[index][0]] += tensors[index].bytes
        if step.key in arena.scratch:
            moved[arena.scratch[step.key]] += 2 * step.scratch_bytes
    return tuple(moved)
