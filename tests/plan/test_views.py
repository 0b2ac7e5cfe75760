"""Joined inputs and split outputs that live inside the whole."""

from dataclasses import replace

import pytest

from tests.builder import ModelBuilder
from tests.harness import agree
from tinyrt.errors import PlanError
from tinyrt.load import Program, load
from tinyrt.plan import Plan, plan, shadow
from tinyrt.plan.trace_check import check_touches
from tinyrt.samples import random_inputs

ROWS = 8
ROW = 32
"""Values."""


def joined() -> bytes:
    """The input goes through two activations, whose outputs are joined, row on row."""
    model = ModelBuilder()

    def tensor(name: str, rows: int) -> int:
        return model.tensor(name, (1, rows, ROW), scale=0.1, zero_point=0)

    x, a, b = tensor("x", ROWS), tensor("a", ROWS), tensor("b", ROWS)
    whole, y = tensor("whole", 2 * ROWS), tensor("y", 2 * ROWS)
    model.operator("RELU", [x], [a])
    model.operator("RELU6", [x], [b])
    model.operator("CONCATENATION", [a, b], [whole], axis=1)
    model.operator("RELU", [whole], [y])
    return model.finish([x], [y])


def split(*, whole_lives_on: bool = False) -> bytes:
    """An activation's output is split in halves, which are worked on one after the other."""
    model = ModelBuilder()

    def tensor(name: str, rows: int) -> int:
        return model.tensor(name, (1, rows, ROW), scale=0.1, zero_point=0)

    x, whole = tensor("x", 2 * ROWS), tensor("whole", 2 * ROWS)
    a, b, c, d = (tensor(name, ROWS) for name in "abcd")
    axis = model.tensor("axis", (), "int32", data=1)
    model.operator("RELU", [x], [whole])
    model.operator("SPLIT", [axis, whole], [a, b], num_splits=2)
    model.operator("RELU6", [a], [c])
    model.operator("RELU6", [b], [d])
    outputs = [c, d]
    if whole_lives_on:
        last = tensor("last", 2 * ROWS)
        model.operator("RELU6", [whole], [last])
        outputs.append(last)
    return model.finish([x], outputs)


def offsets(program: Program, found: Plan) -> dict[str, int]:
    """Where tensors lie, by name."""
    return {program.graph.tensors[a.tensor].name: a.offset for a in found.allocations}


def test_inputs_inside_what_they_are_joined_to() -> None:
    program = load(joined())
    found = plan(program)
    places = offsets(program, found)
    assert places["b"] - places["whole"] in (0, ROWS * ROW)
    # x lives until b is made; a, b and all that follows take no more than twice as much.
    assert found.arena_bytes == found.lower_bound_bytes == 2 * ROWS * ROW
    assert found.optimal


def test_outputs_inside_what_they_are_split_from() -> None:
    program = load(split())
    found = plan(program)
    places = offsets(program, found)
    assert (places["a"], places["b"]) == (places["whole"], places["whole"] + ROWS * ROW)
    assert found.arena_bytes == found.lower_bound_bytes == 2 * ROWS * ROW


def test_an_input_joined_to_itself_is_in_no_place_of_its_own() -> None:
    model = ModelBuilder()
    x, a, whole = (
        model.tensor(name, (1, 1, width), scale=0.1, zero_point=0)
        for name, width in (("x", ROW), ("a", ROW), ("whole", 2 * ROW))
    )
    model.operator("RELU", [x], [a])
    model.operator("CONCATENATION", [a, a], [whole], axis=2)
    content = model.finish([x], [whole])
    program = load(content)
    assert plan(program).arena_bytes >= 2 * ROW
    check_touches(program, plan(program))
    agree([content])


def test_a_whole_that_lives_on_is_not_written_over() -> None:
    program = load(split(whole_lives_on=True))
    found = plan(program)
    assert found.arena_bytes == found.lower_bound_bytes == 4 * ROWS * ROW


@pytest.mark.parametrize("model", [joined(), split(), split(whole_lives_on=True)])
def test_checked_and_run(model: bytes) -> None:
    program = load(model)
    found = plan(program)
    check_touches(program, found)
    shadow.run(program, found, random_inputs(program.graph, 3, "uniform"))
    agree([model])


def test_a_piece_out_of_its_place_is_rejected() -> None:
    program = load(split())
    found = plan(program)
    moved = tuple(
        replace(a, offset=a.offset + 16) if program.graph.tensors[a.tensor].name == "b" else a
        for a in found.allocations
    )
    mutant = replace(found, allocations=moved, arena_bytes=found.arena_bytes + 16)
    with pytest.raises(PlanError, match="read as an operand"):
        check_touches(program, mutant)
    with pytest.raises(PlanError):
        shadow.run(program, mutant, random_inputs(program.graph, 3, "uniform"))
