"""Every kind of finding: what a falsified model is told, where, and all at once."""

import struct
from pathlib import Path

import pytest

from tests.builder import ModelBuilder, encode
from tests.corpus import MODELS
from tests.examples import q8, weights
from tests.falsify import (
    Falsify,
    both,
    graph,
    operator,
    quantization,
    refused,
    signature,
    sound_model,
    tensor,
    whole,
)
from tinyrt import load, schema
from tinyrt.errors import FormatError, UnsupportedError
from tinyrt.load import check
from tinyrt.reading import read_graph
from tinyrt.verify import EDGE_LIMIT, MEMORY_FLOOR, SCALE_LIMIT, memory_limit, verify

FC = "op 0 FULLY_CONNECTED 'y'"
ADD = "op 1 ADD 'z'"
X, W, Y, Z = (f"tensor {index} '{name}'" for index, name in enumerate("xwyz"))
NAN, INFINITE = float("nan"), float("inf")

MALFORMED: dict[str, tuple[Falsify, str]] = {
    # --- the model -----------------------------------------------------------------------------
    "no subgraph": (whole(subgraphs=()), "model: 0 subgraphs (must be at least 1)"),
    "metadata's buffer": (
        whole(metadata=(schema.Metadata(name="min_runtime", buffer=9),)),
        "metadata 'min_runtime': buffer 9 (must be 0 to 1)",
    ),
    "signature's input": (
        signature(inputs=(schema.TensorMap(name="a", tensor_index=2),)),
        "signature 'serve': inputs 'a' is tensor 2 (must be one of the graph's inputs)",
    ),
    "signature's output": (
        signature(outputs=(schema.TensorMap(name="b", tensor_index=4_000_000_000),)),
        "signature 'serve': outputs 'b' is tensor 4000000000 (must be one of the graph's outputs)",
    ),
    "signature's names": (
        signature(inputs=(schema.TensorMap(name="a"), schema.TensorMap(name="a"))),
        "signature 'serve': inputs has a name more than once",
    ),
    # --- the graph -----------------------------------------------------------------------------
    "input index": (graph(inputs=(0, 4)), "main graph: inputs[1] 4 (must be 0 to 3)"),
    "negative input index": (graph(inputs=(-1,)), "main graph: inputs[0] -1 (must be 0 to 3)"),
    "output index": (graph(outputs=(3, -7)), "main graph: outputs[1] -7 (must be 0 to 3)"),
    "input twice": (
        graph(inputs=(0, 0)),
        "main graph: inputs names tensor 0 2 times (must be once)",
    ),
    "constant input": (graph(inputs=(0, 1)), f"main graph: input {W} is a constant"),
    "output that nothing computes": (
        both(operator(1, outputs=(2,)), graph(outputs=(3,))),
        f"main graph: output {Z} is never computed",
    ),
    "too many edges": (
        operator(1, inputs=(2,) * EDGE_LIMIT),
        f"main graph: graph and operators name {EDGE_LIMIT + 6} tensors (at most {EDGE_LIMIT})",
    ),
    # --- operators -----------------------------------------------------------------------------
    "operator code": (
        operator(1, opcode_index=2),
        "op 1 of unknown code 'z': opcode_index 2 (must be 0 to 1)",
    ),
    "operator's input": (operator(0, inputs=(0, 9)), f"{FC}: inputs[1] 9 (must be -1 to 3)"),
    "operator's negative input": (
        operator(0, inputs=(0, 1, -2)),
        f"{FC}: inputs[2] -2 (must be -1 to 3)",
    ),
    "operator's output": (
        operator(1, outputs=(4,)),
        "op 1 ADD '': outputs[0] 4 (must be 0 to 3)",
    ),
    "operator's intermediate": (
        operator(1, intermediates=(77,)),
        f"{ADD}: intermediates[0] 77 (must be -1 to 3)",
    ),
    "options of another operator": (
        operator(1, builtin_options_type=1, builtin_options=schema.Conv2DOptions()),
        f"{ADD}: options are Conv2DOptions (must be AddOptions)",
    ),
    "options of an undeclared table": (
        operator(1, builtin_options_type=200),
        f"{ADD}: options are table 200 (must be AddOptions)",
    ),
    # --- order ---------------------------------------------------------------------------------
    "read before computed": (
        lambda model: graph(operators=model.subgraphs[0].operators[::-1])(model),
        "op 0 ADD 'z': input 0, tensor 2 'y', is read before op 1 FULLY_CONNECTED 'y' computes it",
    ),
    "cycle": (
        operator(0, inputs=(3, 1)),
        f"{FC}: input 0, {Z}, is read before {ADD} computes it",
    ),
    "own output read": (
        operator(1, inputs=(2, 3)),
        f"{ADD}: input 1, {Z}, is read before {ADD} computes it",
    ),
    "input that nothing computes": (
        graph(inputs=()),
        f"{FC}: input 0, {X}, is never computed (must be a constant, fed, or a result)",
    ),
    "computed twice": (
        operator(1, outputs=(2,)),
        f"op 1 ADD 'y': output 0, {Y}, is computed by {FC} already",
    ),
    "twice an operator's output": (
        operator(1, outputs=(3, 3)),
        f"{ADD}: output 1, {Z}, is computed by {ADD} already",
    ),
    "constant written": (
        operator(1, outputs=(1,)),
        f"op 1 ADD 'w': output 0, {W}, is a constant already",
    ),
    "input written": (
        operator(1, outputs=(0,)),
        f"op 1 ADD 'x': output 0, {X}, is an input of the model already",
    ),
    "variable written": (
        tensor(3, is_variable=True),
        f"{ADD}: output 0, {Z}, is a variable already",
    ),
    # --- tensors -------------------------------------------------------------------------------
    "dimension of 0": (
        tensor(2, shape=(1, 0)),
        f"{FC}, {Y}: shape [1, 0] (every dimension must be ≥ 1)",
    ),
    "negative dimension": (
        tensor(0, shape=(-1, 4)),
        f"{X}: shape [-1, 4] (every dimension must be ≥ 1)",
    ),
    "shape signature's rank": (
        tensor(0, shape_signature=(-1, 2, 2)),
        f"{X}: shape_signature of 3 dimensions (must be 2, as the shape has)",
    ),
    "buffer index": (tensor(1, buffer=2), f"{FC}, {W}: buffer 2 (must be 0 to 1)"),
    "constant's size": (
        tensor(1, shape=(2, 5)),
        f"{FC}, {W}: buffer 1 has 8 bytes (must be ≥ 10 for int8[2x5])",
    ),
    "constant's type": (
        tensor(1, type=schema.TensorType.INT16),
        f"{FC}, {W}: buffer 1 has 8 bytes (must be ≥ 16 for int16[2x4])",
    ),
    "packed constant's size": (
        tensor(1, type=schema.TensorType.INT4, shape=(3, 7)),
        f"{FC}, {W}: buffer 1 has 8 bytes (must be ≥ 11 for int4[3x7])",
    ),
    "shape beyond all sizes": (
        tensor(1, shape=(2**31 - 1,) * 8),
        f"{FC}, {W}: buffer 1 has 8 bytes (must be ≥ {(2**31 - 1) ** 8} for int8[",
    ),
    "variable constant": (
        tensor(1, is_variable=True),
        f"{FC}, {W}: it is a variable and a constant",
    ),
    # --- quantization --------------------------------------------------------------------------
    "zero-points": (
        quantization(1, zero_point=(0,)),
        f"{FC}, {W}: 1 zero-points for 2 scales (must be as many)",
    ),
    "no zero-points": (
        quantization(0, zero_point=()),
        f"{X}: 0 zero-points for 1 scales (must be as many)",
    ),
    "scales along the axis": (
        quantization(1, quantized_dimension=1),
        f"{FC}, {W}: 2 scales along dimension 1 (must be 1 or 4)",
    ),
    "axis": (
        quantization(1, quantized_dimension=2),
        f"{FC}, {W}: quantized_dimension 2 (must be 0 to 1)",
    ),
    "negative axis": (
        quantization(1, quantized_dimension=-1),
        f"{FC}, {W}: quantized_dimension -1 (must be 0 to 1)",
    ),
    "scale of 0": (
        quantization(3, scale=(0.0,)),
        f"{ADD}, {Z}: scale[0] 0 (must be finite and > 0)",
    ),
    "negative scale": (
        quantization(3, scale=(-0.5,)),
        f"{ADD}, {Z}: scale[0] -0.5 (must be finite and > 0)",
    ),
    "negative scale of a channel": (
        quantization(1, scale=(0.5, -1.0)),
        f"{FC}, {W}: scale[1] -1 (must be finite and ≥ 0)",
    ),
    "scale that is no number": (quantization(0, scale=(NAN,)), f"{X}: scale[0] nan (must be"),
    "infinite scale": (quantization(0, scale=(INFINITE,)), f"{X}: scale[0] inf (must be"),
    "zero-point below": (
        quantization(0, zero_point=(-129,)),
        f"{X}: zero_point[0] -129 (must be -128 to 127)",
    ),
    "zero-point above": (
        quantization(2, zero_point=(1 << 40,)),
        f"{FC}, {Y}: zero_point[0] 1099511627776 (must be -128 to 127)",
    ),
}

OUTSIDE: dict[str, tuple[Falsify, str]] = {
    "signature of another subgraph": (
        lambda model: both(
            signature(subgraph_index=1), whole(subgraphs=(*model.subgraphs, schema.SubGraph()))
        )(model),
        "signature 'serve': it enters subgraph 1 (only subgraph 0 can be run)",
    ),
    "sparse tensor": (
        tensor(1, sparsity=schema.SparsityParameters(traversal_order=(0, 1))),
        f"{FC}, {W}: it is sparse",
    ),
    "quantization scheme": (
        quantization(1, details_type=2),
        f"{FC}, {W}: quantization scheme 2 (must be 0, affine)",
    ),
    "data outside of the file's tables": (
        whole(buffers=(schema.Buffer(), schema.Buffer(offset=1 << 33, size=8))),
        f"{FC}, {W}: the data of buffer 1 lie outside of the FlatBuffers part: 8 bytes at byte 0x2",
    ),
    "tensors of many bytes": (
        tensor(0, shape=(MEMORY_FLOOR, 4)),
        f"{FC}: tensors of {4 * MEMORY_FLOOR + 2} bytes are in use at once (at most 16",
    ),
}


def test_the_sound_model_is_sound() -> None:
    content = encode(sound_model())
    assert verify(schema.read_model(content), len(content)) == ()
    assert load(content).graph.signatures[0].key == "serve"


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_trained_models_are_sound(path: Path) -> None:
    content = path.read_bytes()
    assert verify(schema.read_model(content), len(content)) == ()
    assert list(check(read_graph(content))) == []


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed(name: str) -> None:
    falsify, text = MALFORMED[name]
    assert text in refused(encode(falsify(sound_model())), FormatError)


@pytest.mark.parametrize("name", OUTSIDE)
def test_outside_of_what_is_run(name: str) -> None:
    falsify, text = OUTSIDE[name]
    assert text in refused(encode(falsify(sound_model())), UnsupportedError)


class TestFindings:
    def falsified(self) -> schema.Model:
        lies = (
            graph(outputs=(3, 9)),
            operator(1, inputs=(2, 7)),
            tensor(1, shape=(2, 9)),
            quantization(1, zero_point=(0, 300), scale=(NAN, 1.0)),
            quantization(3, zero_point=(-4444,)),
            tensor(2, sparsity=schema.SparsityParameters()),
        )
        return schema.read_model(encode(both(*lies)(sound_model())))

    def test_all_at_once_in_the_order_of_the_graph(self) -> None:
        model = self.falsified()
        content = encode(model)
        model = schema.read_model(content)
        lines = refused(content, FormatError).split("\n")
        assert lines == [str(finding) for finding in verify(model, len(content))]
        begun = [line.partition(", field at byte 0x")[0] for line in lines]
        assert begun == [
            "main graph: outputs[1] 9 (must be 0 to 3)",
            f"{FC}, {W}: buffer 1 has 8 bytes (must be ≥ 18 for int8[2x9])",
            f"{FC}, {W}: scale[0] nan (must be finite and ≥ 0)",
            f"{FC}, {W}: zero_point[1] 300 (must be -128 to 127)",
            f"{FC}, {Y}: it is sparse",
            f"{ADD}: inputs[1] 7 (must be -1 to 3)",
            f"{ADD}, {Z}: zero_point[0] -4444 (must be -128 to 127)",
        ]

    def test_name_operator_tensor_field_and_byte(self) -> None:
        content = encode(self.falsified())
        model = schema.read_model(content)
        found = verify(model, len(content))
        assert [(f.operator, f.opcode, f.tensor, f.field) for f in found] == [
            (None, "", None, "outputs"),
            (0, "FULLY_CONNECTED", 1, "data"),
            (0, "FULLY_CONNECTED", 1, "scale"),
            (0, "FULLY_CONNECTED", 1, "zero_point"),
            (0, "FULLY_CONNECTED", 2, "sparsity"),
            (1, "ADD", None, "inputs"),
            (1, "ADD", 3, "zero_point"),
        ]
        assert [finding.unsupported for finding in found].index(True) == 4
        at = found[6].byte_offset
        vector = at + int.from_bytes(content[at : at + 4], "little")
        assert struct.unpack_from("<Iq", content, vector) == (1, -4444)

    def test_a_field_that_is_absent(self) -> None:
        content = encode(tensor(2, shape=())(tensor(0, buffer=3)(sound_model())))
        line = refused(content, FormatError)
        assert line.startswith(f"{X}: buffer 3 (must be 0 to 1), field at byte 0x")
        model = schema.read_model(
            encode(operator(0, opcode_index=0)(whole(operator_codes=())(sound_model())))
        )
        first = verify(model, 1000)[0]
        table = model.subgraphs[0].operators[0].position
        assert not first.present
        assert str(first) == (
            "op 0 of unknown code 'y': opcode_index 0 (must be 0 to -1), "
            f"field absent, table at byte {table:#x}"
        )

    def test_names_are_one_short_line(self) -> None:
        content = encode(tensor(0, name="a\nb\x1b[31m" + "c" * 500, shape=(0, 4))(sound_model()))
        line = refused(content, FormatError)
        assert line.startswith("tensor 0 'a?b?[31mccc")
        assert line.isprintable()
        assert len(line) < 250

    def test_counts_that_sharing_multiplies(self) -> None:
        """Vectors of scales may be shared: a small file can have many."""
        shared = schema.QuantizationParameters(scale=(1.0,) * (SCALE_LIMIT // 8))
        tensors = (schema.Tensor(quantization=shared),) * 9
        (found,) = verify(graph(tensors=tensors)(sound_model()), 1000)
        count = 9 * SCALE_LIMIT // 8
        assert str(found).startswith(f"main graph: the tensors name {count} scales (at most")

    def test_constants_that_sharing_multiplies(self) -> None:
        """Each operator folds its weights anew: a small file could make it many times its size."""
        model = ModelBuilder()
        last = model.add(q8(1, 512))
        filter_ = model.add(weights(512, 512))
        for _ in range(100):
            source, last = last, model.add(q8(1, 512))
            model.operator("FULLY_CONNECTED", [source, filter_, None], [last])
        content = model.finish([0], [last])
        limit = memory_limit(len(content))
        number = limit // 2**18
        line = refused(content, UnsupportedError)
        assert line.startswith(f"op {number} FULLY_CONNECTED")
        assert (
            f"constants of {(number + 1) << 18} bytes are read up to here (at most {limit})" in line
        )
