"""The contract between an operator and everything else: one frozen dataclass, one room.

An operator is a dataclass whose fields are the integers that `prepare` folded out of a node: no
float, no tensor, no file format is left in it. From the class alone follow the Python execution
(`reference`, `fast`), the C parameter struct and its call (`c_fields`), the supported-operators
table (`constraints`), the costs and what the memory planner needs to know.

Field types decide the C struct, member by member:

=============  ======================  =====================================
annotation     C member                value
=============  ======================  =====================================
`int`          `int32_t name`          fits in int32
`Int8Data`     `const int8_t *name`    `bytes`, two's complement
`Int8s`        `const int8_t *name`    tuple of integers in [−128, 127]
`Int32s`       `const int32_t *name`   tuple of integers in int32
`Numerics`     none                    compile-time in C (`tinyrt_config.h`)
=============  ======================  =====================================
"""

import dataclasses
import enum
import typing
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, ClassVar, Self

from tinyrt.fixedpoint import Numerics
from tinyrt.graph import DType, Node, Shape
from tinyrt.planar import PlanarOperator, Planes

Value = bytes | bytearray | memoryview
"""The bytes of one tensor, row-major, little-endian."""

Run = Callable[..., tuple[Value, ...]]
"""Computes the outputs' bytes from the bytes of the operands, in order."""

Held = Value | Planes
"""A tensor's value between two fast operators."""

HeldRun = Callable[..., tuple[Held, ...]]
"""Computes the outputs' values from those of the operands, in any form."""


def as_bytes(value: Held) -> Value:
    """The bytes of a value in any form."""
    return value.to_bytes() if isinstance(value, Planes) else value


Constraint = Callable[[Node], str | None]
"""Says what was found where its rule is broken, else None; its docstring is the rule."""


@dataclass(frozen=True, slots=True)
class CArray:
    """Marks a field that becomes a pointer to constant data in C."""

    element: str


Int8Data = Annotated[bytes, CArray("int8_t")]
Int8s = Annotated[tuple[int, ...], CArray("int8_t")]
Int32s = Annotated[tuple[int, ...], CArray("int32_t")]


class Variadic(enum.Enum):
    """Which side of a C call is an array of pointers, because its length is the model's."""

    NONE = "none"
    INPUTS = "inputs"
    OUTPUTS = "outputs"


@dataclass(frozen=True, slots=True)
class CField:
    """One member of a C parameter struct with its value."""

    name: str
    value: int | bytes | tuple[int, ...]
    element: str | None
    """Element type where the member points to constant data; None for an `int32_t`."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run of an operator takes."""

    macs: int = 0
    """Multiply-accumulates, padding included; 0 for operators that do none."""
    scratch_bytes: int = 0
    """Working memory in the arena during this operator only."""


@dataclass(frozen=True, slots=True)
class Overlap:
    """How an operator's first output may share bytes with an operand that dies in it.

    A kernel that walks from low to high addresses may write its output over its input if the
    output begins at least `forward` bytes before the input does; one that walks from high to
    low, if the output ends at least `backward` bytes after the input does. Zero is in place;
    negative: the output may even lag behind. None: not in this direction.
    """

    operand: int
    forward: int | None
    backward: int | None = None
    only_in_place: bool = False
    """Whether the output may begin where the operand does, and share no bytes otherwise; for an
    output of as many bytes."""


@dataclass(frozen=True, slots=True)
class Strip:
    """The part of an operator that computes some rows of its output."""

    kernel: "Kernel"
    """An operator of the same class on fewer rows."""
    reads: tuple[range | None, ...]
    """The rows of each operand that it takes; None: all of the operand."""


@dataclass(frozen=True, slots=True)
class Touch:
    """A moment of a kernel's run: bytes that it reads, and bytes that it writes after that."""

    reads: tuple[tuple[int, range], ...]
    """Operand, and bytes from its beginning."""
    writes: range
    """Bytes from the beginning of an output."""
    result: int = 0
    """Which output."""


@dataclass(frozen=True, slots=True)
class View:
    """An output that is a piece of an operand, or an operand that becomes a piece of an output."""

    operand: int
    result: int
    offset: int
    """The result's byte that the operand's first one becomes; negative if the operand begins
    before the result."""


@dataclass(frozen=True, slots=True)
class Border:
    """What a PAD puts around the height and width of an int8 NHWC tensor."""

    top: int
    bottom: int
    left: int
    right: int
    value: int


@dataclass(frozen=True, slots=True)
class CKernel(ABC):
    """A C function with its parameters: a frozen, slotted dataclass that mirrors a C struct."""

    c_name: ClassVar[str]
    """Stem of the C file, function (`tinyrt_<c_name>`) and struct (`tinyrt_<c_name>_params`)."""
    variadic: ClassVar[Variadic] = Variadic.NONE
    """Which side of the C call is an array of pointers."""

    def cost(self) -> Cost:
        """Work and scratch memory of one run."""
        return Cost()

    def overlap(self) -> tuple[Overlap, ...]:
        """Which operands the first output may share bytes with, and how; none by default."""
        return ()

    def touches(self) -> Iterator[Touch]:
        """All that a run reads of the operands in `overlap` and writes, in the order of the loops.

        The checker of plans takes it, byte by byte, instead of the distances in `overlap`.
        """
        return iter(())

    def views(self) -> tuple[View, ...]:
        """Bytes that need no copy where they are in place; none by default."""
        return ()

    def walking(self, *, backward: bool) -> Self:
        """The kernel that walks in one of the directions that `overlap` offers."""
        assert not backward, f"{self.c_name} does not walk backwards"
        return self

    def c_fields(self) -> Iterator[CField]:
        """The members of the C parameter struct, in order: the dataclass, field by field."""
        for name, element in c_members(type(self)):
            yield CField(name, getattr(self, name), element)


@dataclass(frozen=True, slots=True)
class Kernel(CKernel):
    """Base of all operators; subclasses are frozen, slotted dataclasses of prepared integers."""

    opcode: ClassVar[str]
    """The BuiltinOperator name."""
    input_type: ClassVar[DType | None] = DType.INT8
    """Element type of the first input that this class runs; None for any."""
    arity: ClassVar[tuple[int, int]] = (1, 1)
    """Least and greatest number of inputs."""
    output_arity: ClassVar[tuple[int, int]] = (1, 1)
    """Least and greatest number of outputs."""
    folded: ClassVar[tuple[int, ...]] = ()
    """Input positions that `prepare` turns into fields; the others are operands of a run."""
    constraints: ClassVar[tuple[Constraint, ...]] = ()
    """Every rule a node must keep, in the order they are checked."""
    alias: ClassVar[bool] = False
    """Whether the output has the bytes of operand 0, so that it needs no code and no memory."""

    @classmethod
    def runs(cls, node: Node) -> bool:
        """Whether this class runs the element types of a node with its opcode."""
        first = node.optional_input(0)
        return cls.input_type is None or (first is not None and first.dtype is cls.input_type)

    @classmethod
    @abstractmethod
    def infer(cls, node: Node) -> tuple[Shape, ...]:
        """The output shapes that follow from the inputs' shapes, constants and options.

        Raises:
            ValueError: the shapes do not go together; the text says what was found and allowed.
        """

    @classmethod
    @abstractmethod
    def prepare(cls, node: Node, numerics: Numerics) -> Self:
        """Fold a node that keeps every constraint into integers."""

    @abstractmethod
    def reference(self, *operands: Value) -> tuple[Value, ...]:
        """Run the operator by its definition: the bytes that every other executor must give."""

    def fast(self) -> Run:
        """Build the fastest pure-Python executor; what it packs once, it holds itself."""
        return self.reference

    def planar(self, shape: Shape) -> PlanarOperator | None:
        """How the operator works on planes; None where it does not.

        Args:
            shape: of its first output, as the graph has it.
        """
        del shape
        return None

    def held(self) -> HeldRun | None:
        """A run that takes operands as planes too; None where it takes bytes only."""
        return None

    def without_border(self, border: Border) -> Self | None:
        """The kernel that gives the same bytes from an input without its border, if there is one.

        Args:
            border: what lies around the input that this kernel was prepared for.
        """
        del border
        return None

    def strip(self, rows: range, height: int) -> Strip | None:
        """The same operator on some rows of its output alone.

        A row is what one index of dimension 1 stands for, in a tensor of rank 4 and batch 1: rows
        that follow each other are a contiguous block of bytes.

        Args:
            rows: of the output; at least one.
            height: rows of the whole output.

        Returns:
            None where the operator has no such form.
        """
        del rows, height
        return None


def c_members(kernel: type[CKernel]) -> tuple[tuple[str, str | None], ...]:
    """Name and element type (None for `int32_t`) of each member of a kernel's C struct."""
    hints = typing.get_type_hints(kernel, include_extras=True)
    members: list[tuple[str, str | None]] = []
    for field in dataclasses.fields(kernel):
        hint = hints[field.name]
        if hint is Numerics:
            continue
        if typing.get_origin(hint) is Annotated:
            _, mark = typing.get_args(hint)
            assert isinstance(mark, CArray)
            members.append((field.name, mark.element))
        else:
            assert hint is int, f"{kernel.__name__}.{field.name} has no C form"
            members.append((field.name, None))
    return tuple(members)
