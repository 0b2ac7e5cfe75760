"""Exact instruction counts, memory and code size of an emitted model on an emulated core."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tinyrt.emit import Project, writer
from tinyrt.errors import ToolchainError
from tinyrt.load import Program
from tinyrt.mcu.build import build
from tinyrt.mcu.library import Library
from tinyrt.mcu.run import run
from tinyrt.mcu.targets import Target
from tinyrt.plan import Plan


@dataclass(frozen=True, slots=True)
class OperatorCount:
    """One operator's share of a run."""

    index: int
    opcode: str
    name: str
    instructions: int
    macs: int


@dataclass(frozen=True, slots=True)
class Profile:
    """What one run of an emitted model takes on a core."""

    target: str
    flavour: str
    optimize: str
    instructions: int
    operators: tuple[OperatorCount, ...]
    macs: int
    code_bytes: int
    """Instructions of the model and its kernels."""
    rodata_bytes: int
    """Weights, tables and parameters."""
    arena_bytes: int
    stack_bytes: int
    """Depth of the stack below the caller of `<name>_run`, measured by painting."""


def profile(
    program: Program,
    plan: Plan,
    project: Project,
    target: Target,
    inputs: Mapping[int, bytes],
    folder: Path,
    *,
    optimize: str = "-O2",
    library: Library | None = None,
) -> Profile:
    """Count the instructions of one run on an emulated core.

    The model is built twice: as it is, for its size and its total, and with a probe after every
    operator.

    Args:
        program: the model.
        plan: its memory plan.
        project: the emitted model.
        target: an emulated core.
        inputs: the bytes of each graph input, by tensor index.
        folder: for what is built.
        optimize: the compiler's optimization flag.
        library: CMSIS-NN, for a model of that flavour; its code counts as the model's.

    Raises:
        ToolchainError: the target is this machine, a tool is missing, or a build or run fails.
    """
    if target.machine is None:
        raise ToolchainError(f"{target.name}: instructions are counted on emulated cores only")
    totals: dict[str, int] = {}
    operators: dict[int, int] = {}
    sizes = (0, 0)
    for probed in (False, True):
        place = folder / ("probed" if probed else "plain")
        project.write(place)
        main = place / "profile_main.c"
        main.write_text("\n".join(_main(project, inputs, probed=probed)) + "\n", encoding="ascii")
        sources = [main, *(place / path for path in project.sources)]
        if probed:
            # The model is compiled within the main program there, after the probe.
            sources = [path for path in sources if path.name != f"{project.name}.c"]
        image = build(
            target,
            sources,
            include_dirs=(place, place / "kernels"),
            out_dir=place / "build",
            optimize=optimize,
            library=library,
        )
        for line in run(image, timeout=600.0, count_instructions=True).splitlines():
            match line.split():
                case ["op", index, count]:
                    operators[int(index)] = operators.get(int(index), 0) + int(count)
                case [("run" | "stack") as what, count]:
                    if not probed:
                        totals[what] = int(count)
                case _:
                    raise ToolchainError(f"unexpected output of a profiled model: {line}")
        if not probed:
            parts = image.sizes_of([s for s in image.sources if s != main])
            sizes = parts.code_bytes, parts.rodata_bytes
    return Profile(
        target=target.name,
        flavour=program.flavour.value,
        optimize=optimize,
        instructions=totals["run"],
        operators=tuple(
            OperatorCount(
                index=node.index,
                opcode=node.opcode,
                name=node.name,
                instructions=operators[node.index],
                macs=program.macs_of(node),
            )
            for node in program.graph.nodes
        ),
        macs=program.macs,
        code_bytes=sizes[0],
        rodata_bytes=sizes[1],
        arena_bytes=plan.arena_bytes,
        stack_bytes=totals["stack"],
    )


_PROBE = """\
static uint64_t last_count;

static void probe(uint64_t step)
{
    const uint64_t count = board_instructions();
    board_write("op ");
    board_write_u64(step);
    board_write(" ");
    board_write_u64(count - last_count);
    board_write("\\n");
    last_count = board_instructions();
}

#define TINYRT_OBSERVE(step, tensor, data, bytes) probe(step)
"""


def _main(project: Project, inputs: Mapping[int, bytes], *, probed: bool) -> Iterator[str]:
    name, macro = project.name, project.name.upper()
    yield '#include "tinyrt_board.h"'
    yield ""
    yield "#include <string.h>"
    yield ""
    if probed:
        yield _PROBE
    yield f'#include "{name}.{"c" if probed else "h"}"'
    yield ""
    for position, port in enumerate(project.inputs):
        yield from writer.array(f"input_{position}", "uint8_t", inputs[port.tensor.index])
    yield f"static TINYRT_ALIGNED({macro}_ARENA_ALIGN) uint8_t memory[{macro}_ARENA_SIZE];"
    yield ""
    yield "int main(void)"
    yield "{"
    yield f"    {name}_ctx ctx;"
    yield "    uint64_t start;"
    yield "    uint64_t end;"
    yield "    int status;"
    yield ""
    yield "    board_init();"
    yield f"    if ({name}_init(&ctx, memory, sizeof memory) != TINYRT_OK) {{"
    yield "        return 1;"
    yield "    }"
    for position, port in enumerate(project.inputs):
        source = f"input_{position}"
        yield f"    memcpy({port.function}(&ctx), {source}, sizeof {source});"
    yield "    board_paint_stack();"
    yield "    start = board_instructions();"
    if probed:
        yield "    last_count = start;"
    yield f"    status = {name}_run(&ctx);"
    yield "    end = board_instructions();"
    yield '    board_write("stack ");'
    yield "    board_write_u64(board_stack_used());"
    yield '    board_write("\\nrun ");'
    yield "    board_write_u64(end - start);"
    yield '    board_write("\\n");'
    for port in project.outputs:
        yield f"    (void){port.function}(&ctx);"
    yield "    return status;"
    yield "}"
