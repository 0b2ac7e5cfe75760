"""From the bytes of a .tflite file to a `Program`: verified graph, prepared operators."""

import enum
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from tinyrt import cmsis_nn
from tinyrt import lower as lowering
from tinyrt.errors import FormatError, InputError, UnsupportedError
from tinyrt.findings import Finding, refuse
from tinyrt.fixedpoint import Numerics
from tinyrt.graph import Graph, Node, Shape
from tinyrt.kernel import CKernel, Kernel, Overlap
from tinyrt.ops import ALL
from tinyrt.reading import read_graph


class Flavour(enum.Enum):
    """Whose C kernels the emitted code calls."""

    PORTABLE = "portable"
    """tinyrt's own."""
    CMSIS_NN = "cmsis-nn"
    """Arm's where they compute the same, else tinyrt's own."""


class Optimize(enum.Enum):
    """What emitted code saves."""

    SIZE = "size"
    """Code: each operator's plain C kernel."""
    BALANCED = "balanced"
    """Instructions: kernels on weights that are stored in the order of their loops, where an
    operator has one, in the memory that those take; more where that does not enlarge the arena."""
    SPEED = "speed"
    """Instructions, with all the working memory that helps."""


@dataclass(frozen=True, slots=True)
class Part:
    """Which part of its operator a step is."""

    strip: int
    """Counts the strips from 0."""
    key: int
    """Of the step: no operator and no other part has this number."""
    rows: range
    """The rows of the operator's output that it writes; none: what it writes is no part of that."""
    packed: CKernel | None = None
    """What the operator as a whole is lowered to."""

    def __str__(self) -> str:
        """For listings."""
        if not self.rows:
            return f"part {self.strip}"
        last = self.rows.stop - 1
        return f"row {last}" if len(self.rows) == 1 else f"rows {self.rows.start}-{last}"


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A tensor whose bytes are a range of another tensor's."""

    whole: int
    """Index of the other tensor, which is no excerpt itself."""
    byte_offset: int


@dataclass(frozen=True, slots=True)
class Step:
    """One operator of a program, ready to run."""

    node: Node
    kernel: Kernel
    operands: tuple[int, ...]
    """Indices of the tensors that a run reads, constants among them."""
    results: tuple[int, ...]
    """Indices of the tensors that a run writes."""
    calls: tuple[cmsis_nn.Call, ...] = ()
    """What computes it in emitted code; empty: `code`."""
    lowered: CKernel | None = None
    """The C kernel that stands in for the operator's plain one (see `tinyrt.lower`)."""
    part: Part | None = None
    """None: the step is all of its operator."""

    @property
    def key(self) -> int:
        """What tells the step from all others: the operator's number, or the part's."""
        return self.part.key if self.part else self.node.index

    @property
    def label(self) -> str:
        """The operator's number, with that of the strip after a point."""
        return f"{self.node.index}.{self.part.strip}" if self.part else str(self.node.index)

    @property
    def comparable(self) -> tuple[int, ...]:
        """The results that every form of the program has, as a whole or in rows."""
        return self.results if self.part is None or self.part.rows else ()

    def where(self) -> str:
        """The start of every message about this step."""
        return f"{self.node.where()}, {self.part}" if self.part else self.node.where()

    @property
    def code(self) -> CKernel:
        """The C kernel of this step."""
        return self.kernel if self.lowered is None else self.lowered

    @property
    def scratch_bytes(self) -> int:
        """Working memory in the arena during this operator only."""
        if self.calls:
            return max(call.scratch.bytes for call in self.calls)
        return self.code.cost().scratch_bytes

    @property
    def overlaps(self) -> tuple[Overlap, ...]:
        """Which operands the first output may share bytes with, and how."""
        if self.calls:
            return tuple(Overlap(operand, forward=0) for operand in self.calls[0].in_place)
        return self.code.overlap()


@dataclass(frozen=True, slots=True)
class Program:
    """A model that can be run, planned and emitted."""

    graph: Graph
    steps: tuple[Step, ...]
    numerics: Numerics
    flavour: Flavour = Flavour.PORTABLE
    optimize: Optimize = Optimize.SIZE
    rewrites: tuple[str, ...] = ()
    """What is not as in the file, in words (see `tinyrt.rewrite`)."""
    excerpts: Mapping[int, Excerpt] = field(default_factory=dict)
    """Tensors that lie within others, by index."""

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one run."""
        return sum(step.kernel.cost().macs for step in self.steps)

    def macs_of(self, node: Node) -> int:
        """Multiply-accumulates of one operator in a run."""
        return sum(step.kernel.cost().macs for step in self.steps if step.node is node)


def load(model: bytes | bytearray | memoryview, numerics: Numerics = Numerics.TFLM) -> Program:
    """Read, verify and prepare a model.

    Raises:
        FormatError: the file is not a well-formed model.
        UnsupportedError: it uses operators, types or options that tinyrt does not run; all of
            them are named.
    """
    return prepare(read_graph(model), numerics)


def with_cmsis_nn(program: Program) -> Program:
    """The same program with every step that CMSIS-NN can compute handed over to it.

    Raises:
        InputError: the program's numerics are not those of CMSIS-NN.
    """
    if program.numerics is not Numerics.TFLM:
        raise InputError(
            "CMSIS-NN rounds twice, as TFLM does: the flavour cmsis-nn goes with the numerics "
            f"tflm, not {program.numerics.value}"
        )
    steps = tuple(
        replace(step, calls=cmsis_nn.calls(step.node, step.kernel)) for step in program.steps
    )
    return replace(program, steps=steps, flavour=Flavour.CMSIS_NN)


def lower(program: Program, optimize: Optimize) -> Program:
    """The same program with the C kernels that serve a choice best."""
    if optimize is Optimize.SIZE:
        return replace(
            program,
            steps=tuple(replace(step, lowered=None) for step in program.steps),
            optimize=optimize,
        )
    used = [_arena_bytes(program.graph, step) for step in program.steps]
    most = max(used, default=0)
    found: dict[tuple[int, int | None], CKernel | None] = {}
    models: dict[int, CKernel] = {}
    """What most strips of an operator call, by node index: the others have the same weights."""
    steps = list(program.steps)
    for number in _most_common_first(program.steps):
        step = steps[number]
        if step.calls or step.kernel.alias:
            continue
        room = None if optimize is Optimize.SPEED else most - used[number]
        if room is not None and step.part is not None:
            room = 0  # lines of other operators are in use as well
        key = id(step.kernel), room  # strips share their operator's kernels
        if key not in found:
            model = models.get(step.node.index)
            packed = step.lowered if step.part is None else step.part.packed
            kernel = lowering.lowered(step.kernel, room, model or packed, alike=model is not None)
            found[key] = kernel
            if kernel is not None:
                models.setdefault(step.node.index, kernel)
        steps[number] = replace(step, lowered=found[key])
    return replace(program, steps=tuple(steps), optimize=optimize)


def _most_common_first(steps: Sequence[Step]) -> list[int]:
    """The numbers of the steps, those first whose kernel most strips of their operator run."""
    counts = Counter(id(step.kernel) for step in steps)
    return sorted(range(len(steps)), key=lambda number: -counts[id(steps[number].kernel)])


def _arena_bytes(graph: Graph, step: Step) -> int:
    """The least that an arena must hold while a step runs, if its output overwrites its input."""
    tensors = (graph.tensors[index] for index in (*step.operands, *step.results))
    return max((tensor.bytes for tensor in tensors if not tensor.is_constant), default=0)


def resize(program: Program, shapes: Mapping[int, Shape]) -> Program:
    """The same model with other shapes for some of its inputs.

    Raises:
        InputError: the shapes do not go together with the rest of the graph, or the program is
            not as in the file any more.
    """
    if program.rewrites:
        raise InputError("a program cannot be resized once it is rewritten: resize it before")
    if program.excerpts:
        raise InputError("the inputs of a program that runs in strips cannot be resized")
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
    refuse(tuple(check(graph)))
    pairs = [(node, kernel) for node in graph.nodes if (kernel := _kernel_of(node)) is not None]
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


def check(graph: Graph) -> Iterator[Finding]:
    """What keeps the operators of a graph from being run: unknown ones first, then broken rules."""
    kernels = [_kernel_of(node) for node in graph.nodes]
    pairs = list(zip(graph.nodes, kernels, strict=True))
    for node, kernel in pairs:
        if kernel is None:
            yield _finding(node, _unsupported(node))
    for node, kernel in pairs:
        broken = None if kernel is None else _broken_rule(node, kernel)
        if broken is not None:
            yield _finding(node, broken)


def _finding(node: Node, text: str) -> Finding:
    return Finding(
        place=node.where(),
        text=text,
        operator=node.index,
        opcode=node.opcode,
        byte_offset=node.byte_offset,
        unsupported=True,
    )


def _kernel_of(node: Node) -> type[Kernel] | None:
    """The operator that runs a node; none where a tensor has a type that none runs on."""
    if not all(t is None or t.dtype.is_plain for t in (*node.inputs, *node.outputs)):
        return None
    for kernel in ALL:
        if kernel.opcode == node.opcode and kernel.runs(node):
            return kernel
    return None


def _unsupported(node: Node) -> str:
    """The types that a node has, and those that one with its opcode may have."""
    types = " → ".join(
        ", ".join("none" if t is None else t.dtype.value for t in side) or "nothing"
        for side in (node.inputs, node.outputs)
    )
    kernels = [kernel for kernel in ALL if kernel.opcode == node.opcode]
    known = sorted(k.input_type.value for k in kernels if k.input_type is not None)
    if not kernels:
        return f"not supported ({types})"
    plain = "float32, int8, uint8, int16, int32, int64 or bool"
    return f"{types} is not supported (the first input may be {' or '.join(known) or plain})"


def _broken_rule(node: Node, kernel: type[Kernel]) -> str | None:
    """The first rule that a node breaks: later rules may rely on earlier ones."""
    least, most = kernel.arity
    if not least <= len(node.inputs) <= most:
        return f"{len(node.inputs)} inputs (must be {least} to {most})"
    least, most = kernel.output_arity
    if not least <= len(node.outputs) <= most:
        return f"{len(node.outputs)} outputs (must be {least} to {most})"
    if node.inputs and node.inputs[0] is None:
        return "input 0 is left out (must be present)"
    for constraint in kernel.constraints:
        found = constraint(node)
        if found is not None:
            rule = (constraint.__doc__ or "").partition("\n")[0]
            return f"{found}. {rule}"
    try:
        shapes = kernel.infer(node)
    except ValueError as error:
        return str(error)
    for tensor, shape in zip(node.outputs, shapes, strict=True):
        if tensor.shape != shape:
            wanted = "x".join(map(str, shape)) or "scalar"
            return (
                f"output {tensor} (must have shape {wanted}), table at byte {tensor.byte_offset:#x}"
            )
    return None
