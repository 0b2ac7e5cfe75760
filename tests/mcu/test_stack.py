"""The bound of the stack: every frame on every way counts, and where there is no bound none is."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

import tinyrt
from tests.corpus import ROOT
from tests.mcu.programs import EMULATED
from tinyrt.emit import Project, emit
from tinyrt.errors import ToolchainError
from tinyrt.load import Optimize, lower
from tinyrt.mcu.build import Image, build
from tinyrt.mcu.disassembly import disassemble, taken_bytes
from tinyrt.mcu.profile import Profile, Subject, profile
from tinyrt.mcu.run import run
from tinyrt.mcu.stack import stack_bound
from tinyrt.mcu.targets import TARGETS
from tinyrt.plan import plan
from tinyrt.samples import random_inputs

KINDS = ("cortex-m4", "cortex-m55", "riscv32")


@pytest.mark.parametrize(
    ("instruction", "taken"),
    [
        ("push {r4, r5, r6, lr}", 16),
        ("stmdb sp!, {r4, r5, r6, r7, r8, r9, sl, fp, lr}", 36),
        ("vpush {d8-d15}", 64),
        ("vpush {d8}", 8),
        ("vpush {s16-s17}", 8),
        ("sub sp, #76 @ 0x4c", 76),
        ("sub.w sp, sp, #1024 @ 0x400", 1024),
        ("subw sp, sp, #1028 @ 0x404", 1028),
        ("str r3, [sp, #-8]!", 8),
        ("strd r4, r5, [sp, #-16]!", 16),
        ("add sp,sp,-48", 48),
        ("addi sp,sp,-48", 48),
        ("add sp, #76", 0),
        ("add sp,sp,48", 0),
        ("ldmia.w sp!, {r4, pc}", 0),
        ("str r3, [sp, #8]", 0),
        ("sub r3, sp, #8", 0),
    ],
)
def test_what_an_instruction_takes_of_the_stack(instruction: str, taken: int) -> None:
    assert taken_bytes(instruction) == taken


def built(target: str, folder: Path, *texts: str) -> Image:
    """Sources as a program; the first has a main."""
    sources = []
    for number, text in enumerate(texts):
        sources.append(folder / f"{number}" / "part.c")
        sources[-1].parent.mkdir(parents=True)
        sources[-1].write_text(text, encoding="ascii")
    return build(TARGETS[target], sources, out_dir=folder / "out")


DIVIDES = """\
#include "tinyrt_board.h"
uint64_t divide(uint64_t a, uint64_t b);
__attribute__((noinline)) uint64_t divide(uint64_t a, uint64_t b) { return a / b; }
int main(void) {
    volatile uint64_t numbers[2] = {UINT64_C(1) << 40, 77};
    board_init();
    board_paint_stack();
    numbers[0] = divide(numbers[0], numbers[1]);
    board_write_u64(board_stack_used());
    return 0;
}
"""


@pytest.mark.parametrize("target", EMULATED)
def test_helpers_of_the_compiler_count(target: str, tmp_path: Path) -> None:
    image = built(target, tmp_path, DIVIDES)
    bound = stack_bound(image, "divide")
    assert bound.chain[0] == "divide"
    assert len(bound.chain) > 1
    assert re.fullmatch(r"__(aeabi_uldivmod|udivdi3|udivmoddi4)", bound.chain[1])
    assert 0 < int(run(image)) <= bound.size_bytes


UNBOUNDED = {
    "a call through a pointer": (
        "int (*volatile where)(int);\nint root(int x) { return where(x) + 1; }",
        "root: it calls through a pointer",
    ),
    "functions that call each other": (
        (
            "int other(int x);\nint root(int x) { return x > 0 ? other(x - 1) * x : 1; }\n"
            "int other(int x) { volatile int y = root(x - 2) * 3; return y; }"
        ),
        "calls itself",
    ),
    "a frame of any size": (
        (
            "int use(volatile char *x);\nint root(int x) { char a[x]; a[0] = 1; return use(a); }\n"
            "int use(volatile char *x) { return x[0]; }"
        ),
        "root: the size of its frame has no bound",
    ),
    "one that somebody calls calls through a pointer": (
        (
            "int (*volatile where)(int);\nint inner(int x);\n"
            "__attribute__((noinline)) int inner(int x) { return where(x) + 1; }\n"
            "int root(int x) { return inner(x) + 1; }"
        ),
        "inner: it calls through a pointer",
    ),
}


@pytest.mark.parametrize("why", UNBOUNDED)
@pytest.mark.parametrize("target", ["cortex-m4", "riscv32"])
def test_where_there_is_no_bound_none_is_given(target: str, why: str, tmp_path: Path) -> None:
    text, message = UNBOUNDED[why]
    main = "int main(void) { volatile int x = 5; return root(x); }\n"
    image = built(target, tmp_path, f"__attribute__((noinline)) int root(int x);\n{text}\n{main}")
    with pytest.raises(ToolchainError, match=message):
        stack_bound(image, "root")


def test_assembly_that_moves_the_stack_elsewhere_has_no_bound(tmp_path: Path) -> None:
    image = built("cortex-m4", tmp_path, DIVIDES)
    with pytest.raises(ToolchainError, match="board_fault_entry: mov sp, r2: its stack has no"):
        stack_bound(image, "board_fault_entry")


SAME = """\
#include "tinyrt_board.h"
int outer_NAME(int x);
__attribute__((noinline)) static int inner(int x) {
    volatile int frame[SIZE];
    frame[0] = x;
    return frame[0];
}
int outer_NAME(int x) { return inner(x) + 1; }
"""


def test_static_functions_of_one_name_are_told_apart(tmp_path: Path) -> None:
    main = "int outer_a(int x);\nint outer_b(int x);\n"
    main += "int main(void) { return outer_a(1) + outer_b(2); }\n"
    sources = [main]
    for name, size in (("a", "10"), ("b", "1000")):
        sources.append(SAME.replace("NAME", name).replace("SIZE", size))
    for number, text in enumerate(sources):
        (tmp_path / f"source_{number}.c").write_text(text, encoding="ascii")
    image = build(TARGETS["cortex-m4"], sorted(tmp_path.glob("*.c")), out_dir=tmp_path / "out")
    small, large = (stack_bound(image, f"outer_{name}").size_bytes for name in "ab")
    assert 40 <= small < 100
    assert large - small == 4 * 990


def counted(target: str, folder: Path, change: str = "") -> Profile:
    """The profile of a model, with a statement added to its run."""
    program = lower(
        tinyrt.load((ROOT / "models" / "digits.tflite").read_bytes()), Optimize.BALANCED
    )
    layout = plan(program)
    project = changed(emit(program, layout, "digits", "digits.tflite"), change)
    one = Subject(program, layout, project, random_inputs(program.graph, 0))
    (found,) = profile(TARGETS[target], (one,), folder, per_operator=False)
    return found


def changed(project: Project, statement: str) -> Project:
    """The same model with a statement at the beginning of its run."""
    begin = "int digits_run(digits_ctx *ctx)\n{\n"
    text = project.files["digits.c"]
    assert text.count(begin) == 1
    text = text.replace(begin, begin + statement)
    return replace(project, files={**project.files, "digits.c": text})


@pytest.mark.parametrize("target", KINDS)
def test_a_larger_frame_raises_the_bound(target: str, tmp_path: Path) -> None:
    plain = counted(target, tmp_path / "plain")
    assert plain.stack_bound is not None
    # Words that a frame holds but never writes keep their paint.
    assert plain.stack_bytes <= plain.stack_bound <= plain.stack_bytes + 64
    assert plain.stack_chain.startswith("digits_run > tinyrt_")
    larger = counted(
        target,
        tmp_path / "larger",
        "    volatile uint8_t frame[1000];\n\n    frame[0] = frame[999] = 0;\n",
    )
    assert larger.stack_bound is not None
    assert 1000 <= larger.stack_bound - plain.stack_bound <= 1000 + 16
    assert 1000 <= larger.stack_bytes - plain.stack_bytes <= 1000 + 16
    assert larger.stack_bytes <= larger.stack_bound


def test_a_model_without_bound_says_why(tmp_path: Path) -> None:
    found = counted(
        "cortex-m4",
        tmp_path,
        "    int (*volatile where)(digits_ctx *) = NULL;\n\n"
        "    if (where != NULL) {\n        return where(ctx);\n    }\n",
    )
    assert found.stack_bound is None
    assert found.stack_chain == "digits_run: it calls through a pointer: its stack has no bound"
    assert found.stack_bytes > 0


@pytest.mark.parametrize("target", KINDS)
def test_instructions_say_what_the_compiler_says(target: str, tmp_path: Path) -> None:
    image = built(target, tmp_path, DIVIDES)
    codes = {code.name: code for code in disassemble(TARGETS[target].objdump, image.elf).values()}
    report = image.objects[0].with_suffix(".ci").read_text(encoding="utf-8")
    for name in ("divide", "main"):
        found = re.search(rf'title: "{name}" label: ".*n(\d+) bytes', report)
        assert found is not None
        assert codes[name].frame_bytes == int(found[1])
        assert codes[name].unclear is None
