"""Strips compute the bytes of whole operators: in Python, in a poisoned arena, and in C."""

import random
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from tests import cmsis_nn as flavour
from tests.corpus import MODELS, ROOT
from tests.strips.chains import head, wide_mean
from tinyrt.emit import emit
from tinyrt.errors import InputError, PlanError
from tinyrt.interpreter import Interpreter
from tinyrt.load import Optimize, Program, load, lower, with_cmsis_nn
from tinyrt.mcu.cases import Case
from tinyrt.mcu.certify import python_crcs, sample_runs, verify
from tinyrt.mcu.library import Library
from tinyrt.mcu.targets import target_named
from tinyrt.mcu.trace import trace
from tinyrt.plan import Plan, plan, shadow
from tinyrt.plan.check import Block, Layout, check
from tinyrt.plan.packing import Budget
from tinyrt.plan.trace_check import check_touches
from tinyrt.samples import random_inputs
from tinyrt.strips import Fit, fit
from tinyrt.strips.keep import Keep
from tinyrt.strips.schedule import is_closed, schedule
from tinyrt.strips.unroll import unroll

QUICK = Budget(nodes=0, shuffles=50)
SHAPES = (Fraction(1, 2), Fraction(1), Fraction(2), Fraction(3), Fraction(7))


def regions(program: Program) -> Iterator[range]:
    """All stretches of operators that can run in strips."""
    count = len(program.steps)
    for first in range(count):
        for end in range(first + 1, count + 1):
            region = range(first, end)
            if is_closed(program, region) and schedule(program, region, Fraction(1)):
                yield region


def in_strips(program: Program, rng: random.Random) -> Program | None:
    """The program with some operators in strips; most often the longest stretch."""
    found = sorted(regions(program), key=len)
    if not found:
        return None
    region = found[-1] if rng.random() < 0.7 else rng.choice(found)
    made = schedule(program, region, rng.choice(SHAPES))
    return None if made is None else unroll(program, made)


def heads(seed: int, count: int) -> list[tuple[Program, Program]]:
    """Random networks, each whole and in strips."""
    rng = random.Random(seed)
    found: list[tuple[Program, Program]] = []
    while len(found) < count:
        program = load(head(rng))
        unrolled = in_strips(program, rng)
        if unrolled is not None:
            found.append((program, unrolled))
    return found


SEEDS = [*range(3), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(3, 20))]


@pytest.mark.parametrize("seed", SEEDS)
class TestRandomHeads:
    def test_python_computes_the_same_rows(self, seed: int) -> None:
        for program, unrolled in heads(seed, 12):
            runs = sample_runs(program, 2)
            truth = python_crcs(program, runs, "reference", asked=unrolled)
            assert python_crcs(unrolled, runs, "reference") == truth
            assert python_crcs(unrolled, runs, "fast") == truth

    def test_no_row_is_computed_twice(self, seed: int) -> None:
        for program, unrolled in heads(seed, 12):
            assert unrolled.macs <= program.macs
            for node in program.graph.nodes:
                rows = [
                    row
                    for step in unrolled.steps
                    if step.node is node and step.part and not isinstance(step.kernel, Keep)
                    for row in step.part.rows
                ]
                assert rows == sorted(set(rows))

    def test_the_arena_holds_what_is_needed(self, seed: int) -> None:
        for program, unrolled in heads(100 + seed, 8):
            found = plan(unrolled, budget=QUICK)
            check_touches(unrolled, found)
            inputs = random_inputs(program.graph, seed, "edges")
            values = shadow.run(unrolled, found, inputs)
            interpreter = Interpreter.of(unrolled, kernels="reference", preserve_all_tensors=True)
            for index, value in inputs.items():
                interpreter.set_tensor(index, value)
            interpreter.invoke()
            for index, content in values.items():
                assert interpreter.view(index).tobytes() == content


def pooled() -> tuple[Program, Program]:
    """A mean over strips of more than 256 pixels, the last of which has fewer."""
    program = load(wide_mean(random.Random(3)))
    made = schedule(program, range(2), Fraction(30))
    assert made is not None
    assert made.pooled
    return program, unroll(program, made)


def test_sums_are_added_to_in_place() -> None:
    _, unrolled = pooled()
    found = plan(unrolled)
    check_touches(unrolled, found)
    places = {a.tensor: a.offset for a in found.allocations}
    sums = [t.index for t in unrolled.graph.tensors if t.name.endswith(", sums")]
    assert len(sums) == 1
    three = schedule(load(wide_mean(random.Random(3))), range(2), Fraction(10))
    assert three is not None
    longer = unroll(load(wide_mean(random.Random(3))), three)
    places = {a.tensor: a.offset for a in plan(longer).allocations}
    assert len({places[t.index] for t in longer.graph.tensors if t.name.endswith("sums")}) == 1


def traced(
    target: str,
    pairs: list[tuple[Program, Program]],
    finish: Callable[[Program], Program],
    library: Library | None = None,
) -> None:
    """Assert that the emitted C of the strips gives every row, in arenas as small as planned."""
    cases, truths = [], []
    for number, (program, unrolled) in enumerate(pairs):
        finished = finish(unrolled)
        runs = sample_runs(program, 2)
        project = emit(finished, plan(finished, budget=QUICK), f"model_{number}", "model.tflite")
        cases.append(Case(project, runs))
        truths.append(python_crcs(program, runs, "reference", asked=unrolled))
    with tempfile.TemporaryDirectory() as folder:
        found = trace(
            target_named(target),
            cases,
            Path(folder),
            optimize="-O1",
            sanitize=target == "host",
            library=library,
        )
    for number, (crcs, truth) in enumerate(zip(found, truths, strict=True)):
        assert crcs == truth, f"model {number}"


@pytest.mark.parametrize("optimize", [Optimize.SIZE, Optimize.BALANCED])
def test_random_heads_in_c(optimize: Optimize) -> None:
    traced("host", [pooled(), *heads(7, 12)], lambda program: lower(program, optimize))


@pytest.mark.parametrize("target", ["cortex-m4", "cortex-m55"])
def test_random_heads_on_cores(target: str) -> None:
    traced(target, [pooled(), *heads(8, 6)], lambda p: lower(p, Optimize.BALANCED))


def test_random_heads_with_cmsis_nn() -> None:
    traced("host", [pooled(), *heads(9, 5)], with_cmsis_nn, flavour.DOUBLE)


LIMITS = {
    "vww_96_int8": 30_000,
    "pretrainedResnet_quant": 17_500,
    "digits": 1_408,
    "kws_ref_model": 5_200,
}
"""Bytes of arena that strips must reach."""


def named(name: str) -> Program:
    """A model of the corpus."""
    for path in MODELS:
        if path.stem == name:
            return load(path.read_bytes())
    pytest.skip(f"{name}.tflite is not at hand")


@pytest.mark.parametrize("name", sorted(LIMITS))
def test_models_fit(name: str) -> None:
    program = named(name)
    found = fit(program, limit=LIMITS[name])
    assert found.schedule is not None
    assert found.plan.arena_bytes <= LIMITS[name] < found.whole.arena_bytes
    assert found.extra_macs == 0
    check_touches(found.program, found.plan)
    assert fit(program, limit=LIMITS[name]).plan == found.plan


@pytest.mark.parametrize(
    "name",
    ["digits", *(pytest.param(n, marks=pytest.mark.slow) for n in sorted(LIMITS) if n != "digits")],
)
def test_models_compute_the_same(name: str) -> None:
    program = named(name)
    found = fit(program, limit=LIMITS[name])
    with tempfile.TemporaryDirectory() as folder:
        targets = [target_named("host"), target_named("cortex-m4")]
        runs = sample_runs(program, 1)
        verdicts = verify(found.program, found.plan, targets, runs, Path(folder), original=program)
    assert [verdict.difference for verdict in verdicts] == [None] * len(verdicts)


class TestFit:
    def test_without_a_limit_every_call_pays(self) -> None:
        program = load((ROOT / "models" / "digits.tflite").read_bytes())
        whole, found = plan(program), fit(program)
        calls = len(found.program.steps) - len(program.steps)
        assert 0 < 64 * calls < whole.arena_bytes - found.plan.arena_bytes

    def test_a_limit_that_the_whole_keeps_needs_no_strips(self) -> None:
        program = load((ROOT / "models" / "digits.tflite").read_bytes())
        found = fit(program, limit=plan(program).arena_bytes)
        assert (found.schedule, found.program, found.copied_bytes) == (None, program, 0)

    def test_a_limit_out_of_reach_names_the_least(self) -> None:
        program = load((ROOT / "models" / "digits.tflite").read_bytes())
        with pytest.raises(PlanError, match=r"an arena of 64 bytes does not do: the least") as e:
            fit(program, limit=64)
        least = int(str(e.value).split("least found is ")[1].split()[0].replace(",", ""))
        assert fit(program, limit=least).plan.arena_bytes <= least
        with pytest.raises(PlanError):
            fit(program, limit=least - 16)

    def test_networks_without_maps_stay_whole(self) -> None:
        program = load((ROOT / "models" / "anomaly.tflite").read_bytes())
        assert fit(program) == Fit.of_whole(program)


def test_a_program_in_strips_cannot_be_resized() -> None:
    program, unrolled = heads(0, 1)[0]
    interpreter = Interpreter.of(unrolled)
    (index,) = program.graph.inputs
    shape = program.graph.tensors[index].shape
    interpreter.resize_tensor_input(index, [2, *shape[1:]])
    with pytest.raises(InputError, match="runs in strips"):
        interpreter.allocate_tensors()


class TestRejected:
    """A plan for strips in which one tensor lies elsewhere is found out."""

    def test_moved_tensors(self) -> None:
        rng = random.Random(5)
        rejected = 0
        for program, unrolled in heads(11, 4):
            found = plan(unrolled, budget=QUICK)
            used = {t for step in unrolled.steps for t in (*step.operands, *step.results)}
            inputs = random_inputs(program.graph, 0, "uniform")
            candidates = sorted(unrolled.excerpts.keys() & used)
            for tensor in rng.sample(candidates, min(4, len(candidates))):
                with pytest.raises(PlanError):
                    shadow.run(unrolled, moved(found, tensor, 1), inputs)
                rejected += 1
        assert rejected >= 8

    def test_a_copy_that_is_almost_in_place(self) -> None:
        layout = Layout(
            arena_bytes=64,
            alignment=16,
            blocks=(Block("old", 0, 2, 0, 32), Block("new", 1, 3, 0, 32)),
            copies=((0, 1, 0),),
        )
        check(layout)
        high = (layout.blocks[0], replace(layout.blocks[1], offset=16))
        with pytest.raises(PlanError, match="share bytes 16 to 32"):
            check(replace(layout, blocks=high))
        late = (replace(layout.blocks[0], end=3), layout.blocks[1])
        with pytest.raises(PlanError, match="share bytes 0 to 32"):
            check(replace(layout, blocks=late))

    def test_parts_that_drift_apart(self) -> None:
        layout = Layout(
            arena_bytes=64,
            alignment=16,
            blocks=(Block("rows 0-1", 0, 2, 0, 24), Block("row 2", 0, 3, 24, 12)),
            ties=((1, 0, 24),),
        )
        check(layout)
        apart = (layout.blocks[0], replace(layout.blocks[1], offset=32))
        with pytest.raises(PlanError, match="not 24 bytes after 'rows 0-1' at 0"):
            check(replace(layout, blocks=apart))


def moved(found: Plan, tensor: int, by: int) -> Plan:
    """The plan with one tensor elsewhere."""
    places = (
        replace(a, offset=a.offset + by) if a.tensor == tensor else a for a in found.allocations
    )
    return replace(found, arena_bytes=found.arena_bytes + by, allocations=tuple(places))
