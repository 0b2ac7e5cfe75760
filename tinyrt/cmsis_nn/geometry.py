"""Windows of convolutions as CMSIS-NN is told of them, and which it gets right.

Its wrappers choose a kernel by shape and core. Some of these kernels leave out cases that the
general one has; what is said here of them holds for every core, so that emitted code is bound to
none. Where nothing is said, TFLM's SAME and VALID are right, and so is any other padding.

**Source:** arm_convolve_wrapper_s8.c, arm_depthwise_conv_wrapper_s8.c, what they call, and their
get_buffer_sizes, in CMSIS-NN at 99f736a.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

from tinyrt.cmsis_nn.calls import Dims, Scratch
from tinyrt.ops.conv_2d import Conv2D
from tinyrt.ops.depthwise_conv_2d import DepthwiseConv2D

_MVE_BYTES = 16
_MVE_DEPTHWISE_CHANNELS = 124
"""As many channels does a depthwise kernel gather at a time, with MVE."""


@dataclass(frozen=True, slots=True)
class Geometry:
    """Tensors and windows; pairs are height and width."""

    source: Dims
    filter: Dims
    output: Dims
    strides: tuple[int, int]
    pads: tuple[int, int]
    """Above and left; below and right follow from the output."""
    dilations: tuple[int, int]

    @classmethod
    def of(cls, kernel: Conv2D | DepthwiseConv2D, filter_: Dims, output_depth: int) -> Self:
        """That of an operator."""
        return cls(
            Dims(kernel.batches, kernel.input_height, kernel.input_width, kernel.input_depth),
            filter_,
            Dims(kernel.batches, kernel.output_height, kernel.output_width, output_depth),
            (kernel.stride_height, kernel.stride_width),
            (kernel.pad_top, kernel.pad_left),
            # A single tap is not spread, but the fast kernels ask for a dilation of 1.
            (
                kernel.dilation_height if filter_.h > 1 else 1,
                kernel.dilation_width if filter_.w > 1 else 1,
            ),
        )

    def turned(self) -> Self:
        """Height and width exchanged: the same bytes, where one of them is 1 in every tensor."""
        return replace(
            self,
            source=replace(self.source, h=self.source.w, w=self.source.h),
            filter=replace(self.filter, h=self.filter.w, w=self.filter.h),
            output=replace(self.output, h=self.output.w, w=self.output.h),
            strides=self.strides[::-1],
            pads=self.pads[::-1],
            dilations=self.dilations[::-1],
        )

    @property
    def tiles(self) -> Mapping[str, Mapping[str, int]]:
        """Members of the library's structs."""
        pairs = {"stride": self.strides, "padding": self.pads, "dilation": self.dilations}
        return {name: {"w": width, "h": height} for name, (height, width) in pairs.items()}

    @property
    def sizes(self) -> tuple[int, ...]:
        """What the library holds in 16 bits."""
        tensors = (self.source, self.filter, self.output)
        return (
            *(size for dims in tensors for size in (dims.h, dims.w, dims.c)),
            *(*self.strides, *self.pads, *self.dilations, self.filter.h * self.filter.w),
        )

    @property
    def overhangs(self) -> tuple[int, int]:
        """How far the last window reaches beyond the input's end; negative: it stops before."""
        axes = zip(
            (self.source.h, self.source.w),
            (self.filter.h, self.filter.w),
            (self.output.h, self.output.w),
            self.strides,
            self.pads,
            self.dilations,
            strict=True,
        )
        height, width = (
            (output - 1) * stride - pad + (taps - 1) * dilation + 1 - size
            for size, taps, output, stride, pad, dilation in axes
        )
        return height, width

    @property
    def product(self) -> bool:
        """Whether the library takes a convolution for a product of matrices."""
        return (self.filter.h, self.filter.w, self.filter.c) == (1, 1, self.source.c) and not any(
            self.pads
        )

    @property
    def row(self) -> bool:
        """Whether the library takes a convolution for a single row of windows."""
        return (
            not self.product
            and (self.source.h, self.filter.h, self.dilations[1]) == (1, 1, 1)
            and self.filter.c == self.source.c
            and self.strides[1] * self.source.c % 4 == 0
        )

    def exact(self) -> Self | None:
        """A form of a convolution that the library computes rightly; None: there is none."""
        if self.product:
            # All inputs are taken for covered by windows, and all windows for inside.
            return self if max(self.overhangs) <= 0 else None
        if not self.row:
            return self
        if self.output.h > 1 or self.pads[0]:
            return None
        if row_is_exact(self.source.w, self.filter.w, self.output.w, self.strides[1], self.pads[1]):
            return self
        column = self.turned()
        return None if column.row else column

    def scratch(self) -> Scratch:
        """The most working memory that a convolution takes."""
        if self.product:
            # Arm's own compiler gets a variant with two columns of int16.
            return Scratch(0, 2 * 2 * self.source.c if self.strides == (1, 1) else 0)
        # With MVE four windows of int8 in whole vectors; else two of int16 in whole words.
        taps = self.filter.h * self.filter.w * self.source.c
        return Scratch(4 * -(-taps // _MVE_BYTES) * _MVE_BYTES, 2 * 2 * -(-taps // 4) * 4)


def row_is_exact(size: int, taps: int, output: int, stride: int, pad: int) -> bool:
    """Whether a row of windows gets the right inputs, and nothing is read beyond the input.

    With MVE the row has three sections: windows over padding and the first inputs, windows over
    inputs alone, windows over the last inputs and padding. The first and the last are made in a
    buffer, in the belief that padding is the same on both sides or one more on the right, and that
    only the last tap of the first window of the last section is beyond the input.
    """
    total = (output - 1) * stride + taps - size
    odd = total % 2 if total >= 0 else -(-total % 2)  # as C has it
    if 2 * pad + odd != total:
        return False  # refused
    left = max(1, (pad + stride - 1) // stride) if pad else 0
    right = max(1, (pad + odd + stride - 1) // stride) if pad + odd else 0
    inside = max(0, output - left - right)
    if left + inside + right != output:
        return True  # left to the general kernel
    last = (left + inside) * stride - pad
    room = right if odd else pad
    return (
        size >= taps  # so many are copied for the first section, even if it is empty
        and max(0, left - 1) * stride <= pad <= left * stride
        and (left + inside - 1) * stride - pad + taps <= size
        and last + taps - 1 <= size
        and (right == 0 or (last + taps - 1 == size and (right - 1) * stride + 1 <= room))
    )


def depthwise_is_exact(geometry: Geometry) -> bool:
    """Whether the library computes a depthwise convolution rightly."""
    source, filter_, output = geometry.source, geometry.filter, geometry.output
    if (source.n, source.c, *geometry.dilations) != (1, output.c, 1, 1):
        return True
    # Each window is thought to begin above the input's end, and to end below its beginning.
    meets = max(geometry.pads[0] - filter_.h, geometry.overhangs[0] - filter_.h) < 0
    if (filter_.h, filter_.w) == (3, 3) and max(geometry.pads) <= 1:
        # The middle column of a 3x3 window is taken for inside.
        return meets and geometry.overhangs[1] <= 1
    return meets


def depthwise_scratch(geometry: Geometry) -> Scratch:
    """The most working memory that a depthwise convolution takes."""
    source, filter_, output = geometry.source, geometry.filter, geometry.output
    taps = filter_.h * filter_.w
    if source.c == 1 < output.c:
        # With MVE it becomes a convolution, and the filter is transposed behind its buffer.
        return Scratch(as_convolution(geometry).scratch().bytes + taps * output.c, 0)
    if (source.n, source.c, *geometry.dilations) != (1, output.c, 1, 1):
        return Scratch()
    small = (filter_.h, filter_.w) == (3, 3) and max(geometry.pads) <= 1
    return Scratch(4 * _MVE_DEPTHWISE_CHANNELS * taps, 0 if small else 2 * source.c * taps)


def as_convolution(geometry: Geometry) -> Geometry:
    """A depthwise convolution of one input channel as a plain one."""
    return replace(geometry, filter=replace(geometry.filter, n=geometry.filter.c, c=1))
