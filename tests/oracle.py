"""The truth for the `tflm` profile: TFLM's own interpreter, every tensor of a run."""

from collections.abc import Mapping

import numpy as np
from tflite_micro.python.tflite_micro import runtime

from tinyrt.load import Program


def every_tensor(
    model: bytes, program: Program, inputs: Mapping[int, bytes], arena_bytes: int = 1 << 22
) -> dict[int, bytes]:
    """Run a model in TFLM.

    Args:
        model: the .tflite bytes.
        program: the same model, loaded: it says which tensors there are.
        inputs: the bytes of each graph input, by tensor index.
        arena_bytes: TFLM's arena; all tensors are kept in it.

    Returns:
        The bytes of every tensor that an operator writes, by tensor index.
    """
    interpreter = runtime.Interpreter.from_bytes(
        model,
        arena_size=arena_bytes,
        intrepreter_config=runtime.InterpreterConfig.kPreserveAllTensors,
    )
    for position, index in enumerate(program.graph.inputs):
        tensor = program.graph.tensors[index]
        value = np.frombuffer(inputs[index], tensor.dtype.value).reshape(tensor.shape)
        interpreter.set_input(value, position)
    interpreter.invoke()
    results: dict[int, bytes] = {}
    for step in program.steps:
        for index in step.results:
            results[index] = interpreter.GetTensor(index, 0)["tensor_data"].tobytes()
    for position, index in enumerate(program.graph.outputs):
        results[index] = interpreter.get_output(position).tobytes()
    return results
