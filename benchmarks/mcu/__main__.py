"""`make bench-mcu`: counts, shows and saves; `--compare` says what changed."""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from benchmarks.mcu import tables
from benchmarks.mcu.measure import CORES, measure
from benchmarks.mcu.records import Run, changes
from tests.corpus import MODELS
from tinyrt.errors import ToolchainError
from tinyrt.mcu.targets import TARGETS

WIDTH = 170
"""Of the tables, where there is no terminal."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; the exit status is 1 where compiler or emulator are not installed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mcu", description=__doc__)
    parser.add_argument("--results", type=Path, metavar="FILE", help="save the counts as JSON")
    parser.add_argument("--compare", type=Path, metavar="FILE", help="say what changed since FILE")
    options = parser.parse_args(arguments)
    try:
        # Read before anything is counted: it may be the file that is written at the end.
        before = Run.read(options.compare) if options.compare else None
        known = Run.read(options.results) if options.results and options.results.exists() else None
    except (OSError, ValueError) as error:
        parser.error(str(error))
    missing = dict.fromkeys(filter(None, (TARGETS[core].missing() for core in CORES)))
    if missing:
        print("\n".join(missing), file=sys.stderr)
        return 1
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    start = time.perf_counter()
    try:
        with Console(stderr=True).status("") as status:
            models = {path.stem: path.read_bytes() for path in MODELS}
            run = measure(models, status.update)
    except ToolchainError as error:
        print(error, file=sys.stderr)
        return 1
    if known is not None:
        run = run.completed(known, models)
    tables.show(console, run)
    console.print(f"{time.perf_counter() - start:.0f} s", highlight=False)
    if before is not None:
        tables.show_changes(console, tuple(changes(before, run)), before.tools == run.tools)
    if options.results:
        run.save(options.results)
        console.print(f"saved {options.results}", highlight=False, markup=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
