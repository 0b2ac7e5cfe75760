"""What runs a model: tinyrt's kernels and their peers, each alone in a process of its own."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol


class Executor(Protocol):
    """A model that is ready to run."""

    def feed(self, inputs: Sequence[bytes]) -> None:
        """Set every input."""

    def invoke(self) -> None:
        """Run once: this alone is timed."""

    def outputs(self) -> list[bytes]:
        """The bytes of every output of the last run."""


class CannotRunError(Exception):
    """The executor does not run this model; the text says why."""


Factory = Callable[[bytes], Executor]
"""From the bytes of a .tflite file to an executor."""


@dataclass(frozen=True, slots=True)
class Kind:
    """An executor by name."""

    name: str
    title: str
    exact: bool
    """Whether its outputs have to be those of tinyrt's reference kernels, byte for byte."""
    ours: bool = False
    """Whether it is tinyrt, which is timed without NumPy in its process."""


KINDS = (
    Kind("fast", "tinyrt, pure Python", exact=True, ours=True),
    Kind("reference", "tinyrt, reference kernels", exact=True, ours=True),
    Kind("numpy", "NumPy int32 im2col, matmul", exact=True),
    Kind("numpy-einsum", "NumPy int32 im2col, einsum", exact=True),
    Kind("tflm", "TFLM wheel (compiled C++)", exact=True),
    Kind("litert-reference", "LiteRT, reference kernels", exact=False),
    Kind("litert", "LiteRT, XNNPACK", exact=False),
)
NAMES = tuple(kind.name for kind in KINDS)
EXACT = frozenset(kind.name for kind in KINDS if kind.exact)
OURS, REFERENCE, TFLM = "fast", "reference", "tflm"


def factory(name: str) -> tuple[Factory, str]:
    """How to make executors of one kind, and the version of what runs them.

    Packages are imported here, so that a process holds only what its own executor needs.

    Raises:
        ImportError: the package is not installed.
    """
    match name:
        case "fast" | "reference":
            from benchmarks.executors import ours

            return ours.factory(name)
        case "numpy" | "numpy-einsum":
            from benchmarks.executors import numpy_int32

            return numpy_int32.factory(name)
        case "tflm":
            from benchmarks.executors import tflm

            return tflm.factory()
        case "litert-reference" | "litert":
            from benchmarks.executors import litert

            return litert.factory(name)
    raise ValueError(f"no executor is called {name!r}")
