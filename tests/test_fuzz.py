"""Falsified files: a `ModelError` refuses them, or they run; both in little time and memory.

What survives is planned and run, and both Python executors must agree on it. Models of many MACs
are run once only.
"""

import resource
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.corpus import MODELS
from tests.examples import EXAMPLES
from tests.mutants import KINDS, Mutator
from tinyrt import Interpreter, load
from tinyrt.errors import ModelError
from tinyrt.interpreter import Kernels
from tinyrt.load import Program
from tinyrt.plan import plan
from tinyrt.samples import random_inputs

ROUNDS = 8
"""Mutants of each kind and file: some 5,000 in all."""
CPU_SECONDS = 1.0
MANY_MACS = 1 << 19
STATM = Path("/proc/self/statm")

SOURCES: dict[str, Callable[[], bytes]] = {
    **{path.stem: path.read_bytes for path in MODELS},
    **EXAMPLES,
}


@contextmanager
def limits(file_bytes: int) -> Iterator[None]:
    """Allow 64 MB and eight times the file of memory, in address space, and a second of CPU time.

    Where a system does not tell a process its size, only the time is limited.
    """
    before = resource.getrlimit(resource.RLIMIT_AS)
    start = time.process_time()
    if STATM.exists():
        in_use = int(STATM.read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (in_use + (64 << 20) + 8 * file_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
    spent = time.process_time() - start
    assert spent <= CPU_SECONDS, f"{spent:.2f} s of CPU time"


def prepared(mutant: bytes, name: str) -> tuple[Program | None, str]:
    """A mutant as a planned program, or the message that refuses it."""
    try:
        with limits(len(mutant)):
            program = load(mutant)
            plan(program)
    except ModelError as error:
        return None, str(error)
    except Exception as error:
        error.add_note(f"mutant {name}")
        raise
    return program, ""


def outputs(program: Program, kernels: Kernels, file_bytes: int) -> list[bytes]:
    """Run a model on seeded inputs."""
    inputs = random_inputs(program.graph, seed=1)
    with limits(file_bytes):
        interpreter = Interpreter.of(program, kernels=kernels)
        for index, value in inputs.items():
            interpreter.set_tensor(index, value)
        interpreter.invoke()
        return [bytes(interpreter.view(index)) for index in program.graph.outputs]


@pytest.mark.parametrize("source", SOURCES)
def test_falsified_files_are_refused_or_run(source: str) -> None:
    content = SOURCES[source]()
    load(content)
    refused, ran = 0, 0
    seed = zlib.crc32(source.encode())
    for name, mutant in Mutator(content).mutants(ROUNDS * len(KINDS), seed):
        program, message = prepared(mutant, name)
        if program is None:
            refused += 1
            assert all(line and line.isprintable() for line in message.split("\n")), name
        elif program.macs <= MANY_MACS:
            ran += 1
            slow, fast = (outputs(program, k, len(mutant)) for k in ("reference", "fast"))
            assert slow == fast, name
        elif ran == 0:
            ran += 1
            outputs(program, "fast", len(mutant))
    assert refused
    assert ran


def test_the_same_seed_makes_the_same_mutants() -> None:
    mutator = Mutator(EXAMPLES["CONV_2D"]())
    first, again, other = (dict(mutator.mutants(len(KINDS), seed)) for seed in (1, 1, 2))
    assert first == again
    assert first != other
