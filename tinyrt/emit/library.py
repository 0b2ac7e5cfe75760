"""Calls into CMSIS-NN as C: the constants they refer to, the calls, the questions asked at init."""

from collections.abc import Iterator, Sequence

from tinyrt import cmsis_nn
from tinyrt.cmsis_nn.calls import Argument, Array, Call, Dims, Operand, Result, Scratch, Struct
from tinyrt.emit import writer
from tinyrt.emit.data import Constants
from tinyrt.load import Program

ORIGIN = (
    f"CMSIS-NN (from v7.0.0; bit-exact at {cmsis_nn.COMMIT[:7]}), tinyrt's own where it has none"
)
INCLUDE = '#include "arm_nnfunctions.h"'
_SWITCHES = ("CMSIS_NN_USE_SINGLE_ROUNDING", "CMSIS_NN_USE_REQUANTIZE_INLINE_ASSEMBLY")
"""Compile-time choices of the library that change its results, the second on some cores."""


def guards(model: str) -> Iterator[str]:
    """What the preprocessor refuses."""
    for switch in _SWITCHES:
        yield f"#ifdef {switch}"
        yield f'#error "{model} is not bit-exact with {switch}"'
        yield "#endif"


def scratch_note(program: Program) -> str:
    """What cores differ in: the most working memory that a step takes with MVE, and without."""
    needs = [call.scratch for step in program.steps for call in step.calls]
    with_mve = max((need.mve_bytes for need in needs), default=0)
    without = max((need.other_bytes for need in needs), default=0)
    return f" (CMSIS-NN takes {with_mve} with MVE, {without} without)"


class LibraryWriter:
    """Writes calls one by one and gathers what they need."""

    def __init__(self, constants: Constants, names: writer.Names) -> None:
        self._constants = constants
        self._names = names
        self._dims: dict[Dims, str] = {}
        self._structs: dict[tuple[str, tuple[str, ...]], str] = {}
        self._sizes: dict[tuple[str, tuple[str, ...], int], None] = {}

    def call(
        self, stem: str, call: Call, operands: Sequence[str], result: str, scratch: str
    ) -> Iterator[str]:
        """The statement of a call.

        Args:
            stem: begins the names of its constants.
            call: what is called.
            operands: expressions for the addresses of the operator's inputs.
            result: that for its output.
            scratch: that for its working memory.
        """
        arguments = []
        for argument in call.arguments:
            match argument:
                case Operand(position):
                    arguments.append(operands[position])
                case Result():
                    arguments.append(result)
                case Scratch():
                    size = argument.bytes
                    place = f"{scratch}, {size}" if size else "NULL, 0"
                    arguments.append(f"&(cmsis_nn_context){{{place}}}")
                case _:
                    arguments.append(self._constant(stem, argument))
        if call.buffer is not None:
            asked = tuple(self._constant(stem, argument) for argument in call.buffer.arguments)
            self._sizes[call.buffer.function, asked, call.buffer.bytes] = None
        if not call.returns_status:
            yield from writer.wrapped(f"    {call.function}(", arguments, ");")
            return
        tail = ") != ARM_CMSIS_NN_SUCCESS) {"
        yield from writer.wrapped(f"    if ({call.function}(", arguments, tail)
        yield "        return TINYRT_ERROR_KERNEL;"
        yield "    }"

    def _constant(self, stem: str, argument: Argument) -> str:
        """An argument that does not depend on the arena."""
        match argument:
            case Array(role, element, values):
                return self._constants.array(f"{stem}_{role}", element, values)
            case Dims(n, h, w, c):
                if argument not in self._dims:
                    self._dims[argument] = self._names.take(f"dims_{n}x{h}x{w}x{c}")
                return f"&{self._dims[argument]}"
            case Struct():
                return f"&{self._struct(stem, argument)}"
        assert isinstance(argument, int)
        return writer.integer(argument, "int32_t")

    def _struct(self, stem: str, struct: Struct) -> str:
        """The name of a struct; equal ones are one."""
        lines = []
        for name, value in struct.members.items():
            if isinstance(value, int):
                text = writer.integer(value, "int32_t")
            elif isinstance(value, Array):
                text = value.cast + self._constant(stem, value)
            else:
                inner = ", ".join(f".{key} = {number}" for key, number in value.items())
                text = f"{{{inner}}}"
            lines.append(f"    .{name} = {text},")
        key = struct.c_type, tuple(lines)
        if key not in self._structs:
            # What points to an operator's data is its own; several may have the rest in common.
            own = any(isinstance(value, Array) for value in struct.members.values())
            self._structs[key] = self._names.take(f"{stem}_{struct.role}" if own else struct.role)
        return self._structs[key]

    def text(self) -> Iterator[str]:
        """The structs, as static constants."""
        for dims, name in self._dims.items():
            values = f".n = {dims.n}, .h = {dims.h}, .w = {dims.w}, .c = {dims.c}"
            yield f"static const cmsis_nn_dims {name} = {{{values}}};"
        if self._dims:
            yield ""
        for (c_type, lines), name in self._structs.items():
            yield f"static const {c_type} {name} = {{"
            yield from lines
            yield "};"
            yield ""

    def size_checks(self) -> Iterator[str]:
        """The part of init that asks the library how much working memory it takes."""
        if not self._sizes:
            return
        yield "    /* What this version of CMSIS-NN, built for this core, takes must be there. */"
        prefix, last = "    if (", list(self._sizes)[-1]
        for query in self._sizes:
            function, arguments, size = query
            tail = f") > {size}{') {' if query == last else ''}"
            yield from writer.wrapped(f"{prefix}{function}(", arguments, tail)
            prefix = "        || "
        yield "        return TINYRT_ERROR_SCRATCH;"
        yield "    }"
