"""Whole models: every tensor as TFLM computes it, in Python, in host C and on emulated cores."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import pytest

import tinyrt
from tests import oracle
from tests.corpus import MODELS, ROOT
from tests.harness import assert_c_agrees, assert_same, python_tensors
from tinyrt.emit import emit
from tinyrt.load import Optimize, Program, lower
from tinyrt.mcu.cases import Case
from tinyrt.mcu.targets import TARGETS
from tinyrt.plan import plan
from tinyrt.samples import random_inputs

RUN_STYLES = ("uniform", "edges")
MANIFEST = tomllib.loads((ROOT / "models" / "MANIFEST.toml").read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class Truth:
    """A model with the inputs of some runs and every tensor that TFLM computes from them."""

    path: Path
    content: bytes
    program: Program
    runs: tuple[Mapping[int, bytes], ...]
    tensors: tuple[Mapping[int, bytes], ...]


@pytest.fixture(scope="module")
def truths() -> tuple[Truth, ...]:
    found = []
    for path in MODELS:
        content = path.read_bytes()
        program = tinyrt.load(content)
        runs = tuple(
            random_inputs(program.graph, seed, style) for seed, style in enumerate(RUN_STYLES)
        )
        tensors = tuple(oracle.every_tensor(content, program, inputs) for inputs in runs)
        found.append(Truth(path, content, program, runs, tensors))
    return tuple(found)


@pytest.mark.parametrize(
    ("number", "kernels"),
    list(product(range(len(MODELS)), ("reference", "fast"))),
    ids=lambda value: value if isinstance(value, str) else MODELS[value].stem,
)
def test_python_computes_what_tflm_computes(
    truths: tuple[Truth, ...], number: int, kernels: str
) -> None:
    truth = truths[number]
    for turn, (inputs, tensors) in enumerate(zip(truth.runs, truth.tensors, strict=True)):
        found = python_tensors(truth.content, inputs, kernels)
        what = f"{truth.path.name}, run {turn}, {kernels}"
        assert_same(what, truth.program, tensors, found)


@pytest.mark.parametrize("target", TARGETS)
def test_emitted_c_computes_what_tflm_computes(truths: tuple[Truth, ...], target: str) -> None:
    cases, expected = [], []
    for truth in truths:
        for optimize in (Optimize.SIZE, Optimize.BALANCED):
            program = lower(truth.program, optimize)
            name = f"{truth.path.stem}_{optimize.value}"
            cases.append(Case(emit(program, plan(program), name, truth.path.name), truth.runs))
            expected.append((program, truth.tensors))
    assert_c_agrees(target, cases, expected)


def samples(facts: Mapping[str, object]) -> list[tuple[bytes, int]]:
    """Input and label of each held-out sample of a model, as models/README.md defines them."""
    data = (ROOT / "models" / str(facts["samples_file"])).read_bytes()
    size = facts["record_bytes"]
    assert isinstance(size, int)
    assert len(data) == facts["samples_bytes"]
    records = [data[start : start + size] for start in range(0, len(data), size)]
    return [(record[:-1], int.from_bytes(record[-1:], signed=True)) for record in records]


def outputs_of(name: str, inputs: list[bytes]) -> list[list[int]]:
    """The int8 outputs of one of our models."""
    interpreter = tinyrt.Interpreter(ROOT / "models" / str(MANIFEST[name]["file"]))
    (source,) = interpreter.program.graph.inputs
    (result,) = interpreter.program.graph.outputs
    found = []
    for value in inputs:
        interpreter.set_tensor(source, value)
        interpreter.invoke()
        found.append(memoryview(interpreter.view(result).tobytes()).cast("b").tolist())
    return found


@pytest.mark.parametrize("name", [n for n in MANIFEST if MANIFEST[n]["metric"] == "accuracy"])
def test_accuracy_is_that_of_the_manifest(name: str) -> None:
    facts = MANIFEST[name]
    pairs = samples(facts)
    outputs = outputs_of(name, [value for value, _ in pairs])
    hits = sum(
        output.index(max(output)) == label
        for output, (_, label) in zip(outputs, pairs, strict=True)
    )
    assert hits == facts["sample_correct"]
    assert round(hits / len(pairs), 4) == facts["int8_accuracy"]


def test_mean_error_of_the_sine_is_that_of_the_manifest() -> None:
    facts = MANIFEST["sine"]
    pairs = samples(facts)
    outputs = outputs_of("sine", [value for value, _ in pairs])
    error = sum(abs(output[0] - label) for output, (_, label) in zip(outputs, pairs, strict=True))
    assert error == facts["sample_abs_error_sum"]


def test_auc_of_the_anomaly_detector_is_that_of_the_manifest() -> None:
    facts = MANIFEST["anomaly"]
    pairs = samples(facts)
    outputs = outputs_of("anomaly", [value for value, _ in pairs])
    scores: dict[int, list[int]] = {0: [], 1: []}
    for output, (value, label) in zip(outputs, pairs, strict=True):
        scores[label].append(
            sum(
                (
                    facts["score_input_factor"] * (q - facts["input_zero_point"])
                    - facts["score_output_factor"] * (r - facts["output_zero_point"])
                )
                ** 2
                for q, r in zip(memoryview(value).cast("b"), output, strict=True)
            )
        )
    ordered = sum(normal < anomalous for normal, anomalous in product(scores[0], scores[1]))
    assert len(scores[0]) * len(scores[1]) == facts["sample_pairs"]
    assert ordered == facts["sample_ordered_pairs"]
    assert round(ordered / facts["sample_pairs"], 4) == facts["int8_auc"]
