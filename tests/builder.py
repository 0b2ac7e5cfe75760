"""Builds .tflite files for tests: models of any operators, described in a few lines.

`ModelBuilder` gathers the records of `tinyrt.schema`; `encode` writes any records of
`tinyrt.records` with `flatbuffers.Builder`. What fields there are is declared once, there;
that it is declared rightly is shown by the PyPI package `tflite` in `test_builder.py`.
A new options table therefore needs nothing here.
"""

import math
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import flatbuffers
from flatbuffers import number_types

from tinyrt import records, schema
from tinyrt.schema import BuiltinOperator, TensorType

_FLAGS = {
    "bool": number_types.BoolFlags,
    "int8": number_types.Int8Flags,
    "uint8": number_types.Uint8Flags,
    "int32": number_types.Int32Flags,
    "uint32": number_types.Uint32Flags,
    "int64": number_types.Int64Flags,
    "uint64": number_types.Uint64Flags,
    "float32": number_types.Float32Flags,
}
_ELEMENT_FORMATS = {
    TensorType.FLOAT32: "f",
    TensorType.INT32: "i",
    TensorType.UINT8: "B",
    TensorType.INT64: "q",
    TensorType.BOOL: "?",
    TensorType.INT16: "h",
    TensorType.INT8: "b",
    TensorType.FLOAT64: "d",
    TensorType.UINT64: "Q",
    TensorType.UINT32: "I",
    TensorType.UINT16: "H",
}
_LAST_BYTE_CODE = BuiltinOperator.PLACEHOLDER_FOR_GREATER_OP_CODES


def encode(root: records.Record, identifier: bytes = schema.FILE_IDENTIFIER) -> bytes:
    """Write a record and all that it holds as a FlatBuffers file."""
    builder = flatbuffers.Builder(1024)
    builder.Finish(_table(builder, root), file_identifier=identifier)
    return bytes(builder.Output())


def _table(builder: flatbuffers.Builder, record: records.Record) -> int:
    values = [(slot, getattr(record, name)) for name, slot in record.layout]
    outside = {
        slot.slot: _outside(builder, slot, value)
        for slot, value in values
        if not isinstance(slot, records.Number)
    }
    builder.StartObject(max((slot.slot for slot, _ in values), default=-1) + 1)
    for slot, value in values:
        if isinstance(slot, records.Number):
            flags = _FLAGS[slot.number_type.name]
            builder.PrependSlot(flags, slot.slot, flags.py_type(value), flags.py_type(slot.default))
    for slot_number, offset in outside.items():
        builder.PrependUOffsetTRelativeSlot(slot_number, offset, 0)
    return int(builder.EndObject())


def _outside(builder: flatbuffers.Builder, slot: records.Slot, value: Any) -> int:
    """Write what a field refers to; 0 where it is absent or empty."""
    if value is None:
        return 0
    if isinstance(slot, records.Child | records.Union):
        return _table(builder, value)
    if not len(value):
        return 0
    if isinstance(slot, records.Text):
        return int(builder.CreateString(value))
    if isinstance(slot, records.Children):
        offsets = [_table(builder, item) for item in value]
        builder.StartVector(4, len(offsets), 4)
        for offset in reversed(offsets):
            builder.PrependUOffsetTRelative(offset)
    elif isinstance(slot, records.Numbers):
        flags = _FLAGS[slot.number_type.name]
        builder.StartVector(flags.bytewidth, len(value), flags.bytewidth)
        for number in reversed(value):
            builder.Prepend(flags, flags.py_type(number))
    else:
        assert isinstance(slot, records.Bytes)
        builder.StartVector(1, len(value), slot.alignment)
        builder.head -= len(value)
        builder.Bytes[builder.head : builder.head + len(value)] = value
    return int(builder.EndVector())


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """A tensor to be built.

    `scale` and `zero_point` are numbers, or array-likes along dimension `axis` (one zero-point
    serves all scales); without a scale there is no quantization. `data` makes a constant: bytes as
    they are, or an array-like of numbers.
    """

    shape: Sequence[int]
    dtype: str = "int8"
    scale: Any = None
    zero_point: Any = 0
    axis: int = 0
    data: Any = None
    is_variable: bool = False
    name: str = ""
    shape_signature: Sequence[int] = ()

    def content(self) -> bytes:
        """The bytes of a constant; none for another tensor."""
        if self.data is None or isinstance(self.data, bytes):
            return self.data or b""
        elements = tuple(_flat(self.data))
        if len(elements) != math.prod(self.shape):
            raise ValueError(f"'{self.name}': {len(elements)} elements for shape {self.shape}")
        return struct.pack(f"<{len(elements)}{_ELEMENT_FORMATS[self.type]}", *elements)

    @property
    def type(self) -> TensorType:
        """The element type as the schema names it."""
        return TensorType[self.dtype.upper()]

    def quantization(self) -> schema.QuantizationParameters | None:
        """The record of scales and zero-points."""
        if self.scale is None:
            return None
        scales = tuple(_flat(self.scale))
        zero_points = tuple(_flat(self.zero_point))
        if len(zero_points) == 1:
            zero_points *= len(scales)
        return schema.QuantizationParameters(
            scale=scales, zero_point=zero_points, quantized_dimension=self.axis
        )


def _flat(value: Any) -> Iterator[Any]:
    """The numbers of an array-like of any depth, row-major."""
    plain = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(plain, Iterable):
        for item in plain:
            yield from _flat(item)
    else:
        yield plain


class ModelBuilder:
    """Gathers tensors and operators in executable order, then writes the file.

    Example:
        model = ModelBuilder()
        x = model.tensor("x", (1, 4), "int8", scale=0.5, zero_point=3)
        y = model.tensor("y", (1, 4), "int8", scale=1 / 256, zero_point=-128)
        model.operator("SOFTMAX", [x], [y], beta=1.0)
        content = model.finish([x], [y])
    """

    def __init__(self) -> None:
        """Begin an empty model; buffer 0 is the empty one by convention."""
        self._tensors: list[schema.Tensor] = []
        self._buffers: list[schema.Buffer] = [schema.Buffer()]
        self._codes: list[schema.OperatorCode] = []
        self._operators: list[schema.Operator] = []

    def tensor(self, name: str, shape: Sequence[int], dtype: str = "int8", **options: Any) -> int:
        """Add a tensor; `options` are the other fields of `TensorSpec`. Gives its index."""
        return self.add(TensorSpec(shape, dtype, name=name, **options))

    def add(self, spec: TensorSpec, name: str = "") -> int:
        """Add a tensor as described; `name` serves where the description has none."""
        buffer = 0
        content = spec.content()
        if content:
            buffer = len(self._buffers)
            self._buffers.append(schema.Buffer(data=memoryview(content)))
        self._tensors.append(
            schema.Tensor(
                shape=tuple(int(size) for size in spec.shape),
                type=spec.type,
                buffer=buffer,
                name=spec.name or name,
                quantization=spec.quantization(),
                is_variable=spec.is_variable,
                shape_signature=tuple(spec.shape_signature),
            )
        )
        return len(self._tensors) - 1

    def operator(
        self,
        opcode: str,
        inputs: Iterable[int | None],
        outputs: Iterable[int],
        *,
        version: int = 1,
        custom_code: str = "",
        intermediates: Iterable[int] = (),
        **options: Any,
    ) -> None:
        """Add an operator.

        Args:
            opcode: the BuiltinOperator name.
            inputs: tensor indices; None or −1 for an optional input left out.
            outputs: tensor indices.
            version: of the operator.
            custom_code: the name of a `CUSTOM` operator.
            intermediates: tensor indices, for the operators that have some.
            options: fields of the operator's options table by their schema names; enumerations
                may be given by name, such as `padding="SAME"`.
        """
        operator = BuiltinOperator[opcode]
        table = schema.OPTIONS_OF.get(operator)
        if table is None and options:
            raise TypeError(f"{opcode} has no declared options: {', '.join(options)}")
        self._operators.append(
            schema.Operator(
                opcode_index=self._code(operator, version, custom_code),
                inputs=tuple(-1 if index is None else index for index in inputs),
                outputs=tuple(outputs),
                builtin_options_type=_tag(table),
                builtin_options=None if table is None else _options(table, options),
                intermediates=tuple(intermediates),
            )
        )

    def _code(self, operator: BuiltinOperator, version: int, custom_code: str) -> int:
        code = schema.OperatorCode(
            deprecated_builtin_code=min(operator, _LAST_BYTE_CODE),
            custom_code=custom_code,
            version=version,
            builtin_code=operator,
        )
        if code not in self._codes:
            self._codes.append(code)
        return self._codes.index(code)

    def model(
        self,
        inputs: Iterable[int],
        outputs: Iterable[int],
        *,
        name: str = "main",
        description: str = "built by tests/builder.py",
        signatures: Mapping[str, tuple[Mapping[str, int], Mapping[str, int]]] | None = None,
    ) -> schema.Model:
        """The model's records; a test may falsify them before it encodes them.

        Args:
            inputs: tensor indices.
            outputs: tensor indices.
            name: of the subgraph.
            description: of the model.
            signatures: for each key, the names of inputs and of outputs with tensor indices.
        """
        return schema.Model(
            version=schema.VERSION,
            operator_codes=tuple(self._codes),
            subgraphs=(
                schema.SubGraph(
                    tensors=tuple(self._tensors),
                    inputs=tuple(inputs),
                    outputs=tuple(outputs),
                    operators=tuple(self._operators),
                    name=name,
                ),
            ),
            description=description,
            buffers=tuple(self._buffers),
            signature_defs=tuple(
                schema.SignatureDef(
                    inputs=_tensor_maps(named_inputs),
                    outputs=_tensor_maps(named_outputs),
                    signature_key=key,
                )
                for key, (named_inputs, named_outputs) in (signatures or {}).items()
            ),
        )

    def finish(self, inputs: Iterable[int], outputs: Iterable[int], **options: Any) -> bytes:
        """The .tflite file; `options` are those of `model`."""
        return encode(self.model(inputs, outputs, **options))


def single_operator(
    opcode: str,
    inputs: Sequence[TensorSpec | None],
    outputs: Sequence[TensorSpec],
    **options: Any,
) -> bytes:
    """A model of one operator; inputs that are neither constant nor variable are the model's."""
    model = ModelBuilder()
    added = [
        None if spec is None else model.add(spec, f"input{position}")
        for position, spec in enumerate(inputs)
    ]
    results = [model.add(spec, f"output{position}") for position, spec in enumerate(outputs)]
    model.operator(opcode, added, results, **options)
    fed = [
        index
        for index, spec in zip(added, inputs, strict=True)
        if index is not None and spec is not None and spec.data is None and not spec.is_variable
    ]
    return model.finish(fed, results)


def _tensor_maps(names: Mapping[str, int]) -> tuple[schema.TensorMap, ...]:
    return tuple(schema.TensorMap(name=name, tensor_index=index) for name, index in names.items())


def _tag(table: type[records.Record] | None) -> int:
    return next((tag for tag, member in schema.BUILTIN_OPTIONS.items() if member is table), 0)


def _options(table: type[records.Record], options: Mapping[str, Any]) -> records.Record:
    slots = dict(table.layout)
    values: dict[str, Any] = {}
    for name, value in options.items():
        slot = slots.get(name)
        if isinstance(value, str) and isinstance(slot, records.Number) and slot.names is not None:
            values[name] = slot.names[value]
        elif isinstance(slot, records.Numbers):
            values[name] = tuple(value)
        else:
            values[name] = value
    return table(**values)
