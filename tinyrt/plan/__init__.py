"""The memory planner: where each tensor lies in the arena, and for how long."""

from collections.abc import Mapping
from dataclasses import dataclass

from tinyrt.load import Program


@dataclass(frozen=True, slots=True)
class Allocation:
    """One tensor's place in the arena; several tensors may share it (aliases)."""

    tensor: int
    offset: int
    size: int
    first_step: int
    last_step: int


@dataclass(frozen=True, slots=True)
class Plan:
    """A static layout of every tensor that is not a constant."""

    arena_bytes: int
    lower_bound_bytes: int
    allocations: tuple[Allocation, ...]
    scratch: Mapping[int, int]
    """Offset of an operator's scratch memory, by node index."""


def plan(program: Program) -> Plan:
    """Place tensors first-fit in order of their first use."""
    tensors = program.graph.tensors
    owner: dict[int, int] = {}
    life: dict[int, list[int]] = {}
    for index in program.graph.inputs:
        life[index] = [-1, -1]
    for number, step in enumerate(program.steps):
        for index in step.operands:
            root = owner.get(index, index)
            if root in life:
                life[root][1] = number
        for index in step.results:
            if step.kernel.alias and not tensors[step.operands[0]].is_constant:
                owner[index] = owner.get(step.operands[0], step.operands[0])
            else:
                life[index] = [number, number]
    for index in program.graph.outputs:
        root = owner.get(index, index)
        if root in life:
            life[root][1] = len(program.steps)
    placed: dict[int, int] = {}
    for index, (first, last) in life.items():
        size = -(-tensors[index].bytes // 16) * 16
        busy = sorted(
            (placed[o], placed[o] + tensors[o].bytes)
            for o in placed
            if life[o][0] <= last and first <= life[o][1]
        )
        offset = 0
        for start, end in busy:
            if offset + size <= start:
                break
            offset = max(offset, -(-end // 16) * 16)
        placed[index] = offset
    allocations = [
        Allocation(i, placed[i], tensors[i].bytes, life[i][0], life[i][1]) for i in placed
    ]
    allocations += [
        Allocation(i, placed[r], tensors[i].bytes, life[r][0], life[r][1]) for i, r in owner.items()
    ]
    total = max((placed[i] + -(-tensors[i].bytes // 16) * 16 for i in placed), default=0)
    return Plan(total, 0, tuple(allocations), {})
