"""The figures that the fast path is held to, from the results of a run."""

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.cases import MLPERF_TINY, MOBILENET_V2
from benchmarks.executors import OURS, REFERENCE, TFLM
from benchmarks.results import Run, geometric_mean

NUMPY = "numpy"


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure with what is wanted of it; None where what it needs was not measured."""

    title: str
    unit: str
    found: float | None
    reach: float
    least: float
    """Not to be missed; `reach` is better."""
    larger_is_better: bool = False

    @property
    def verdict(self) -> str:
        """`reached`, `held`, `missed`, or `not measured`."""
        if self.found is None:
            return "not measured"
        for word, limit in (("reached", self.reach), ("held", self.least)):
            if (self.found >= limit) if self.larger_is_better else (self.found <= limit):
                return word
        return "missed"


def figures(run: Run) -> Iterator[Figure]:
    """All figures, in the order of the roadmap."""
    yield Figure("four models against TFLM, mean", "×", _mean(run, OURS, TFLM), 1.0, 1.8)
    for name, reach, least in (
        ("resnet", 0.8, 1.2),
        ("kws", 1.2, 2.2),
        ("vww", 1.2, 2.2),
        ("ad", 1.5, 4.0),
    ):
        yield Figure(f"{name} against TFLM", "×", _ratio(run, name, OURS, TFLM), reach, least)
    for name in MLPERF_TINY:
        yield Figure(
            f"{name} against NumPy (matmul)", "×", _ratio(run, name, OURS, NUMPY), 1.0, 1.0
        )
    yield Figure(
        "four models: reference against fast, mean",
        "×",
        _mean(run, REFERENCE, OURS),
        60.0,
        30.0,
        larger_is_better=True,
    )
    for name, reach, least in (("kws", 0.15, 0.3), ("vww", 0.5, 1.0)):
        found = run.footprint(name)
        seconds = found.prepare_seconds if found else None
        yield Figure(f"{name}: load and prepare", "s", seconds, reach, least)
    found = run.footprint("vww")
    peak = found.peak_bytes / 1e6 if found else None
    yield Figure("vww: peak memory of the process", "MB", peak, 60.0, 100.0)
    mobilenet = run.named(MOBILENET_V2)
    seconds = mobilenet.timings[OURS].median if mobilenet else None
    yield Figure("MobileNetV2 224x224, a frame", "s", seconds, 1.0, 1.0)


def _ratio(run: Run, name: str, executor: str, to: str) -> float | None:
    result = run.named(name)
    return result.ratio(executor, to) if result else None


def _mean(run: Run, executor: str, to: str) -> float | None:
    """The geometric mean over the four; None where one is missing."""
    ratios = [_ratio(run, name, executor, to) for name in MLPERF_TINY]
    known = [ratio for ratio in ratios if ratio is not None]
    return geometric_mean(known) if len(known) == len(ratios) else None
