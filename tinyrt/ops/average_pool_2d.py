"""AVERAGE_POOL_2D."""

from dataclasses import dataclass

from tinyrt.fast.totals import POSITIONS, by_steps
from tinyrt.fixedpoint import clamp
from tinyrt.kernel import HeldRun, Run, Value, as_bytes
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

    def _least_total(self, mean: int, count: int) -> int:
        """The least sum of `count` values whose rounded quotient is `mean` or more."""
        if mean > 0:
            return mean * count - count // 2
        return count // 2 - (1 - mean) * count + 1

    def fast(self) -> Run:
        """Sum lanes, where a window covers a whole image."""
        run = self.held()
        return self.reference if run is None else lambda source: (as_bytes(run(source)[0]),)

    def held(self) -> HeldRun | None:
        """The total of each channel, where one window covers the only image."""
        count = self.input_height * self.input_width
        one = self.output_height == self.output_width == self.batches == 1
        covered = (
            self.pad_top == self.pad_left == 0
            and count <= POSITIONS
            and self.filter_height >= self.input_height
            and self.filter_width >= self.input_width
        )
        if not (one and covered):
            return None
        # Totals of bytes that are each 128 more than the value.
        steps = [
            self._least_total(mean, count) + 128 * count
            for mean in range(self.activation_min + 1, self.activation_max + 1)
        ]
        return by_steps(self.depth, self.activation_min + 128, steps)

    def reference(self, *operands: Value) -> tuple[Value, ...]:
        """Sum each channel under each window, then divide."""
        output = bytearray()
        for pixels in self.covered(operands[0]):
            for values in zip(*pixels, strict=True):
                mean = rounded_quotient(sum(values), len(values))
                output.append(clamp(mean, self.activation_min, self.activation_max) & 0xFF)
        return (output,)
