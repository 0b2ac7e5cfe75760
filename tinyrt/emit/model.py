"""The `.h` and `.c` of one model, in reading order."""

import re
from collections.abc import Iterator, Sequence

import tinyrt
from tinyrt.emit import describe, library, memories, writer
from tinyrt.emit.data import Constants
from tinyrt.emit.describe import Port, described
from tinyrt.emit.files import kernel_folder
from tinyrt.fixedpoint import Numerics
from tinyrt.kernel import CField, CKernel, Variadic
from tinyrt.load import Flavour, Program, Step
from tinyrt.plan import Plan
from tinyrt.plan.problem import Direction

KERNEL_ABI = 1
"""Stands in tinyrt.h as TINYRT_KERNEL_ABI; a test compares them."""

_NUMERICS = {
    Numerics.TFLM: "TINYRT_NUMERICS_TFLM",
    Numerics.SINGLE: "TINYRT_NUMERICS_SINGLE",
}


class ModelWriter:
    """Writes one model; asks the program and the plan, decides nothing."""

    def __init__(
        self, program: Program, plan: Plan, name: str, file_name: str, options: Sequence[str] = ()
    ) -> None:
        self.program = program
        self.plan = plan
        self.name = writer.model_name(
            name, ("tinyrt", *(p.stem for p in kernel_folder().iterdir()))
        )
        self.macro = self.name.upper()
        self._file_name = file_name
        self._options = options
        self.memories = memories.memories_of(plan, self.macro)
        self._offsets = {a.tensor: a.offset for a in plan.allocations}
        self._names = writer.Names()
        self._constants = Constants(self._names)
        self._library = library.LibraryWriter(self._constants, self._names)
        self._parameters: list[str] = []
        self._structs: dict[int, list[tuple[CKernel, str]]] = {}
        """The parameters of each operator, by node index: several where it runs in strips."""
        ports = writer.Names()
        self.inputs = self._ports("input", program.graph.inputs, ports)
        self.outputs = self._ports("output", program.graph.outputs, ports)
        # Calls first: they bring the constants that they use.
        self._calls = [line for step in program.steps for line in self._call(step)]
        for port in self.outputs:
            if port.tensor.index not in self._offsets:
                self._constants.tensor(port.tensor)

    # --- pieces ------------------------------------------------------------------------------

    def _ports(self, side: str, indices: Sequence[int], names: writer.Names) -> tuple[Port, ...]:
        known = {
            index: name
            for signature in self.program.graph.signatures
            for name, index in (signature.inputs if side == "input" else signature.outputs).items()
        }
        ports = []
        for index in indices:
            tensor = self.program.graph.tensors[index]
            # What the model's author calls it beats what the converter made of that.
            label = known.get(index) or writer.short_name(tensor.name)
            own = names.take(label if label.startswith(side) else f"{side}_{label}")
            ports.append(Port(tensor, f"{self.name}_{own}", f"{self.macro}_{own.upper()}"))
        return tuple(ports)

    def _place(self, index: int) -> str:
        """An expression for where a tensor's bytes are, as good as a pointer to void."""
        if index not in self._offsets:
            return self._constants.tensor(self.program.graph.tensors[index])
        return self._address(self._offsets[index])

    def _address(self, offset: int) -> str:
        """An expression for a byte of the plan."""
        memory = memories.holder_of(self.memories, offset)
        return f"{memory.pointer} + {offset - memory.base}"

    def _pointer(self, index: int, *, constant: bool) -> str:
        """The same as a pointer to the tensor's elements."""
        c_type = self.program.graph.tensors[index].dtype.c_type
        if index not in self._offsets or c_type == "int8_t":
            return self._place(index)
        return f"({'const ' if constant else ''}{c_type} *)(void *)({self._place(index)})"

    def _call(self, step: Step) -> Iterator[str]:
        kernel, node = step.kernel, step.node
        tensors = self.program.graph.tensors
        yield from (f"    {line}" for line in writer.comment(writer.filled(self._heading(step))))
        # Kernels whose name ends in no element type move bytes of any.
        typed = re.search(r"_[sfu]\d+$", step.code.c_name) or step.calls
        if typed:
            operands = [self._pointer(i, constant=True) for i in step.operands]
            outputs = [self._pointer(i, constant=False) for i in step.results]
        else:
            operands = [self._place(i) for i in step.operands]
            outputs = [self._place(i) for i in step.results]
        if kernel.alias:
            if operands[0] != outputs[0]:
                yield f"    memcpy({outputs[0]}, {operands[0]}, {tensors[step.results[0]].bytes});"
        elif step.calls:
            stem = f"op{node.index}_{writer.short_name(node.name)}"
            scratch = self._address(self.plan.scratch.get(step.key, 0))
            for call in step.calls:
                yield from self._library.call(stem, call, operands, outputs[0], scratch)
        else:
            yield from self._kernel_call(step, operands, outputs)
        for index in step.comparable:
            place, size = self._place(index), tensors[index].bytes
            yield f"    TINYRT_OBSERVE({node.index}, {index}, {place}, {size});"
        yield ""

    def _heading(self, step: Step) -> str:
        """The comment above an operator's call."""
        kernel, node = step.kernel, step.node
        tensors = self.program.graph.tensors
        sources = [tensors[i] for i in step.operands] or [t for t in node.inputs if t is not None]
        results = " ".join(describe.shape_text(tensors[i]) for i in step.results)
        macs = kernel.cost().macs
        note = f"  {macs} MACs" if macs else ""
        if kernel.alias and self._place(step.operands[0]) == self._place(step.results[0]):
            note = "  (the same bytes)"
        part = f" {step.part}" if step.part else ""
        return (
            f"{step.label}: {kernel.opcode} {writer.short_name(node.name)}{part}"
            f"  {' '.join(map(describe.shape_text, sources))} -> {results}{note}"
        )

    def _kernel_call(self, step: Step, operands: list[str], outputs: list[str]) -> Iterator[str]:
        kernel = step.code
        arguments = [f"&{self._parameter_struct(step)}"]
        if kernel.variadic is Variadic.INPUTS:
            operands = writer.array_argument("const void *const", operands)
        if kernel.variadic is Variadic.OUTPUTS:
            outputs = writer.array_argument("void *const", outputs)
        arguments += operands + outputs
        if kernel.cost().scratch_bytes:
            arguments.append(self._address(self.plan.scratch[step.key]))
        head = f"    tinyrt_{kernel.c_name}("
        yield from writer.wrapped(head, arguments, ");")

    def _parameter_struct(self, step: Step) -> str:
        direction = self.plan.directions.get(step.key)
        kernel = step.code.walking(backward=direction is Direction.BACKWARD)
        known = self._structs.setdefault(step.node.index, [])
        for other, name in known:
            if other == kernel:
                return name
        stem = f"op{step.node.index}_{writer.short_name(step.node.name)}"
        name = self._names.take(stem)
        known.append((kernel, name))
        lines = [f"static const tinyrt_{kernel.c_name}_params {name} = {{"]
        lines += [f"    .{f.name} = {self._member(step, stem, f)}" for f in kernel.c_fields()]
        self._parameters += [*lines, "};", ""]
        return name

    def _member(self, step: Step, stem: str, field: CField) -> str:
        """The initializer of a member, its comma, and a comment where the number says little."""
        if field.element is None:
            assert isinstance(field.value, int)
            text = f"{writer.integer(field.value, 'int32_t')},"
            if field.name.endswith("_bits"):  # a single that travels as an integer
                text += f" /* {writer.single(writer.single_of_bits(field.value))} */"
            return text
        assert not isinstance(field.value, int)
        note = describe.source_of(step, field.value)
        return f"{self._constants.array(f'{stem}_{field.name}', field.element, field.value, note)},"

    # --- the files ---------------------------------------------------------------------------

    @property
    def constant_bytes(self) -> int:
        """Bytes of weights and tables, without the parameter structs."""
        return self._constants.bytes

    def kernel_stems(self) -> tuple[str, ...]:
        """The kernels in use, each once, sorted."""
        ours = (s for s in self.program.steps if not s.calls and not s.kernel.alias)
        return tuple(sorted({step.code.c_name for step in ours}))

    @property
    def uses_cmsis_nn(self) -> bool:
        """Whether the model is for a build with CMSIS-NN."""
        return self.program.flavour is Flavour.CMSIS_NN

    def header(self) -> str:
        """The text of `<name>.h`."""
        return "\n".join(self._header_lines()) + "\n"

    def _header_lines(self) -> Iterator[str]:
        name, macro = self.name, self.macro
        yield f"/* {name}.h: interface of a model; {name}.c says which. */"
        yield f"#ifndef {macro}_H"
        yield f"#define {macro}_H"
        yield ""
        yield '#include "tinyrt.h"'
        yield ""
        yield "#ifdef __cplusplus"
        yield 'extern "C" {'
        yield "#endif"
        yield ""
        yield from memories.macros(self.memories)
        yield "/* Multiply-accumulates of one run. */"
        yield f"#define {macro}_MACS {self.program.macs}"
        yield "/* The first 32 bits of the SHA-256 of the .tflite file. */"
        yield f"#define {macro}_SIGNATURE UINT32_C(0x{self.program.graph.sha256[:8]})"
        for port in (*self.inputs, *self.outputs):
            yield ""
            yield from describe.port_macros(port)
        yield ""
        yield "typedef struct {"
        yield from (f"    int8_t *{memory.pointer};" for memory in self.memories)
        yield f"}} {name}_ctx;"
        yield ""
        yield from memories.init_note(self.memories)
        yield from memories.init_head(name, self.memories, ");")
        yield ""
        yield "/* Computes the outputs. The inputs share memory with what is computed: write them"
        end = "," if self.uses_cmsis_nn else ". */"
        yield f" * anew before every run. Returns TINYRT_OK, or TINYRT_ERROR_NOT_INITIALIZED{end}"
        if self.uses_cmsis_nn:
            yield " * or TINYRT_ERROR_KERNEL where CMSIS-NN refuses a call. */"
        yield f"int {name}_run({name}_ctx *ctx);"
        for port in self.inputs:
            yield ""
            text = f"Where to write the input {described(port.tensor)}."
            yield from writer.comment(writer.filled(text))
            yield f"{port.tensor.dtype.c_type} *{port.function}({name}_ctx *ctx);"
        for port in self.outputs:
            yield ""
            what = described(port.tensor)
            text = f"Where to read the output {what}; valid until the next input."
            yield from writer.comment(writer.filled(text))
            yield f"const {port.tensor.dtype.c_type} *{port.function}(const {name}_ctx *ctx);"
        yield ""
        yield "#ifdef __cplusplus"
        yield "}"
        yield "#endif"
        yield ""
        yield f"#endif /* {macro}_H */"

    def source(self) -> str:
        """The text of `<name>.c`."""
        return "\n".join(self._source_lines()) + "\n"

    def _source_lines(self) -> Iterator[str]:
        name = self.name
        yield from writer.comment(self._title())
        yield f'#include "{name}.h"'
        yield ""
        copies = any("memcpy(" in line for line in self._calls)
        if copies:
            yield "#include <string.h>"
            yield ""
        if self.uses_cmsis_nn:
            yield library.INCLUDE
            yield ""
        stems = self.kernel_stems()
        yield from (f'#include "{stem}.h"' for stem in stems)
        if stems:
            yield ""
        yield f"#if TINYRT_KERNEL_ABI != {KERNEL_ABI}"
        yield f'#error "{name}.c and the tinyrt kernels are of different versions: emit both anew"'
        yield "#endif"
        yield f"#if TINYRT_NUMERICS != {_NUMERICS[self.program.numerics]}"
        yield f'#error "{name}.c was emitted for the numerics {self.program.numerics.value}"'
        yield "#endif"
        if self.uses_cmsis_nn:
            yield from library.guards(f"{name}.c")
        yield ""
        constants = list(self._constants.text())
        if constants:
            yield "/* --- weights and tables --- */"
            yield ""
            yield from constants
        structs = [*self._parameters, *self._library.text()]
        if structs:
            yield "/* --- parameters of the operators --- */"
            yield ""
            yield from structs
        yield "/* --- memory ---"
        yield " *"
        for line in describe.memory_table(self.program, self.plan):
            yield f" * {writer.comment_text(line)}".rstrip()
        yield " */"
        yield ""
        yield from memories.init_head(name, self.memories, ")")
        yield "{"
        yield from memories.init_checks(self.memories)
        yield from self._library.size_checks()
        for memory in self.memories:
            yield f"    ctx->{memory.pointer} = (int8_t *){memory.pointer};"
        yield "    return TINYRT_OK;"
        yield "}"
        yield ""
        for port in self.inputs:
            yield f"{port.tensor.dtype.c_type} *{port.function}({name}_ctx *ctx)"
            yield "{"
            yield f"    return {self._port_pointer(port)};"
            yield "}"
            yield ""
        for port in self.outputs:
            yield f"const {port.tensor.dtype.c_type} *{port.function}(const {name}_ctx *ctx)"
            yield "{"
            if port.tensor.index not in self._offsets:
                yield "    (void)ctx;"
            yield f"    return {self._port_pointer(port)};"
            yield "}"
            yield ""
        yield f"int {name}_run({name}_ctx *ctx)"
        yield "{"
        yield from memories.opening(self.memories, self._calls)
        yield "        return TINYRT_ERROR_NOT_INITIALIZED;"
        yield "    }"
        yield ""
        yield from self._calls
        yield "    return TINYRT_OK;"
        yield "}"

    def _port_pointer(self, port: Port) -> str:
        pointer = self._pointer(port.tensor.index, constant=False)
        if port.tensor.index not in self._offsets:
            return pointer
        held = memories.holder_of(self.memories, self._offsets[port.tensor.index]).pointer
        return pointer.replace(held, f"ctx->{held}", 1)

    def _title(self) -> Iterator[str]:
        graph, plan = self.program.graph, self.plan
        scratch = max((s.scratch_bytes for s in self.program.steps), default=0)
        text = f"{scratch} bytes at most, within the arena"
        if self.uses_cmsis_nn:
            text += library.scratch_note(self.program)
        file_ = self._file_name
        command = f"tinyrt emit {file_} -o DIR --name {self.name}"
        choices = f"--numerics {self.program.numerics.value} --flavour {self.program.flavour.value}"
        choices += f" --optimize {self.program.optimize.value}"
        regions = [option for option in self._options if option.startswith("--region ")]
        others = [option for option in self._options if option not in regions]
        choices = " ".join((choices, *others))
        yield f"{self.name}.c: the model '{self.name}', emitted by tinyrt {tinyrt.__version__}."
        yield ""
        yield from writer.table(
            ("model", f"{file_}, {graph.model_bytes} bytes"),
            (
                ("SHA-256", graph.sha256),
                ("command", command),
                ("", f"  {choices}"),
                *([("", f"  {' '.join(regions)}")] if regions else ()),
                *([("kernels", library.ORIGIN)] if self.uses_cmsis_nn else ()),
                *(("rewrite", writer.comment_text(text)) for text in self.program.rewrites),
                *describe.arena_rows(plan, self.memories),
                *([("scratch", text)] if scratch else ()),
                ("constants", f"{self.constant_bytes} bytes of weights and tables"),
                ("work", describe.work(self.program)),
                *((f"input {i}", described(p.tensor)) for i, p in enumerate(self.inputs)),
                *((f"output {i}", described(p.tensor)) for i, p in enumerate(self.outputs)),
            ),
            "ll",
        )
        yield ""
        yield "Usage:"
        yield ""
        for memory in self.memories:
            yield f"    {memory.declaration(memory.pointer)}"
        yield f"    {self.name}_ctx ctx;"
        given = memories.init_arguments([memory.pointer for memory in self.memories])
        head = f"    if ({self.name}_init("
        yield from writer.wrapped(head, given, ") == TINYRT_OK) {", writer.LINE_WIDTH - 4)
        for port in self.inputs:
            arguments = (f"{port.function}(&ctx)", "data", f"{port.macro}_BYTES")
            yield from writer.wrapped("        memcpy(", arguments, ");", writer.LINE_WIDTH - 4)
        yield f"        {self.name}_run(&ctx);"
        for port in self.outputs:
            yield f"        use({port.function}(&ctx));"
        yield "    }"
