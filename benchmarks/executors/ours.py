"""tinyrt itself: nothing but the standard library is loaded."""

import sys
from collections.abc import Sequence

import tinyrt
from benchmarks.executors import Factory


class Ours:
    """tinyrt's interpreter with one set of kernels."""

    def __init__(self, model: bytes, name: str) -> None:
        """Load and prepare the model."""
        self._interpreter = tinyrt.Interpreter(
            model_content=model, kernels="fast" if name == "fast" else "reference"
        )
        self._interpreter.allocate_tensors()
        self._graph = self._interpreter.program.graph

    def feed(self, inputs: Sequence[bytes]) -> None:
        """Set every input."""
        for index, value in zip(self._graph.inputs, inputs, strict=True):
            self._interpreter.set_tensor(index, value)

    def invoke(self) -> None:
        """Run once."""
        self._interpreter.invoke()

    def outputs(self) -> list[bytes]:
        """The bytes of every output."""
        return [self._interpreter.view(index).tobytes() for index in self._graph.outputs]


def factory(name: str) -> tuple[Factory, str]:
    """Executors of either set of kernels."""
    version = f"{tinyrt.__version__} on Python {sys.version.split()[0]}"
    return (lambda model: Ours(model, name)), version
