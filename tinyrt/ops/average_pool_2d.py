"""AVERAGE_POOL_2D."""

from dataclasses import dataclass

from tinyrt.fast.arrange import alone
from tinyrt.fast.pooling import average, least_total, mean
from tinyrt.fast.totals import POSITIONS, by_steps
from tinyrt.fixedpoint import clamp
from tinyrt.graph import Shape
from tinyrt.kernel import HeldRun, Run, Value, as_bytes
from tinyrt.planar import PlanarOperator
from tinyrt.pooling import Pool2D


@dataclass(frozen=True, slots=True)
class AveragePool2D(Pool2D):
    """AVERAGE_POOL_2D, int8: the mean of the input values under each window.

    **Source:** AveragePool in TFLM's reference/integer_ops/pooling.h; its divisions truncate.
    """

    opcode = "AVERAGE_POOL_2D"
    c_name = "average_pool_2d_s8"

    def _image(self) -> PlanarOperator | None:
        low, high = self.activation_min, self.activation_max
        return average(*self.axes(), self.depth, low, high)

    def fast(self) -> Run:
        """Sum lanes, where windows do not reach outside."""
        run = self.held()
        if run is not None:
            return lambda source: (as_bytes(run(source)[0]),)
        image = self._image()
        return (image and alone(image, self.batches)) or self.reference

    def planar(self, shape: Shape) -> PlanarOperator | None:
        """Planes, where there is one image and several windows."""
        del shape
        return self._image() if self.batches == 1 and self.held() is None else None

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
            least_total(value, count) + 128 * count
            for value in range(self.activation_min + 1, self.activation_max + 1)
        ]
        return by_steps(self.depth, self.activation_min + 128, steps)

    def reference(self, *operands: Value) -> tuple[Value, ...]:
        """Sum each channel under each window, then divide."""
        output = bytearray()
        for pixels in self.covered(operands[0]):
            for values in zip(*pixels, strict=True):
                value = mean(sum(values), len(values))
                output.append(clamp(value, self.activation_min, self.activation_max) & 0xFF)
        return (output,)
