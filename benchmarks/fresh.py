"""A process that measures itself while it runs a model: `python -m benchmarks.fresh MODEL CLOCK`.

Nothing but what tinyrt needs and a little of the standard library is loaded.
"""

import json
import resource
import sys
from pathlib import Path

from benchmarks.clocks import CLOCKS

LATER_RUNS = 3


def main() -> None:
    """Import, load, run, and print the facts as JSON."""
    clock = CLOCKS[sys.argv[2]]
    start = clock()
    import tinyrt

    imported = clock()
    interpreter = tinyrt.Interpreter(sys.argv[1])
    interpreter.allocate_tensors()
    loaded = clock()
    tensors = interpreter.program.graph.tensors
    for index in interpreter.program.graph.inputs:
        interpreter.set_tensor(index, bytes(tensors[index].bytes))
    times = []
    for _ in range(1 + LATER_RUNS):
        begun = clock()
        interpreter.invoke()
        times.append(clock() - begun)
    assert "numpy" not in sys.modules
    facts = {
        "import_seconds": imported - start,
        "load_seconds": loaded - imported,
        "first_run_seconds": times[0],
        "later_run_seconds": sorted(times[1:])[LATER_RUNS // 2],
        "peak_bytes": peak_bytes(),
    }
    print(json.dumps(facts))


def peak_bytes() -> int:
    """The most memory that this process has had resident.

    The high-water mark that `getrusage` gives on Linux begins with that of the parent process.
    """
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    main()
