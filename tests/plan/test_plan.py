"""Plans of whole models: lifetimes, aliases, scratch, the bound and its words."""

import time
from pathlib import Path

import pytest

from tests.corpus import MODELS
from tests.examples import EXAMPLES
from tinyrt.load import Program, load
from tinyrt.plan import Plan, plan
from tinyrt.plan.problem import Direction

LIVE_BYTES = {
    "kws_ref_model": 16_000,
    "vww_96_int8": 55_296,
    "pretrainedResnet_quant": 49_152,
    "ad01_int8": 768,
    "micro_speech_quantized": 5_968,
}
"""The bound where nothing overlaps, as measured with other tools."""

FORWARD_BYTES = {"kws_ref_model": 9_792}
"""Where kernels walk forward only, likewise."""


def conflicts(program: Program, found: Plan) -> list[tuple[int, int]]:
    """Pairs of tensors that a run would see overwritten while they still matter."""
    tensors = program.graph.tensors
    place = {a.tensor: (a.offset, a.offset + a.size) for a in found.allocations}
    written: dict[int, int] = dict.fromkeys(program.graph.inputs, -1)
    read: dict[int, int] = {}
    same: dict[int, int] = {}
    for number, step in enumerate(program.steps):
        for tensor in step.operands:
            read[tensor] = number
        for tensor in step.results:
            written[tensor] = number
            if step.kernel.alias:
                same[tensor] = same.get(step.operands[0], step.operands[0])
    read.update(dict.fromkeys(program.graph.outputs, len(program.steps)))
    pairs = []
    for one, made in written.items():
        for other, overwritten in written.items():
            if same.get(one, one) == same.get(other, other) or not tensors[one].bytes:
                continue
            # `other` is written while `one` has been written and is read then or later
            if made <= overwritten <= read.get(one, made) and (
                place[one][0] < place[other][1] and place[other][0] < place[one][1]
            ):
                pairs.append((one, other))
    return pairs


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
class TestModels:
    def test_without_overlap_nothing_needed_is_overwritten(self, path: Path) -> None:
        program = load(path.read_bytes())
        found = plan(program, overlap=False)
        assert conflicts(program, found) == []
        assert found.optimal
        assert found.arena_bytes == LIVE_BYTES.get(path.stem, found.arena_bytes)

    def test_forward_alone_is_between_no_overlap_and_both(self, path: Path) -> None:
        program = load(path.read_bytes())
        found = plan(program, backward=False)
        assert found.optimal
        assert set(found.directions.values()) <= {Direction.FORWARD}
        least, most = plan(program).arena_bytes, plan(program, overlap=False).arena_bytes
        assert least <= found.arena_bytes <= most
        assert found.arena_bytes == FORWARD_BYTES.get(path.stem, found.arena_bytes)

    def test_overlap_only_where_a_kernel_declares_it(self, path: Path) -> None:
        program = load(path.read_bytes())
        found = plan(program)
        writers = {t: step for step in program.steps for t in step.results}
        for one, other in conflicts(program, found):
            step = writers[other]
            allowed = {step.operands[o.operand] for o in step.kernel.overlap()}
            assert one in allowed
            assert step.node.index in found.directions

    def test_every_tensor_that_a_run_touches_has_its_place(self, path: Path) -> None:
        program = load(path.read_bytes())
        found = plan(program)
        places = {a.tensor: a for a in found.allocations}
        for number, step in enumerate(program.steps):
            for tensor in (*step.operands, *step.results):
                if not program.graph.tensors[tensor].is_constant:
                    place = places[tensor]
                    assert place.first_step <= number <= place.last_step
                    assert place.offset % 16 == 0
                    assert place.offset + place.size <= found.arena_bytes
            if step.kernel.cost().scratch_bytes:
                assert found.scratch[step.node.index] % 16 == 0

    def test_is_quick_and_says_why(self, path: Path) -> None:
        program = load(path.read_bytes())
        began = time.process_time()
        found = plan(program)
        assert time.process_time() - began < 1
        assert found.optimal
        assert found.proof.startswith("optimal: ")
        forcing = program.graph.tensors[found.forcing_tensors[0]]
        assert f"'{forcing.label}' {forcing.bytes:,}" in found.proof


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_every_operator_alone(name: str) -> None:
    program = load(EXAMPLES[name]())
    found = plan(program, overlap=False)
    assert conflicts(program, found) == []
    assert found.optimal
