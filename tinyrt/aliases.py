"""What the operators have in common that only give a tensor another shape."""

from dataclasses import dataclass
from typing import ClassVar, Self

from tinyrt import constraints
from tinyrt.fixedpoint import Numerics
from tinyrt.graph import Node
from tinyrt.kernel import Constraint, Kernel, Value


@dataclass(frozen=True, slots=True)
class Alias(Kernel):
    """The output has the bytes of the first input, whatever its element type: no C, no memory."""

    c_name = ""
    input_type = None
    alias = True
    constraints: ClassVar[tuple[Constraint, ...]] = (constraints.output_type_as_input,)

    @classmethod
    def prepare(cls, node: Node, numerics: Numerics) -> Self:
        """Nothing is left to do at run time."""
        del node, numerics
        return cls()

    def reference(self, *operands: Value) -> tuple[Value, ...]:
        """Pass the bytes on."""
        return (operands[0],)
