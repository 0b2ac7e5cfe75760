"""Processes that run one kind of executor each, as seen from the one that drives them."""

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from benchmarks.clocks import DEFAULT
from tests.corpus import ROOT

REPLY_SECONDS = 600.0
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class AbsentError(Exception):
    """An executor cannot run here, does not run this model, or its process has died."""


class Worker:
    """A process of `benchmarks.worker`."""

    def __init__(self, kind: str, clock: str = DEFAULT) -> None:
        """Start it. `absent` tells why it cannot be used, if so."""
        self._folder = tempfile.TemporaryDirectory()
        self._errors = Path(self._folder.name) / "stderr"
        with self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.worker", kind, clock],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                cwd=ROOT,
                env=os.environ | _ONE_THREAD,
            )
        self.numpy_loaded = False
        self.version = ""
        self.absent: str | None = None
        try:
            greeting = self._reply()
        except AbsentError as error:
            self.absent = str(error)
        else:
            self.version = greeting.get("version", "")
            self.absent = greeting.get("absent")

    @property
    def dead(self) -> bool:
        """Whether the process has ended."""
        return self._process.poll() is not None

    def ask(self, **request: Any) -> dict[str, Any]:
        """One request and its reply.

        Raises:
            AbsentError: the executor refuses, or its process ended or hung over the request.
        """
        if self.absent is not None:
            raise AbsentError(self.absent)
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request).encode("ascii") + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise AbsentError(self._last_words()) from error
        reply = self._reply()
        if "refused" in reply:
            raise AbsentError(reply["refused"])
        return reply

    def _reply(self) -> dict[str, Any]:
        stdout = self._process.stdout
        assert stdout is not None
        ready, _, _ = select.select([stdout], [], [], REPLY_SECONDS)
        if not ready:
            self._process.kill()
            raise AbsentError(f"no answer in {REPLY_SECONDS:.0f} s")
        line = stdout.readline()
        if not line:
            raise AbsentError(self._last_words())
        reply: dict[str, Any] = json.loads(line)
        self.numpy_loaded = reply["numpy"]
        return reply

    def _last_words(self) -> str:
        """How the process ended, and the last line that it wrote."""
        code = self._process.wait()
        ended = signal.Signals(-code).name if code < 0 else f"exit status {code}"
        lines = self._errors.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return f"{ended}: {lines[-1][:200]}" if lines else ended

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()
        with suppress(BrokenPipeError):  # what was still to be written to a dead process
            self._process.stdin.close()
        self._folder.cleanup()
