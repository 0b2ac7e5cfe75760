"""AVERAGE_POOL_2D."""

from dataclasses import dataclass

from tinyrt.fixedpoint import clamp
from tinyrt.kernel import Value
from tinyrt.pooling import Pool2D


def rounded_quotient(total: int, count: int) -> int:
    """Divide by a positive count, rounding to nearest, halves away from zero."""
    magnitude = (abs(total) + count // 2) // count
    return magnitude if total > 0 else -magnitude


@dataclass(frozen=True, slots=True)
class AveragePool2D(Pool2D):
    """AVERAGE_POOL_2D, int8: the mean of the input values under each window.

    **Source:** AveragePool in TFLM's reference/integer_ops/pooling.h; its divisions truncate.
    """

    opcode = "AVERAGE_POOL_2D"
    c_name = "average_pool_2d_s8"

    def reference(self, *operands: Value) -> tuple[Value, ...]:
        """Sum each channel under each window, then divide."""
        output = bytearray()
        for pixels in self.covered(operands[0]):
            for values in zip(*pixels, strict=True):
                mean = rounded_quotient(sum(values), len(values))
                output.append(clamp(mean, self.activation_min, self.activation_max) & 0xFF)
        return (output,)
