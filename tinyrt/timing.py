"""Where the time of a run in Python goes: seconds for each operator."""

import math
import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from time import perf_counter

from tinyrt.interpreter import Interpreter
from tinyrt.load import Step

LEAST_ROUNDS, MOST_ROUNDS = 5, 200
DEFAULT_SECONDS = 2.0
"""About how long is measured where the number of rounds is not given."""


@dataclass(frozen=True, slots=True)
class OperatorTime:
    """One operator's share of a run."""

    index: int
    opcode: str
    name: str
    seconds: float
    """Median over the rounds."""
    macs: int


@dataclass(frozen=True, slots=True)
class Timing:
    """What one run of a model takes in Python."""

    seconds: float
    """Median of whole runs, without the clock being read in between."""
    operators: tuple[OperatorTime, ...]
    macs: int
    rounds: int


def time_operators(
    interpreter: Interpreter, inputs: Mapping[int, bytes], rounds: int | None = None
) -> Timing:
    """Time runs as a whole and, in alternation, operator by operator.

    Args:
        interpreter: of the model, with the kernels to be timed.
        inputs: the bytes of each graph input, by tensor index.
        rounds: runs of either kind, after one that is not counted; None: as many as fit in about
            `DEFAULT_SECONDS`, from 5 to 200.
    """
    for index, value in inputs.items():
        interpreter.set_tensor(index, value)
    _whole(interpreter)  # what is packed lazily is packed now
    if rounds is None:
        fitting = math.ceil(DEFAULT_SECONDS / (2 * max(_whole(interpreter), 1e-6)))
        rounds = max(LEAST_ROUNDS, min(MOST_ROUNDS, fitting))
    steps = interpreter.program.steps
    nodes = list(dict.fromkeys(step.node for step in steps))
    totals: list[float] = []
    shares: list[dict[int, float]] = []
    for _ in range(rounds):
        totals.append(_whole(interpreter))
        share = dict.fromkeys((node.index for node in nodes), 0.0)
        for step, seconds in zip(steps, _by_step(interpreter), strict=True):
            share[step.node.index] += seconds  # several steps where it runs strip by strip
        shares.append(share)
    return Timing(
        seconds=statistics.median(totals),
        operators=tuple(
            OperatorTime(
                index=node.index,
                opcode=node.opcode,
                name=node.name,
                seconds=statistics.median(share[node.index] for share in shares),
                macs=interpreter.program.macs_of(node),
            )
            for node in nodes
        ),
        macs=interpreter.program.macs,
        rounds=rounds,
    )


def _whole(interpreter: Interpreter) -> float:
    start = perf_counter()
    interpreter.invoke()
    return perf_counter() - start


def _by_step(interpreter: Interpreter) -> list[float]:
    """Seconds from the end of one step to the end of the next."""
    marks = [perf_counter()]

    def mark(step: Step) -> None:
        del step
        marks.append(perf_counter())

    interpreter.invoke(observe=mark)
    return [end - start for start, end in pairwise(marks)]
