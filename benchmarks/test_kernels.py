"""Single layers of real shapes: one `invoke` of each executor, in interleaved rounds."""

from benchmarks.cases import kernels
from benchmarks.executors import EXACT
from benchmarks.results import Timing

CASES = tuple(kernels())


def test_kernel(timing: Timing, executor: str) -> None:
    assert timing.same_bytes or executor not in EXACT
