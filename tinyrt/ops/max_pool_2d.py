"""MAX_POOL_2D."""

from dataclasses import dataclass, replace
from typing import Self

from tinyrt.fast.arrange import alone
from tinyrt.fast.pooling import MaxPooling
from tinyrt.fixedpoint import clamp
from tinyrt.graph import Shape
from tinyrt.kernel import Border, Run, Value
from tinyrt.planar import Image, PlanarOperator
from tinyrt.pooling import Pool2D


@dataclass(frozen=True, slots=True)
class MaxPool2D(Pool2D):
    """MAX_POOL_2D, int8: the greatest of the input values under each window.

    **Source:** MaxPool in TFLM's reference/integer_ops/pooling.h.
    """

    opcode = "MAX_POOL_2D"
    c_name = "max_pool_2d_s8"

    def _image(self) -> PlanarOperator | None:
        rows, columns = self.axes()
        if rows.too_sparse or columns.too_sparse:
            return None
        return MaxPooling(
            rows=rows.axis,
            columns=columns.axis,
            source=Image(self.input_height, self.input_width, self.depth),
            target=Image(self.output_height, self.output_width, self.depth),
            low=self.activation_min + 128,
            high=self.activation_max + 128,
        )

    def fast(self) -> Run:
        """Compare lanes, one image after another."""
        image = self._image()
        return (image and alone(image, self.batches)) or self.reference

    def planar(self, shape: Shape) -> PlanarOperator | None:
        """Planes, where there is one image."""
        del shape
        return self._image() if self.batches == 1 else None

    def reference(self, *operands: Value) -> tuple[Value, ...]:
        """Take the maximum of each channel under each window."""
        output = bytearray()
        for pixels in self.covered(operands[0]):
            for values in zip(*pixels, strict=True):
                greatest = clamp(max(values), self.activation_min, self.activation_max)
                output.append(greatest & 0xFF)
        return (output,)

    def without_border(self, border: Border) -> Self | None:
        """A border that never exceeds the least output adds as little as what lies outside.

        Every window must hold at least one value that is not border.
        """
        bare = replace(
            self,
            input_height=self.input_height - border.top - border.bottom,
            input_width=self.input_width - border.left - border.right,
            pad_top=self.pad_top + border.top,
            pad_left=self.pad_left + border.left,
        )
        last_top = (self.output_height - 1) * self.stride_height - bare.pad_top
        last_left = (self.output_width - 1) * self.stride_width - bare.pad_left
        meets = (
            bare.pad_top < self.filter_height
            and bare.pad_left < self.filter_width
            and last_top < bare.input_height
            and last_left < bare.input_width
        )
        return bare if meets and border.value <= self.activation_min else None
