"""A folder that builds: the model, exactly the kernels it uses, build files and an example."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tinyrt.emit import writer
from tinyrt.emit.describe import Port
from tinyrt.emit.files import kernel_files, kernel_folder
from tinyrt.emit.memories import Memory, init_arguments
from tinyrt.emit.model import ModelWriter
from tinyrt.errors import ToolchainError
from tinyrt.fixedpoint import Numerics
from tinyrt.load import Program
from tinyrt.plan import Plan

KERNELS = "kernels"
"""The folder of the copied kernels in an emitted project."""


@dataclass(frozen=True, slots=True)
class Project:
    """An emitted model as files, and what a program needs to know to call it."""

    name: str
    """The prefix of all the model's identifiers."""
    files: Mapping[str, str]
    """Text by path relative to the project's folder."""
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    memories: tuple[Memory, ...]
    """What `init` takes."""
    constant_bytes: int

    @property
    def sources(self) -> tuple[str, ...]:
        """The C files that make up the library."""
        return tuple(p for p in self.files if p.endswith(".c") and not p.startswith("example/"))

    def write(self, folder: Path) -> tuple[Path, ...]:
        """Write the files below a folder and give their paths, in order.

        Raises:
            ToolchainError: the folder cannot be written.
        """
        paths = []
        try:
            for relative, text in self.files.items():
                path = folder / relative
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="ascii")
                paths.append(path)
        except OSError as error:
            raise ToolchainError(f"{folder}: {error.strerror or error}") from error
        return tuple(paths)


def emit(
    program: Program, plan: Plan, name: str, file_name: str, options: Sequence[str] = ()
) -> Project:
    """Write a program as C.

    Args:
        program: the model.
        plan: its memory plan, checked.
        name: prefix for files and identifiers; made a C identifier.
        file_name: the model file's name, for the opening comment.
        options: of the command line, which the program does not show; for the opening comment.
    """
    model = ModelWriter(program, plan, name, file_name, options)
    files = {f"{model.name}.h": model.header(), f"{model.name}.c": model.source()}
    kernels = kernel_files(model.kernel_stems())
    files |= {f"{KERNELS}/{file}": text for file, text in kernels.items()}
    files[f"{KERNELS}/tinyrt_config.h"] = _config(program.numerics)
    sources = [path for path in files if path.endswith(".c")]
    foreign = model.uses_cmsis_nn
    files["CMakeLists.txt"] = "\n".join(_cmake(model.name, sources, cmsis_nn=foreign)) + "\n"
    files["Makefile"] = "\n".join(_makefile(model.name, sources, cmsis_nn=foreign)) + "\n"
    files["example/main.c"] = "\n".join(_example(model)) + "\n"
    return Project(
        model.name, files, model.inputs, model.outputs, model.memories, model.constant_bytes
    )


def _config(numerics: Numerics) -> str:
    default = (kernel_folder() / "tinyrt_config.h").read_text(encoding="ascii")
    chosen = f"#define TINYRT_NUMERICS TINYRT_NUMERICS_{numerics.name}"
    text, count = re.subn(r"^#define TINYRT_NUMERICS .*$", chosen, default, flags=re.MULTILINE)
    assert count == 1
    return text


def _cmake(name: str, sources: Sequence[str], *, cmsis_nn: bool) -> Iterator[str]:
    yield "cmake_minimum_required(VERSION 3.13)"
    yield f"project({name} C)"
    yield ""
    if cmsis_nn:
        yield "# Within a firmware that has it, the target cmsis-nn is there already."
        yield "if(NOT TARGET cmsis-nn)"
        yield '  set(CMSIS_NN "" CACHE PATH "Where CMSIS-NN is")'
        yield "  if(NOT CMSIS_NN)"
        yield '    message(FATAL_ERROR "no target cmsis-nn: say where it is, -DCMSIS_NN=<folder>")'
        yield "  endif()"
        yield "  add_subdirectory(${CMSIS_NN} cmsis-nn)"
        yield "endif()"
        yield ""
    yield f"add_library({name} STATIC"
    yield from (f"  {source}" for source in sources)
    yield ")"
    yield f"target_include_directories({name} PUBLIC . {KERNELS})"
    yield f"target_compile_features({name} PUBLIC c_std_99)"
    if cmsis_nn:
        yield f"target_link_libraries({name} PUBLIC cmsis-nn)"
    yield ""
    yield "# As a subproject of a firmware only the library is built."
    yield "if(CMAKE_SOURCE_DIR STREQUAL CMAKE_CURRENT_SOURCE_DIR)"
    yield "  add_executable(example example/main.c)"
    yield f"  target_link_libraries(example PRIVATE {name})"
    yield "endif()"


def _makefile(name: str, sources: Sequence[str], *, cmsis_nn: bool) -> Iterator[str]:
    yield f"# Builds lib{name}.a and example/main. For a target: make CC=arm-none-eabi-gcc \\"
    yield '#   CFLAGS="-O2 -mcpu=cortex-m4 -mthumb -ffunction-sections -fdata-sections" \\'
    yield f"#   lib{name}.a"
    include, archive = "", ""
    if cmsis_nn:
        yield ""
        yield "# Where CMSIS-NN is, and its objects; the example is linked with them."
        yield "CMSIS_NN ?= ../CMSIS-NN"
        yield "CMSIS_NN_SOURCES = $(filter-out %_f16.c %_f32.c %_flt.c, \\"
        yield "  $(wildcard $(CMSIS_NN)/Source/*/*.c))"
        yield "CMSIS_NN_OBJECTS = $(CMSIS_NN_SOURCES:$(CMSIS_NN)/Source/%.c=cmsis-nn/%.o)"
        yield ""
        include, archive = " -I$(CMSIS_NN)/Include", " libcmsis-nn.a"
    yield "CFLAGS ?= -O2 -Wall -Wextra"
    yield f"ALL_CFLAGS = -std=c99 -I. -I{KERNELS}{include} $(CFLAGS)"
    yield f"OBJECTS = {' '.join(source.removesuffix('.c') + '.o' for source in sources)}"
    yield ""
    yield f"example/main: example/main.o lib{name}.a{archive}"
    yield "\t$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^"
    yield ""
    yield f"lib{name}.a: $(OBJECTS)"
    yield "\t$(AR) rcs $@ $^"
    yield ""
    if cmsis_nn:
        yield "libcmsis-nn.a: $(CMSIS_NN_OBJECTS)"
        yield "\t$(AR) rcs $@ $^"
        yield ""
        yield "cmsis-nn/%.o: $(CMSIS_NN)/Source/%.c"
        yield "\t@mkdir -p $(@D)"
        yield "\t$(CC) $(CFLAGS) -I$(CMSIS_NN)/Include -c -o $@ $<"
        yield ""
    yield f"$(OBJECTS) example/main.o: $(wildcard *.h {KERNELS}/*.h)"
    yield ""
    yield "%.o: %.c"
    yield "\t$(CC) $(ALL_CFLAGS) -c -o $@ $<"
    yield ""
    yield "clean:"
    yield f"\trm -f $(OBJECTS) example/main.o example/main lib{name}.a"
    if cmsis_nn:
        yield "\trm -rf cmsis-nn libcmsis-nn.a"
    yield ""
    yield ".PHONY: clean"


def _example(model: ModelWriter) -> Iterator[str]:
    name = model.name
    yield from writer.comment((f"Runs the model '{name}' once on zeros and prints its outputs.",))
    yield f'#include "{name}.h"'
    yield ""
    yield "#include <stdio.h>"
    yield "#include <string.h>"
    yield ""
    if model.memories[0].region is not None:
        yield "/* Your linker script has sections for the regions: say here which is whose. */"
    yield from (memory.declaration(memory.pointer) for memory in model.memories)
    yield ""
    yield "int main(void)"
    yield "{"
    yield f"    {name}_ctx ctx;"
    given = init_arguments([memory.pointer for memory in model.memories])
    yield from writer.wrapped(f"    int status = {name}_init(", given, ");")
    yield ""
    yield "    if (status != TINYRT_OK) {"
    yield f'        printf("{name}_init: %d\\n", status);'
    yield "        return 1;"
    yield "    }"
    for port in model.inputs:
        yield f"    memset({port.function}(&ctx), 0, {port.macro}_BYTES);"
    yield f"    status = {name}_run(&ctx);"
    yield "    if (status != TINYRT_OK) {"
    yield f'        printf("{name}_run: %d\\n", status);'
    yield "        return 1;"
    yield "    }"
    for port in model.outputs:
        real = port.tensor.dtype.c_type == "float"
        form, cast = ("%g", "(double)") if real else ("%ld", "(long)")
        label = writer.comment_text(writer.short_name(port.tensor.name)).replace('"', "'")
        label = label.replace("%", "%%").replace("\\", "\\\\")
        yield f'    printf("{label}:");'
        yield f"    for (size_t i = 0; i < {port.macro}_ELEMENTS; ++i) {{"
        yield f'        printf(" {form}", {cast}{port.function}(&ctx)[i]);'
        yield "    }"
        yield '    printf("\\n");'
    yield "    return 0;"
    yield "}"
