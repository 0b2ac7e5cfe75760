"""From the bytes of a .tflite file to a `Program`: verified graph, prepared operators."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tinyrt.errors import FormatError, InputError, UnsupportedError
from tinyrt.fixedpoint import Numerics
from tinyrt.graph import Graph, Node, Shape
from tinyrt.kernel import Kernel
from tinyrt.ops import ALL
from tinyrt.verify import read_graph


@dataclass(frozen=True, slots=True)
class Step:
    """One operator of a program, ready to run."""

    node: Node
    kernel: Kernel
    operands: tuple[int, ...]
    """Indices of the tensors that a run reads, constants among them."""
    results: tuple[int, ...]
    """Indices of the tensors that a run writes."""


@dataclass(frozen=True, slots=True)
class Program:
    """A model that can be run, planned and emitted."""

    graph: Graph
    steps: tuple[Step, ...]
    numerics: Numerics

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one run."""
        return sum(step.kernel.cost().macs for step in self.steps)


def load(model: bytes | bytearray | memoryview, numerics: Numerics = Numerics.TFLM) -> Program:
    """Read, verify and prepare a model.

    Raises:
        FormatError: the file is not a well-formed model.
        UnsupportedError: it uses operators, types or options that tinyrt does not run; all of
            them are named.
    """
    return prepare(read_graph(model), numerics)


def resize(program: Program, shapes: Mapping[int, Shape]) -> Program:
    """The same model with other shapes for some of its inputs.

    Raises:
        InputError: the shapes do not go together with the rest of the graph.
    """
    graph = program.graph.with_shapes(shapes)
    inferred: dict[int, Shape] = {}
    for index in range(len(graph.nodes)):
        node = graph.nodes[index]
        kernel = type(program.steps[index].kernel)
        try:
            results = kernel.infer(node)
        except ValueError as error:
            raise InputError(f"{node.where()}: {error}, after resizing the inputs") from error
        inferred = {t.index: s for t, s in zip(node.outputs, results, strict=True)}
        graph = graph.with_shapes(inferred)
    try:
        return prepare(graph, program.numerics)
    except (FormatError, UnsupportedError) as error:
        raise InputError(f"the inputs cannot be resized so: {error}") from error


def prepare(graph: Graph, numerics: Numerics) -> Program:
    """Choose and check an operator for every node, then fold each node into integers."""
    kernels = [_kernel_of(node) for node in graph.nodes]
    unknown = [node for node, kernel in zip(graph.nodes, kernels, strict=True) if kernel is None]
    findings = [_unsupported(node) for node in unknown]
    pairs = [(n, k) for n, k in zip(graph.nodes, kernels, strict=True) if k is not None]
    findings += [finding for node, kernel in pairs for finding in _check(node, kernel)]
    if findings:
        raise UnsupportedError("\n".join(findings))
    steps = tuple(
        Step(
            node=node,
            kernel=kernel.prepare(node, numerics),
            operands=tuple(
                tensor.index
                for position, tensor in enumerate(node.inputs)
                if tensor is not None and position not in kernel.folded
            ),
            results=tuple(tensor.index for tensor in node.outputs),
        )
        for node, kernel in pairs
    )
    return Program(graph, steps, numerics)


def _kernel_of(node: Node) -> type[Kernel] | None:
    first = node.optional_input(0)
    for kernel in ALL:
        if kernel.opcode == node.opcode and (
            kernel.input_type is None or (first is not None and first.dtype is kernel.input_type)
        ):
            return kernel
    return None


def _unsupported(node: Node) -> str:
    types = ", ".join("none" if t is None else t.dtype.value for t in node.inputs)
    known = sorted(
        kernel.input_type.value
        for kernel in ALL
        if kernel.opcode == node.opcode and kernel.input_type is not None
    )
    allowed = f"the first input may be {' or '.join(known)}" if known else "no such operator here"
    return f"{node.where()}: inputs ({types}) are not supported ({allowed})"


def _check(node: Node, kernel: type[Kernel]) -> Iterator[str]:
    """The first rule that a node breaks: later rules may rely on earlier ones."""
    least, most = kernel.arity
    if not least <= len(node.inputs) <= most:
        yield f"{node.where()}: {len(node.inputs)} inputs (allowed: {least} to {most})"
        return
    least, most = kernel.output_arity
    if not least <= len(node.outputs) <= most:
        yield f"{node.where()}: {len(node.outputs)} outputs (allowed: {least} to {most})"
        return
    if node.inputs and node.inputs[0] is None:
        yield f"{node.where()}: input 0 is left out (it must be present)"
        return
    for constraint in kernel.constraints:
        found = constraint(node)
        if found is not None:
            yield f"{node.where()}: {found}. {constraint.__doc__}"
            return
    try:
        shapes = kernel.infer(node)
    except ValueError as error:
        yield f"{node.where()}: {error}"
        return
    for tensor, shape in zip(node.outputs, shapes, strict=True):
        if tensor.shape != shape:
            wanted = "x".join(map(str, shape))
            yield (
                f"{node.where()}: output {tensor} must have shape {wanted}, "
                f"tensor at byte {tensor.byte_offset:#x}"
            )
