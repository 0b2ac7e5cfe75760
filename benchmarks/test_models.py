"""Whole models: one `invoke` of each executor, in interleaved rounds."""

from benchmarks.cases import models
from benchmarks.executors import EXACT
from benchmarks.results import Timing

CASES = tuple(models())


def test_model(timing: Timing, executor: str) -> None:
    assert timing.same_bytes or executor not in EXACT
