"""Rewrites: changes of a program that save memory and change no byte of what it computes.

Each acts where it can be said: padding at any side is known to the kernels only, not to the file
format, so that `fold_pads` changes prepared steps; `integer_io` changes the types of a graph's
tensors, and has its operators prepared anew. A tensor that is left out is in no step any more;
the others keep their numbers and bytes.
"""

from collections.abc import Mapping
from dataclasses import replace

from tinyrt.graph import DType, Graph, Node, Tensor
from tinyrt.kernel import Border
from tinyrt.load import Program, Step, prepare
from tinyrt.ops.pad import Pad

MOVERS = frozenset(("EXPAND_DIMS", "RESHAPE", "SQUEEZE", "TRANSPOSE"))
"""Operators that change no element, so that each may as well be quantized before as after."""


def fold_pads(program: Program) -> Program:
    """Let windows reach beyond their input, where a PAD makes a copy of it with a border.

    A PAD goes if everything that reads its output is an operator on windows to which the border
    means nothing: the zero-point to a convolution, the least value to MAX_POOL_2D. It counts in
    the averages of AVERAGE_POOL_2D, which therefore keeps it.
    """
    steps = list(program.steps)
    notes: list[str] = []
    # From the end, so that of two in a row the second is gone when the first is looked at.
    for position in reversed(range(len(steps))):
        pad = steps[position]
        border = _border(pad)
        if border is None or pad.results[0] in program.graph.outputs:
            continue
        readers = [n for n, step in enumerate(steps) if pad.results[0] in step.operands]
        bare = [replaced for n in readers if (replaced := _without(steps[n], pad, border))]
        if not readers or len(bare) < len(readers):
            continue
        for number, replaced in zip(readers, bare, strict=True):
            steps[number] = replaced
            notes.append(f"{_named(pad.node)} is folded into {_named(replaced.node)}")
        del steps[position]
    return replace(
        program,
        graph=replace(program.graph, nodes=tuple(step.node for step in steps)),
        steps=tuple(steps),
        rewrites=(*program.rewrites, *reversed(notes)),
    )


def _border(step: Step) -> Border | None:
    """The border of a PAD of height and width; None for any other operator."""
    if not isinstance(step.kernel, Pad):
        return None
    source = step.node.input(0)
    if source.dtype is not DType.INT8 or len(source.shape) != 4 or not source.elements:
        return None
    *batches, top, bottom, left, right, before, after = step.node.input(1).integers()
    if any((*batches, before, after)):
        return None
    return Border(top, bottom, left, right, memoryview(step.kernel.value).cast("b")[0])


def _without(step: Step, pad: Step, border: Border) -> Step | None:
    """The step that reads what a PAD reads, instead of what it writes; None: there is none."""
    kernel = step.kernel.without_border(border)
    if kernel is None or step.operands != pad.results:
        return None
    return replace(step, kernel=kernel, operands=pad.operands, calls=())


def _named(node: Node) -> str:
    return f"{node.opcode} {node.index}"


def integer_io(program: Program) -> Program:
    """Let a program take and give integers where a QUANTIZE or DEQUANTIZE is all between.

    An input that only a QUANTIZE reads gets the type, scale and zero-point that it would be
    quantized to, and the operator goes; so does a DEQUANTIZE whose result nobody reads but the
    caller. Operators that only move elements may stand between: they then move integers. Inputs
    and outputs keep their number and name.
    """
    graph, notes = program.graph, []
    for index in program.graph.inputs:
        path = _path_from(graph, index)
        if path:
            *movers, last = path
            graph = _retyped(graph, movers, last, keep=last.input(0), drop=last.outputs[0])
            notes.append(_note("input", graph.tensors[index], last))
    for index in program.graph.outputs:
        path = _path_to(graph, index)
        if path:
            first, *movers = path
            graph = _retyped(graph, movers, first, keep=first.outputs[0], drop=first.input(0))
            notes.append(_note("output", graph.tensors[index], first))
    if not notes:
        return program
    prepared = prepare(graph, program.numerics)
    return replace(prepared, rewrites=(*program.rewrites, *notes))


def _note(side: str, tensor: Tensor, node: Node) -> str:
    return f"{_named(node)} is left out: {side} '{tensor.label}' is {tensor.dtype.value}"


def _path_from(graph: Graph, index: int) -> list[Node]:
    """The operators from a float32 input to the QUANTIZE of it; none if there is more or less."""
    path: list[Node] = []
    while True:
        reader = _sole_reader(graph, index)
        if reader is None or index in graph.outputs or graph.tensors[index].is_variable:
            return []
        path.append(reader)
        if reader.opcode == "QUANTIZE" and graph.tensors[index].dtype is DType.FLOAT32:
            # One tensor cannot be both ends: its memory is written anew, and read at the end.
            both = index in graph.inputs and reader.outputs[0].index in graph.outputs
            return [] if both else path
        if reader.opcode not in MOVERS:
            return []
        index = reader.outputs[0].index


def _path_to(graph: Graph, index: int) -> list[Node]:
    """The operators from the DEQUANTIZE of a float32 output to it; none if there is more."""
    path: list[Node] = []
    writers = {tensor.index: node for node in graph.nodes for tensor in node.outputs}
    while True:
        writer = writers.get(index)
        readers = [node for node in graph.nodes if index in _read(node)]
        if writer is None or readers != path[:1] or (path and index in graph.outputs):
            return []
        path.insert(0, writer)
        source = writer.input(0)
        if writer.opcode == "DEQUANTIZE":
            bound = source.index in {*graph.inputs, *graph.outputs} or source.is_variable
            return [] if bound or source.is_constant else path
        if writer.opcode not in MOVERS:
            return []
        index = source.index


def _read(node: Node) -> list[int]:
    return [tensor.index for tensor in node.inputs if tensor is not None]


def _sole_reader(graph: Graph, index: int) -> Node | None:
    """The one operator that reads a tensor, as its first input and no other."""
    readers = [node for node in graph.nodes for tensor in _read(node) if tensor == index]
    return readers[0] if len(readers) == 1 and _read(readers[0])[0] == index else None


def _retyped(graph: Graph, movers: list[Node], gone: Node, keep: Tensor, drop: Tensor) -> Graph:
    """A graph without a QUANTIZE or DEQUANTIZE.

    Args:
        graph: with the operator.
        movers: the operators that will move integers.
        gone: the operator.
        keep: its float32 tensor, which remains, of the other one's type.
        drop: its integer tensor, for which `keep` stands in everywhere.
    """
    changed = {keep.index, *(t.index for n in movers for t in (n.input(0), n.outputs[0]))}
    tensors = tuple(
        replace(tensor, dtype=drop.dtype, quantization=drop.quantization)
        if tensor.index in changed
        else tensor
        for tensor in graph.tensors
    )

    def number(index: int) -> int:
        return keep.index if index == drop.index else index

    def numbers(named: Mapping[str, int]) -> Mapping[str, int]:
        return {name: number(index) for name, index in named.items()}

    return replace(
        graph,
        tensors=tensors,
        nodes=tuple(
            replace(
                node,
                inputs=tuple(None if t is None else tensors[number(t.index)] for t in node.inputs),
                outputs=tuple(tensors[number(t.index)] for t in node.outputs),
            )
            for node in graph.nodes
            if node.index != gone.index
        ),
        inputs=tuple(map(number, graph.inputs)),
        outputs=tuple(map(number, graph.outputs)),
        signatures=tuple(
            replace(s, inputs=numbers(s.inputs), outputs=numbers(s.outputs))
            for s in graph.signatures
        ),
    )
