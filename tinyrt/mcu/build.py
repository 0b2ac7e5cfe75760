"""Building a set of C sources for a target: compile in parallel, link with the board's support."""

import os
import re
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tinyrt.errors import ToolchainError
from tinyrt.mcu.elf import Sizes, section_sizes
from tinyrt.mcu.library import Library
from tinyrt.mcu.targets import Machine, Target
from tinyrt.mcu.toolchain import find_tool, run_tool

SUPPORT = Path(__file__).parent / "support"
COMPILE_TIMEOUT_SECONDS = 300.0

LANGUAGE = ("-std=c99", "-ffp-contract=off", "-ffunction-sections", "-fdata-sections")
WARNINGS = ("-Wall", "-Wextra", "-pedantic", "-Wconversion", "-Wmissing-prototypes")
# GCC writes frame sizes and the call graph beside each object; clang cannot.
STACK_REPORTS = ("-fcallgraph-info=su",)
SANITIZERS = ("-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")

# Everything but the caller's own sources: startup, counter, console.
BOARD_PART = "board"
# What the linker took from archives, and made itself.
LIBRARY_PART = "library"


@dataclass(frozen=True, slots=True)
class Part:
    """Where some of a program's bytes come from.

    Attributes:
        source: The path that `build` was given, `BOARD_PART` or `LIBRARY_PART`.
        sizes: What of it was linked, after the linker dropped the unused.
    """

    source: str
    sizes: Sizes


@dataclass(frozen=True, slots=True)
class Image:
    """A program, built.

    Attributes:
        target: What it was built for.
        elf: The linked file.
        sizes: All of it, the board's support included.
        parts: The same by source, in the order given, then board and library; empty on targets
            that are this machine.
        sources: The caller's sources, in the order given.
        objects: Their object files, in the same order; next to each lies what the compiler says
            of its stack, see `tinyrt.mcu.stack`.
    """

    target: Target
    elf: Path
    sizes: Sizes
    parts: tuple[Part, ...]
    sources: tuple[Path, ...]
    objects: tuple[Path, ...]

    def sizes_of(self, sources: Iterable[Path | str]) -> Sizes:
        """Returns the linked bytes of some of the sources together.

        Raises:
            ToolchainError: One of them is no part of this image.
        """
        by_source = {part.source: part.sizes for part in self.parts}
        total = Sizes()
        for source in sources:
            if str(source) not in by_source:
                raise ToolchainError(f"{self.elf.name}: no part {source}")
            total += by_source[str(source)]
        return total


def build(
    target: Target,
    sources: Sequence[Path],
    include_dirs: Sequence[Path] = (),
    defines: Sequence[str] = (),
    *,
    out_dir: Path,
    optimize: str = "-O2",
    sanitize: bool = False,
    warnings_as_errors: bool = True,
    extra_flags: Sequence[str] = (),
    library: Library | None = None,
) -> Image:
    """Compiles and links C99 sources into a program that `run` can run.

    Sources may include `tinyrt_board.h`, and one of them has a `main`.

    Args:
        target: What to build for.
        sources: C files.
        include_dirs: Where their `#include "…"` look.
        defines: Macros, `NAME` or `NAME=VALUE`.
        out_dir: Where objects and the program go; made if needed.
        optimize: `-O2`, `-Os`, `-O3`, …
        sanitize: Address and undefined-behaviour sanitizers; only where programs run on this
            machine.
        warnings_as_errors: Whether `WARNINGS` stop the build.
        extra_flags: Further compiler flags.
        library: Further sources, which may warn as they like; they count as the caller's.

    Raises:
        ToolchainError: A tool is missing, a source does not compile, or the link fails; the text
            ends with the compiler's last lines.
    """
    if sanitize and target.machine is not None:
        raise ToolchainError(f"{target.name}: sanitizers run on the host only")
    library = library or Library((), ())
    compiler = str(find_tool(target.compiler).path)
    out_dir.mkdir(parents=True, exist_ok=True)
    common = [
        compiler,
        *target.flags,
        *LANGUAGE,
        *WARNINGS,
        *(["-Werror"] if warnings_as_errors else []),
        *(SANITIZERS if sanitize else ()),
        f"-I{SUPPORT}",
    ]
    theirs = [
        *common,
        optimize,
        *(STACK_REPORTS if target.machine else ()),
        *(f"-I{directory}" for directory in include_dirs),
        *(flag for directory in library.include_dirs for flag in ("-isystem", str(directory))),
        *(f"-D{define}" for define in defines),
        *extra_flags,
    ]
    board_sources = [SUPPORT / name for name in _support_files(target.machine)]
    board_defines = target.machine.counter.defines if target.machine else ()
    ours = [*common, "-O2", *(f"-D{define}" for define in board_defines)]
    jobs = [
        (command, source, out_dir / f"{prefix}{index}_{source.stem}.o")
        for prefix, command, group in (
            ("", theirs, sources),
            ("library", [*theirs, "-w"], library.sources),
            (BOARD_PART, ours, board_sources),
        )
        for index, source in enumerate(group)
    ]
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        objects = list(pool.map(lambda job: _compile(*job), jobs))

    elf = out_dir / "program.elf"
    link_map = out_dir / "program.map"
    link = [compiler, *target.flags, *(SANITIZERS if sanitize else ())]
    if target.machine is not None:
        (out_dir / "memory.ld").write_text(_memory(target.machine), encoding="utf-8")
        link += [
            "-nostartfiles",
            "-nodefaultlibs",
            "-Wl,--gc-sections",
            "-Wl,--no-warn-rwx-segments",
        ]
        link += [f"-Wl,-Map={link_map}", f"-L{out_dir}", "-T", str(SUPPORT / "image.ld")]
    run_tool(
        [*link, "-o", str(elf), *(str(path) for path in objects), *target.libraries],
        timeout=COMPILE_TIMEOUT_SECONDS,
    )
    sources = (*sources, *library.sources)
    names = [str(source) for source in sources] + [BOARD_PART] * len(board_sources)
    parts = _parts(link_map, dict(zip(objects, names, strict=True))) if target.machine else ()
    return Image(
        target=target,
        elf=elf,
        sizes=section_sizes(elf),
        parts=parts,
        sources=tuple(sources),
        objects=tuple(objects[: len(sources)]),
    )


def _compile(command: Sequence[str], source: Path, output: Path) -> Path:
    run_tool([*command, "-c", str(source), "-o", str(output)], timeout=COMPILE_TIMEOUT_SECONDS)
    return output


def _support_files(machine: Machine | None) -> tuple[str, ...]:
    if machine is None:
        return ("board_host.c", "board_text.c")
    return ("board_qemu.c", "board_text.c", machine.counter.source, *machine.support)


def _memory(machine: Machine) -> str:
    regions = (("CODE", machine.code), ("BULK", machine.bulk), ("STACK", machine.stack))
    lines = [
        f"    {name} : ORIGIN = 0x{region.origin:08x}, LENGTH = 0x{region.size_bytes:x}\n"
        for name, region in regions
    ]
    return "MEMORY\n{\n" + "".join(lines) + "}\n"


# A line of the linker's map: section, address, size, and the file that it came from.
_MAP_LINE = re.compile(r"^ (?:(\S+)\s+)?0x[0-9a-f]+\s+0x([0-9a-f]+) (\S.*)$")
_MAP_START = "Linker script and memory map"
_KINDS = (
    (re.compile(r"\.(text|vectors)\b"), "code_bytes"),
    (re.compile(r"\.(s?rodata|ARM\.exidx)\b"), "rodata_bytes"),
    (re.compile(r"\.s?data\b"), "data_bytes"),
    (re.compile(r"\.s?bss\b|COMMON$"), "bss_bytes"),
)


def _parts(link_map: Path, names: dict[Path, str]) -> tuple[Part, ...]:
    """Reads the linker's map: which object each linked section came from."""
    by_path = {str(path): name for path, name in names.items()}
    totals = dict.fromkeys([*by_path.values(), LIBRARY_PART], Sizes())
    text = link_map.read_text(encoding="utf-8", errors="replace").partition(_MAP_START)[2]
    # A long section name has its line to itself: joined to the next, all are alike.
    for line in re.sub(r"^( \.\S+)\n +(?=0x)", r"\1 ", text, flags=re.MULTILINE).splitlines():
        found = _MAP_LINE.match(line)
        if found is None or found[1] is None:
            continue
        name = by_path.get(found[3], LIBRARY_PART)
        for pattern, kind in _KINDS:
            if pattern.match(found[1]):
                totals[name] += Sizes(**{kind: int(found[2], 16)})
    return tuple(Part(name, sizes) for name, sizes in totals.items())
