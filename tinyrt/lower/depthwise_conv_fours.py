"""DEPTHWISE_CONV_2D of any window, four channels of a pixel at a time."""

from dataclasses import dataclass
from typing import Self

from tinyrt.ops.depthwise_conv_2d import DepthwiseConv2D

_CHANNELS = 4


@dataclass(frozen=True, slots=True)
class DepthwiseConvFours(DepthwiseConv2D):
    """DEPTHWISE_CONV_2D, int8, with four channels or more and a filter for each.

    The same integers and the same walk: four channels are read before they are written, which is
    earlier than one by one.
    """

    c_name = "depthwise_conv_fours_s8"

    @classmethod
    def of(cls, operator: DepthwiseConv2D) -> Self | None:
        """The kernel for an operator, if it can be computed so."""
        if operator.depth_multiplier != 1 or operator.input_depth < _CHANNELS:
            return None
        return cls(
            batches=operator.batches,
            input_height=operator.input_height,
            input_width=operator.input_width,
            input_depth=operator.input_depth,
            filter_height=operator.filter_height,
            filter_width=operator.filter_width,
            output_height=operator.output_height,
            output_width=operator.output_width,
            output_depth=operator.output_depth,
            stride_height=operator.stride_height,
            stride_width=operator.stride_width,
            dilation_height=operator.dilation_height,
            dilation_width=operator.dilation_width,
            pad_top=operator.pad_top,
            pad_left=operator.pad_left,
            input_offset=operator.input_offset,
            output_offset=operator.output_offset,
            activation_min=operator.activation_min,
            activation_max=operator.activation_max,
            filter=operator.filter,
            bias=operator.bias,
            multipliers=operator.multipliers,
            shifts=operator.shifts,
            numerics=operator.numerics,
            backward=operator.backward,
        )
