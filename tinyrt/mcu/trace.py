"""Runs emitted models on a target and brings back a CRC of every tensor that they compute.

Each model's `.c` is compiled as it was emitted, `TINYRT_OBSERVE` apart. Before every run the arena
is filled with a pattern, so that a read of bytes that nobody wrote shows; each region with its own.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tinyrt.emit.memories import arrays, refusals
from tinyrt.errors import ToolchainError
from tinyrt.mcu.cases import Case, build_cases, fed, inputs
from tinyrt.mcu.library import Library
from tinyrt.mcu.run import run
from tinyrt.mcu.targets import Target

Crcs = Mapping[tuple[int, int], int]
"""CRC-32 of a tensor as it left an operator, by step and tensor index."""


def trace(
    target: Target,
    cases: Sequence[Case],
    folder: Path,
    *,
    optimize: str = "-O2",
    sanitize: bool = False,
    timeout: float = 600.0,
    library: Library | None = None,
) -> tuple[tuple[Crcs, ...], ...]:
    """Build the cases into one program, run it, and give the CRCs of each case and run.

    Args:
        target: where to run.
        cases: models with distinct names.
        folder: where sources, objects and the program go.
        optimize: the compiler's optimization flag.
        sanitize: address and undefined-behaviour sanitizers (host only).
        timeout: seconds for the run.
        library: CMSIS-NN, for models of that flavour.

    Raises:
        ToolchainError: it does not compile, crashes, hangs, or a model refuses its arena.
    """
    built = build_cases(
        target,
        cases,
        folder,
        _case,
        included=True,
        optimize=optimize,
        sanitize=sanitize,
        library=library,
    )
    return _parse(cases, run(built.image, timeout=timeout))


def _case(number: int, case: Case) -> Iterator[str]:
    project = case.project
    name, memories = project.name, project.memories
    yield '#include "tinyrt_board.h"'
    yield ""
    yield "#include <string.h>"
    yield ""
    yield f"void case_{number}(void);"
    yield ""
    yield "static void observe(uint64_t step, uint64_t tensor, const void *data, size_t bytes)"
    yield "{"
    yield '    board_write("t ");'
    yield "    board_write_u64(step);"
    yield '    board_write(" ");'
    yield "    board_write_u64(tensor);"
    yield '    board_write(" ");'
    yield "    board_write_hex32(board_crc32(0, data, bytes));"
    yield '    board_write("\\n");'
    yield "}"
    yield ""
    yield "#define TINYRT_OBSERVE(step, tensor, data, bytes) observe(step, tensor, data, bytes)"
    yield f'#include "{name}.c"'
    yield ""
    yield from inputs(case)
    named = tuple(zip(memories, arrays(memories), strict=True))
    yield from (memory.declaration(array) for memory, array in named)
    yield ""
    yield f"void case_{number}(void)"
    yield "{"
    yield f"    {name}_ctx ctx;"
    conditions = "\n        || ".join(refusals(name, memories))
    yield f"    if ({conditions}) {{"
    yield '        board_write("init\\n");'
    yield "        board_exit(1);"
    yield "    }"
    for turn in range(len(case.runs)):
        for place, array in enumerate(arrays(memories)):
            pattern = 0xA5 ^ ((turn * 37 + place * 91) & 0xFF)
            yield f"    memset({array}, 0x{pattern:02x}, sizeof {array});"
        yield from fed(case, turn)
        yield f'    board_write("case {number} {turn}\\n");'
        yield f"    if ({name}_run(&ctx) != TINYRT_OK) {{"
        yield "        board_exit(1);"
        yield "    }"
        for port in project.outputs:
            yield f"    (void){port.function}(&ctx);"
    yield "}"


def _parse(cases: Sequence[Case], text: str) -> tuple[tuple[Crcs, ...], ...]:
    found: list[list[dict[tuple[int, int], int]]] = [[{} for _ in case.runs] for case in cases]
    current: dict[tuple[int, int], int] = {}
    for line in text.splitlines():
        match line.split():
            case ["case", number, turn]:
                current = found[int(number)][int(turn)]
            case ["t", step, tensor, crc]:
                current[int(step), int(tensor)] = int(crc, 16)
            case _:
                raise ToolchainError(f"unexpected output of a traced model: {line}")
    return tuple(tuple(runs) for runs in found)
