"""What tinyrt reads in .tflite files is what TensorFlow's own generated code reads."""

import dataclasses
import struct
from enum import IntEnum
from pathlib import Path
from typing import Any

import pytest

from tests import peer
from tests.builder import ModelBuilder, encode
from tests.corpus import MODELS
from tests.examples import EXAMPLES
from tinyrt import records, schema
from tinyrt.errors import FormatError
from tinyrt.options import FullyConnectedWeightsFormat

OPTIONS = tuple(schema.BUILTIN_OPTIONS.values())


def filled(table: type[records.Record], union: records.Record | None = None) -> records.Record:
    """A record in which every field has a value that is not its default, nor its neighbour's."""
    values: dict[str, Any] = {}
    for name, slot in table.layout:
        match slot:
            case records.Number(names=None, default=bool(default)):
                values[name] = not default
            case records.Number(names=None) if slot.number_type.name == "float32":
                values[name] = 0.5 + slot.slot
            case records.Number(names=None):
                values[name] = 100 + slot.slot
            case records.Number(names=names) if names is not None:
                values[name] = max(names)
            case records.Text():
                values[name] = f"{table.__name__}.{name}"
            case records.Bytes():
                values[name] = memoryview(bytes(range(slot.slot, slot.slot + 21)))
            case records.Numbers():
                kind = {"bool": bool, "float32": float}.get(slot.number_type.name, int)
                values[name] = tuple(kind(number) for number in (slot.slot + 5, 0, 1))
            case records.Child():
                values[name] = filled(slot.record, union)
            case records.Children():
                values[name] = (filled(slot.record, union), filled(slot.record, union))
            case records.Union():
                values[name] = union
    return table(**values)


def full_model(options: type[records.Record]) -> schema.Model:
    """A model with every declared field set, its operators having one kind of options."""
    model = filled(schema.Model, filled(options))
    assert isinstance(model, schema.Model)
    tag = peer.options_tag(options)
    subgraphs = tuple(
        dataclasses.replace(
            subgraph,
            operators=tuple(
                dataclasses.replace(operator, builtin_options_type=tag)
                for operator in subgraph.operators
            ),
        )
        for subgraph in model.subgraphs
    )
    codes = tuple(
        dataclasses.replace(code, deprecated_builtin_code=127) for code in model.operator_codes
    )
    return dataclasses.replace(
        model, version=schema.VERSION, subgraphs=subgraphs, operator_codes=codes
    )


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_every_field_of_trained_models(path: Path) -> None:
    content = path.read_bytes()
    model = schema.read_model(content)
    assert model.subgraphs[0].operators
    assert list(peer.differences(model, peer.read(content))) == []


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_field_of_built_models(name: str) -> None:
    content = EXAMPLES[name]()
    assert list(peer.differences(schema.read_model(content), peer.read(content))) == []


@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: options.__name__)
def test_every_declared_field_stands_where_the_schema_has_it(
    options: type[records.Record],
) -> None:
    """The package reads back what was declared and written, so slots, types and defaults agree."""
    written = full_model(options)
    content = encode(written)
    assert list(peer.differences(written, peer.read(content))) == []
    assert schema.read_model(content) == written


@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: options.__name__)
def test_defaults_are_those_of_the_schema(options: type[records.Record]) -> None:
    operator = schema.Operator(
        builtin_options_type=peer.options_tag(options), builtin_options=options()
    )
    bare = schema.Model(
        version=schema.VERSION,
        operator_codes=(schema.OperatorCode(),),
        subgraphs=(schema.SubGraph(tensors=(schema.Tensor(),), operators=(operator,)),),
        buffers=(schema.Buffer(),),
        metadata=(schema.Metadata(),),
        signature_defs=(schema.SignatureDef(inputs=(schema.TensorMap(),)),),
    )
    content = encode(bare)
    assert list(peer.differences(schema.read_model(content), peer.read(content))) == []


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (schema.BuiltinOperator, "BuiltinOperator"),
        (schema.TensorType, "TensorType"),
        (schema.Padding, "Padding"),
        (schema.ActivationFunctionType, "ActivationFunctionType"),
        (FullyConnectedWeightsFormat, "FullyConnectedOptionsWeightsFormat"),
        (schema.MirrorPadMode, "MirrorPadMode"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_names_and_codes(ours: type[IntEnum], theirs: str) -> None:
    """Ours may know more names: the package is older than the schema."""
    known = {member.name: member.value for member in ours}
    assert peer.names_of(theirs).items() <= known.items()


def test_tags_of_options() -> None:
    assert {tag: peer.options_tag(table) for tag, table in schema.BUILTIN_OPTIONS.items()} == {
        tag: tag for tag in schema.BUILTIN_OPTIONS
    }


def test_operator_code_is_in_either_field() -> None:
    assert schema.OperatorCode(deprecated_builtin_code=3).name == "CONV_2D"
    assert schema.OperatorCode(builtin_code=3).name == "CONV_2D"
    assert schema.OperatorCode(deprecated_builtin_code=127, builtin_code=150).name == "GELU"
    assert schema.OperatorCode(builtin_code=32, custom_code="Mfcc").name == "CUSTOM 'Mfcc'"
    assert schema.OperatorCode(builtin_code=4711).name == "operator code 4711"
    assert schema.OperatorCode(builtin_code=-5, deprecated_builtin_code=-7).name == (
        "operator code -5"
    )


def test_fields_know_where_they_stand() -> None:
    content = EXAMPLES["SOFTMAX"]()
    operator = schema.read_model(content).subgraphs[0].operators[0]
    options = operator.builtin_options
    assert isinstance(options, schema.SoftmaxOptions)
    assert struct.unpack_from("<f", content, options.positions["beta"]) == (1.0,)
    assert "fused_activation_function" not in options.positions
    assert options.position < options.positions["beta"]
    assert schema.SoftmaxOptions(beta=1.0) == options, "where it stood is no part of its value"
    assert schema.SoftmaxOptions().positions == {}
    assert schema.SoftmaxOptions().position == 0


def test_constants_are_views_of_the_file() -> None:
    content = bytearray(EXAMPLES["CONV_2D"]())
    weights = schema.read_model(content).buffers[1].data
    assert weights.readonly
    at = content.index(bytes(weights))
    assert at % 16 == 0, "the builder aligns constants as the schema asks"
    content[at] ^= 0xFF
    assert weights[0] == content[at]


def test_options_without_a_declared_table_are_none() -> None:
    pad = schema.Operator(builtin_options_type=22, builtin_options=schema.MulOptions())
    model = schema.Model(version=3, subgraphs=(schema.SubGraph(operators=(pad,)),))
    operator = schema.read_model(encode(model)).subgraphs[0].operators[0]
    assert operator.builtin_options is None
    assert operator.builtin_options_type == 22


def test_rank_above_the_limit() -> None:
    model = ModelBuilder()
    index = model.tensor("deep", (1,) * 9)
    with pytest.raises(FormatError, match=r"subgraphs\[0\].tensors\[0\].shape: 9 .*must be ≤ 8"):
        schema.read_model(model.finish([index], [index]))


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "file: 0 bytes"),
        (b"TFL3", "file: 4 bytes"),
        (b"\x1c\0\0\0ORTM" + bytes(64), "identifier b'ORTM' at byte 0x4 (must be b'TFL3')"),
        (b"PK\x03\x04" + bytes(64), "identifier"),
        (bytes(64), "identifier"),
        (b"\0\0\0\x80TFL3" + bytes(64), "bytes at byte 0x80000000"),
    ],
    ids=["empty", "short", "other FlatBuffers file", "zip", "zeros", "root beyond the end"],
)
def test_what_is_no_model_at_all(content: bytes, text: str) -> None:
    with pytest.raises(FormatError) as raised:
        schema.read_model(content)
    assert text in str(raised.value)


@pytest.mark.parametrize("version", [0, 2, 4])
def test_other_schema_versions(version: int) -> None:
    with pytest.raises(FormatError, match=rf"version: {version}.*\(must be 3\)"):
        schema.read_model(encode(schema.Model(version=version, description="old")))
