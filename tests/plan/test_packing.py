"""The packer: against brute force, against known instances, and what it says of its answers."""

import os
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest

from tests.plan.brute_force import least_height
from tinyrt.plan.bounds import sections_of
from tinyrt.plan.check import Block, Layout, Shared, check
from tinyrt.plan.csv_problem import parse_csv
from tinyrt.plan.first_fit import orders
from tinyrt.plan.packing import Budget, Packing, Proof, pack
from tinyrt.plan.problem import (
    Buffer,
    Diagonal,
    Direction,
    Inside,
    Problem,
    gaps_of,
    items_of,
)
from tinyrt.plan.search import Strategy, search
from tinyrt.plan.tables import tables_of

SHARED = Path(
    os.environ.get("TINYRT_SHARED", Path(__file__).resolve().parents[2].parent / "shared")
)


def checked(problem: Problem, packing: Packing) -> Packing:
    """Pass a packing through the independent checker."""
    check(
        Layout(
            arena_bytes=packing.height,
            alignment=problem.alignment,
            blocks=tuple(
                Block(b.name, b.lower, b.upper, offset, b.size)
                for b, offset in zip(problem.buffers, packing.offsets, strict=True)
            ),
            shared=tuple(
                Shared(
                    pair.source,
                    pair.target,
                    walk is Direction.BACKWARD,
                    pair.backward if walk is Direction.BACKWARD else pair.forward,
                )
                for pair in problem.diagonals
                if (walk := packing.directions.get(pair.operator)) is not None
            ),
            inside=tuple((i.part, i.whole, i.offset) for i in problem.insides),
        )
    )
    return packing


def random_problem(random: Random, buffers: int, *, largest: int, steps: int) -> Problem:
    """Lifetimes and sizes at random."""
    found = []
    for number in range(buffers):
        lower = random.randrange(steps)
        upper = random.randint(lower + 1, min(steps, lower + 4))
        found.append(Buffer(str(number), lower, upper, random.randint(1, largest)))
    return Problem(tuple(found))


def random_chain(random: Random) -> Problem:
    """Operators of one or two inputs that die in them, with distances at random."""
    buffers: list[Buffer] = []
    diagonals: list[Diagonal] = []
    previous: list[int] = []
    for step in range(random.randint(2, 3)):
        fresh = [
            Buffer(f"{step}.{number}", step, step + 2, random.randint(1, 4))
            for number in range(random.choice((1, 1, 2)))
        ]
        for source in previous:
            target = len(buffers)
            if random.random() < 0.8:
                forward = random.choice((None, 0, 1, 2, 3, -1))
                backward = random.choice((None, 0, 1, 2))
                diagonals.append(Diagonal(source, target, step, forward, backward))
        previous = list(range(len(buffers), len(buffers) + len(fresh)))
        buffers += fresh
    if random.random() < 0.5:
        buffers.append(Buffer("long", 0, random.randint(1, 4), random.randint(1, 3)))
    return Problem(tuple(buffers), tuple(diagonals))


def searched(problem: Problem, capacity: int, strategy: Strategy) -> bool:
    """Ask the search itself, without heuristics and bounds before it."""
    items, gaps = items_of(problem), gaps_of(problem, {})
    tables = tables_of(items, gaps, sections_of(items, gaps))
    found, _ = search(tables, capacity, strategy, 1_000_000)
    return found is not None


def strategies(problem: Problem) -> Sequence[Strategy]:
    items, gaps = items_of(problem), gaps_of(problem, {})
    tried = tuple(orders(items, sections_of(items, gaps)))
    return [
        Strategy(order, scarcest, lowest)
        for order in tried
        for scarcest in (True, False)
        for lowest in (True, False)
    ]


class TestAgainstBruteForce:
    @pytest.mark.parametrize("seed", range(10))
    def test_disjoint_buffers(self, seed: int) -> None:
        random = Random(seed)
        for _ in range(100):
            problem = random_problem(random, random.randint(1, 5), largest=4, steps=5)
            packing = checked(problem, pack(problem))
            assert packing.optimal
            assert packing.height == least_height(problem)

    @pytest.mark.parametrize("seed", range(10))
    def test_shared_bytes(self, seed: int) -> None:
        random = Random(seed)
        for _ in range(40):
            problem = random_chain(random)
            packing = checked(problem, pack(problem))
            assert packing.optimal
            assert packing.height == least_height(problem)

    @pytest.mark.parametrize("seed", range(10))
    def test_the_search_says_no_exactly_where_nothing_fits(self, seed: int) -> None:
        random = Random(1000 + seed)
        for _ in range(40):
            problem = random_problem(random, random.randint(3, 6), largest=3, steps=5)
            least = least_height(problem)
            for strategy in random.sample(strategies(problem), 2):
                assert searched(problem, least, strategy)
                assert searched(problem, least + 1, strategy)
                assert not searched(problem, least - 1, strategy)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(40))
def test_many_more_against_brute_force(seed: int) -> None:
    random = Random(5000 + seed)
    for _ in range(50):
        problem = random_problem(random, random.randint(4, 6), largest=4, steps=6)
        least = least_height(problem)
        assert checked(problem, pack(problem)).height == least
        for strategy in strategies(problem)[::3]:
            assert searched(problem, least, strategy)
            assert not searched(problem, least - 1, strategy)
        chain = random_chain(random)
        assert checked(chain, pack(chain)).height == least_height(chain)


class TestAnswers:
    def test_nothing_to_pack(self) -> None:
        packing = pack(Problem(()))
        assert (packing.height, packing.offsets, packing.optimal) == (0, (), True)

    def test_alignment_rounds_offsets_and_height(self) -> None:
        buffers = (Buffer("a", 0, 2, 5), Buffer("b", 1, 3, 20), Buffer("c", 2, 4, 40))
        problem = Problem(buffers, alignment=16)
        packing = checked(problem, pack(problem))
        assert packing.height == 80
        assert all(offset % 16 == 0 for offset in packing.offsets)

    def test_the_certificate_names_what_forces_the_bound(self) -> None:
        buffers = (Buffer("a", 0, 2, 5), Buffer("b", 1, 3, 6), Buffer("c", 2, 4, 1))
        certificate = pack(Problem(buffers)).certificate
        assert certificate.proof is Proof.LIVE_BYTES
        assert (certificate.lower_bound, certificate.time) == (11, 1)
        assert certificate.forcing == (0, 1)

    def test_a_bound_beyond_live_bytes_is_proven_by_search(self) -> None:
        # Never more than 5 bytes live together, but these shapes do not fit into 5.
        shapes = [(1, 5, 2), (0, 4, 1), (4, 5, 2), (2, 6, 1)]
        shapes += [(0, 1, 4), (1, 2, 2), (2, 3, 1), (3, 4, 1), (5, 6, 4)]
        problem = Problem(tuple(Buffer(str(n), *shape) for n, shape in enumerate(shapes)))
        packing = checked(problem, pack(problem))
        assert packing.certificate.proof is Proof.SEARCH
        assert packing.optimal
        assert packing.height == least_height(problem) == 6

    def test_without_nodes_it_admits_what_it_does_not_know(self) -> None:
        random = Random(7)
        gaps = 0
        for _ in range(20):
            problem = random_problem(random, 60, largest=40, steps=30)
            packing = checked(problem, pack(problem, budget=Budget(nodes=0)))
            if not packing.optimal:
                gaps += 1
                assert packing.certificate.proof is Proof.NONE
                assert packing.height > packing.certificate.lower_bound
        assert gaps

    def test_the_same_problem_gives_the_same_packing(self) -> None:
        problem = random_problem(Random(3), 40, largest=30, steps=20)
        assert pack(problem) == pack(problem)


class TestSharedBytes:
    def test_in_place(self) -> None:
        buffers = (Buffer("in", 0, 2, 32), Buffer("out", 1, 3, 32))
        problem = Problem(buffers, (Diagonal(0, 1, 1, 0, None),), alignment=16)
        assert checked(problem, pack(problem)).height == 32

    def test_a_lead_is_paid_once(self) -> None:
        buffers = (Buffer("in", 0, 2, 8000), Buffer("out", 1, 3, 8000))
        problem = Problem(buffers, (Diagonal(0, 1, 1, 384, None),), alignment=16)
        packing = checked(problem, pack(problem))
        assert packing.height == 8384
        assert packing.directions == {1: Direction.FORWARD}

    def test_backward_where_it_is_the_shorter(self) -> None:
        buffers = (Buffer("in", 0, 2, 100), Buffer("out", 1, 3, 300))
        problem = Problem(buffers, (Diagonal(0, 1, 1, 210, 10),))
        packing = checked(problem, pack(problem))
        assert packing.height == 300
        assert packing.directions == {1: Direction.BACKWARD}

    def test_one_operator_walks_one_way(self) -> None:
        # Each input would be cheap in another direction; together they cannot both be.
        buffers = (Buffer("a", 0, 2, 10), Buffer("b", 0, 2, 10), Buffer("out", 1, 3, 20))
        pairs = (Diagonal(0, 2, 1, 0, None), Diagonal(1, 2, 1, None, 0))
        problem = Problem(buffers, pairs)
        packing = checked(problem, pack(problem))
        assert packing.height == least_height(problem)
        assert packing.optimal
        assert len(packing.directions) == 1

    def test_an_output_may_begin_below_an_input_that_it_ends_above(self) -> None:
        # The long input lies on the short one, and the output over both, from the ground.
        buffers = (Buffer("a", 0, 2, 2), Buffer("b", 0, 2, 1), Buffer("out", 1, 3, 3))
        pairs = (Diagonal(0, 2, 1, 3, 0), Diagonal(1, 2, 1, 2, 2))
        problem = Problem(buffers, pairs)
        packing = checked(problem, pack(problem))
        assert packing.height == packing.certificate.lower_bound == least_height(problem) == 3
        assert all(searched(problem, 3, strategy) for strategy in strategies(problem))

    def test_pieces_of_a_whole(self) -> None:
        # Two inputs, made one after the other, are joined without a copy.
        buffers = (
            Buffer("left", 0, 3, 32),
            Buffer("right", 1, 3, 16),
            Buffer("whole", 2, 4, 48),
            Buffer("other", 0, 1, 16),
        )
        problem = Problem(buffers, insides=(Inside(0, 2, 0), Inside(1, 2, 32)), alignment=16)
        packing = checked(problem, pack(problem))
        assert packing.height == 48
        assert packing.offsets[3] == packing.offsets[1]


class TestMiniMalloc:
    """The set of the ASPLOS 2023 paper; eight of the eleven must be packed without a hole."""

    CAPACITY = 1_048_576

    @staticmethod
    def problem(name: str) -> Problem:
        path = SHARED / "minimalloc" / f"{name}.1048576.csv"
        if not path.exists():
            pytest.skip(f"{path} is not there")
        return parse_csv(path.read_text(encoding="ascii"), path.name)

    @pytest.mark.parametrize("name", "ABCDEFGHIJK")
    def test_fits(self, name: str) -> None:
        problem = self.problem(name)
        began = time.process_time()
        packing = pack(problem, enough=self.CAPACITY)
        seconds = time.process_time() - began
        assert checked(problem, packing).height <= self.CAPACITY
        assert packing.certificate.lower_bound <= packing.height
        assert seconds < 30  # about 1 on a machine of its own; the rest is for a crowded one

    @pytest.mark.parametrize(("name", "floor"), [("C", 1_039_360), ("B", 1_048_576)])
    def test_meets_its_floor(self, name: str, floor: int) -> None:
        packing = pack(self.problem(name))
        assert packing.height == packing.certificate.lower_bound == floor
        assert packing.certificate.proof is Proof.LIVE_BYTES
