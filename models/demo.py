"""`make demo`: a trained digit classifier from its .tflite file to the same bytes everywhere.

Reads held-out handwritten digits in pure Python, shows where every tensor lies in memory, emits the
model as C, builds that for this machine and for an emulated Cortex-M4, and compares every tensor.
"""

import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from rich.columns import Columns
from rich.console import Console
from rich.panel import Panel

import tinyrt
from tinyrt import report
from tinyrt.emit import emit
from tinyrt.load import Optimize, load, lower
from tinyrt.mcu.certify import Verdict, verify
from tinyrt.mcu.profile import Subject, profile
from tinyrt.mcu.targets import target_named
from tinyrt.plan import plan

MODELS = Path(__file__).parent
SIDE = 8
RECORD_BYTES = SIDE * SIDE + 1
SHOWN = 6
SHADES = " ░▒▓█"
COMPARED = 3


def read_samples() -> list[tuple[bytes, int]]:
    """Held-out digits: 64 int8 pixels and the digit that it is."""
    data = (MODELS / "digits.samples.bin").read_bytes()
    records = [data[start : start + RECORD_BYTES] for start in range(0, len(data), RECORD_BYTES)]
    return [(record[:-1], record[-1]) for record in records]


def draw(pixels: bytes) -> str:
    """A digit in shades: two characters a pixel, since characters are taller than wide."""
    lines = []
    for start in range(0, len(pixels), SIDE):
        inks = ((value + 128) % 256 for value in pixels[start : start + SIDE])
        lines.append("".join(2 * SHADES[ink * len(SHADES) // 256] for ink in inks))
    return "\n".join(lines)


def classify(console: Console, content: bytes, samples: Sequence[tuple[bytes, int]]) -> None:
    """Run every sample in Python; draw some, and say how many are right."""
    interpreter = tinyrt.Interpreter(model_content=content)
    (source,) = interpreter.program.graph.inputs
    (result,) = interpreter.program.graph.outputs
    panels = []
    right = 0
    start = time.perf_counter()
    for number, (pixels, digit) in enumerate(samples):
        interpreter.set_tensor(source, pixels)
        interpreter.invoke()
        scores = report.elements(interpreter, result)
        found = max(range(len(scores)), key=scores.__getitem__)
        right += found == digit
        if number % (len(samples) // SHOWN) == 0 and len(panels) < SHOWN:
            colour = "green" if found == digit else "red"
            certainty = (scores[found] + 128) / 256
            title = f"[{colour}]reads {found}[/] ({certainty:.0%})"
            panels.append(Panel(draw(pixels), title=title, subtitle=f"is {digit}", expand=False))
    seconds = time.perf_counter() - start
    console.print(Columns(panels))
    console.print(
        f"pure Python: {right} of {len(samples)} held-out digits right, "
        f"{seconds / len(samples) * 1e3:.2f} ms each",
        highlight=False,
    )


def main() -> int:
    """Show the whole line; 0 if all executors agree."""
    console = Console()
    content = (MODELS / "digits.tflite").read_bytes()
    samples = read_samples()
    console.rule("1  a trained model, held-out input, pure Python")
    classify(console, content, samples)

    console.rule("2  its memory on the microcontroller")
    program = lower(load(content), Optimize.BALANCED)
    layout = plan(program)
    report.show_plan(console, program, layout)

    console.rule("3  the same model as C")
    project = emit(program, layout, "digits", "digits.tflite")
    wanted = [target_named(name) for name in ("host", "cortex-m4")]
    missing = [line for target in wanted if (line := target.missing()) is not None]
    targets = [target for target in wanted if target.missing() is None]
    (source,) = program.graph.inputs
    runs = [{source: pixels} for pixels, _ in samples[:COMPARED]]
    counted = ""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = project.write(folder / "digits")
        lines = sum(len(path.read_text(encoding="ascii").splitlines()) for path in paths)
        console.print(
            f"{len(paths)} files, {lines:,} lines of C99 and build files", highlight=False
        )
        with console.status("building and running") as status:
            verdicts = verify(
                program, layout, targets, runs, folder, name="digits", announce=status.update
            )
            if any(target.machine for target in targets):
                core = targets[-1]
                subject = Subject(program, layout, project, runs[0])
                (found,) = profile(core, (subject,), folder / "profile")
                counted = (
                    f"{found.instructions / found.macs:.2f} instructions per MAC, "
                    f"{found.code_bytes:,} bytes of code, {found.stack_bytes} bytes of stack"
                )
    for line in missing:
        console.print(f"not run: {line}", highlight=False, markup=False)
    return conclude(console, verdicts, layout.arena_bytes, counted)


def conclude(console: Console, verdicts: Sequence[Verdict], arena_bytes: int, counted: str) -> int:
    """Say whether the executors agree."""
    built = (v.executor for v in verdicts if v.executor.startswith("C, "))
    names = ["Python", *(executor.removeprefix("C, ") for executor in built)]
    agree = all(verdict.agrees for verdict in verdicts)
    for verdict in verdicts:
        if not verdict.agrees:
            console.print(f"[red]{verdict.executor}: {verdict.difference}[/]", highlight=False)
    console.rule()
    word = "[bold green]agree bit for bit[/]" if agree else "[bold red]DISAGREE[/]"
    tensors = verdicts[0].tensors
    console.print(
        f"{', '.join(names[:-1])} and {names[-1]} {word} on {tensors} tensors; "
        f"arena {arena_bytes:,} bytes" + (f"; {counted}" if counted else ""),
        highlight=False,
    )
    return 0 if agree else 1


if __name__ == "__main__":
    sys.exit(main())
