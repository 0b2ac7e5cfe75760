"""TFLM's own Python package: its C++ reference kernels, compiled."""

from collections.abc import Sequence
from importlib.metadata import version

import numpy as np
from tflite_micro.python.tflite_micro import runtime

import tinyrt
from benchmarks.executors import CannotRunError, Factory

ARENA_BYTES = 1 << 25


class Tflm:
    """TFLM's interpreter."""

    def __init__(self, model: bytes) -> None:
        """Load and prepare the model."""
        graph = tinyrt.load(model).graph
        self._inputs = [graph.tensors[index] for index in graph.inputs]
        self._outputs = len(graph.outputs)
        try:
            self._interpreter = runtime.Interpreter.from_bytes(model, arena_size=ARENA_BYTES)
        except RuntimeError as error:
            raise CannotRunError(str(error)) from error

    def feed(self, inputs: Sequence[bytes]) -> None:
        """Set every input."""
        for position, (tensor, value) in enumerate(zip(self._inputs, inputs, strict=True)):
            array = np.frombuffer(value, tensor.dtype.value).reshape(tensor.shape)
            self._interpreter.set_input(array, position)

    def invoke(self) -> None:
        """Run once."""
        self._interpreter.invoke()

    def outputs(self) -> list[bytes]:
        """The bytes of every output."""
        return [
            self._interpreter.get_output(position).tobytes() for position in range(self._outputs)
        ]


def factory() -> tuple[Factory, str]:
    """Executors on the installed wheel."""
    return Tflm, version("tflite-micro")
