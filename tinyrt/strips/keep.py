"""The step that keeps rows of a line buffer for the next strip."""

from dataclasses import dataclass

from tinyrt.aliases import Alias
from tinyrt.graph import Node, Shape


@dataclass(frozen=True, slots=True)
class Keep(Alias):
    """Copies rows to another place, where the rows that follow are going to be computed."""

    opcode = "KEEP"

    @classmethod
    def infer(cls, node: Node) -> tuple[Shape, ...]:
        """The shape of what is kept."""
        return (node.input(0).shape,)
