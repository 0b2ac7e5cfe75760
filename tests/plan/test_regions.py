"""Several memories: against brute force, the models, the checkers, and the command line."""

import itertools
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from xml.etree import ElementTree

import pytest

from tests.corpus import ROOT
from tests.examples import EXAMPLES
from tests.harness import assert_c_agrees
from tests.plan.brute_force import least_height
from tests.plan.test_packing import random_chain, random_problem
from tinyrt.cli import main
from tinyrt.emit import emit
from tinyrt.errors import PlanError
from tinyrt.load import Optimize, Program, load, lower
from tinyrt.mcu.cases import Case
from tinyrt.mcu.certify import sample_runs, verify
from tinyrt.mcu.targets import TARGETS
from tinyrt.plan import Plan, plan, shadow
from tinyrt.plan.check import Block, Layout, check
from tinyrt.plan.packing import Budget
from tinyrt.plan.problem import Problem
from tinyrt.plan.regions import NoDivisionError, Region, divide
from tinyrt.plan.trace_check import check_touches
from tinyrt.samples import random_inputs

DIGITS = ROOT / "models" / "digits.tflite"
SPLIT = (Region("DTCM", 1024, 1), Region("SRAM", 4096, 5))
SPLITTING = ("--region", "DTCM=1024", "--region", "SRAM=4096:5")


def alone(problem: Problem, chosen: Sequence[int]) -> Problem:
    """Some buffers of a problem."""
    place = {number: own for own, number in enumerate(chosen)}
    return Problem(
        tuple(problem.buffers[number] for number in chosen),
        tuple(
            replace(pair, source=place[pair.source], target=place[pair.target])
            for pair in problem.diagonals
            if pair.source in place and pair.target in place
        ),
    )


def least_traffic(
    problem: Problem, regions: Sequence[Region], traffic: Sequence[int]
) -> int | None:
    """The least weighted traffic, by trying every division."""
    numbers = range(len(problem.buffers))
    heights: dict[tuple[int, ...], int] = {}
    best: int | None = None
    for division in itertools.product(range(len(regions)), repeat=len(numbers)):
        cost = sum(regions[r].cost * traffic[n] for n, r in zip(numbers, division, strict=True))
        if best is not None and cost >= best:
            continue
        for place, region in enumerate(regions):
            own = tuple(number for number in numbers if division[number] == place)
            if own not in heights:
                heights[own] = least_height(alone(problem, own))
            if heights[own] > region.capacity:
                break
        else:
            best = cost
    return best


@pytest.mark.parametrize("seed", range(6))
def test_no_division_is_better(seed: int) -> None:
    random = Random(seed)
    proven = failed = 0
    for turn in range(30):
        problem = (
            random_chain(random)
            if turn % 3 == 0
            else random_problem(random, random.randint(2, 5), largest=4, steps=5)
        )
        sizes = random.choices(range(1, 9), k=random.choice((2, 2, 3)))
        regions = [Region(f"R{n}", size, 1 + 3 * n) for n, size in enumerate(sizes)]
        traffic = [random.randint(0, 20) for _ in problem.buffers]
        least = least_traffic(problem, regions, traffic)
        try:
            found = divide(problem, regions, traffic, [], Budget())
        except NoDivisionError as error:
            failed += 1
            possible = least is not None and (error.bound is None or error.bound > least)
            if possible:
                raise
            continue
        assert least is not None
        assert found.bound <= least <= found.weighted
        proven += found.bound == found.weighted
        for region, own, packing in zip(regions, found.buffers, found.packings, strict=True):
            assert packing.height <= region.capacity
            assert packing.height >= least_height(alone(problem, own))
    assert proven > 5
    assert failed > 2


def test_beyond_what_sections_say_the_gap_is_stated() -> None:
    # Section by section all of it fits into 5 units of the fast region, but no packing does.
    shapes = [(1, 5, 2), (0, 4, 1), (4, 5, 2), (2, 6, 1)]
    shapes += [(0, 1, 4), (1, 2, 2), (2, 3, 1), (3, 4, 1), (5, 6, 4)]
    buffers = tuple(
        replace(random_problem(Random(0), 1, largest=1, steps=1).buffers[0], name=str(n))
        for n in range(len(shapes))
    )
    problem = Problem(
        tuple(
            replace(b, lower=lower, upper=upper, size=size)
            for b, (lower, upper, size) in zip(buffers, shapes, strict=True)
        )
    )
    found = divide(problem, (Region("A", 5, 1), Region("B", 9, 2)), [1] * 9, [], Budget())
    assert found.bound == 9 < found.weighted
    assert found.packings[0].height <= 5


@pytest.fixture(scope="module")
def digits() -> Program:
    return load(DIGITS.read_bytes())


@pytest.fixture(scope="module")
def split(digits: Program) -> Plan:
    return plan(digits, regions=SPLIT)


class TestModels:
    def test_a_limit_forces_a_split(self, digits: Program, split: Plan) -> None:
        assert plan(digits).arena_bytes > SPLIT[0].capacity
        fast, slow = split.regions
        assert 0 < fast.size <= 1024
        assert 0 < slow.size <= 4096
        assert split.proof.endswith("no division has less")
        assert fast.traffic > slow.traffic
        for zone in split.regions:
            part = split.within(zone)
            assert part.arena_bytes == max(a.offset + a.size for a in part.allocations)
        assert sum(len(split.within(z).allocations) for z in split.regions) == len(
            split.allocations
        )

    def test_what_is_cheaper_decides(self, digits: Program) -> None:
        roomy = plan(digits, regions=(Region("A", 8192, 1), Region("B", 8192, 3)))
        assert [zone.size for zone in roomy.regions] == [plan(digits).arena_bytes, 0]
        turned = plan(digits, regions=(Region("A", 8192, 3), Region("B", 8192, 1)))
        assert [zone.size for zone in turned.regions] == [0, plan(digits).arena_bytes]

    def test_same_bytes_everywhere(self, digits: Program, split: Plan, tmp_path: Path) -> None:
        # Each region is poisoned before a run, and init refuses one byte less in any of them.
        targets = (TARGETS["host"], TARGETS["cortex-m4"])
        verdicts = verify(digits, split, targets, sample_runs(digits, 2), tmp_path, name="digits")
        assert [v.executor for v in verdicts if not v.agrees] == []
        assert len(verdicts) == 4

    @pytest.mark.parametrize("name", ["digits", "keywords", "sine", "anomaly"])
    def test_three_regions_checked_byte_by_byte(self, name: str) -> None:
        program = load((ROOT / "models" / f"{name}.tflite").read_bytes())
        whole = plan(program).arena_bytes
        regions = [Region(f"R{n}", size, 2**n) for n, size in enumerate((whole // 3, whole, whole))]
        found = plan(program, regions=regions)
        assert all(zone.size <= zone.region.capacity for zone in found.regions)
        check_touches(program, found)
        values = shadow.run(program, found, sample_runs(program, 1)[0])
        assert set(program.graph.outputs) <= set(values)

    def test_too_small_regions_say_what_is_missing(self, digits: Program) -> None:
        regions = (Region("DTCM", 1024, 1), Region("SRAM", 1040, 4))
        with pytest.raises(PlanError) as caught:
            plan(digits, regions=regions)
        text = str(caught.value)
        assert "\n" not in text
        assert "region SRAM lacks 1,008 bytes during op 2 CONV_2D" in text
        assert "'digits_1/pw1_relu_1/Relu' 2,048" in text
        # That many more do.
        enough = plan(digits, regions=(regions[0], Region("SRAM", 2048, 4)))
        assert enough.regions[1].size == 2048


def test_every_operator_divided() -> None:
    # No region but the slowest holds all that lives at once.
    cases: list[Case] = []
    expected: list[tuple[Program, list[dict[int, bytes]]]] = []
    for example in EXAMPLES.values():
        program = lower(load(example()), Optimize.BALANCED)
        whole = plan(program).arena_bytes
        sizes = (whole // 3, whole // 2 + 16, whole)
        regions = [Region(f"R{n}", size // 16 * 16, 2**n) for n, size in enumerate(sizes)]
        found = plan(program, regions=regions)
        check_touches(program, found)
        inputs = random_inputs(program.graph, 0)
        values = shadow.run(program, found, inputs)
        name = f"model_{len(cases)}"
        cases.append(Case(emit(program, found, name, "model.tflite"), (inputs,)))
        expected.append((program, [dict(values)]))
    assert sum(len(case.project.memories) > 1 for case in cases) >= 10
    assert_c_agrees("host", cases, expected)


class TestMutations:
    def test_an_offset_across_a_region_is_rejected(self, digits: Program, split: Plan) -> None:
        border = split.regions[1].base
        for number, allocation in enumerate(split.allocations):
            if allocation.offset < border:
                astray = replace(allocation, offset=border - 1)
                allocations = list(split.allocations)
                allocations[number] = astray
                with pytest.raises(PlanError, match="is in no one region"):
                    check_touches(digits, replace(split, allocations=tuple(allocations)))

    def test_a_block_across_a_region_is_rejected(self) -> None:
        regions = ((0, 32), (32, 64))
        check(Layout(64, 16, (Block("a", 0, 1, 0, 32), Block("b", 0, 1, 32, 32)), regions=regions))
        with pytest.raises(PlanError, match="'a', bytes 16 to 48, is in no one region"):
            check(Layout(64, 16, (Block("a", 0, 1, 16, 32),), regions=regions))


class TestCommands:
    def test_json(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["plan", str(DIGITS), "--no-strips", *SPLITTING, "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert [r["name"] for r in found["regions"]] == ["DTCM", "SRAM"]
        assert [r["cost"] for r in found["regions"]] == [1, 5]
        sizes = {r["name"]: r["arena_bytes"] for r in found["regions"]}
        for place in (*found["tensors"], *found["scratch"]):
            assert 0 <= place["offset"] <= sizes[place["region"]] - place["bytes"]

    def test_maps(self, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
        drawing, page = tmp_path / "map.svg", tmp_path / "map.html"
        files = ("--svg", str(drawing), "--html", str(page))
        assert main(["plan", str(DIGITS), "--no-strips", *SPLITTING, *files]) == 0
        out = capsys.readouterr().out
        assert re.search(r"^DTCM: [\d,]+ of 1,024 bytes", out, flags=re.MULTILINE)
        assert re.search(r"^SRAM: [\d,]+ of 4,096 bytes", out, flags=re.MULTILINE)
        assert out.count("▲ most in use") == 2
        root = ElementTree.fromstring(drawing.read_bytes())
        assert len(list(root.iter("{http://www.w3.org/2000/svg}svg"))) == 3
        text = page.read_text(encoding="utf-8")
        for region in ("DTCM", "SRAM"):
            assert f"region {region}</h" in text

    def test_emitted_interface(self, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
        arguments = ["emit", str(DIGITS), "--no-strips", *SPLITTING, "-o", str(tmp_path)]
        assert main(arguments) == 0
        capsys.readouterr()
        header = (tmp_path / "digits.h").read_text()
        assert "#define DIGITS_DTCM_ARENA_SIZE " in header
        assert "#define DIGITS_SRAM_ARENA_SIZE " in header
        assert "DIGITS_ARENA_SIZE" not in header
        source = (tmp_path / "digits.c").read_text()
        assert "--region DTCM=1024:1 --region SRAM=4096:5" in source
        assert re.search(r"^ \* +region +offset +bytes", source, flags=re.MULTILINE)

    def test_one_region_costs_nothing(
        self, digits: Program, capsys: pytest.CaptureFixture[str], tmp_path: Path
    ) -> None:
        texts = []
        for number, extra in enumerate(((), ("--region", "SRAM=100_000"))):
            folder = tmp_path / str(number)
            assert main(["emit", str(DIGITS), *extra, "-o", str(folder)]) == 0
            source = (folder / "digits.c").read_text()
            source = re.sub(r"\n \* +--region SRAM=100000:1", "", source)
            texts.append((folder / "digits.h").read_text() + source)
        capsys.readouterr()
        assert texts[0] == texts[1]
        files = [
            emit(digits, plan(digits, regions=given), "digits", "digits.tflite").files
            for given in ((), (Region("SRAM", 100_000, 1),))
        ]
        assert files[0] == files[1]

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (("--region", "SRAM=512"), "tinyrt: region SRAM lacks "),
            (("--region", "A=64", "--region", "B=64"), "tinyrt: no division among A 64, B 64 "),
            (("--region", "A=64", "--region", "a=64"), "tinyrt: --region a: given twice"),
        ],
    )
    def test_says_in_one_line_what_is_wrong(
        self, capsys: pytest.CaptureFixture[str], arguments: Sequence[str], message: str
    ) -> None:
        assert main(["plan", str(DIGITS), *arguments]) == 1
        error = capsys.readouterr().err
        assert error.startswith(message)
        assert error.count("\n") == 1

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ((str(DIGITS), *SPLITTING, "--export-tflm", "x"), "does not go with --region"),
            ((str(DIGITS), "--region", "SRAM"), "is not NAME=BYTES or NAME=BYTES:COST"),
            ((str(DIGITS), "--region", "1=64"), "is not NAME=BYTES or NAME=BYTES:COST"),
            (("--csv", "x", "--region", "A=64"), "--region does not go with --csv"),
        ],
    )
    def test_wrong_usage(
        self, capsys: pytest.CaptureFixture[str], arguments: Sequence[str], message: str
    ) -> None:
        with pytest.raises(SystemExit) as caught:
            main(["plan", *arguments])
        assert caught.value.code == 2
        assert message in capsys.readouterr().err
