"""Bytes shared by an operator's input and output: declared, planned, and checked twice over."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from tests.corpus import MODELS, ROOT
from tests.examples import EXAMPLES
from tinyrt.errors import PlanError
from tinyrt.interpreter import Interpreter
from tinyrt.kernel import CKernel, Overlap
from tinyrt.load import Optimize, Program, Step, load, lower
from tinyrt.plan import Allocation, Plan, plan, shadow
from tinyrt.plan.problem import Direction
from tinyrt.plan.trace_check import Place, check_kernel, check_touches
from tinyrt.samples import random_inputs

FLOORS = {
    "kws_ref_model": 8_384,
    "vww_96_int8": 36_880,
    "pretrainedResnet_quant": 33_312,
    "ad01_int8": 768,
    "micro_speech_quantized": 4_176,
}


def moved(found: Plan, tensor: int, by: int) -> Plan:
    """The plan with one tensor, and what is at its place, elsewhere."""
    old = next(a for a in found.allocations if a.tensor == tensor)
    return replace(
        found,
        arena_bytes=found.arena_bytes + abs(by),
        allocations=tuple(
            replace(a, offset=a.offset + by)
            if (a.offset, a.first_step, a.size) == (old.offset, old.first_step, old.size)
            else a
            for a in found.allocations
        ),
    )


def sharing(program: Program, found: Plan) -> Iterator[tuple[Step, Allocation, Allocation]]:
    """The steps whose output runs into a dying operand, with both."""
    places = {a.tensor: a for a in found.allocations}
    for step in program.steps:
        if step.node.index in found.directions:
            result = places[step.results[0]]
            for tensor in step.operands:
                operand = places.get(tensor)
                if operand and (
                    operand.offset < result.offset + result.size
                    and result.offset < operand.offset + operand.size
                ):
                    yield step, operand, result


def ways(kernel: CKernel) -> Iterator[tuple[Overlap, int, CKernel]]:
    """Each distance that a kernel declares, with the kernel that walks so."""
    for overlap in kernel.overlap():
        if overlap.forward is not None:
            yield overlap, overlap.forward, kernel.walking(backward=False)
        if overlap.backward is not None:
            yield overlap, overlap.backward, kernel.walking(backward=True)


def check_at(program: Program, step: Step, overlap: Overlap, kernel: CKernel, lead: int) -> None:
    """Check a kernel with its output a distance ahead of one operand, the others out of the way."""
    tensors = program.graph.tensors
    operand, result = tensors[step.operands[overlap.operand]], tensors[step.results[0]]
    backward = kernel != kernel.walking(backward=False)
    begin = operand.bytes + lead - result.bytes if backward else -lead
    far = 4 * (operand.bytes + result.bytes + abs(lead))
    operands = tuple(
        Place("operand", far, operand.bytes)
        if position == overlap.operand
        else Place("other", 3 * far + position * far, tensors[index].bytes)
        for position, index in enumerate(step.operands)
    )
    places = tuple(
        Place("result", far + begin if not number else 100 * far + number * far, tensors[t].bytes)
        for number, t in enumerate(step.results)
    )
    check_kernel(kernel, operands, places, step.node.where())


class TestEveryOperator:
    @pytest.mark.parametrize("name", sorted(EXAMPLES))
    def test_distances_are_safe_and_none_could_be_less(self, name: str) -> None:
        program = load(EXAMPLES[name]())
        for step in program.steps:
            for overlap, distance, kernel in ways(step.kernel):
                check_at(program, step, overlap, kernel, distance)
                operand = program.graph.tensors[step.operands[overlap.operand]]
                if distance <= -operand.bytes or operand.bytes == 1:
                    continue
                result = program.graph.tensors[step.results[0]]
                if distance - 1 + operand.bytes <= 0 or result.bytes == 1:
                    continue
                with pytest.raises(PlanError, match="read as an operand"):
                    check_at(program, step, overlap, kernel, distance - 1)

    @pytest.mark.parametrize("name", sorted(EXAMPLES))
    def test_runs_in_its_arena(self, name: str) -> None:
        program = load(EXAMPLES[name]())
        found = plan(program)
        check_touches(program, found)
        inputs = random_inputs(program.graph, 1, "uniform")
        assert shadow.run(program, found, inputs) == truth(program, inputs)


def truth(program: Program, inputs: Mapping[int, bytes]) -> Mapping[int, bytes]:
    """What other kernels than those in the arena compute, each tensor in memory of its own."""
    interpreter = Interpreter.of(program, kernels="fast", preserve_all_tensors=True)
    for index, value in inputs.items():
        interpreter.set_tensor(index, value)
    interpreter.invoke()
    placed = {allocation.tensor for allocation in plan(program).allocations}
    return {
        index: interpreter.view(index).tobytes()
        for step in program.steps
        for index in step.results
        if index in placed
    }


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
class TestModels:
    def test_floor(self, path: Path) -> None:
        found = plan(load(path.read_bytes()))
        assert found.optimal
        assert found.arena_bytes <= FLOORS.get(path.stem, found.arena_bytes)

    @pytest.mark.parametrize("optimize", [Optimize.SIZE, Optimize.BALANCED])
    def test_runs_in_its_arena(self, path: Path, optimize: Optimize) -> None:
        program = lower(load(path.read_bytes()), optimize)
        found = plan(program)
        assert check_touches(program, found) >= len(found.directions)
        inputs = random_inputs(program.graph, 1, "edges")
        assert shadow.run(program, found, inputs) == truth(program, inputs)

    def test_an_output_one_alignment_further_is_rejected(self, path: Path) -> None:
        program = load(path.read_bytes())
        found = plan(program)
        rejected = 0
        for step, operand, result in sharing(program, found):
            backward = found.directions[step.node.index] is Direction.BACKWARD
            overlap = next(o for o in step.overlaps if step.operands[o.operand] == operand.tensor)
            lead = operand.offset - result.offset
            if backward:
                lead = result.offset + result.size - operand.offset - operand.size
            distance = overlap.backward if backward else overlap.forward
            assert distance is not None
            by = (lead - distance) // 16 * 16 + 16
            mutant = moved(found, result.tensor, -by if backward else by)
            if min(a.offset for a in mutant.allocations) < 0 or abs(by) >= result.size:
                continue
            with pytest.raises(PlanError, match="read as an operand"):
                check_touches(program, mutant)
            rejected += 1
            if rejected == 3:  # they are alike, and the dynamic check takes its time
                break
            if rejected == 1:
                with pytest.raises(PlanError):
                    shadow.run(program, mutant, random_inputs(program.graph, 1, "uniform"))
        assert rejected or max(a.size for a in found.allocations) <= 640


@pytest.mark.parametrize("name", ["digits", "keywords"])
def test_a_wrong_direction_is_rejected(name: str) -> None:
    program = load((ROOT / "models" / f"{name}.tflite").read_bytes())
    found = plan(program)
    turned = {
        node: Direction.FORWARD
        for node, direction in found.directions.items()
        if direction is Direction.BACKWARD
    }
    assert turned
    mutant = replace(found, directions={**found.directions, **turned})
    with pytest.raises(PlanError, match="read as an operand"):
        check_touches(program, mutant)
    with pytest.raises(PlanError, match="overwritten"):
        shadow.run(program, mutant, random_inputs(program.graph, 1, "uniform"))
