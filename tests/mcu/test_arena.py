"""Emitted code lives in exactly the bytes that its macro names: none beside them, none of theirs.

The arena lies between guards, and holds another pattern before every run: what a model reads that
it has not written shows in its outputs, and what it writes outside shows in the guards.
"""

import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import tinyrt
from benchmarks.mcu.measure import whole
from tests.corpus import ROOT
from tinyrt.emit import Project, emit
from tinyrt.errors import ToolchainError
from tinyrt.load import Optimize, lower
from tinyrt.mcu.cases import Case, build_cases, fed, inputs
from tinyrt.mcu.run import run
from tinyrt.mcu.targets import TARGETS
from tinyrt.samples import random_inputs
from tinyrt.strips import Fit, fit

PATTERNS = (0x00, 0xA5, 0xFF)
MODELS = ("digits", "keywords")
FORMS = ("size", "balanced", "speed", "strips")


def form(name: str, optimize: str) -> Fit:
    """A model's program and plan; one of `FORMS` says how it is emitted."""
    model = (ROOT / "models" / f"{name}.tflite").read_bytes()
    if optimize != "strips":
        return Fit.of_whole(whole(model, Optimize(optimize)))
    program = whole(model, Optimize.BALANCED)
    return fit(program, lambda one: lower(one, Optimize.BALANCED))


def text(number: int, case: Case) -> Iterator[str]:
    """One run for each pattern: the checksum of the output, unless something is wrong."""
    name, macro = case.project.name, case.project.name.upper()
    (source,), (output,) = case.project.inputs, case.project.outputs
    yield f"""\
#include "tinyrt_board.h"

#include <string.h>

#include "{name}.h"
"""
    yield from inputs(case)
    yield f"""\
#define GUARD 64

static TINYRT_ALIGNED({macro}_ARENA_ALIGN) uint8_t memory[GUARD + {macro}_ARENA_SIZE + GUARD];

static void stop(const char *why)
{{
    board_write(why);
    board_exit(1);
}}

static void check(uint8_t pattern)
{{
    for (size_t i = 0; i < GUARD; ++i) {{
        if (memory[i] != pattern || memory[sizeof memory - 1 - i] != pattern) {{
            stop("{name} wrote beside its arena\\n");
        }}
    }}
}}

void case_{number}(void);

void case_{number}(void)
{{
    static const uint8_t patterns[] = {{{", ".join(map(str, PATTERNS))}}};
    uint8_t *const arena = memory + GUARD;

    for (size_t turn = 0; turn < sizeof patterns; ++turn) {{
        {name}_ctx ctx = {{NULL}};
        memset(memory, patterns[turn], sizeof memory);
        if ({name}_init(&ctx, arena, {macro}_ARENA_SIZE - 1) != TINYRT_ERROR_ARENA_TOO_SMALL) {{
            stop("{name} takes an arena that is too small\\n");
        }}
        if ({name}_run(&ctx) != TINYRT_ERROR_NOT_INITIALIZED) {{
            stop("{name} runs in an arena that it refused\\n");
        }}
        if ({name}_init(&ctx, arena, {macro}_ARENA_SIZE) != TINYRT_OK) {{
            stop("{name} refuses an arena of its size\\n");
        }}"""
    yield from fed(case, 0)
    yield f"""\
        if ({name}_run(&ctx) != TINYRT_OK) {{
            stop("{name} does not run\\n");
        }}
        check(patterns[turn]);
        board_write_hex32(board_crc32(0, {output.function}(&ctx), {output.macro}_BYTES));
        board_write("\\n");
        (void){source.function};
    }}
}}"""


def lines(target: str, cases: list[Case], folder: Path) -> list[str]:
    """What the program of the cases writes."""
    built = build_cases(
        TARGETS[target],
        cases,
        folder,
        text,
        included=False,
        optimize="-O1" if target == "host" else "-O2",
        sanitize=target == "host",
    )
    return run(built.image).split()


@pytest.mark.parametrize("target", ["host", "cortex-m4", "cortex-m55"])
def test_a_model_needs_its_arena_and_nothing_else(target: str, tmp_path: Path) -> None:
    cases, expected = [], []
    for name in MODELS:
        interpreter = tinyrt.Interpreter(ROOT / "models" / f"{name}.tflite")
        (source,), (output,) = interpreter.program.graph.inputs, interpreter.program.graph.outputs
        values = random_inputs(interpreter.program.graph, 7)
        interpreter.set_tensor(source, values[source])
        interpreter.invoke()
        wanted = f"{zlib.crc32(interpreter.view(output).tobytes()):08x}"
        for optimize in FORMS:
            found = form(name, optimize)
            project = emit(found.program, found.plan, f"{name}_{optimize}", f"{name}.tflite")
            cases.append(Case(project, (values,)))
            expected += [wanted] * len(PATTERNS)
    assert lines(target, cases, tmp_path) == expected


def shrunk(project: Project, less: int) -> Project:
    """The same model with a macro that promises too little."""
    name = f"{project.name}.h"
    header = project.files[name]
    macro = f"#define {project.name.upper()}_ARENA_SIZE "
    before, _, rest = header.partition(macro)
    size, _, after = rest.partition("\n")
    return replace(
        project, files={**project.files, name: f"{before}{macro}{int(size) - less}\n{after}"}
    )


@pytest.mark.parametrize("target", ["host", "cortex-m4"])
def test_a_macro_that_promises_too_little_is_noticed(target: str, tmp_path: Path) -> None:
    found = form("digits", "size")
    project = shrunk(emit(found.program, found.plan, "digits", "digits.tflite"), 16)
    case = Case(project, (random_inputs(found.program.graph, 7),))
    with pytest.raises(ToolchainError, match="digits wrote beside its arena"):
        lines(target, [case], tmp_path)
