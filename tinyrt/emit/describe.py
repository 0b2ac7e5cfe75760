"""What an emitted file says of tensors: shapes, quantization, places in memory, origins."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from tinyrt.emit import writer
from tinyrt.emit.memories import ARENA_ALIGN, Memory
from tinyrt.graph import DType, Tensor
from tinyrt.load import Program, Step
from tinyrt.plan import Allocation, Plan


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output of the emitted model."""

    tensor: Tensor
    function: str
    """The accessor."""
    macro: str
    """Prefix of the macros that describe it."""


def source_of(step: Step, values: bytes | tuple[int, ...]) -> str:
    """Which constant of the model an array of parameters is, as it stands in the file."""
    for tensor in step.node.inputs:
        if tensor is None or tensor.data is None or len(values) != tensor.elements:
            continue
        if tensor.dtype is not DType.FLOAT32 and tensor.integers() == tuple(
            memoryview(values).cast("b") if isinstance(values, bytes) else values
        ):
            return str(tensor)
    return ""


def work(program: Program) -> str:
    """How much a run computes, in how many operators; and steps, where those are more."""
    operators = len({step.node.index for step in program.steps})
    strips = f", {len(program.steps)} steps" if len(program.steps) > operators else ""
    return f"{program.macs} MACs in {operators} operators{strips}"


def shape_text(tensor: Tensor) -> str:
    """A shape as people write it."""
    return "x".join(map(str, tensor.shape)) or "scalar"


def described(tensor: Tensor) -> str:
    """Name, type, shape and quantization of a tensor, in one line."""
    text = f"{writer.short_name(tensor.name)}, {tensor.dtype.value} {shape_text(tensor)}"
    if tensor.quantization is None:
        return writer.comment_text(text)
    scale = writer.single(tensor.quantization.scale).removesuffix("f")
    zero_point = tensor.quantization.zero_point
    sign = "+" if zero_point < 0 else "-"
    return writer.comment_text(f"{text}, real = {scale} * (value {sign} {abs(zero_point)})")


def port_macros(port: Port) -> Iterator[str]:
    """The macros of an input or output."""
    tensor, macro = port.tensor, port.macro
    yield from writer.comment(writer.filled(described(tensor)))
    yield f"#define {macro}_ELEMENTS {tensor.elements}"
    yield f"#define {macro}_BYTES {tensor.bytes}"
    if tensor.quantization is not None:
        yield f"#define {macro}_SCALE {writer.single(tensor.quantization.scale)}"
        yield f"#define {macro}_ZERO_POINT ({tensor.quantization.zero_point})"


def memory_table(program: Program, plan: Plan) -> Iterator[str]:
    """Where each tensor lies, and between which operators, as lines of a comment."""
    tensors = program.graph.tensors
    # As the operators are numbered in the file: some may have been left out.
    operators = [step.label for step in program.steps] or ["0"]
    last = len(operators) - 1
    short = Counter(writer.short_name(tensors[a.tensor].name) for a in plan.blocks)

    def name(tensor: Tensor) -> str:
        brief = writer.short_name(tensor.name)
        return brief if short[brief] == 1 else tensor.label

    def rows(blocks: Iterable[Allocation]) -> list[tuple[str, ...]]:
        return [
            (
                str(a.offset),
                str(a.size),
                f"{operators[max(a.first_step, 0)]}-{operators[min(a.last_step, last)]}",
                f"{name(tensors[a.tensor])} {shape_text(tensors[a.tensor])}",
            )
            for a in sorted(blocks, key=lambda a: (a.first_step, a.offset))
        ]

    heading = ("offset", "bytes", "operators", "tensor")
    if not plan.regions:
        yield from writer.table(heading, rows(plan.blocks), "rrrl")
        return
    divided = [
        (zone.region.name, *row) for zone in plan.regions for row in rows(plan.within(zone).blocks)
    ]
    yield from writer.table(("region", *heading), divided, "lrrrl")


def arena_rows(plan: Plan, memories: Sequence[Memory]) -> Iterator[tuple[str, str]]:
    """How large each memory is, and how small it could be."""
    bounds = {zone.region.name: zone.lower_bound_bytes for zone in plan.regions}
    for memory in memories:
        bound = plan.lower_bound_bytes if memory.region is None else bounds[memory.region]
        label = "arena" if memory.region is None else f"arena in {memory.region}"
        size = f"{memory.size} bytes, aligned to {ARENA_ALIGN}; lower bound {bound}"
        yield label, size
