"""What a run of the suite found: records, and the JSON that keeps them."""

import dataclasses
import json
import math
import re
import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

FORMAT = 1
_LIST = re.compile(r"\[[^][{}]*\]")
"""A list without lists or objects in it."""


@dataclass(frozen=True, slots=True)
class Timing:
    """The rounds of one executor on one case."""

    seconds: tuple[float, ...]
    """Of one `invoke`, a value for each round."""
    runs: int
    """Runs that each value is the mean of."""
    same_bytes: bool
    """Whether the outputs are those of tinyrt's reference kernels."""

    @property
    def median(self) -> float:
        """Seconds of one `invoke`."""
        return statistics.median(self.seconds)

    @property
    def spread(self) -> float:
        """Half of the distance between the quartiles, as a part of the median."""
        if len(self.seconds) < 2:
            return 0.0
        low, _, high = statistics.quantiles(self.seconds, n=4, method="inclusive")
        return (high - low) / 2 / self.median


@dataclass(frozen=True, slots=True)
class Result:
    """One case with every executor that ran it, and why the others did not."""

    name: str
    kind: str
    inputs: str
    macs: int
    timings: Mapping[str, Timing]
    absent: Mapping[str, str]

    def ratio(self, executor: str, to: str) -> float | None:
        """Median over median; None where either did not run."""
        if executor not in self.timings or to not in self.timings:
            return None
        return self.timings[executor].median / self.timings[to].median


@dataclass(frozen=True, slots=True)
class Footprint:
    """What a fresh process needs for a model; medians over several processes."""

    name: str
    import_seconds: float
    load_seconds: float
    """From the bytes of the file to allocated tensors: read, verified, prepared."""
    first_run_seconds: float
    later_run_seconds: float
    peak_bytes: int
    """Most resident memory, interpreter and libraries included."""

    @property
    def prepare_seconds(self) -> float:
        """Load, and what the first run takes more than later ones: work that was put off."""
        return self.load_seconds + max(0.0, self.first_run_seconds - self.later_run_seconds)


@dataclass(frozen=True, slots=True)
class Run:
    """Everything that one run of the suite found."""

    machine: Mapping[str, Any]
    results: tuple[Result, ...]
    footprints: tuple[Footprint, ...]

    def named(self, name: str) -> Result | None:
        """The result of a case."""
        return next((result for result in self.results if result.name == name), None)

    def of_kind(self, kind: str) -> tuple[Result, ...]:
        """The results of all models, or of all kernels."""
        return tuple(result for result in self.results if result.kind == kind)

    def footprint(self, name: str) -> Footprint | None:
        """The footprint of a model."""
        return next((found for found in self.footprints if found.name == name), None)

    def save(self, path: Path) -> None:
        """Write JSON: times with four digits, and the rounds of an executor on one line."""
        content = _rounded({"format": FORMAT} | dataclasses.asdict(self))
        text = _LIST.sub(lambda found: " ".join(found[0].split()), json.dumps(content, indent=1))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Self:
        """What `save` wrote.

        Raises:
            ValueError: the file is something else.
        """
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise ValueError(f"{path}: not results of this suite, format {FORMAT}")
        return cls(
            machine=content["machine"],
            results=tuple(_result(result) for result in content["results"]),
            footprints=tuple(Footprint(**found) for found in content["footprints"]),
        )


def _result(saved: dict[str, Any]) -> Result:
    timings = {
        name: Timing(tuple(timing["seconds"]), timing["runs"], timing["same_bytes"])
        for name, timing in saved["timings"].items()
    }
    return Result(**saved | {"timings": timings})


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, dict):
        return {name: _rounded(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(member) for member in value]
    return value


def milliseconds(seconds: float) -> str:
    """Three digits, or all before the point."""
    amount = seconds * 1e3
    return f"{amount:,.0f}" if amount >= 100 else f"{amount:.3g}"


def geometric_mean(values: list[float]) -> float:
    """Of positive values, at least one."""
    return math.exp(statistics.fmean(map(math.log, values)))
