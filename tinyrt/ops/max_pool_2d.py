"""MAX_POOL_2D."""

from dataclasses import dataclass

from tinyrt.fixedpoint import clamp
from tinyrt.kernel import Value
from tinyrt.pooling import Pool2D


@dataclass(frozen=True, slots=True)
class MaxPool2D(Pool2D):
    """MAX_POOL_2D, int8: the greatest of the input values under each window.

    **Source:** MaxPool in TFLM's reference/integer_ops/pooling.h.
    """

    opcode = "MAX_POOL_2D"
    c_name = "max_pool_2d_s8"

    def reference(self, *operands: Value) -> tuple[Value, ...]:
        """Take the maximum of each channel under each window."""
        output = bytearray()
        for pixels in self.covered(operands[0]):
            for values in zip(*pixels, strict=True):
                greatest = clamp(max(values), self.activation_min, self.activation_max)
                output.append(greatest & 0xFF)
        return (output,)
