"""RESHAPE: every way to say the shape, every element type."""

import pytest

import tinyrt
from tests.builder import ModelBuilder, TensorSpec, single_operator
from tests.harness import agree
from tinyrt.errors import InputError, UnsupportedError

TYPES = ("int8", "uint8", "int16", "int32", "int64", "float32", "bool")


def reshape(
    source: TensorSpec, output: TensorSpec, shape: TensorSpec | None = None, **options: object
) -> bytes:
    return single_operator("RESHAPE", [source] + [shape] * (shape is not None), [output], **options)


def q8(*shape: int, **options: object) -> TensorSpec:
    return TensorSpec(shape, "int8", scale=0.5, zero_point=-3, **options)


def int32(*values: int) -> TensorSpec:
    return TensorSpec((len(values),), "int32", data=values)


def test_agrees() -> None:
    agree(
        [
            reshape(q8(2, 6), q8(3, 4), int32(3, 4)),
            reshape(q8(2, 6), q8(3, 4), int32(3, -1)),
            reshape(q8(1, 1), q8(1), new_shape=(1,)),
            reshape(q8(2, 3, 5), q8(30), new_shape=(-1,)),
            reshape(q8(2, 6), q8(1, 2, 1, 3, 2, 1), int32(7, 9)),
            reshape(q8(2, 6), q8(4, 3), TensorSpec((2,), "int32")),
            reshape(q8(1), TensorSpec((), "int8", scale=2.0, zero_point=7)),
        ]
    )


@pytest.mark.parametrize("dtype", TYPES)
def test_any_type(dtype: str) -> None:
    agree([reshape(TensorSpec((2, 6), dtype), TensorSpec((4, 3), dtype), int32(4, 3))])


def test_a_shape_that_another_operator_computes() -> None:
    model = ModelBuilder()
    rows, columns = (model.add(TensorSpec((), "int32", data=size)) for size in (4, 3))
    shape = model.add(TensorSpec((2,), "int32"), "shape")
    source, output = model.add(q8(2, 6), "x"), model.add(q8(4, 3), "y")
    model.operator("PACK", [rows, columns], [shape], values_count=2)
    model.operator("RESHAPE", [source, shape], [output])
    agree([model.finish([source], [output])])


def test_the_output_takes_no_memory() -> None:
    (step,) = tinyrt.load(reshape(q8(2, 6), q8(3, 4), int32(3, 4))).steps
    assert step.kernel.alias
    source = bytes(range(12))
    assert step.kernel.reference(source)[0] is source


def resized(model: bytes, *shape: int) -> tuple[int, ...]:
    interpreter = tinyrt.Interpreter(model_content=model)
    interpreter.resize_tensor_input(0, shape)
    interpreter.allocate_tensors()
    return interpreter.program.graph.tensors[interpreter.program.graph.outputs[0]].shape


def test_resized_inputs_follow_the_operand_the_option_then_the_signature() -> None:
    assert resized(reshape(q8(2, 6), q8(2, 6), int32(-1, 6)), 5, 6) == (5, 6)
    assert resized(reshape(q8(2, 6), q8(3, 4), new_shape=(-1, 4)), 1, 8) == (2, 4)
    run_time = TensorSpec((2,), "int32")
    model = reshape(q8(2, 6), q8(2, 3, 2, shape_signature=(-1, 3, 2)), run_time)
    assert resized(model, 4, 6) == (4, 3, 2)


@pytest.mark.parametrize("wanted", [(2, 6), (-1, 5), (-1, -1), (-2, -12), (0, -1), (-3, 6)])
def test_a_resized_input_that_does_not_fit(wanted: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="'input0' int8\\[4x6\\] cannot take the shape"):
        resized(reshape(q8(2, 6), q8(2, 6), int32(*wanted)), 4, 6)


def test_another_number_of_elements() -> None:
    with pytest.raises(UnsupportedError, match="cannot take the shape 3x5"):
        tinyrt.load(reshape(q8(2, 6), q8(3, 5), int32(3, 5)))
    with pytest.raises(UnsupportedError, match="must have shape 4x3"):
        tinyrt.load(reshape(q8(2, 6), q8(3, 5), int32(4, 3)))


def test_another_type() -> None:
    with pytest.raises(UnsupportedError, match="The outputs have the element type of the first"):
        tinyrt.load(reshape(q8(2, 6), TensorSpec((2, 6), "uint8"), int32(2, 6)))
