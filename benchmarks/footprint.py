"""Load time and memory of fresh processes."""

import json
import statistics
import subprocess
import sys
from pathlib import Path

from benchmarks.clocks import DEFAULT
from benchmarks.results import Footprint
from tests.corpus import ROOT


def measure(name: str, model: Path, processes: int, clock: str = DEFAULT) -> Footprint:
    """Medians over some processes of `benchmarks.fresh`.

    Raises:
        subprocess.CalledProcessError: one failed.
    """
    found = []
    for _ in range(processes):
        reply = subprocess.run(
            [sys.executable, "-m", "benchmarks.fresh", str(model), clock],
            stdout=subprocess.PIPE,
            check=True,
            cwd=ROOT,
        )
        found.append(json.loads(reply.stdout))
    medians = {fact: statistics.median(one[fact] for one in found) for fact in found[0]}
    return Footprint(name=name, **medians | {"peak_bytes": int(medians["peak_bytes"])})
