"""Times executors in alternation: whatever else the machine does, it does to all of them."""

import base64
import math
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import tinyrt
from benchmarks.cases import Case
from benchmarks.clocks import DEFAULT
from benchmarks.executors import KINDS, OURS, REFERENCE
from benchmarks.results import Result, Timing
from benchmarks.workers import AbsentError, Worker


@dataclass(frozen=True, slots=True)
class Effort:
    """How long a case is measured."""

    rounds: int
    turn_seconds: float
    """At least what an executor runs for at each of its turns, so that clocks do not matter."""
    slow_seconds: float
    """About what an executor may take in all its rounds; slow ones take part in fewer of them."""

    def runs(self, seconds: float) -> int:
        """Runs a turn, of an executor that takes so long for one."""
        return max(1, math.ceil(self.turn_seconds / max(seconds, 1e-7)))

    def turns(self, seconds: float) -> int:
        """Rounds that such an executor takes part in."""
        return max(1, min(self.rounds, int(self.slow_seconds / (self.runs(seconds) * seconds))))


@dataclass(slots=True)
class Participant:
    """An executor that has loaded the case."""

    worker: Worker
    crc: int
    runs: int
    turns: int
    """Rounds that it takes part in."""
    seconds: list[float]
    """Of one run, a value for each round."""

    def joins(self, number: int, rounds: int) -> bool:
        """Whether it takes part in this round: its turns are spread evenly."""
        return number * self.turns // rounds != (number + 1) * self.turns // rounds

    def take_turn(self) -> None:
        """Run, and note the time."""
        self.seconds.append(self.worker.ask(runs=self.runs)["seconds"] / self.runs)


class Bench:
    """The workers: started when they are needed, anew for every model and when they have died."""

    def __init__(self, clock: str = DEFAULT) -> None:
        """Start nothing yet."""
        self._clock = clock
        self._workers: dict[str, Worker] = {}
        self._folder = tempfile.TemporaryDirectory()

    def close(self) -> None:
        """End all processes."""
        self._end_workers()
        self._folder.cleanup()

    def _end_workers(self) -> None:
        for worker in self._workers.values():
            worker.close()
        self._workers.clear()

    def versions(self) -> Mapping[str, str]:
        """What ran, by the name of the executor."""
        return {name: worker.version for name, worker in self._workers.items() if worker.version}

    def measure(self, case: Case, effort: Effort) -> Result:
        """Load a case in every executor, then time round by round.

        Raises:
            RuntimeError: tinyrt itself did not run, or with NumPy loaded.
        """
        if case.kind == "model":
            # As its user runs it: alone, not in memory that a hundred layers were loaded into.
            self._end_workers()
        content = case.build()
        path = Path(self._folder.name) / "model.tflite"
        path.write_bytes(content)
        records = [
            [base64.b64encode(value).decode("ascii") for value in record]
            for record in case.records(content)
        ]
        absent: dict[str, str] = {}
        present: dict[str, Participant] = {}
        for kind in KINDS:
            try:
                present[kind.name] = self._load(kind.name, path, records, effort)
            except AbsentError as error:
                absent[kind.name] = str(error)
        order = list(present)
        for number in range(effort.rounds):
            for name in order:
                if name not in absent and present[name].joins(number, effort.rounds):
                    try:
                        present[name].take_turn()
                    except AbsentError as error:
                        absent[name] = str(error)
            order = order[1:] + order[:1]  # each round begins with another executor
        for name in absent:
            present.pop(name, None)
        if not {OURS, REFERENCE} <= present.keys():
            raise RuntimeError(f"{case.name}: tinyrt itself did not run: {absent}")
        _check(case, present)
        return Result(
            name=case.name,
            kind=case.kind,
            inputs=case.inputs,
            macs=tinyrt.load(content).macs,
            timings={
                name: Timing(tuple(found.seconds), found.runs, found.crc == present[REFERENCE].crc)
                for name, found in present.items()
            },
            absent=absent,
        )

    def _load(
        self, name: str, path: Path, records: Sequence[Sequence[str]], effort: Effort
    ) -> Participant:
        if name not in self._workers or self._workers[name].dead:
            if name in self._workers:
                self._workers.pop(name).close()
            self._workers[name] = Worker(name, self._clock)
        worker = self._workers[name]
        reply = worker.ask(model=str(path), records=records)
        first = reply["seconds"]
        if first > effort.slow_seconds:
            return Participant(worker, reply["crc"], runs=1, turns=0, seconds=[first])
        again = worker.ask(runs=1)["seconds"]  # nothing is built lazily any more
        return Participant(worker, reply["crc"], effort.runs(again), effort.turns(again), [])


def _check(case: Case, present: Mapping[str, Participant]) -> None:
    """Ours are timed without NumPy in the process."""
    for kind in KINDS:
        if kind.ours and present[kind.name].worker.numpy_loaded:
            raise RuntimeError(f"{case.name}: NumPy is loaded where {kind.title} is timed")
