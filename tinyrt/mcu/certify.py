"""`tinyrt verify`: shows that Python, host C and emulated cores compute the same bytes.

Before that, the plan is held to what the kernels say of every byte (`plan.trace_check`), and tried
(`plan.shadow`).
"""

import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tinyrt.emit import emit
from tinyrt.errors import PlanError
from tinyrt.interpreter import Interpreter, Kernels
from tinyrt.load import Program, Step
from tinyrt.mcu.cases import Case
from tinyrt.mcu.library import Library
from tinyrt.mcu.targets import Target
from tinyrt.mcu.trace import Crcs, trace
from tinyrt.plan import Plan, shadow
from tinyrt.plan.trace_check import check_touches
from tinyrt.samples import STYLES, random_inputs

ARENA = "Python, in the arena"
"""The executor that runs the reference kernels as planned, every byte of the arena tagged."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one executor showed."""

    executor: str
    difference: str | None
    """The first operator that differs, in words; None where everything agrees."""
    tensors: int
    """Tensors compared, over all runs."""
    seconds: float

    @property
    def agrees(self) -> bool:
        """Whether every tensor of every run is the same as in Python's reference kernels."""
        return self.difference is None


def sample_runs(program: Program, count: int) -> tuple[Mapping[int, bytes], ...]:
    """Seeded inputs for some runs: uniform ones first, then the extremes, and so on."""
    return tuple(
        random_inputs(program.graph, seed, STYLES[seed % len(STYLES)]) for seed in range(count)
    )


def python_crcs(
    program: Program,
    runs: Sequence[Mapping[int, bytes]],
    kernels: Kernels,
    *,
    asked: Program | None = None,
) -> tuple[Crcs, ...]:
    """The CRC of every tensor of every run, in one of the Python executors.

    Args:
        program: what is run.
        runs: inputs, by tensor index.
        kernels: of which executor.
        asked: the program whose steps are asked for, where it is another form of the same: what a
            strip computes is cut out of what the whole operator has computed.
    """
    interpreter = Interpreter.of(program, kernels=kernels, preserve_all_tensors=True)
    found = []
    for inputs in runs:
        for index, value in inputs.items():
            interpreter.set_tensor(index, value)
        interpreter.invoke()
        found.append(
            {
                (step.node.index, index): zlib.crc32(_result(interpreter, step, index))
                for step in (asked or program).steps
                for index in step.comparable
            }
        )
    return tuple(found)


def _result(interpreter: Interpreter, step: Step, index: int) -> bytes:
    """What a step has written, or its operator where that ran as a whole."""
    if step.part is None or index < len(interpreter.program.graph.tensors):
        return interpreter.view(index).tobytes()
    whole = step.node.outputs[0]
    row_bytes = whole.bytes // whole.shape[1]
    rows = step.part.rows
    data = interpreter.view(whole.index).tobytes()
    return data[rows.start * row_bytes : rows.stop * row_bytes]


def verify(
    program: Program,
    plan: Plan,
    targets: Sequence[Target],
    runs: Sequence[Mapping[int, bytes]],
    folder: Path,
    *,
    name: str = "model",
    original: Program | None = None,
    library: Library | None = None,
    announce: Callable[[str], None] = lambda _: None,
) -> tuple[Verdict, ...]:
    """Compare every tensor of every run between Python's reference kernels and the others.

    Args:
        program: the model.
        plan: its memory plan.
        targets: where to build and run the emitted C.
        runs: inputs, by tensor index.
        folder: for what is built.
        name: of the emitted model.
        original: the program before it was rewritten, whose tensors are the truth.
        library: CMSIS-NN, for a program of that flavour.
        announce: told what is going on, for progress display.

    Raises:
        ToolchainError: a compiler or emulator is missing or fails.
    """
    announce("Python, reference kernels")
    truth = python_crcs(original or program, runs, "reference", asked=program)
    announce("Python, fast kernels")
    start = time.perf_counter()
    fast = python_crcs(program, runs, "fast")
    verdicts = [_compare("Python, fast", program, truth, fast, time.perf_counter() - start)]
    announce("the arena, byte by byte")
    verdicts.append(_arena(program, plan, truth, runs))
    case = Case(emit(program, plan, name, "model.tflite"), tuple(runs))
    for target in targets:
        announce(f"C on {target.name}, {target.core}")
        start = time.perf_counter()
        (found,) = trace(target, (case,), folder / target.name, library=library)
        elapsed = time.perf_counter() - start
        verdicts.append(_compare(f"C, {target.name}", program, truth, found, elapsed))
    return tuple(verdicts)


def _arena(
    program: Program, plan: Plan, truth: Sequence[Crcs], runs: Sequence[Mapping[int, bytes]]
) -> Verdict:
    """Whether no operator reads what is overwritten: by what kernels say, and in a first run."""
    start = time.perf_counter()
    values: Mapping[int, bytes] = {}
    try:
        check_touches(program, plan)
        if runs:
            values = shadow.run(program, plan, runs[0])
    except PlanError as error:
        return Verdict(ARENA, str(error), 0, time.perf_counter() - start)
    crcs = {
        (step.node.index, index): zlib.crc32(values[index])
        for step in program.steps
        for index in step.comparable
        if index in values
    }
    elapsed = time.perf_counter() - start
    return _compare(ARENA, program, truth[:1], [crcs] if runs else [], elapsed)


def _compare(
    executor: str,
    program: Program,
    truth: Sequence[Crcs],
    found: Sequence[Crcs],
    seconds: float,
) -> Verdict:
    tensors = 0
    for turn, (wanted, got) in enumerate(zip(truth, found, strict=True)):
        for step in program.steps:
            for index in step.comparable:
                tensors += 1
                key = step.node.index, index
                if got.get(key) != wanted[key]:
                    what = f"run {turn}: {step.where()}, {program.graph.tensors[index]}"
                    return Verdict(executor, what, tensors, seconds)
    return Verdict(executor, None, tensors, seconds)
