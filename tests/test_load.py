"""What is loaded and run though it is odd, what is refused with which words, and what it costs."""

import tracemalloc
from collections.abc import Callable

import pytest

from tests import oracle
from tests.builder import ModelBuilder, TensorSpec, encode, single_operator
from tests.examples import EXAMPLES, int32, q8, weights
from tests.falsify import both, graph, operator, quantization, refused, sound_model, whole
from tinyrt import Interpreter, load, schema
from tinyrt.errors import FormatError, UnsupportedError
from tinyrt.graph import DType
from tinyrt.interpreter import Kernels
from tinyrt.plan import plan
from tinyrt.reading import read_graph
from tinyrt.samples import random_inputs

FC = "op 0 FULLY_CONNECTED 'y'"


class TestOperators:
    def test_all_that_are_unsupported_with_their_types(self) -> None:
        model = ModelBuilder()
        fed = model.tensor("fed", (1, 4), "float32")
        half = model.tensor("half", (4, 4), "float16", data=bytes(32))
        full = model.tensor("full", (4, 4), "float32")
        dense = model.tensor("dense", (1, 4), "float32")
        odd = model.tensor("odd", (1, 4), "float32")
        last = model.tensor("last", (1, 4), "float32")
        model.operator("DEQUANTIZE", [half], [full])
        model.operator("FULLY_CONNECTED", [fed, full, None], [dense])
        model.operator("CUSTOM", [dense], [odd], custom_code="Mfcc")
        model.operator("SIN", [odd], [last])
        lines = refused(model.finish([fed], [last]), UnsupportedError).split("\n")
        assert [line.partition(" (the first input")[0] for line in lines] == [
            "op 0 DEQUANTIZE 'full': float16 → float32 is not supported",
            "op 1 FULLY_CONNECTED 'dense': float32, float32, none → float32 is not supported",
            "op 2 CUSTOM 'Mfcc' 'odd': not supported (float32 → float32)",
            "op 3 SIN 'last': not supported (float32 → float32)",
        ]
        assert lines[1].endswith(" (the first input may be int8)")

    def test_packed_weights_are_named(self) -> None:
        model = ModelBuilder()
        model.add(q8(1, 4), "x")
        model.tensor("w", (4, 4), "int4", scale=0.5, data=bytes(8))
        model.add(q8(1, 4), "y")
        model.operator("FULLY_CONNECTED", [0, 1], [2])
        line = refused(model.finish([0], [2]), UnsupportedError)
        assert line.startswith("op 0 FULLY_CONNECTED 'y': int8, int4 → int8 is not supported")

    def test_movers_do_not_take_every_type(self) -> None:
        spec = TensorSpec((1, 4), "float16")
        content = single_operator("RESHAPE", [spec], [TensorSpec((4,), "float16")], new_shape=(4,))
        assert "float16 → float16 is not supported" in refused(content, UnsupportedError)

    def test_broken_rules_come_with_unknown_operators(self) -> None:
        content = encode(operator(0, inputs=(0,))(operator(1, opcode_index=0)(sound_model())))
        lines = refused(content, FormatError)
        assert "options are AddOptions (must be FullyConnectedOptions)" in lines
        content = encode(operator(0, inputs=(0,))(sound_model()))
        assert refused(content, UnsupportedError) == f"{FC}: 1 inputs (must be 2 to 3)"


class TestWhatIsTaken:
    def run(self, content: bytes) -> list[bytes]:
        """Load, plan and run a model; give its outputs."""
        program = load(content)
        plan(program)
        interpreter = Interpreter.of(program)
        for index, value in random_inputs(program.graph, 5).items():
            interpreter.set_tensor(index, value)
        interpreter.invoke()
        return [bytes(interpreter.view(index)) for index in program.graph.outputs]

    def fed(self, content: bytes) -> bytes:
        return dict(random_inputs(load(content).graph, 5))[0]

    def test_no_operators(self) -> None:
        model = ModelBuilder()
        model.add(q8(1, 4), "x")
        content = model.finish([0], [0])
        assert self.run(content) == [self.fed(content)], "the input is the output"
        assert self.run(model.finish([0], [])) == []
        assert self.run(ModelBuilder().finish([], [])) == []

    def test_output_that_is_a_constant_or_named_twice(self) -> None:
        falsified = both(graph(outputs=(1, 3, 3, 0)), whole(signature_defs=()))(sound_model())
        content = encode(falsified)
        constant, first, second, fed = self.run(content)
        assert constant == bytes(falsified.buffers[1].data)
        assert first == second
        assert fed == self.fed(content)

    def test_constant_that_is_passed_on(self) -> None:
        spec = weights(2, 6)
        content = single_operator("RESHAPE", [spec, int32(3, 4)], [q8(3, 4)], new_shape=(3, 4))
        assert self.run(content) == [spec.data]

    def test_tensors_that_nothing_uses(self) -> None:
        junk = (
            schema.Tensor(type=schema.TensorType.STRING, shape=(0, -5), buffer=99, name="junk"),
            schema.Tensor(type=schema.TensorType.INT4, shape=(3,), buffer=1),
            schema.Tensor(type=schema.TensorType.INT16, shape=(5,), buffer=1),
            schema.Tensor(
                quantization=schema.QuantizationParameters(scale=(float("nan"),), zero_point=()),
                type=schema.TensorType.INT8,
                shape=(2, 4),
                buffer=1,
            ),
        )
        sound_one = sound_model()
        content = encode(graph(tensors=sound_one.subgraphs[0].tensors + junk)(sound_one))
        assert self.run(content) == self.run(encode(sound_one))
        found = load(content).graph.tensors[4:]
        assert [t.dtype for t in found] == [DType.STRING, DType.INT4, DType.INT16, DType.INT8]
        assert [t.is_constant for t in found] == [False, True, False, True]
        assert all(tensor.quantization is None for tensor in found)
        details = Interpreter(model_content=content).get_tensor_details()
        assert [detail["name"] for detail in details[4:]] == ["junk", "", "", ""]

    def test_subgraphs_that_nothing_enters(self) -> None:
        model = sound_model()
        other = schema.SubGraph(operators=(schema.Operator(opcode_index=88),))
        content = encode(whole(subgraphs=(*model.subgraphs, other))(model))
        assert self.run(content) == self.run(encode(model))

    def test_channel_of_weights_with_scale_0_as_in_tflm(self) -> None:
        content = encode(quantization(1, scale=(0.25, 0.0))(sound_model()))
        program = load(content)
        inputs = random_inputs(program.graph, 5)
        assert self.run(content) == [oracle.every_tensor(content, program, inputs)[3]]

    def test_buffer_longer_than_its_tensor_as_in_tflm(self) -> None:
        sound_one = sound_model()
        longer = schema.Buffer(data=memoryview(bytes(sound_one.buffers[1].data) + b"tail"))
        content = encode(whole(buffers=(schema.Buffer(), longer))(sound_one))
        assert self.run(content) == self.run(encode(sound_one))
        program = load(content)
        inputs = random_inputs(program.graph, 5)
        assert self.run(content) == [oracle.every_tensor(content, program, inputs)[3]]

    def test_large_pictures(self) -> None:
        picture, steps = TensorSpec((1, 640, 640, 3), "float32"), q8(1, 640, 640, 3)
        content = single_operator("QUANTIZE", [picture], [steps])
        assert load(content).graph.tensors[0].bytes == 4_915_200


class TestCopies:
    def test_bytes_are_not_copied(self) -> None:
        content = EXAMPLES["CONV_2D"]()
        for model in (content, memoryview(content), memoryview(content)[:]):
            data = read_graph(model).tensors[1].data
            assert data is not None
            assert data.obj is content

    def test_what_may_change_is_copied(self) -> None:
        content = bytearray(EXAMPLES["CONV_2D"]())
        for model in (content, memoryview(content), memoryview(content).toreadonly()):
            data = read_graph(model).tensors[1].data
            assert data is not None
            assert data.obj is not content
            assert isinstance(data.obj, bytes)


LARGE = 15_000_000
INFLATED: dict[str, Callable[[], bytes]] = {
    "MEAN": lambda: single_operator(
        "MEAN", [q8(1, LARGE // 8, 4, 2), int32(1, 2)], [q8(1, 2)], keep_dims=False
    ),
    "SLICE": lambda: single_operator(
        "SLICE", [q8(LARGE // 6, 6), int32(0, 2), int32(2, 3)], [q8(2, 3)]
    ),
    "STRIDED_SLICE": lambda: single_operator(
        "STRIDED_SLICE",
        [q8(LARGE // 6, 6), int32(0, 1), int32(2, 6), int32(1, 2)],
        [q8(2, 3)],
    ),
    "RESIZE_NEAREST_NEIGHBOR": lambda: single_operator(
        "RESIZE_NEAREST_NEIGHBOR", [q8(1, LARGE // 8, 4, 2), int32(8, 6)], [q8(1, 8, 6, 2)]
    ),
    "MAX_POOL_2D": lambda: single_operator(
        "MAX_POOL_2D",
        [q8(1, 4, 4, 2)],
        [q8(1, 4, 4, 2)],
        padding="SAME",
        stride_w=1,
        stride_h=1,
        filter_width=60_001,
        filter_height=60_001,
    ),
}


@pytest.mark.parametrize("kernels", ["reference", "fast"])
@pytest.mark.parametrize("name", INFLATED)
def test_memory_of_a_small_file_that_asks_for_much(name: str, kernels: Kernels) -> None:
    """Up to what `memory_limit` lets through, an input larger than all the rest costs little."""
    content = INFLATED[name]()
    tracemalloc.start()
    try:
        interpreter = Interpreter(model_content=content, kernels=kernels)
        interpreter.invoke()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak <= (64 << 20) + 8 * len(content)
