"""Orders of operators: none better by brute force, the same bytes, states in their turn."""

import json
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

import tinyrt
from tests import oracle, zoo
from tests.corpus import MODELS
from tests.harness import assert_same
from tests.layers import Net
from tests.values import Quant, Value
from tinyrt.cli import main
from tinyrt.load import Program, Step, load
from tinyrt.plan import plan
from tinyrt.plan.bounds import sections_of
from tinyrt.plan.lifetimes import arena_of
from tinyrt.plan.order import Search, reorder
from tinyrt.plan.problem import gaps_of, items_of
from tinyrt.samples import random_inputs

PIXELS = Quant(1 / 255, -128)


def random_net(random: Random, operators: int) -> bytes:
    """A small net that branches and joins at random."""
    net = Net(random.randrange(1 << 30))
    image = net.input("image", (1, 4, 4, random.choice((1, 3, 4))), PIXELS)
    values, unread = [image], {image.index: image}
    for number in range(operators):
        x = random.choice(values[-4:])
        twins = [v for v in values if v.shape == x.shape and v is not x]
        y = random.choice(twins) if twins and random.random() < 0.4 else None
        made = _operator(net, random, x, y, f"op{number}")
        for read in (x, y):
            if read is not None:
                unread.pop(read.index, None)
        values.append(made)
        unread[made.index] = made
    return net.finish([image], list(unread.values()))


def _operator(net: Net, random: Random, x: Value, y: Value | None, name: str) -> Value:
    if y is not None:
        return net.add(x, y, name)
    choice = random.random()
    if choice < 0.6:
        return net.conv(x, name, random.choice((1, 2, 8, 20)))
    if choice < 0.8:
        return net.leaky_relu(x, name)
    return net.reshape(x, name, *x.shape)


def orders(program: Program) -> Iterator[tuple[int, ...]]:
    """Every order in which what is read has been written, and states see their steps in turn."""
    steps, tensors = program.steps, program.graph.tensors
    written_by = {t: n for n, step in enumerate(steps) for t in step.results}
    needs = [{written_by[t] for t in step.operands if t in written_by} for step in steps]
    states = {tensor.index for tensor in tensors if tensor.is_variable}
    for step in steps:
        if step.kernel.alias and step.operands[0] in states:
            states.update(step.results)
    users = [n for n, step in enumerate(steps) if states & {*step.operands, *step.results}]
    for one, other in pairwise(users):
        needs[other].add(one)

    def extend(order: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        if len(order) == len(steps):
            yield order
        for number, need in enumerate(needs):
            if number not in order and need <= set(order):
                yield from extend((*order, number))

    return extend(())


def bound(program: Program, order: tuple[int, ...]) -> int:
    """What the planner says that a program needs at least in some order, in units."""
    steps = tuple(program.steps[number] for number in order)
    problem = arena_of(replace(program, steps=steps)).problem
    gaps = gaps_of(problem, {})
    return max(section.least_height(gaps) for section in sections_of(items_of(problem), gaps))


def check_against_brute_force(random: Random, program: Program) -> bool:
    """Compare with every order; say whether there was one to be found."""
    needs = {order: bound(program, order) for order in orders(program)}
    search = Search(program)
    for order, need in random.sample(sorted(needs.items()), min(8, len(needs))):
        assert search.worst(order) == need
    least, given = min(needs.values()), needs[tuple(range(len(program.steps)))]
    found, greedy = search.best(), Search(program, state_limit=1).best()
    assert (found is not None) == (least < given)
    if found is not None:
        assert found.best
        assert needs[found.order] == found.units == least
    if greedy is not None:
        assert not greedy.best
        assert least <= needs[greedy.order] == greedy.units < given
    return found is not None


@pytest.mark.parametrize("seed", range(4))
def test_no_order_is_better(seed: int) -> None:
    random = Random(seed)
    programs = [load(random_net(random, random.randint(3, 7))) for _ in range(10)]
    improved = [check_against_brute_force(random, program) for program in programs]
    assert 2 <= sum(improved) <= 8


def test_states_see_their_operators_in_turn() -> None:
    random = Random(90)
    kept = 0
    for _ in range(30):
        program = load(random_net(random, random.randint(3, 6)))
        (image,) = program.graph.inputs
        free = Search(program).best()
        tensors = tuple(replace(t, is_variable=t.index == image) for t in program.graph.tensors)
        bound_ = replace(program, graph=replace(program.graph, tensors=tensors))
        check_against_brute_force(random, bound_)
        kept += free is not None and free.order not in set(orders(bound_))
    assert kept, "no net in which the state kept the operators from a better order"


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_trained_models_are_in_the_best_order_already(path: Path) -> None:
    program = load(path.read_bytes())
    assert reorder(program) is program


def every_tensor(program: Program, inputs: Mapping[int, bytes], kernels: str) -> dict[int, bytes]:
    """What each operator of a run in Python writes."""
    interpreter = tinyrt.Interpreter.of(program, kernels=kernels)
    for index, value in inputs.items():
        interpreter.set_tensor(index, value)
    found: dict[int, bytes] = {}

    def keep(step: Step) -> None:
        found.update((index, bytes(interpreter.view(index))) for index in step.results)

    interpreter.invoke(observe=keep)
    return found


class TestBranches:
    """A network that converters put in an order that takes more memory than it must."""

    def test_smaller_and_proven(self) -> None:
        program = load(zoo.branches())
        ordered = reorder(program)
        before, after = plan(program), plan(ordered)
        assert after.arena_bytes < before.arena_bytes
        assert after.optimal
        numbers = [step.node.index for step in ordered.steps]
        assert numbers != sorted(numbers)
        assert sorted(numbers) == [step.node.index for step in program.steps]
        assert [node.index for node in ordered.graph.nodes] == numbers
        (note,) = ordered.rewrites
        saved = before.arena_bytes - after.arena_bytes
        assert f"takes {saved:,} bytes less than the order of the file; no order needs less" in note
        assert reorder(ordered) is ordered

    def test_same_bytes_in_python(self) -> None:
        model = zoo.branches()
        ordered = reorder(load(model))
        inputs = random_inputs(ordered.graph, 4)
        truth = oracle.every_tensor(model, ordered, inputs)
        for kernels in ("reference", "fast"):
            assert_same(kernels, ordered, truth, every_tensor(ordered, inputs, kernels))

    def test_same_bytes_in_c(self, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
        path = tmp_path / "branches.tflite"
        path.write_bytes(zoo.branches())
        assert main(["verify", str(path), "--target", "host", "--inputs", "2"]) == 0
        code = ["--optimize", "size", "--no-strips"]
        emitted = ["emit", str(path), "-o", str(tmp_path / "out"), *code]
        sizes = {}
        for flags in ([], ["--keep-order"]):
            assert main([*emitted, *flags]) == 0
            text = (tmp_path / "out" / "branches.c").read_text()
            assert ("operators run in the order" in text) == (not flags)
            header = (tmp_path / "out" / "branches.h").read_text()
            sizes[bool(flags)] = int(re.findall(r"ARENA_SIZE \(?(\d+)", header)[0])
        assert sizes[False] < sizes[True]
        capsys.readouterr()
        for flags in ([], ["--keep-order"]):
            assert main(["plan", str(path), "--json", *code, *flags]) == 0
            found = json.loads(capsys.readouterr().out)
            assert found["arena_bytes"] == sizes[bool(flags)]
            assert (found["order"] == sorted(found["order"])) == bool(flags)


def test_many_branches_are_cut_off_in_time() -> None:
    program = load(random_net(Random(7), 60))
    began = time.process_time()
    found = Search(program).best()
    assert time.process_time() - began < 3
    if found is not None:
        assert found.units < Search(program).worst(tuple(range(len(program.steps))))
    assert plan(reorder(program)).arena_bytes <= plan(program).arena_bytes
