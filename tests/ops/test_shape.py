"""SHAPE: ranks, types of input and output, and what is refused."""

import random
from typing import Any

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter as LiteRT

import tinyrt
from tests.builder import TensorSpec, single_operator
from tests.examples import EXAMPLES
from tests.harness import agree, assert_c_agrees, python_tensors
from tinyrt.emit import emit
from tinyrt.errors import UnsupportedError
from tinyrt.mcu.cases import Case
from tinyrt.plan import plan
from tinyrt.samples import random_inputs


def shape_of(*shape: int, dtype: str = "int8", output: str = "int32", **options: Any) -> bytes:
    return single_operator(
        "SHAPE",
        [TensorSpec(shape, dtype, scale=0.5 if dtype == "int8" else None)],
        [TensorSpec((len(shape),), output)],
        **options,
    )


def test_random_shapes() -> None:
    rng = random.Random(77)
    models = []
    for number in range(16):
        shape = [rng.randint(1, 5) for _ in range(rng.randint(1, 6))]
        dtype = ("int8", "int32", "float32", "int16")[number % 4]
        # TFLM goes by the tensor; a file may also leave the option out.
        options = {"out_type": "INT32"} if number % 3 else {}
        models.append(shape_of(*shape, dtype=dtype, **options))
    agree([*models, shape_of(70_000, 1)], seed=77, styles=("uniform",))


@pytest.mark.parametrize("shape", [(7,), (2, 1, 300, 3), (1, 1, 1, 1, 1, 2)])
def test_int64_as_litert_gives_it(shape: tuple[int, ...]) -> None:
    model = shape_of(*shape, output="int64", out_type="INT64")
    program = tinyrt.load(model)
    peer = LiteRT(model_content=model)
    peer.allocate_tensors()
    peer.invoke()
    (result,) = program.graph.outputs
    truth = {result: peer.get_tensor(result).tobytes()}
    assert truth == {result: np.array(shape, np.int64).tobytes()}
    inputs = random_inputs(program.graph, 0)
    for kernels in ("reference", "fast"):
        assert python_tensors(model, inputs, kernels) == truth
    case = Case(emit(program, plan(program), "int64_shape", "model.tflite"), (inputs,))
    for target in ("host", "cortex-m3", "riscv32"):
        assert_c_agrees(target, [case], [(program, [truth])])


def test_the_input_is_not_read() -> None:
    (step,) = tinyrt.load(EXAMPLES["SHAPE"]()).steps
    assert step.operands == ()


def test_a_resized_input_has_another_shape() -> None:
    interpreter = tinyrt.Interpreter(model_content=shape_of(1, 4, 3))
    interpreter.resize_tensor_input(0, (5, 4, 3))
    interpreter.invoke()
    assert interpreter.view(interpreter.program.graph.outputs[0]).tolist() == [5, 4, 3]


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (shape_of(2, 3, output="int16"), "The output is int32 or int64."),
        (shape_of(2, 3, output="float32"), "The output is int32 or int64."),
        (shape_of(2, 3, out_type="INT64"), r"'output0' int32\[2\], out_type INT64, field at byte"),
        (shape_of(2, 3, output="int64", out_type="INT32"), "is the output's element type"),
        (single_operator("SHAPE", [TensorSpec((2,))], [TensorSpec((2,), "int32")]), "shape 1"),
    ],
)
def test_refused(model: bytes, message: str) -> None:
    with pytest.raises(UnsupportedError, match=message):
        tinyrt.load(model)
