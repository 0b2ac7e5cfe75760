"""What a build says of its result: sizes against binutils, symbols, stack, compile errors."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.mcu.programs import EMULATED, PROGRAMS, Images, built
from tinyrt.errors import ToolchainError
from tinyrt.mcu.build import BOARD_PART, LIBRARY_PART, build
from tinyrt.mcu.elf import Sizes, function_at, functions, section_sizes
from tinyrt.mcu.run import run
from tinyrt.mcu.stack import stack_bound
from tinyrt.mcu.targets import TARGETS, target_named
from tinyrt.mcu.toolchain import find_tool, run_tool, undefined_symbols

HELPERS = re.compile(r"memcpy|memset|__(aeabi|gnu)_\w+|__[a-z]+([sdt][if])+\d?")


@pytest.mark.parametrize("target", TARGETS)
def test_sizes_agree_with_binutils(target: str, images: Images) -> None:
    image = images(target, "checksum")
    size = TARGETS[target].nm.removesuffix("nm") + "size"
    columns = subprocess.check_output([size, str(image.elf)], text=True).splitlines()[1].split()
    text, data, bss = (int(column) for column in columns[:3])
    assert image.sizes.code_bytes + image.sizes.rodata_bytes == text
    assert (image.sizes.data_bytes, image.sizes.bss_bytes) == (data, bss)


@pytest.mark.parametrize("target", EMULATED)
def test_parts_add_up_to_the_whole(target: str, images: Images) -> None:
    image = images(target, "checksum")
    program = PROGRAMS / "checksum.c"
    own = image.sizes_of([program])
    assert own.rodata_bytes >= 4 * 1024 * 1024
    assert 5 <= own.data_bytes <= 8
    assert 3 * 1024 * 1024 <= own.bss_bytes < 3 * 1024 * 1024 + 64
    assert 100 < own.code_bytes < 1000
    whole = image.sizes_of([program, BOARD_PART, LIBRARY_PART])
    # Only the padding between sections belongs to no source.
    for part, linked in (
        (whole.code_bytes, image.sizes.code_bytes),
        (whole.rodata_bytes, image.sizes.rodata_bytes),
        (whole.ram_bytes, image.sizes.ram_bytes),
    ):
        assert linked - 32 <= part <= linked
    with pytest.raises(ToolchainError, match=r"no part other\.c$"):
        image.sizes_of(["other.c"])


@pytest.mark.parametrize("target", EMULATED)
def test_an_object_has_the_size_of_its_sections(target: str, images: Images) -> None:
    image = images(target, "stack")
    sizes = section_sizes(image.objects[0])
    assert 0 < sizes.code_bytes < 1000
    assert sizes.ram_bytes == 0
    assert sizes + sizes == Sizes(2 * sizes.code_bytes, 2 * sizes.rodata_bytes)
    assert sizes.flash_bytes == sizes.code_bytes + sizes.rodata_bytes


@pytest.mark.parametrize("target", ["host", "cortex-m4", "riscv32"])
def test_functions_are_found_by_address(target: str, images: Images) -> None:
    image = images(target, "stack")
    inner = next(function for function in functions(image.elf) if function.name == "inner")
    assert function_at(image.elf, inner.address) == "inner"
    assert function_at(image.elf, inner.address + inner.size_bytes - 1) == "inner"
    assert function_at(image.elf, inner.address + inner.size_bytes) != "inner"
    assert function_at(image.elf, 0xFFFF_FFF0) is None


def test_what_is_no_elf_file_is_refused(tmp_path: Path) -> None:
    for content in (b"", b"not an object", b"\x7fELF\x01\x01" + bytes(20), b"\x7fELF\x02\x01" * 99):
        (tmp_path / "file.o").write_bytes(content)
        with pytest.raises(ToolchainError, match="ELF"):
            section_sizes(tmp_path / "file.o")


@pytest.mark.parametrize("target", [*EMULATED, "host"])
def test_undefined_symbols_are_those_that_no_object_defines(target: str, images: Images) -> None:
    image = images(target, "checksum")
    nm = image.target.nm
    alone = undefined_symbols(nm, image.objects)
    assert {"board_init", "board_crc32", "memset"} <= alone
    every = sorted(image.elf.parent.glob("*.o"))
    assert len(every) > len(image.objects)
    left = undefined_symbols(nm, every)
    assert "board_init" not in left
    if image.target.machine is not None:
        linker_made = {name for name in left if name.startswith("board_")}
        assert all(HELPERS.fullmatch(name) for name in left - linker_made), left


@pytest.mark.parametrize("target", EMULATED)
@pytest.mark.parametrize("optimize", ["-O2", "-Os"])
def test_the_painted_stack_is_what_the_compiler_reports(
    target: str, optimize: str, tmp_path: Path
) -> None:
    image = built(target, "stack", tmp_path, optimize=optimize)
    bound = stack_bound(image, "outer")
    assert bound.chain == ("outer", "inner")
    unused, used = (int(number) for number in run(image).split())
    assert unused == 0
    # Words that a frame holds but never writes keep their paint.
    assert 400 <= used <= bound.size_bytes <= used + 32


@pytest.mark.parametrize("target", ["cortex-m4"])
def test_a_stack_without_bound_is_refused(target: str, tmp_path: Path) -> None:
    image = built(target, "fault", tmp_path, "FAULT=STACK_OVERFLOW", optimize="-O1")
    with pytest.raises(ToolchainError, match="descend calls itself"):
        stack_bound(image, "descend")
    with pytest.raises(ToolchainError, match="no function other"):
        stack_bound(image, "other")
    whole = stack_bound(built(target, "stack", tmp_path), "main")
    assert whole.size_bytes > stack_bound(built(target, "stack", tmp_path), "outer").size_bytes


@pytest.mark.parametrize("target", ["host", "cortex-m4"])
def test_a_warning_stops_the_build_unless_told(target: str, tmp_path: Path) -> None:
    source = tmp_path / "warns.c"
    source.write_text("int main(void) { int unused; return 0; }\n")
    with pytest.raises(ToolchainError, match="unused variable"):
        build(TARGETS[target], [source], out_dir=tmp_path)
    image = build(TARGETS[target], [source], out_dir=tmp_path, warnings_as_errors=False)
    assert run(image) == ""


@pytest.mark.parametrize("target", ["host", "cortex-m4"])
def test_what_is_missing_at_the_link_is_named(target: str, tmp_path: Path) -> None:
    source = tmp_path / "lacks.c"
    source.write_text("int absent(void);\nint main(void) { return absent(); }\n")
    with pytest.raises(ToolchainError, match="absent"):
        build(TARGETS[target], [source], out_dir=tmp_path)


@pytest.mark.parametrize("target", ["cortex-m4"])
def test_two_sources_of_one_name_and_an_include_directory(target: str, tmp_path: Path) -> None:
    for name, text in {
        "a/part.c": '#include "shared.h"\nint first(void) { return SHARED; }\n',
        "b/part.c": '#include "shared.h"\nint main(void) { return first() - SHARED; }\n',
        "include/shared.h": "int first(void);\n",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    sources = [tmp_path / "a/part.c", tmp_path / "b/part.c"]
    image = build(
        TARGETS[target],
        sources,
        [tmp_path / "include"],
        ["SHARED=7"],
        out_dir=tmp_path / "out",
    )
    assert run(image) == ""
    assert all(image.sizes_of([source]).code_bytes > 0 for source in sources)


@pytest.mark.parametrize("target", TARGETS)
def test_a_missing_tool_is_named_with_the_way_to_get_it(
    target: str, images: Images, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = images(target, "stack")
    monkeypatch.setenv("PATH", str(tmp_path))
    compiler = TARGETS[target].compiler
    with pytest.raises(ToolchainError, match=f"^{compiler} is not installed: apt install ."):
        built(target, "stack", tmp_path)
    missing = TARGETS[target].missing()
    assert missing is not None
    assert "\n" not in missing
    assert compiler in missing
    if image.target.machine is not None:
        with pytest.raises(
            ToolchainError, match=r"^qemu-system-.* is not installed: apt install q"
        ):
            run(image)


def test_a_tool_that_hangs_is_stopped_with_its_children() -> None:
    shell = str(find_tool("sh").path)
    with pytest.raises(ToolchainError, match=r"^sh: no end within 0\.5 s\n  started$"):
        run_tool([shell, "-c", "echo started; sleep 60 | cat"], timeout=0.5)


def test_a_tool_that_cannot_start_is_named(tmp_path: Path) -> None:
    (tmp_path / "tool").write_text("no program")
    with pytest.raises(ToolchainError, match=r"^tool: Permission denied"):
        run_tool([str(tmp_path / "tool")], timeout=5)


def test_tools_say_their_versions() -> None:
    names = dict.fromkeys(name for target in TARGETS.values() for name in target.tools)
    for name in names:
        if shutil.which(name):
            assert re.fullmatch(r"\d+\.\d+[\d.]*", find_tool(name).version())


def test_an_unknown_target_is_refused_with_the_known_ones() -> None:
    assert target_named("cortex-m4") is TARGETS["cortex-m4"]
    with pytest.raises(ToolchainError, match=r"no target 'z80': there are host, .*, riscv32$"):
        target_named("z80")
