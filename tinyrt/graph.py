"""The typed graph of a model: what remains of a .tflite file once it has been read and verified.

Data moves forward only: `schema` gives raw records, `verify` finds what is wrong with them,
`reading` turns them into these types, `load` prepares operators from the nodes.
"""

import dataclasses
import enum
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar

from tinyrt.records import Record

Shape = tuple[int, ...]
OptionsT = TypeVar("OptionsT", bound=Record)
Format = Literal["f", "b", "B", "h", "i", "q", "?"]
LABEL_LIMIT = 120
"""Most characters of a tensor's name that people are shown."""


class DType(enum.Enum):
    """Element types of tensors; the value is the name that LiteRT and NumPy use.

    Operators run on the plain types. The others, from FLOAT16 on, are only named, so that errors
    can name them: a tensor of such a type is never fed, computed or read.
    """

    FLOAT32 = "float32"
    INT8 = "int8"
    UINT8 = "uint8"
    INT16 = "int16"
    INT32 = "int32"
    INT64 = "int64"
    BOOL = "bool"
    FLOAT16 = "float16"
    BFLOAT16 = "bfloat16"
    FLOAT64 = "float64"
    FLOAT8_E4M3FN = "float8_e4m3fn"
    FLOAT8_E5M2 = "float8_e5m2"
    UINT16 = "uint16"
    UINT32 = "uint32"
    UINT64 = "uint64"
    INT4 = "int4"
    UINT4 = "uint4"
    INT2 = "int2"
    COMPLEX64 = "complex64"
    COMPLEX128 = "complex128"
    STRING = "string"
    RESOURCE = "resource"
    VARIANT = "variant"

    @property
    def is_plain(self) -> bool:
        """Whether operators run on the type at all."""
        return self in _FORMATS

    @property
    def bits(self) -> int:
        """Bits of one element, which may lie packed; 0 where they differ in size."""
        return _ELEMENT_BITS.get(self, 0)

    @property
    def bytes(self) -> int:
        """Bytes of one element of a plain type."""
        return self.bits // 8

    @property
    def integer_range(self) -> tuple[int, int] | None:
        """Least and greatest value; None where the elements are no integers."""
        if self.value.startswith("int"):
            return -(1 << self.bits - 1), (1 << self.bits - 1) - 1
        return (0, (1 << self.bits) - 1) if self.value.startswith("uint") else None

    @property
    def format(self) -> Format:
        """The `struct` and `memoryview.cast` format character of one element of a plain type."""
        return _FORMATS[self]

    @property
    def c_type(self) -> str:
        """The C99 type of one element of a plain type."""
        return (
            "float"
            if self is DType.FLOAT32
            else "bool"
            if self is DType.BOOL
            else f"{self.value}_t"
        )


_ELEMENT_BITS: Mapping[DType, int] = {
    DType.FLOAT32: 32,
    DType.INT8: 8,
    DType.UINT8: 8,
    DType.INT16: 16,
    DType.INT32: 32,
    DType.INT64: 64,
    DType.BOOL: 8,
    DType.FLOAT16: 16,
    DType.BFLOAT16: 16,
    DType.FLOAT64: 64,
    DType.FLOAT8_E4M3FN: 8,
    DType.FLOAT8_E5M2: 8,
    DType.UINT16: 16,
    DType.UINT32: 32,
    DType.UINT64: 64,
    DType.INT4: 4,
    DType.UINT4: 4,
    DType.INT2: 2,
    DType.COMPLEX64: 64,
    DType.COMPLEX128: 128,
}
_FORMATS: Mapping[DType, Format] = {
    DType.FLOAT32: "f",
    DType.INT8: "b",
    DType.UINT8: "B",
    DType.INT16: "h",
    DType.INT32: "i",
    DType.INT64: "q",
    DType.BOOL: "?",
}


def label_of(name: str) -> str:
    """A tensor's name for people: one line, and not long.

    Converters join the names of fused operators by semicolons; the first serves.
    """
    first = name.partition(";")[0]
    shown = first if first.isprintable() else "".join(c if c.isprintable() else "?" for c in first)
    return shown if len(shown) <= LABEL_LIMIT else f"{shown[: LABEL_LIMIT - 1]}…"


@dataclass(frozen=True, slots=True)
class Quantization:
    """Affine quantization, `real = scale · (value − zero_point)`; one scale, or one a channel."""

    scales: tuple[float, ...]
    """IEEE singles, held as Python floats of the same value."""
    zero_points: tuple[int, ...]
    axis: int
    """The dimension that the scales run along, where there are several."""

    @property
    def scale(self) -> float:
        """The first scale: the only one of a tensor quantized as a whole."""
        return self.scales[0]

    @property
    def zero_point(self) -> int:
        """The first zero-point: the only one of a tensor quantized as a whole."""
        return self.zero_points[0]


@dataclass(frozen=True, slots=True)
class Tensor:
    """One tensor of the graph; row-major (NHWC for images)."""

    index: int
    name: str
    shape: Shape
    dtype: DType
    quantization: Quantization | None = None
    data: memoryview | None = None
    """The bytes of a constant; None where the value is computed or fed."""
    shape_signature: Shape = ()
    """The shape with −1 for the dimensions that may be resized; empty where the file has none."""
    is_variable: bool = False
    byte_offset: int = 0
    """Where the tensor's table lies in the file."""

    @property
    def elements(self) -> int:
        """Number of elements (1 for a scalar)."""
        return math.prod(self.shape)

    @property
    def bytes(self) -> int:
        """Bytes of the whole tensor."""
        return -(-self.elements * self.dtype.bits // 8)

    @property
    def is_constant(self) -> bool:
        """Whether the file holds the tensor's value."""
        return self.data is not None

    def integers(self) -> tuple[int, ...]:
        """The elements of a constant integer tensor, row-major."""
        assert self.data is not None
        assert self.dtype is not DType.FLOAT32
        return tuple(int(value) for value in self.data.cast("B").cast(self.dtype.format))

    @property
    def label(self) -> str:
        """The name for people; see `label_of`."""
        return label_of(self.name)

    def __str__(self) -> str:
        """Name, shape and type, as error messages and listings show a tensor."""
        return f"'{self.label}' {self.dtype.value}[{'x'.join(map(str, self.shape))}]"


@dataclass(frozen=True, slots=True)
class Node:
    """One operator of the graph with the tensors it reads and writes."""

    index: int
    opcode: str
    """The BuiltinOperator name, such as `CONV_2D`."""
    inputs: tuple[Tensor | None, ...]
    """None stands for an optional input that is left out."""
    outputs: tuple[Tensor, ...]
    options: Record | None = None
    byte_offset: int = 0
    """Where the operator's table lies in the file."""

    @property
    def name(self) -> str:
        """The name of the first output, by which people know an operator."""
        return self.outputs[0].label if self.outputs else ""

    def input(self, position: int) -> Tensor:
        """The tensor at an input position that the operator's arity has made sure of."""
        tensor = self.inputs[position]
        assert tensor is not None
        return tensor

    def optional_input(self, position: int) -> Tensor | None:
        """The tensor at an input position, or None where it is left out."""
        return self.inputs[position] if position < len(self.inputs) else None

    def options_as(self, record: type[OptionsT]) -> OptionsT:
        """The options, or their defaults where the file has none (or a foreign table)."""
        return self.options if isinstance(self.options, record) else record()

    def where(self) -> str:
        """The start of every message about this operator."""
        return f"op {self.index} {self.opcode} '{self.name}'"

    def option_found(self, field: str, value: object) -> str:
        """Say an option's value and where in the file it stands."""
        position = None if self.options is None else self.options.positions.get(field)
        place = f"field at byte {position:#x}" if position is not None else "field absent"
        return f"{field} {value}, {place}"


@dataclass(frozen=True, slots=True)
class Signature:
    """A named entry point: the caller's names for inputs and outputs."""

    key: str
    inputs: Mapping[str, int]
    outputs: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Graph:
    """A model's main subgraph; `nodes` are in executable order."""

    name: str
    tensors: tuple[Tensor, ...]
    nodes: tuple[Node, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    signatures: tuple[Signature, ...] = ()
    description: str = ""
    sha256: str = ""
    model_bytes: int = 0

    def with_shapes(self, shapes: Mapping[int, Shape]) -> "Graph":
        """The same graph with other shapes for some tensors."""
        tensors = tuple(
            dataclasses.replace(tensor, shape=shapes[tensor.index])
            if tensor.index in shapes
            else tensor
            for tensor in self.tensors
        )
        nodes = tuple(
            dataclasses.replace(
                node,
                inputs=tuple(None if t is None else tensors[t.index] for t in node.inputs),
                outputs=tuple(tensors[t.index] for t in node.outputs),
            )
            for node in self.nodes
        )
        return dataclasses.replace(self, tensors=tensors, nodes=nodes)
