"""The benchmark suite: it runs, its NumPy peer is exact, and what it shows is what was found."""

import io
import random
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from rich.console import Console

import tinyrt
from benchmarks import cases, chart, figures, tables
from benchmarks.executors import EXACT, NAMES, CannotRunError, factory
from benchmarks.interleave import Bench, Effort, Participant
from benchmarks.results import Footprint, Result, Run, Timing
from benchmarks.workers import AbsentError, Worker
from tests import oracle
from tests.builder import TensorSpec, single_operator
from tests.corpus import MODELS, ROOT
from tests.harness import assert_same
from tests.ops import draws
from tinyrt.samples import STYLES, random_inputs

SINE, DIGITS = "our_sine_held_out", "our_digits_held_out"


def suite(*arguments: str) -> str:
    """What a run of the suite prints."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist"]
    found = subprocess.run(
        [*command, "benchmarks", "--quick", "--benchmark-quiet", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert found.returncode == 0, found.stdout + found.stderr
    return found.stdout


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, str, Path]:
    folder = tmp_path_factory.mktemp("bench")
    results = folder / "new" / "results.json"
    text = suite("--results", str(results), "--chart", str(folder / "chart.svg"))
    return Run.read(results), text, folder


class TestSuite:
    """The suite as a whole, in two rounds."""

    def test_every_executor_is_timed_or_its_absence_explained(
        self, run: tuple[Run, str, Path]
    ) -> None:
        found = run[0]
        names = {case.name for case in (*cases.models(), *cases.kernels()) if case.quick}
        assert {result.name for result in found.results} == names
        for result in found.results:
            assert {*result.timings, *result.absent} == set(NAMES)
            assert {"fast", "reference"} <= set(result.timings)
            assert all(result.absent.values())
            for name, timing in result.timings.items():
                assert 1 <= len(timing.seconds) <= 2
                assert timing.same_bytes or name not in EXACT

    def test_footprints_are_of_this_machine(self, run: tuple[Run, str, Path]) -> None:
        digits = run[0].footprint("our_digits")
        assert digits is not None
        assert 1e6 < digits.peak_bytes < 1e9
        assert run[0].machine["python"].endswith(sys.version.split()[0])

    def test_tables_show_everything(self, run: tuple[Run, str, Path]) -> None:
        found, text, _ = run
        for result in found.results:
            assert result.name in text
        for title in ("Whole models", "Kernels alone", "Fresh processes", "Figures"):
            assert title in text

    def test_chart_is_written(self, run: tuple[Run, str, Path]) -> None:
        assert ElementTree.parse(run[2] / "chart.svg").getroot().tag.endswith("svg")

    def test_comparison_with_a_saved_run(self, run: tuple[Run, str, Path]) -> None:
        text = suite("-k", SINE, "--compare", str(run[2] / "new" / "results.json"))
        assert "Compared with the saved run" in text
        assert "geometric mean of 1:" in text

    def test_a_wrong_file_is_refused_before_anything_runs(self, tmp_path: Path) -> None:
        (tmp_path / "other.json").write_text("[]", encoding="utf-8")
        with pytest.raises(AssertionError, match="not results of this suite"):
            suite("--compare", str(tmp_path / "other.json"))


class TestWorkers:
    """Processes that cannot run, and those that die."""

    def test_a_package_that_is_missing(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        shadow = tmp_path / "tflite_micro"
        shadow.mkdir()
        (shadow / "__init__.py").write_text("raise ImportError('left out')", encoding="utf-8")
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        case = next(case for case in cases.models() if case.name == SINE)
        bench = Bench()
        try:
            found = bench.measure(case, Effort(1, 0.0, 1.0))
        finally:
            bench.close()
        assert found.absent == {"tflm": "not installed (left out)"}
        assert set(found.timings) == set(NAMES) - {"tflm"}

    def test_a_process_that_dies_and_one_that_never_was(self, tmp_path: Path) -> None:
        worker = Worker("reference")
        assert worker.absent is None
        (tmp_path / "model").write_bytes(b"no model")
        with pytest.raises(AbsentError, match=r"exit status 1: .*FormatError"):
            worker.ask(model=str(tmp_path / "model"), records=[[]])
        assert worker.dead
        with pytest.raises(AbsentError):
            worker.ask(runs=1)
        worker.close()
        unknown = Worker("abacus")
        assert unknown.absent is not None
        assert "no executor is called 'abacus'" in unknown.absent
        unknown.close()

    def test_numpy_is_noticed(self) -> None:
        for kind, loaded in (("fast", False), ("numpy", True)):
            worker = Worker(kind)
            assert worker.numpy_loaded is loaded
            worker.close()

    @pytest.mark.parametrize("turns", [0, 1, 2, 3, 7, 9])
    def test_turns_are_spread_over_the_rounds(self, turns: int) -> None:
        participant = Participant(Worker.__new__(Worker), 0, 1, turns, [])
        assert sum(participant.joins(number, 9) for number in range(9)) == turns

    def test_effort_is_bounded(self) -> None:
        effort = Effort(rounds=10, turn_seconds=0.02, slow_seconds=1.0)
        assert (effort.runs(0.001), effort.turns(0.001)) == (20, 10)
        assert (effort.runs(0.3), effort.turns(0.3)) == (1, 3)
        assert (effort.runs(9.0), effort.turns(9.0)) == (1, 1)


def convolution(rng: random.Random) -> bytes:
    geometry = draws.geometry(rng)
    depth, channels, batches = rng.choice((1, 3, 70)), rng.choice((1, 4, 65)), rng.choice((1, 2))
    source = draws.activation(rng, batches, *geometry.size, depth)
    filter_ = draws.weights(rng, (channels, *geometry.kernel, depth), rng.choice((None, 0)))
    return single_operator(
        "CONV_2D",
        [source, filter_, *draws.bias(rng, channels)],
        [draws.output(rng, source, filter_, batches, *geometry.output, channels)],
        fused_activation_function=rng.choice(draws.ACTIVATIONS),
        **geometry.options,
    )


def depthwise(rng: random.Random) -> bytes:
    geometry = draws.geometry(rng)
    depth, multiplier, batches = rng.choice((1, 3, 8)), rng.choice((1, 1, 2)), rng.choice((1, 2))
    source = draws.activation(rng, batches, *geometry.size, depth)
    filter_ = draws.weights(rng, (1, *geometry.kernel, depth * multiplier), rng.choice((None, 3)))
    output = draws.output(rng, source, filter_, batches, *geometry.output, depth * multiplier)
    return single_operator(
        "DEPTHWISE_CONV_2D",
        [source, filter_, *draws.bias(rng, depth * multiplier)],
        [output],
        depth_multiplier=multiplier,
        fused_activation_function=rng.choice(draws.ACTIVATIONS),
        **geometry.options,
    )


def dense(rng: random.Random) -> bytes:
    depth, outputs, rows = rng.choice((1, 9, 64)), rng.choice((1, 7, 80)), rng.choice((1, 3))
    source = draws.activation(rng, rows, depth)
    filter_ = draws.weights(rng, (outputs, depth), rng.choice((None, 0)))
    bias = draws.bias(rng, outputs, source.scale * filter_.scale[0])
    return single_operator(
        "FULLY_CONNECTED",
        [source, filter_, *bias],
        [draws.output(rng, source, filter_, rows, outputs)],
        fused_activation_function=rng.choice(draws.ACTIVATIONS),
    )


def pool(rng: random.Random) -> bytes:
    geometry = draws.geometry(rng, dilations=(1, 1))
    source = draws.activation(rng, 1, *geometry.size, 3)
    shape = (1, *geometry.output, 3)
    return single_operator(
        rng.choice(("AVERAGE_POOL_2D", "MAX_POOL_2D")),
        [source],
        [TensorSpec(shape, "int8", scale=source.scale, zero_point=source.zero_point)],
        filter_height=geometry.kernel[0],
        filter_width=geometry.kernel[1],
        stride_h=geometry.strides[0],
        stride_w=geometry.strides[1],
        padding=geometry.padding,
        fused_activation_function=rng.choice(draws.ACTIVATIONS),
    )


def addition(rng: random.Random) -> bytes:
    first, second = (draws.activation(rng, 2, 3, 5) for _ in range(2))
    output = draws.activation(rng, 2, 3, 5)
    return single_operator(
        "ADD", [first, second], [output], fused_activation_function=rng.choice(draws.ACTIVATIONS)
    )


def softmax(rng: random.Random) -> bytes:
    source = draws.activation(rng, 3, rng.choice((1, 2, 12, 100)))
    output = TensorSpec(source.shape, "int8", scale=1 / 256, zero_point=-128)
    return single_operator("SOFTMAX", [source], [output], beta=rng.choice((0.5, 1.0, 2.0)))


class TestNumpyPeer:
    """The NumPy implementation gives TFLM's bytes: only then is its time worth knowing."""

    @pytest.mark.parametrize("name", ["numpy", "numpy-einsum"])
    @pytest.mark.parametrize(
        "draw", [convolution, depthwise, dense, pool, addition, softmax], ids=lambda d: d.__name__
    )
    def test_single_operators(self, draw: Any, name: str) -> None:
        rng = random.Random(71)
        for _ in range(12):
            self.check(draw(rng), name, STYLES)

    @pytest.mark.parametrize("name", ["numpy", "numpy-einsum"])
    @pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
    def test_models(self, path: Path, name: str) -> None:
        self.check(path.read_bytes(), name, ("uniform", "edges"))

    @staticmethod
    def check(model: bytes, name: str, styles: Sequence[str]) -> None:
        program = tinyrt.load(model)
        executor = factory(name)[0](model)
        for seed, style in enumerate(styles):
            inputs = random_inputs(program.graph, seed, style)
            truth = oracle.every_tensor(model, program, inputs)
            executor.feed([inputs[index] for index in program.graph.inputs])
            executor.invoke()
            found = dict(zip(program.graph.outputs, executor.outputs(), strict=True))
            assert_same(f"{name}, {style}", program, truth | {}, truth | found)

    def test_what_it_does_not_run_is_refused(self) -> None:
        source = draws.activation(random.Random(1), 1, 4)
        with pytest.raises(CannotRunError, match="no NumPy implementation of LOGISTIC"):
            factory("numpy")[0](
                single_operator(
                    "LOGISTIC",
                    [source],
                    [TensorSpec(source.shape, "int8", scale=1 / 256, zero_point=-128)],
                )
            )


class TestCases:
    """What is timed."""

    def test_names_are_unique(self) -> None:
        names = [case.name for case in (*cases.models(), *cases.kernels())]
        assert len(names) == len(set(names))

    def test_layers_are_single_operators(self) -> None:
        for case in cases.kernels():
            program = tinyrt.load(case.build())
            assert len(program.steps) == 1
            records = case.records(case.build())
            assert len(records) == cases.RECORDS
            for record in records:
                for index, value in zip(program.graph.inputs, record, strict=True):
                    assert len(value) == program.graph.tensors[index].bytes

    def test_half_zeros_are_half_zeros(self) -> None:
        sparse = [case for case in cases.kernels() if case.inputs == "half zeros"]
        assert sparse
        for case in sparse:
            ((value,), *_) = case.records(case.build())
            assert 0.3 < value.count(0x80) / len(value) < 0.7

    def test_held_out_samples_are_those_of_the_folder(self) -> None:
        case = next(case for case in cases.models() if case.name == DIGITS)
        data = (ROOT / "models" / "digits.samples.bin").read_bytes()
        for (value,) in case.records(case.build()):
            assert data.index(value) % 65 == 0

    def test_mobilenet_is_the_one_of_300_million_and_alive(self) -> None:
        case = next(case for case in cases.models() if case.name == cases.MOBILENET_V2)
        model = case.build()
        program = tinyrt.load(model)
        assert program.macs == 300_774_272
        inputs = random_inputs(program.graph, 0)
        tensors = oracle.every_tensor(model, program, inputs, arena_bytes=1 << 25)
        for step in program.steps[:-1]:
            values = tensors[step.results[0]]
            assert values.count(0x7F) < len(values) / 2, step.node.where()
            assert len(set(values)) > 20, step.node.where()


def result(name: str, kind: str = "model", **milliseconds: float) -> Result:
    """A result with one round of each executor named."""
    timings = {
        executor.replace("_", "-"): Timing((amount / 1e3,), 1, executor != "litert")
        for executor, amount in milliseconds.items()
    }
    absent = {executor: "not here" for executor in NAMES if executor not in timings}
    return Result(name, kind, "uniform", 1_000_000, timings, absent)


def example() -> Run:
    """A run in which the four models meet every figure but one."""
    results = [
        result("kws", fast=1.0, reference=100.0, numpy=2.0, tflm=1.0, litert=0.1),
        result("vww", fast=2.0, reference=200.0, numpy=2.5, tflm=1.0),
        result("resnet", fast=3.0, reference=300.0, numpy=9.0, tflm=1.0),
        result("ad", fast=1.0, reference=100.0, numpy=1.5, tflm=6.0),
        result("kws/conv", "kernel", fast=9.0, reference=9.0, tflm=1.0),
    ]
    machine = {
        "processor": "abacus",
        "cpus": 1,
        "system": "none",
        "python": "CPython 3",
        "clock": "wall",
        "load": "0",
        "load_after": "0",
        "versions": {"fast": "1"},
    }
    footprint = Footprint("kws", 0.1, 0.1, 0.5, 0.4, 30_000_000)
    return Run(machine, tuple(results), (footprint,))


class TestWhatIsShown:
    """Tables, figures and the chart, from made-up data."""

    def test_figures(self) -> None:
        found = {figure.title: figure for figure in figures.figures(example())}
        mean = found["four models against TFLM, mean"]
        assert mean.found == pytest.approx(1.0)
        assert (found["kws against TFLM"].found, found["kws against TFLM"].verdict) == (
            1.0,
            "reached",
        )
        assert found["vww against TFLM"].verdict == "held"
        assert found["resnet against TFLM"].verdict == "missed"
        slow = found["four models: reference against fast, mean"]
        assert slow.found == pytest.approx(100.0)
        assert slow.verdict == "reached"
        assert found["kws: load and prepare"].found == pytest.approx(0.2)
        assert found["kws: load and prepare"].verdict == "held"
        assert found["vww: load and prepare"].verdict == "not measured"
        assert found["MobileNetV2 224x224, a frame"].verdict == "not measured"

    def test_saved_and_read_again(self, tmp_path: Path) -> None:
        example().save(tmp_path / "deep" / "run.json")
        assert Run.read(tmp_path / "deep" / "run.json") == example()

    def test_tables_say_who_is_absent_and_who_differs(self) -> None:
        console = Console(width=170, file=io.StringIO(), record=True)
        tables.show(console, example())
        text = console.export_text()
        assert "einsum is absent from kws, vww, resnet, ad and 1 more: not here" in text
        assert "0.1*" in text
        assert "2.00×" in text

    def test_comparison(self) -> None:
        before = example()
        faster = result("kws", fast=0.5, tflm=1.0)
        after = Run({**before.machine, "cpus": 2}, (faster,), ())
        console = Console(width=170, file=io.StringIO(), record=True)
        tables.show_comparison(console, before, after)
        text = console.export_text()
        assert "-50.0%" in text
        assert "not the same machine" in text

    def test_chart_has_a_bar_for_each_executor_of_each_model(self) -> None:
        picture = ElementTree.fromstring(chart.draw(example()))
        bars = list(self.bars(picture))
        assert len(bars) == 3 * 4 + 1
        widths = [float(bar.attrib["width"]) for bar in bars]
        assert max(widths) <= 760
        assert "6.00" not in "".join(picture.itertext())  # TFLM itself is 1
        assert "absent" in "".join(picture.itertext())

    @staticmethod
    def bars(picture: ElementTree.Element) -> Iterator[ElementTree.Element]:
        for element in picture.iter("{http://www.w3.org/2000/svg}rect"):
            if element.find("{http://www.w3.org/2000/svg}title") is not None:
                yield element
