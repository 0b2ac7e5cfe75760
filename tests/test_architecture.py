"""The shape of the house: imports point down, operators are complete, NumPy stays outside."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.corpus import MODELS, ROOT
from tests.examples import EXAMPLES
from tinyrt.emit import kernel_folder
from tinyrt.emit.model import KERNEL_ABI
from tinyrt.kernel import CKernel, Kernel, Variadic, c_members
from tinyrt.lower import ALL as LOWERED
from tinyrt.ops import ALL
from tinyrt.strips import ALL as STRIPS

PACKAGE = ROOT / "tinyrt"

LAYERS = (
    {"errors"},
    {"flatbuffer", "fixedpoint", "lanes"},
    {"records", "gemmlowp", "short_multiplier", "planar"},
    {"options", "findings"},
    {"schema"},
    {"graph"},
    {"kernel"},
    {"constraints", "verify", "walks"},
    {"scales", "reading", "metadata"},
    {"windows", "weights", "aliases", "broadcast", "lookup", "movers"},
    {"fast"},
    {"convolution", "pooling", "sigmoids", "sums"},
    {"ops"},
    {"cmsis_nn", "lower"},
    {"load"},
    {"rewrite"},
    {"plan", "interpreter", "arrays", "samples"},
    {"emit", "tflm", "strips"},
    {"mcu"},
    {"timing", "report", "forms"},
    {"profiles", "planning"},
    {"cli"},
    {"__main__", "__init__"},
)


def imported(path: Path) -> set[str]:
    """The rooms of tinyrt that a file imports."""
    rooms: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
            if node.module == "tinyrt":
                names = [f"tinyrt.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        rooms |= {n.split(".")[1] for n in names if n.startswith("tinyrt.")}
    return rooms


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def test_imports_point_down() -> None:
    height = {room: number for number, layer in enumerate(LAYERS) for room in layer}
    for path in PACKAGE.rglob("*.py"):
        room = room_of(path)
        assert room in height, f"{room} has no place in LAYERS"
        for other in imported(path) - {room}:
            if other in height:
                assert height[other] <= height[room], f"{path.name} imports {other}"


def test_operators_do_not_import_each_other() -> None:
    for path in (PACKAGE / "ops").glob("*.py"):
        if path.name == "__init__.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                assert not node.module.startswith("tinyrt.ops."), path.name


@pytest.mark.parametrize("kernel", ALL, ids=lambda kernel: kernel.__name__)
class TestEveryOperator:
    def test_says_what_it_is_and_where_its_arithmetic_comes_from(
        self, kernel: type[Kernel]
    ) -> None:
        assert kernel.__doc__
        assert "**Source:**" in kernel.__doc__

    def test_rules_are_sentences(self, kernel: type[Kernel]) -> None:
        for constraint in kernel.constraints:
            rule = (constraint.__doc__ or "").strip()
            assert rule.endswith(".")
            assert "\n" not in rule

    def test_has_tests_and_an_example(self, kernel: type[Kernel]) -> None:
        stem = kernel.__module__.rpartition(".")[2]
        assert (ROOT / "tests" / "ops" / f"test_{stem}.py").exists()
        assert kernel.opcode in {name.split()[0] for name in EXAMPLES}


@pytest.mark.parametrize(
    "kernel",
    [*(kernel for kernel in ALL if not kernel.alias), *LOWERED, *STRIPS],
    ids=lambda kernel: kernel.__name__,
)
class TestEveryCKernel:
    def test_c_struct_mirrors_the_dataclass(self, kernel: type[CKernel]) -> None:
        text = (kernel_folder() / f"{kernel.c_name}.h").read_text(encoding="ascii")
        text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
        found = re.search(r"typedef struct \{([^}]*)\} tinyrt_" + kernel.c_name + "_params;", text)
        assert found is not None
        members = [line.strip() for line in found[1].splitlines() if line.strip()]
        expected = [
            f"const {element} *{name};" if element else f"int32_t {name};"
            for name, element in c_members(kernel)
        ]
        assert members == expected

    def test_c_function_takes_the_parameters_first(self, kernel: type[CKernel]) -> None:
        text = (kernel_folder() / f"{kernel.c_name}.h").read_text(encoding="ascii")
        name = f"tinyrt_{kernel.c_name}"
        found = re.search(rf"void {name}\(const {name}_params \*params,([^;]*)\);", text)
        assert found is not None
        arrays = {
            Variadic.NONE: 0,
            Variadic.INPUTS: len(re.findall(r"const \*const? ?\*?\w*inputs|\*inputs", found[1])),
            Variadic.OUTPUTS: len(re.findall(r"\*outputs|outputs\[", found[1])),
        }
        if kernel.variadic is not Variadic.NONE:
            assert arrays[kernel.variadic] >= 1


def test_kernels_say_the_version_that_the_emitter_asks_for() -> None:
    text = (kernel_folder() / "tinyrt.h").read_text(encoding="ascii")
    assert f"#define TINYRT_KERNEL_ABI {KERNEL_ABI}\n" in text


def test_every_kernel_file_belongs_to_an_operator_or_to_another_kernel_file() -> None:
    stems = {kernel.c_name for kernel in ALL if not kernel.alias}
    stems |= {kernel.c_name for kernel in (*LOWERED, *STRIPS)}
    texts = {path.name: path.read_text(encoding="ascii") for path in kernel_folder().glob("*.[ch]")}
    included = {name for text in texts.values() for name in re.findall(r'#include "(.+)"', text)}
    for name in texts:
        stem = name.rpartition(".")[0]
        assert stem in stems or f"{stem}.h" in included, name


def test_no_room_has_outgrown_its_walls() -> None:
    files = [*PACKAGE.rglob("*.py"), *kernel_folder().glob("*.[ch]")]
    for path in files:
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 450, path.name


def test_neither_import_nor_invoke_imports_numpy() -> None:
    program = f"""
import sys
import tinyrt
interpreter = tinyrt.Interpreter({str(MODELS[0])!r})
interpreter.allocate_tensors()
for index in interpreter.program.graph.inputs:
    interpreter.set_tensor(index, bytes(interpreter.program.graph.tensors[index].bytes))
interpreter.invoke()
interpreter.view(interpreter.program.graph.outputs[0]).tolist()
assert "numpy" not in sys.modules
interpreter.get_tensor(interpreter.program.graph.outputs[0])
assert "numpy" in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)
