"""The tables of a .tflite file as declarations: field name, slot and type give typed records.

Only what tinyrt looks at is declared; a table in a file may hold more. The operators' options are
declared in `options` and offered here too, so that a reader needs this module alone.

**Source:** `tensorflow/compiler/mlir/lite/schema/schema.fbs`. Slots count from 0 in the order of
the fields there; a union takes two, its tag and its value.
"""

from tinyrt.errors import FormatError
from tinyrt.flatbuffer import BOOL, FLOAT32, INT8, INT32, INT64, UINT8, UINT32, UINT64
from tinyrt.options import (
    BUILTIN_OPTIONS,
    OPTIONS_OF,
    RANK_LIMIT,
    ActivationFunctionType,
    AddOptions,
    BatchMatMulOptions,
    BuiltinOperator,
    ConcatenationOptions,
    Conv2DOptions,
    DepthwiseConv2DOptions,
    FullyConnectedOptions,
    FullyConnectedWeightsFormat,
    GatherOptions,
    LeakyReluOptions,
    LSTMKernelType,
    MirrorPadMode,
    MirrorPadOptions,
    MulOptions,
    PackOptions,
    Padding,
    Pool2DOptions,
    ReducerOptions,
    ReshapeOptions,
    ResizeBilinearOptions,
    ResizeNearestNeighborOptions,
    ShapeOptions,
    SoftmaxOptions,
    SplitOptions,
    SqueezeOptions,
    StridedSliceOptions,
    SubOptions,
    SVDFOptions,
    TensorType,
    TransposeConvOptions,
    UnidirectionalSequenceLSTMOptions,
    UnpackOptions,
)
from tinyrt.records import (
    Record,
    boolean,
    child,
    children,
    content,
    decode,
    integer,
    named,
    numbers,
    record,
    text,
    union,
)

__all__ = [
    "BUILTIN_OPTIONS",
    "FILE_IDENTIFIER",
    "OPERATOR_LIMIT",
    "OPTIONS_OF",
    "RANK_LIMIT",
    "SUBGRAPH_LIMIT",
    "TENSOR_LIMIT",
    "VERSION",
    "ActivationFunctionType",
    "AddOptions",
    "BatchMatMulOptions",
    "Buffer",
    "BuiltinOperator",
    "ConcatenationOptions",
    "Conv2DOptions",
    "DepthwiseConv2DOptions",
    "FullyConnectedOptions",
    "FullyConnectedWeightsFormat",
    "GatherOptions",
    "LSTMKernelType",
    "LeakyReluOptions",
    "Metadata",
    "MirrorPadMode",
    "MirrorPadOptions",
    "Model",
    "MulOptions",
    "Operator",
    "OperatorCode",
    "PackOptions",
    "Padding",
    "Pool2DOptions",
    "QuantizationParameters",
    "Record",
    "ReducerOptions",
    "ReshapeOptions",
    "ResizeBilinearOptions",
    "ResizeNearestNeighborOptions",
    "SVDFOptions",
    "ShapeOptions",
    "SignatureDef",
    "SoftmaxOptions",
    "SparsityParameters",
    "SplitOptions",
    "SqueezeOptions",
    "StridedSliceOptions",
    "SubGraph",
    "SubOptions",
    "Tensor",
    "TensorMap",
    "TensorType",
    "TransposeConvOptions",
    "UnidirectionalSequenceLSTMOptions",
    "UnpackOptions",
    "read_model",
]

FILE_IDENTIFIER = b"TFL3"
VERSION = 3
"""The only version of the schema that is in use."""
TENSOR_LIMIT = 1 << 13
OPERATOR_LIMIT = 1 << 13
SUBGRAPH_LIMIT = 1 << 8


@record
class OperatorCode(Record):
    """Which operator, in which version; a name where the operator is custom."""

    deprecated_builtin_code: int = integer(0, INT8)
    custom_code: str = text(1)
    version: int = integer(2, INT32, 1)
    builtin_code: int = integer(3, INT32)

    @property
    def code(self) -> int:
        """The operator's code, whichever field holds it: old files have the byte only."""
        return max(self.deprecated_builtin_code, self.builtin_code)

    @property
    def builtin(self) -> BuiltinOperator | None:
        """The operator; None where the schema has no such code."""
        try:
            return BuiltinOperator(self.code)
        except ValueError:
            return None

    @property
    def name(self) -> str:
        """The operator's name for people: `CONV_2D`, `CUSTOM 'Mfcc'`, `operator code 300`."""
        builtin = self.builtin
        if builtin is None:
            return f"operator code {self.code}"
        custom = builtin is BuiltinOperator.CUSTOM
        return f"{builtin.name} {self.custom_code[:80]!r}" if custom else builtin.name


@record
class QuantizationParameters(Record):
    """Affine quantization of a tensor; `details_type` other than 0 means another scheme."""

    min: tuple[float, ...] = numbers(0, FLOAT32)
    max: tuple[float, ...] = numbers(1, FLOAT32)
    scale: tuple[float, ...] = numbers(2, FLOAT32)
    zero_point: tuple[int, ...] = numbers(3, INT64)
    details_type: int = integer(4, UINT8)
    quantized_dimension: int = integer(6, INT32)


@record
class SparsityParameters(Record):
    """The layout of a sparse constant; tinyrt only looks whether there is one."""

    traversal_order: tuple[int, ...] = numbers(0, INT32, 2 * RANK_LIMIT)
    block_map: tuple[int, ...] = numbers(1, INT32, RANK_LIMIT)


@record
class Tensor(Record):
    """A tensor of a subgraph."""

    shape: tuple[int, ...] = numbers(0, INT32, RANK_LIMIT)
    type: TensorType = named(1, INT8, TensorType.FLOAT32)
    buffer: int = integer(2, UINT32)
    name: str = text(3)
    quantization: QuantizationParameters | None = child(4, QuantizationParameters)
    is_variable: bool = boolean(5)
    sparsity: SparsityParameters | None = child(6, SparsityParameters)
    shape_signature: tuple[int, ...] = numbers(7, INT32, RANK_LIMIT)
    has_rank: bool = boolean(8)


@record
class Operator(Record):
    """One operator of a subgraph; −1 among the inputs is an optional one left out."""

    opcode_index: int = integer(0, UINT32)
    inputs: tuple[int, ...] = numbers(1, INT32)
    outputs: tuple[int, ...] = numbers(2, INT32)
    builtin_options_type: int = integer(3, UINT8)
    builtin_options: Record | None = union(4, BUILTIN_OPTIONS)
    custom_options: memoryview = content(5)
    mutating_variable_inputs: tuple[bool, ...] = numbers(7, BOOL)
    intermediates: tuple[int, ...] = numbers(8, INT32)


@record
class SubGraph(Record):
    """One graph of operators in executable order."""

    tensors: tuple[Tensor, ...] = children(0, Tensor, TENSOR_LIMIT)
    inputs: tuple[int, ...] = numbers(1, INT32)
    outputs: tuple[int, ...] = numbers(2, INT32)
    operators: tuple[Operator, ...] = children(3, Operator, OPERATOR_LIMIT)
    name: str = text(4)


@record
class Buffer(Record):
    """The bytes of a constant; those with an `offset` > 1 lie outside of the FlatBuffers part."""

    data: memoryview = content(0, 16)
    offset: int = integer(1, UINT64)
    size: int = integer(2, UINT64)


@record
class Metadata(Record):
    """A named buffer that no tensor uses."""

    name: str = text(0)
    buffer: int = integer(1, UINT32)


@record
class TensorMap(Record):
    """A signature's own name for a tensor."""

    name: str = text(0)
    tensor_index: int = integer(1, UINT32)


@record
class SignatureDef(Record):
    """A named entry point of the model."""

    inputs: tuple[TensorMap, ...] = children(0, TensorMap)
    outputs: tuple[TensorMap, ...] = children(1, TensorMap)
    signature_key: str = text(2)
    subgraph_index: int = integer(4, UINT32)


@record
class Model(Record):
    """A .tflite file."""

    version: int = integer(0, UINT32)
    operator_codes: tuple[OperatorCode, ...] = children(1, OperatorCode)
    subgraphs: tuple[SubGraph, ...] = children(2, SubGraph, SUBGRAPH_LIMIT)
    description: str = text(3)
    buffers: tuple[Buffer, ...] = children(4, Buffer)
    metadata_buffer: tuple[int, ...] = numbers(5, INT32)
    metadata: tuple[Metadata, ...] = children(6, Metadata)
    signature_defs: tuple[SignatureDef, ...] = children(7, SignatureDef)


def read_model(data: bytes | bytearray | memoryview) -> Model:
    """Decode a .tflite file.

    Args:
        data: the whole file; it must not change while the records are in use, which view it.

    Raises:
        FormatError: the file is no well-formed .tflite file of schema version 3; the text says
            where, what was found and what is allowed.
    """
    model = decode(Model, data, FILE_IDENTIFIER)
    if model.version != VERSION:
        raise FormatError(
            f"version: {model.version}, table at byte {model.position:#x} (must be {VERSION})"
        )
    return model
