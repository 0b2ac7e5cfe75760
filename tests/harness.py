"""What every operator test does: all executors and the oracle, every tensor, byte for byte."""

import tempfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import tinyrt
from tests import oracle
from tinyrt.emit import emit
from tinyrt.load import Optimize, Program, lower
from tinyrt.mcu.cases import Case
from tinyrt.mcu.library import Library
from tinyrt.mcu.targets import target_named
from tinyrt.mcu.trace import trace
from tinyrt.plan import plan
from tinyrt.samples import STYLES, random_inputs


def python_tensors(
    model: bytes, inputs: Mapping[int, bytes], kernels: str, numerics: str = "tflm"
) -> dict[int, bytes]:
    """Every tensor of a run in one of the Python executors."""
    interpreter = tinyrt.Interpreter(
        model_content=model, kernels=kernels, numerics=numerics, preserve_all_tensors=True
    )
    for index, value in inputs.items():
        interpreter.set_tensor(index, value)
    interpreter.invoke()
    return {
        index: interpreter.view(index).tobytes()
        for step in interpreter.program.steps
        for index in step.results
    }


def agree(
    models: Sequence[bytes],
    seed: int = 0,
    styles: Sequence[str] = STYLES,
    targets: Sequence[str] = ("host",),
    optimize: Optimize = Optimize.BALANCED,
) -> None:
    """Assert that TFLM, both Python executors and the emitted C agree on every tensor.

    The C of all the models, with plain kernels and with lowered ones where there are some, is one
    program for each target, built with sanitizers on the host.
    """
    cases: list[Case] = []
    expected: list[tuple[Program, list[dict[int, bytes]]]] = []
    for number, model in enumerate(models):
        program = tinyrt.load(model)
        runs, truths = [], []
        for style in styles:
            inputs = random_inputs(program.graph, seed + number, style)
            truth = oracle.every_tensor(model, program, inputs)
            for kernels in ("reference", "fast"):
                found = python_tensors(model, inputs, kernels)
                assert_same(f"model {number}, {style}, {kernels}", program, truth, found)
            runs.append(inputs)
            truths.append(truth)
        lowered = lower(program, optimize)
        plain = all(step.lowered is None for step in lowered.steps)
        for variant in (program,) if plain else (program, lowered):
            name = f"model_{number}_{variant.optimize.value}"
            cases.append(Case(emit(variant, plan(variant), name, "model.tflite"), tuple(runs)))
            expected.append((variant, truths))
    for target in targets:
        assert_c_agrees(target, cases, expected)


def assert_c_agrees(
    target: str,
    cases: Sequence[Case],
    expected: Sequence[tuple[Program, Sequence[Mapping[int, bytes]]]],
    library: Library | None = None,
) -> None:
    """Assert that the emitted C gives these tensors on a target; name the first that differs."""
    with tempfile.TemporaryDirectory() as folder:
        traces = trace(
            target_named(target),
            cases,
            Path(folder),
            optimize="-O1",
            sanitize=target == "host",
            library=library,
        )
    for number, (crcs_of_runs, (program, truths)) in enumerate(zip(traces, expected, strict=True)):
        for turn, (crcs, truth) in enumerate(zip(crcs_of_runs, truths, strict=True)):
            for step in program.steps:
                for index in step.results:
                    assert crcs[step.node.index, index] == zlib.crc32(truth[index]), (
                        f"{target}, model {number}, run {turn}: {step.node.where()}, "
                        f"{program.graph.tensors[index]}\n{step.code}"[:3000]
                    )


def assert_same(
    what: str, program: Program, truth: dict[int, bytes], found: dict[int, bytes]
) -> None:
    """Assert that two runs agree on every tensor; name the first operator that differs."""
    for step in program.steps:
        for index in step.results:
            if truth[index] != found[index]:
                tensor = program.graph.tensors[index]
                form = tensor.dtype.format
                wanted, got = (
                    memoryview(values[index]).cast(form).tolist() for values in (truth, found)
                )
                places = [i for i, (a, b) in enumerate(zip(wanted, got, strict=True)) if a != b]
                raise AssertionError(
                    f"{what}: {step.node.where()}, {tensor}: {len(places)} of {len(got)} differ, "
                    f"first at {places[0]}: {got[places[0]]} instead of {wanted[places[0]]}\n"
                    f"{step.kernel}"[:3000]
                )
