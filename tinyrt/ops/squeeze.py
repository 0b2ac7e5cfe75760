"""SQUEEZE."""

from dataclasses import dataclass

from tinyrt.aliases import Alias
from tinyrt.graph import Node, Shape
from tinyrt.options import SqueezeOptions


@dataclass(frozen=True, slots=True)
class Squeeze(Alias):
    """SQUEEZE, any element type: drops dimensions of size 1, the named ones or all.

    **Source:** SqueezePrepare in TFLM's squeeze.cc.
    """

    opcode = "SQUEEZE"

    @classmethod
    def infer(cls, node: Node) -> tuple[Shape, ...]:
        """The dimensions that are left; negative ones in `squeeze_dims` count from the end."""
        source = node.input(0)
        rank = len(source.shape)
        named = node.options_as(SqueezeOptions).squeeze_dims
        dropped = {axis + rank if axis < 0 else axis for axis in named}
        if not named:
            dropped = {axis for axis, size in enumerate(source.shape) if size == 1}
        if any(not 0 <= axis < rank or source.shape[axis] != 1 for axis in dropped):
            raise ValueError(f"squeeze_dims {named} of {source} (must be dimensions of size 1)")
        return (tuple(size for axis, size in enumerate(source.shape) if axis not in dropped),)
