"""Plans for stock TFLM, whose planner takes offsets that it finds in a model's metadata.

TFLM places tensors greedily in the head of its arena; what it is told of a tensor's place it
takes as given, and fits the rest around it: the working memory of its kernels, and variables,
which stay in the tail. Its kernels do not overwrite their inputs, RESHAPE excepted, which leaves
alone what is in place already.

**Source:** "Offline planned tensor allocations" in TFLM's micro/docs/memory_management.md;
micro_allocation_info.cc for lifetimes, micro_allocator.cc, memory_planner/greedy_memory_planner.cc.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass

from tinyrt import schema
from tinyrt.graph import Graph, Tensor
from tinyrt.metadata import with_metadata
from tinyrt.plan import check
from tinyrt.plan.first_fit import first_fit, height_of
from tinyrt.plan.packing import pack
from tinyrt.plan.problem import Buffer, Problem, gaps_of, items_of
from tinyrt.plan.tables import intervals_of
from tinyrt.reading import read_graph

ALIGNMENT = 16
METADATA = "OfflineMemoryAllocation"
FORMAT_VERSION = 1
LEFT_TO_TFLM = -1


@dataclass(frozen=True, slots=True)
class OfflinePlan:
    """Where TFLM is to put the tensors of a model; without the working memory of its kernels."""

    offsets: tuple[int, ...]
    """From the head's beginning, by tensor of the main subgraph; −1 leaves it to TFLM."""
    head_bytes: int
    lower_bound_bytes: int
    """No plan for TFLM is smaller."""
    greedy_bytes: int
    """What TFLM takes without a plan."""


def export(model: bytes) -> tuple[bytes, OfflinePlan]:
    """The same model with a plan for TFLM.

    Args:
        model: a .tflite file.

    Returns:
        The new file, of which the old one is the end, and the plan.

    Raises:
        FormatError: the file is not a well-formed model.
        UnsupportedError: it uses what tinyrt does not read.
    """
    found = offline_plan(read_graph(model))
    subgraphs = schema.read_model(model).subgraphs
    others = sum(len(subgraph.tensors) for subgraph in subgraphs[1:])
    offsets = (*found.offsets, *(LEFT_TO_TFLM,) * others)
    numbers = (FORMAT_VERSION, len(subgraphs), len(offsets), *offsets)
    return with_metadata(model, METADATA, struct.pack(f"<{len(numbers)}i", *numbers)), found


def offline_plan(graph: Graph) -> OfflinePlan:
    """Pack the tensors of a graph under TFLM's rules; the plan is checked."""
    lifetimes = _lifetimes(graph)
    idle = {t.index: t for t in graph.tensors if _placed(t) and t.index not in lifetimes}
    least = max((_aligned(tensor.bytes) for tensor in idle.values()), default=0)
    holders = _holders(graph, lifetimes)
    roots = sorted(set(holders.values()))
    buffers = []
    for root in roots:
        spans = [lifetimes[index] for index, holder in holders.items() if holder == root]
        first, last = min(span[0] for span in spans), max(span[1] for span in spans)
        tensor = graph.tensors[root]
        buffers.append(Buffer(tensor.label, first, last + 1, _aligned(tensor.bytes)))
    packing = pack(Problem(tuple(buffers), alignment=ALIGNMENT))
    blocks = tuple(
        check.Block(buffer.name, buffer.lower, buffer.upper, offset, buffer.size)
        for buffer, offset in zip(buffers, packing.offsets, strict=True)
    )
    check.check(check.Layout(packing.height, ALIGNMENT, blocks))
    place = dict(zip(roots, packing.offsets, strict=True))
    # Nobody reads or writes what is idle; TFLM counts its bytes all the same.
    offsets = {index: place[root] for index, root in holders.items()} | dict.fromkeys(idle, 0)
    return OfflinePlan(
        offsets=tuple(offsets.get(tensor.index, LEFT_TO_TFLM) for tensor in graph.tensors),
        head_bytes=max(packing.height, least),
        lower_bound_bytes=max(packing.certificate.lower_bound, least),
        greedy_bytes=_greedy(graph, lifetimes, idle),
    )


def _aligned(size: int) -> int:
    return size + -size % ALIGNMENT


def _placed(tensor: Tensor) -> bool:
    """Whether TFLM plans a tensor's memory in the head."""
    return not tensor.is_constant and not tensor.is_variable and tensor.bytes > 0


def _lifetimes(graph: Graph) -> Mapping[int, tuple[int, int]]:
    """First and last time of each tensor that is in use; operator n runs at time n + 1."""
    found: dict[int, tuple[int, int]] = {}

    def use(tensor: Tensor, time: int) -> None:
        if _placed(tensor):
            found[tensor.index] = found.get(tensor.index, (time, time))[0], time

    for index in graph.inputs:
        use(graph.tensors[index], 0)
    for time, node in enumerate(graph.nodes, 1):
        for tensor in (*node.outputs, *node.inputs):
            if tensor is not None:
                use(tensor, time)
    for index in graph.outputs:
        use(graph.tensors[index], len(graph.nodes))
    return found


def _holders(graph: Graph, lifetimes: Mapping[int, tuple[int, int]]) -> Mapping[int, int]:
    """For each tensor in use, the one in whose place it lies: its own, or that of its RESHAPE."""
    holders = {index: index for index in lifetimes}
    for node in graph.nodes:
        if node.opcode == "RESHAPE":
            source, output = node.input(0).index, node.outputs[0].index
            if source in holders and output in holders:
                holders[output] = holders[source]
    return holders


def _greedy(
    graph: Graph, lifetimes: Mapping[int, tuple[int, int]], idle: Mapping[int, Tensor]
) -> int:
    """What TFLM's planner takes: the largest first, of equal ones the last, in the first gap."""
    spans = {**lifetimes, **dict.fromkeys(idle, (-1, -1))}
    sizes = {index: _aligned(graph.tensors[index].bytes) for index in spans}
    numbers = sorted(spans)
    problem = Problem(
        tuple(Buffer("", spans[n][0], spans[n][1] + 1, sizes[n]) for n in numbers),
        alignment=ALIGNMENT,
    )
    items = items_of(problem)
    order = sorted(range(len(numbers)), key=lambda n: (-sizes[numbers[n]], -n))
    intervals = intervals_of(items, gaps_of(problem, {}))
    return height_of(items, first_fit(intervals, order)) * ALIGNMENT
