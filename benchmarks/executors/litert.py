"""LiteRT, one thread: with its plain reference kernels, or as it comes (XNNPACK)."""

from collections.abc import Sequence
from importlib.metadata import version

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from benchmarks.executors import CannotRunError, Factory

_RESOLVERS = {"litert-reference": OpResolverType.BUILTIN_REF, "litert": OpResolverType.AUTO}


class LiteRt:
    """LiteRT's interpreter."""

    def __init__(self, model: bytes, name: str) -> None:
        """Load and prepare the model."""
        try:
            self._interpreter = Interpreter(
                model_content=model,
                num_threads=1,
                experimental_op_resolver_type=_RESOLVERS[name],
            )
            self._interpreter.allocate_tensors()
        except (RuntimeError, ValueError) as error:
            raise CannotRunError(str(error)) from error
        self._inputs = self._interpreter.get_input_details()
        self._outputs = self._interpreter.get_output_details()

    def feed(self, inputs: Sequence[bytes]) -> None:
        """Set every input."""
        for details, value in zip(self._inputs, inputs, strict=True):
            array = np.frombuffer(value, details["dtype"]).reshape(details["shape"])
            self._interpreter.set_tensor(details["index"], array)

    def invoke(self) -> None:
        """Run once."""
        self._interpreter.invoke()

    def outputs(self) -> list[bytes]:
        """The bytes of every output."""
        return [
            self._interpreter.get_tensor(details["index"]).tobytes() for details in self._outputs
        ]


def factory(name: str) -> tuple[Factory, str]:
    """Executors with one set of kernels."""
    return (lambda model: LiteRt(model, name)), version("ai-edge-litert")
