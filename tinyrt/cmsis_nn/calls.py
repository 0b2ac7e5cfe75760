"""A call into CMSIS-NN as data: function, arguments in order, constants, working memory.

The emitter writes these records down without knowing any operator; what is in them is decided in
the rooms beside this one.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Operand:
    """The address of an int8 input of the operator, by its position among the operands."""

    position: int


@dataclass(frozen=True, slots=True)
class Result:
    """The address of the operator's int8 output."""


@dataclass(frozen=True, slots=True)
class Array:
    """The address of constant data."""

    role: str
    """Names it, after its operator."""
    element: str
    """C type of an element."""
    values: bytes | tuple[int, ...]
    cast: str = ""
    """For a member that the library only reads, though its type does not say so."""


@dataclass(frozen=True, slots=True)
class Dims:
    """The address of a `cmsis_nn_dims`."""

    n: int = 1
    h: int = 1
    w: int = 1
    c: int = 1


Members = Mapping[str, int | Array | Mapping[str, int]]
"""Values by member of a struct, in its order."""


@dataclass(frozen=True, slots=True)
class Struct:
    """The address of another constant of a type of the library's."""

    role: str
    """Names it, after its operator."""
    c_type: str
    members: Members


@dataclass(frozen=True, slots=True)
class Scratch:
    """The address of a `cmsis_nn_context` with working memory from the arena."""

    mve_bytes: int = 0
    """What is taken on cores with MVE."""
    other_bytes: int = 0
    """The most that is taken on any other."""

    @property
    def bytes(self) -> int:
        """What is planned: emitted code is bound to no core."""
        return max(self.mve_bytes, self.other_bytes)


Argument = int | Operand | Result | Array | Dims | Struct | Scratch
"""An integer is passed as it is, all else by address."""


@dataclass(frozen=True, slots=True)
class SizeQuery:
    """How to ask the library, as it is built on the target, for the size of a buffer."""

    function: str
    arguments: tuple[Argument, ...]
    bytes: int
    """What is there for it."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call."""

    function: str
    arguments: tuple[Argument, ...]
    returns_status: bool = True
    """Whether it returns an `arm_cmsis_nn_status`; else nothing."""
    buffer: SizeQuery | None = None
    in_place: tuple[int, ...] = ()
    """Operands that the output may take the place of."""

    @property
    def scratch(self) -> Scratch:
        """Working memory in the arena during the call; of no bytes if it takes none."""
        return next((a for a in self.arguments if isinstance(a, Scratch)), Scratch())
