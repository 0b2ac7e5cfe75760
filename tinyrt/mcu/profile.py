"""Exact instruction counts, memory and code size of emitted models on an emulated core."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tinyrt.emit import Project
from tinyrt.emit.memories import arrays, init_arguments
from tinyrt.errors import ToolchainError
from tinyrt.load import Program
from tinyrt.mcu.build import Image
from tinyrt.mcu.cases import Case, build_cases, fed, inputs
from tinyrt.mcu.library import Library
from tinyrt.mcu.run import run
from tinyrt.mcu.stack import stack_bound
from tinyrt.mcu.targets import Target
from tinyrt.plan import Plan

RUN_TIMEOUT_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Subject:
    """A model to be profiled."""

    program: Program
    plan: Plan
    project: Project
    inputs: Mapping[int, bytes]
    """The bytes of each graph input, by tensor index."""


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
    """What the emitted code saves: `size`, `balanced` or `speed`."""
    compiler_optimize: str
    """The compiler's optimization flag."""
    instructions: int
    operators: tuple[OperatorCount, ...]
    """Empty where operators were not told apart."""
    macs: int
    code_bytes: int
    """Instructions of the model and its kernels."""
    rodata_bytes: int
    """Weights, tables and parameters."""
    arena_bytes: int
    stack_bytes: int
    """Depth of the stack below the caller of `<name>_run`, measured by painting."""
    stack_bound: int | None
    """No run takes more than that, by the frames of all that can be called; None: no such bound."""
    stack_chain: str
    """The calls that the bound is the sum of, or why there is none."""


def profile(
    target: Target,
    subjects: Sequence[Subject],
    folder: Path,
    *,
    per_operator: bool = True,
    optimize: str = "-O2",
    library: Library | None = None,
) -> tuple[Profile, ...]:
    """Count the instructions of one run of each model on an emulated core.

    The models are one program, which is built as it is, for sizes and totals, and then with a
    probe after every operator.

    Args:
        target: an emulated core.
        subjects: models with distinct names, all of one flavour.
        folder: for what is built.
        per_operator: whether operators are told apart.
        optimize: the compiler's optimization flag.
        library: CMSIS-NN, for models of that flavour; all its code that is linked counts as each
            model's.

    Raises:
        ToolchainError: the target is this machine, a tool is missing, or a build or run fails.
    """
    if target.machine is None:
        raise ToolchainError(f"{target.name}: instructions are counted on emulated cores only")
    cases = [Case(subject.project, (subject.inputs,)) for subject in subjects]
    build = partial(build_cases, target, cases, optimize=optimize, library=library)
    plain = build(folder / "plain", _plain_case, included=False)
    totals = _counts(plain.image, len(cases))
    shares: Sequence[Mapping[str, int]] = [{}] * len(cases)
    if per_operator:
        shares = _counts(build(folder / "probed", _probed_case, included=True).image, len(cases))
    found = []
    for subject, own, total, share in zip(subjects, plain.own, totals, shares, strict=True):
        sizes = plain.image.sizes_of([*own, *(library.sources if library else ())])
        bound, chain = _stack(plain.image, f"{subject.project.name}_run")
        nodes = subject.program.graph.nodes if per_operator else ()
        found.append(
            Profile(
                target=target.name,
                flavour=subject.program.flavour.value,
                optimize=subject.program.optimize.value,
                compiler_optimize=optimize,
                instructions=total["run"],
                operators=tuple(
                    OperatorCount(
                        index=node.index,
                        opcode=node.opcode,
                        name=node.name,
                        instructions=share[f"op {node.index}"],
                        macs=subject.program.macs_of(node),
                    )
                    for node in nodes
                ),
                macs=subject.program.macs,
                code_bytes=sizes.code_bytes,
                rodata_bytes=sizes.rodata_bytes,
                arena_bytes=subject.plan.arena_bytes,
                stack_bytes=total["stack"],
                stack_bound=bound,
                stack_chain=chain,
            )
        )
    return tuple(found)


def _stack(image: Image, function: str) -> tuple[int | None, str]:
    try:
        bound = stack_bound(image, function)
    except ToolchainError as error:
        return None, str(error)
    return bound.size_bytes, " > ".join(bound.chain)


def _counts(image: Image, cases: int) -> tuple[Mapping[str, int], ...]:
    """What each case counted, by what it is; the outputs of an operator add up."""
    found: list[dict[str, int]] = []
    for line in run(image, timeout=RUN_TIMEOUT_SECONDS, count_instructions=True).splitlines():
        match line.split():
            case ["case", _]:
                found.append({})
            case [*what, count] if what and found:
                key = " ".join(what)
                found[-1][key] = found[-1].get(key, 0) + int(count)
            case _:
                raise ToolchainError(f"unexpected output of a profiled model: {line}")
    if len(found) != cases:
        raise ToolchainError(f"{len(found)} of {cases} profiled models ran")
    return tuple(found)


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


def _plain_case(number: int, case: Case) -> Iterator[str]:
    """One run, counted as a whole."""
    return _case(number, case, f'#include "{case.project.name}.h"', "")


def _probed_case(number: int, case: Case) -> Iterator[str]:
    """One run, counted from operator to operator."""
    return _case(
        number, case, f'{_PROBE}\n#include "{case.project.name}.c"', "    last_count = start;"
    )


def _case(number: int, case: Case, model: str, begin: str) -> Iterator[str]:
    project = case.project
    name, memories = project.name, project.memories
    yield '#include "tinyrt_board.h"'
    yield ""
    yield "#include <string.h>"
    yield ""
    yield model
    yield ""
    yield from inputs(case)
    names = arrays(memories)
    for memory, array in zip(memories, names, strict=True):
        yield memory.declaration(array)
    yield ""
    yield f"void case_{number}(void);"
    yield ""
    yield f"void case_{number}(void)"
    yield "{"
    yield f"    {name}_ctx ctx;"
    yield "    uint64_t start;"
    yield "    uint64_t end;"
    yield "    int status;"
    yield ""
    yield f"    if ({name}_init({', '.join(init_arguments(names))}) != TINYRT_OK) {{"
    yield "        board_exit(1);"
    yield "    }"
    yield from fed(case, 0)
    yield f'    board_write("case {number}\\n");'
    yield "    board_paint_stack();"
    yield "    start = board_instructions();"
    yield begin
    yield f"    status = {name}_run(&ctx);"
    yield "    end = board_instructions();"
    yield '    board_write("stack ");'
    yield "    board_write_u64(board_stack_used());"
    yield '    board_write("\\nrun ");'
    yield "    board_write_u64(end - start);"
    yield '    board_write("\\n");'
    for port in project.outputs:
        yield f"    (void){port.function}(&ctx);"
    yield "    if (status != TINYRT_OK) {"
    yield "        board_exit(1);"
    yield "    }"
    yield "}"
