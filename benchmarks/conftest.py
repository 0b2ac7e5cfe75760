"""The run of the suite: options, what is measured once, and what is shown and saved at the end."""

import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from benchmarks import chart, footprint, machine, tables
from benchmarks.cases import Case
from benchmarks.clocks import CLOCKS, DEFAULT
from benchmarks.executors import NAMES
from benchmarks.interleave import Bench, Effort
from benchmarks.results import Footprint, Result, Run, Timing

EFFORTS = {
    "model": Effort(rounds=15, turn_seconds=0.02, slow_seconds=3.0),
    "kernel": Effort(rounds=9, turn_seconds=0.004, slow_seconds=0.6),
}
QUICK_EFFORT = Effort(rounds=2, turn_seconds=0.0, slow_seconds=0.05)
PROCESSES = 5


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("tinyrt")
    group.addoption("--quick", action="store_true", help="a few cases, two rounds: does it work?")
    group.addoption("--rounds", type=int, metavar="N", help="interleaved rounds of each case")
    group.addoption(
        "--clock",
        choices=tuple(CLOCKS),
        default=DEFAULT,
        help="what a run takes of the user's time, or of the processor's (for busy machines)",
    )
    group.addoption("--results", type=Path, metavar="FILE", help="save everything as JSON")
    group.addoption("--chart", type=Path, metavar="FILE", help="draw the models as SVG")
    group.addoption(
        "--compare", type=Path, metavar="FILE", help="show what changed since --results FILE"
    )


class Session:
    """What has been measured so far, and how much effort goes into a case."""

    def __init__(self, config: pytest.Config) -> None:
        """Note the machine; measure nothing yet."""
        self.quick = bool(config.getoption("quick"))
        self._rounds: int | None = config.getoption("rounds")
        saved = config.getoption("compare")
        # Read before anything is measured: a wrong name shows at once, and the file may be the
        # one that is written at the end.
        self.before = Run.read(saved) if saved else None
        self._clock: str = config.getoption("clock")
        self._bench = Bench(self._clock)
        self._machine = machine.facts() | {"clock": self._clock}
        self._results: dict[str, Result] = {}
        self._footprints: dict[str, Footprint] = {}

    def result(self, case: Case) -> Result:
        """All executors on a case: measured at the first call."""
        if case.name not in self._results:
            self._results[case.name] = self._bench.measure(case, self._effort(case.kind))
        return self._results[case.name]

    def footprint(self, name: str, model: Path) -> Footprint:
        """Fresh processes with a model."""
        found = footprint.measure(name, model, 1 if self.quick else PROCESSES, self._clock)
        self._footprints[name] = found
        return found

    def _effort(self, kind: str) -> Effort:
        effort = QUICK_EFFORT if self.quick else EFFORTS[kind]
        rounds = self._rounds or effort.rounds
        return Effort(rounds, effort.turn_seconds, effort.slow_seconds)

    def run(self) -> Run:
        """Everything."""
        facts = {"load_after": machine.load(), "versions": dict(self._bench.versions())}
        return Run(
            machine=self._machine | facts,
            results=tuple(self._results.values()),
            footprints=tuple(self._footprints.values()),
        )

    def close(self) -> None:
        """End the workers."""
        self._bench.close()


_SESSION = pytest.StashKey[Session]()


def pytest_configure(config: pytest.Config) -> None:
    try:
        config.stash[_SESSION] = Session(config)
    except (OSError, ValueError) as error:
        raise pytest.UsageError(f"--compare: {error}") from error


def pytest_unconfigure(config: pytest.Config) -> None:
    if _SESSION in config.stash:
        config.stash[_SESSION].close()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each executor on each case, an executor being one line of pytest-benchmark's."""
    quick = metafunc.config.stash[_SESSION].quick
    if "case" in metafunc.fixturenames:
        cases = [case for case in metafunc.module.CASES if case.quick or not quick]
        pairs = [(case, executor) for case in cases for executor in NAMES]
        names = [f"{case.name}-{executor}" for case, executor in pairs]
        metafunc.parametrize(("case", "executor"), pairs, ids=names)
    elif "fresh" in metafunc.fixturenames:
        models = metafunc.module.MODELS
        metafunc.parametrize("fresh", metafunc.module.QUICK if quick else models)


@pytest.fixture(scope="session")
def session(pytestconfig: pytest.Config) -> Session:
    return pytestconfig.stash[_SESSION]


class Clock:
    """Time as a worker's process has spent it, for pytest-benchmark's rounds.

    The rounds of all executors are interleaved, each in its own process; pytest-benchmark, which
    times one function after another in this process, is given what was measured there.
    """

    def __init__(self, seconds: tuple[float, ...]) -> None:
        """Take the seconds of each round."""
        self._rounds = iter(seconds)
        self._now = 0.0

    def now(self) -> float:
        """Seconds so far."""
        return self._now

    def round(self) -> None:
        """Let the next round pass."""
        self._now += next(self._rounds)


Record = Callable[[str, tuple[float, ...]], None]


@pytest.fixture
def record(request: pytest.FixtureRequest) -> Record:
    """Hands interleaved rounds to pytest-benchmark, which keeps, compares and groups them."""

    def hand_over(group: str, seconds: tuple[float, ...]) -> None:
        clock = Clock(seconds)
        request.node.add_marker(pytest.mark.benchmark(timer=clock.now, group=group))
        benchmark: Any = request.getfixturevalue("benchmark")
        benchmark.pedantic(clock.round, rounds=len(seconds))

    return hand_over


@pytest.fixture
def timing(session: Session, case: Case, executor: str, record: Record) -> Timing:
    """One executor on one case; a skip says why there is none."""
    if case.missing is not None:
        pytest.skip(case.missing)
    result = session.result(case)
    if executor in result.absent:
        pytest.skip(f"{executor} is absent: {result.absent[executor]}")
    found = result.timings[executor]
    record(f"{case.name} ({case.inputs} inputs)", found.seconds)
    return found


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    session = config.stash[_SESSION]
    run = session.run()
    if not run.results and not run.footprints:
        return
    text = io.StringIO()
    console = Console(file=text, force_terminal=sys.stdout.isatty(), width=_width())
    tables.show(console, run)
    if session.before is not None:
        tables.show_comparison(console, session.before, run)
    terminalreporter.write(text.getvalue())
    results, picture = config.getoption("results"), config.getoption("chart")
    if results:
        run.save(results)
        terminalreporter.write_line(f"saved {results}")
    if picture:
        picture.parent.mkdir(parents=True, exist_ok=True)
        picture.write_text(chart.draw(run), encoding="utf-8")
        terminalreporter.write_line(f"drew {picture}")


def _width() -> int:
    """The terminal's, or wide enough for every column where there is none."""
    return Console().width if sys.stdout.isatty() else 170
