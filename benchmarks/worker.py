"""A process that runs one kind of executor: `python -m benchmarks.worker KIND CLOCK`.

Requests and replies are JSON, one a line, over stdin and stdout:

    ← {"version": TEXT} or {"absent": why}                  once
    → {"model": PATH, "records": [[BASE64 of each input]…]}
    ← {"crc": of the outputs on record 0, "seconds": of that first run} or {"refused": why}
    → {"runs": K}                                           K runs, the records in turn
    ← {"seconds": of K runs together}

Every reply says besides whether NumPy is loaded.
"""

import base64
import itertools
import json
import os
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from benchmarks.clocks import CLOCKS, Clock
from benchmarks.executors import CannotRunError, Executor, Factory, factory


def main() -> None:
    """Answer requests until stdin ends."""
    # Libraries may print to stdout: what they print goes to stderr, and replies to a copy.
    replies = os.fdopen(os.dup(1), "w", encoding="ascii", buffering=1)
    os.dup2(2, 1)
    try:
        make, version = factory(sys.argv[1])
    except ImportError as error:
        _reply(replies, {"absent": f"not installed ({error})"})
        return
    _reply(replies, {"version": version})
    for reply in _answers(make, CLOCKS[sys.argv[2]], sys.stdin):
        _reply(replies, reply)


def _reply(replies: TextIO, reply: dict[str, Any]) -> None:
    print(json.dumps(reply | {"numpy": "numpy" in sys.modules}), file=replies, flush=True)


def _answers(make: Factory, clock: Clock, requests: TextIO) -> Iterator[dict[str, Any]]:
    executor: Executor | None = None
    turns: Iterator[list[bytes]] = iter(())
    for line in requests:
        request = json.loads(line)
        if "model" in request:
            executor = None  # before the next is made: two large models need not fit
            records = [[base64.b64decode(value) for value in r] for r in request["records"]]
            try:
                executor = make(Path(request["model"]).read_bytes())
                seconds = _timed(clock, executor, iter(records), 1)
            except CannotRunError as error:
                yield {"refused": str(error)}
                continue
            turns = itertools.cycle(records)
            crc = 0
            for value in executor.outputs():
                crc = zlib.crc32(value, crc)
            yield {"crc": crc, "seconds": seconds}
        else:
            assert executor is not None
            yield {"seconds": _timed(clock, executor, turns, request["runs"])}


def _timed(clock: Clock, executor: Executor, turns: Iterator[list[bytes]], runs: int) -> float:
    seconds = 0.0
    for _ in range(runs):
        executor.feed(next(turns))
        start = clock()
        executor.invoke()
        seconds += clock() - start
    return seconds


if __name__ == "__main__":
    main()
