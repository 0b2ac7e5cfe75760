"""The models that the tests build are what they say: TFLM loads and runs them."""

import array

import numpy as np
import pytest
from tflite_micro.python.tflite_micro import runtime

from tests.builder import ModelBuilder, TensorSpec, single_operator
from tests.examples import EXAMPLES, q8
from tinyrt import schema

NOT_IN_TFLM = {"SHAPE int64"}  # LiteRT has it: tests/ops/test_shape.py


@pytest.mark.parametrize("name", [name for name in EXAMPLES if name not in NOT_IN_TFLM])
def test_tflm_runs_every_example(name: str) -> None:
    content = EXAMPLES[name]()
    inputs = schema.read_model(content).subgraphs[0].inputs
    interpreter = runtime.Interpreter.from_bytes(content, arena_size=1 << 18)
    for position in range(len(inputs)):
        details = interpreter.get_input_details(position)
        interpreter.set_input(np.ones(details["shape"], details["dtype"]), position)
    interpreter.invoke()
    assert interpreter.get_output(0).size


def test_examples_cover_the_declared_options() -> None:
    operators = [schema.read_model(build()) for build in EXAMPLES.values()]
    kinds = {type(model.subgraphs[0].operators[0].builtin_options) for model in operators}
    assert {schema.Conv2DOptions, schema.StridedSliceOptions, type(None)} <= kinds


def test_operator_codes_are_shared() -> None:
    model = ModelBuilder()
    x, y, z = (model.tensor(name, (4,), scale=0.5) for name in "xyz")
    model.operator("RELU", [x], [y])
    model.operator("TANH", [y], [z])
    model.operator("RELU", [y], [z])
    read = schema.read_model(model.finish([x], [z]))
    assert [code.name for code in read.operator_codes] == ["RELU", "TANH"]
    assert [operator.opcode_index for operator in read.subgraphs[0].operators] == [0, 1, 0]


def test_codes_above_the_byte() -> None:
    model = ModelBuilder()
    x = model.tensor("x", (4,))
    model.operator("GELU", [x], [x], version=2)
    (code,) = schema.read_model(model.finish([x], [x])).operator_codes
    assert (code.deprecated_builtin_code, code.builtin_code, code.version) == (127, 150, 2)


def test_left_out_inputs_and_variables() -> None:
    state = TensorSpec((1, 4), "int8", scale=0.5, is_variable=True)
    content = single_operator("ADD", [q8(1, 4), None, state], [q8(1, 4)])
    subgraph = schema.read_model(content).subgraphs[0]
    assert subgraph.operators[0].inputs == (0, -1, 1)
    assert subgraph.inputs == (0,)
    assert subgraph.tensors[1].is_variable


def test_quantization() -> None:
    model = ModelBuilder()
    model.tensor("plain", (4,), "float32")
    model.tensor("whole", (4,), scale=0.5, zero_point=-3)
    model.tensor("along", (2, 3), scale=[0.5, 0.25, 2.0], axis=1)
    plain, whole, along = schema.read_model(model.finish([0], [1])).subgraphs[0].tensors
    assert plain.quantization is None
    assert whole.quantization == schema.QuantizationParameters(scale=(0.5,), zero_point=(-3,))
    assert along.quantization == schema.QuantizationParameters(
        scale=(0.5, 0.25, 2.0), zero_point=(0, 0, 0), quantized_dimension=1
    )


@pytest.mark.parametrize(
    "data",
    [
        b"\x01\x00\xff\xff\x00\x80\xff\x7f",
        [1, -1, -32768, 32767],
        [[1, -1], [-32768, 32767]],
        array.array("h", [1, -1, -32768, 32767]),
        np.array([[1, -1], [-32768, 32767]], np.int16),
        np.array([1, -1, -32768, 32767], np.int64),
    ],
    ids=["bytes", "list", "nested", "array", "ndarray", "wider ndarray"],
)
def test_constants(data: object) -> None:
    model = ModelBuilder()
    index = model.tensor("c", (2, 2), "int16", data=data)
    read = schema.read_model(model.finish([], [index]))
    assert read.subgraphs[0].tensors[0].buffer == 1
    assert bytes(read.buffers[1].data) == b"\x01\x00\xff\xff\x00\x80\xff\x7f"


def test_faults_of_the_caller() -> None:
    model = ModelBuilder()
    with pytest.raises(ValueError, match="3 elements for shape"):
        model.tensor("c", (2, 2), "int8", data=[1, 2, 3])
    with pytest.raises(KeyError):
        model.operator("CONV2D", [0], [0])
    with pytest.raises(KeyError):
        model.operator("CONV_2D", [0], [0], padding="FULL")
    with pytest.raises(TypeError, match="stride"):
        model.operator("CONV_2D", [0], [0], stride=2)
    with pytest.raises(TypeError, match="TRANSPOSE has no declared options: axis"):
        model.operator("TRANSPOSE", [0], [0], axis=2)


def test_signatures() -> None:
    model = ModelBuilder()
    x = model.tensor("x", (4,), scale=0.5)
    y = model.tensor("y", (4,), scale=0.5)
    model.operator("RELU", [x], [y])
    content = model.finish([x], [y], signatures={"serve": ({"image": x}, {"label": y})})
    (signature,) = schema.read_model(content).signature_defs
    assert signature == schema.SignatureDef(
        inputs=(schema.TensorMap(name="image", tensor_index=x),),
        outputs=(schema.TensorMap(name="label", tensor_index=y),),
        signature_key="serve",
    )
