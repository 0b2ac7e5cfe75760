"""Several emitted models in one program: each is called by a function of its own, in turn."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tinyrt.emit import Project, writer
from tinyrt.mcu.build import Image, build
from tinyrt.mcu.library import Library
from tinyrt.mcu.targets import Target


@dataclass(frozen=True, slots=True)
class Case:
    """One emitted model with the inputs of its runs."""

    project: Project
    runs: tuple[Mapping[int, bytes], ...]
    """The bytes of each graph input, by tensor index, for each run."""


Text = Callable[[int, Case], Iterator[str]]
"""Writes the C file of a case by its number: it includes the model's `.h` or, where what is to be
observed is defined before, its `.c`; and it defines `void case_<number>(void)`."""


@dataclass(frozen=True, slots=True)
class Built:
    """Cases, built."""

    image: Image
    own: tuple[tuple[Path, ...], ...]
    """Of each case: the sources that its model is made of. A model whose `.c` is included by its
    case file is not among them."""


def build_cases(
    target: Target,
    cases: Sequence[Case],
    folder: Path,
    text: Text,
    *,
    included: bool,
    optimize: str = "-O2",
    sanitize: bool = False,
    library: Library | None = None,
) -> Built:
    """Build models into one program that calls one case after the other.

    Kernels that several of them use are there once.

    Args:
        target: what to build for.
        cases: models with distinct names.
        folder: where sources, objects and the program go.
        text: of each case's C file.
        included: whether that text includes the model's `.c`, which otherwise is compiled alone.
        optimize: the compiler's optimization flag.
        sanitize: address and undefined-behaviour sanitizers (host only).
        library: CMSIS-NN, for models of that flavour.

    Raises:
        ToolchainError: it does not compile.
    """
    mains = [folder / "main.c"]
    sources: dict[Path, None] = {}
    own = []
    folder.mkdir(parents=True, exist_ok=True)
    for number, case in enumerate(cases):
        name = case.project.name
        kernels = [path for path in case.project.files if path.startswith("kernels/")]
        for path in (f"{name}.c", f"{name}.h", *kernels):
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(case.project.files[path], encoding="ascii")
        parts = [folder / path for path in kernels if path.endswith(".c")]
        if not included:
            parts.insert(0, folder / f"{name}.c")
        own.append(tuple(parts))
        sources |= dict.fromkeys(parts)
        mains.append(folder / f"case_{number}.c")
        mains[-1].write_text("\n".join(text(number, case)) + "\n", encoding="ascii")
    mains[0].write_text("\n".join(_main(len(cases))) + "\n", encoding="ascii")
    image = build(
        target,
        [*mains, *sources],
        include_dirs=(folder, folder / "kernels"),
        out_dir=folder / "build",
        optimize=optimize,
        sanitize=sanitize,
        library=library,
    )
    return Built(image, tuple(own))


def inputs(case: Case) -> Iterator[str]:
    """The inputs of every run as arrays, `input_<position>_<run>`."""
    for position, port in enumerate(case.project.inputs):
        for turn, values in enumerate(case.runs):
            data = values[port.tensor.index]
            yield from writer.array(f"input_{position}_{turn}", "uint8_t", data)


def fed(case: Case, turn: int) -> Iterator[str]:
    """Statements that write the inputs of a run."""
    for position, port in enumerate(case.project.inputs):
        source = f"input_{position}_{turn}"
        yield f"    memcpy({port.function}(&ctx), {source}, sizeof {source});"


def _main(count: int) -> Iterator[str]:
    yield '#include "tinyrt_board.h"'
    yield ""
    for number in range(count):
        yield f"void case_{number}(void);"
    yield ""
    yield "int main(void)"
    yield "{"
    yield "    board_init();"
    for number in range(count):
        yield f"    case_{number}();"
    yield "    return 0;"
    yield "}"
