"""CONV_2D and DEPTHWISE_CONV_2D in CMSIS-NN."""

from collections.abc import Mapping
from dataclasses import replace

from tinyrt.cmsis_nn.calls import (
    Array,
    Call,
    Dims,
    Members,
    Operand,
    Result,
    Scratch,
    SizeQuery,
    Struct,
)
from tinyrt.cmsis_nn.geometry import (
    Geometry,
    as_convolution,
    depthwise_is_exact,
    depthwise_scratch,
)
from tinyrt.ops.conv_2d import Conv2D
from tinyrt.ops.depthwise_conv_2d import DepthwiseConv2D

UINT16_MAX = (1 << 16) - 1
INT16_MAX = (1 << 15) - 1
_LANES = 4
"""Channels that MVE takes at a time."""


def conv_2d(kernel: Conv2D) -> Call | None:
    """arm_convolve_wrapper_s8."""
    filter_ = Dims(
        kernel.output_depth, kernel.filter_height, kernel.filter_width, kernel.filter_depth
    )
    geometry = Geometry.of(kernel, filter_, kernel.output_depth).exact()
    taps = filter_.h * filter_.w * filter_.c
    if geometry is None or max(*geometry.sizes, taps) > UINT16_MAX:
        return None
    return _call(
        "arm_convolve_wrapper_s8",
        geometry,
        Struct("conv_params", "cmsis_nn_conv_params", _members(kernel, geometry)),
        geometry.scratch(),
        (kernel.filter, kernel.bias, kernel.multipliers, kernel.shifts),
    )


def depthwise_conv_2d(kernel: DepthwiseConv2D) -> Call | None:
    """arm_depthwise_conv_wrapper_s8."""
    depth = kernel.input_depth * kernel.depth_multiplier
    filter_ = Dims(1, kernel.filter_height, kernel.filter_width, depth)
    geometry = Geometry.of(kernel, filter_, depth)
    if kernel.input_depth == 1 < depth:
        form = as_convolution(geometry).exact()
        if form is None:
            return None
        geometry = replace(form, filter=replace(form.filter, n=1, c=depth))
    if not depthwise_is_exact(geometry) or max(geometry.sizes) > INT16_MAX:
        return None
    # Depthwise kernels read whole vectors, beyond the last channel.
    spare = (0,) * (-depth % _LANES)
    return _call(
        "arm_depthwise_conv_wrapper_s8",
        geometry,
        Struct(
            "depthwise_params",
            "cmsis_nn_dw_conv_params",
            _members(kernel, geometry, {"ch_mult": kernel.depth_multiplier}),
        ),
        depthwise_scratch(geometry),
        (
            kernel.filter + bytes(spare),
            kernel.bias + spare,
            kernel.multipliers + spare,
            kernel.shifts + spare,
        ),
    )


def _members(
    kernel: Conv2D | DepthwiseConv2D, geometry: Geometry, more: Mapping[str, int] | None = None
) -> Members:
    """What the parameter structs of both have in common, and `more` where they differ."""
    return {
        "input_offset": kernel.input_offset,
        "output_offset": kernel.output_offset,
        **(more or {}),
        **geometry.tiles,
        "activation": {"min": kernel.activation_min, "max": kernel.activation_max},
    }


def _call(
    function: str,
    geometry: Geometry,
    parameters: Struct,
    scratch: Scratch,
    data: tuple[bytes, tuple[int, ...], tuple[int, ...], tuple[int, ...]],
) -> Call:
    """The two wrappers take the same arguments; `data`: filter, bias, multipliers, shifts."""
    filter_, bias, multipliers, shifts = data
    quantization = Struct(
        "quant",
        "cmsis_nn_per_channel_quant_params",
        {
            "multiplier": Array("multipliers", "int32_t", multipliers, "(int32_t *)"),
            "shift": Array("shifts", "int32_t", shifts, "(int32_t *)"),
        },
    )
    return Call(
        function,
        (
            scratch,
            parameters,
            quantization,
            geometry.source,
            Operand(0),
            geometry.filter,
            Array("filter", "int8_t", filter_),
            Dims(c=geometry.output.c),
            Array("bias", "int32_t", bias),
            geometry.output,
            Result(),
        ),
        buffer=SizeQuery(
            f"{function}_get_buffer_size",
            (parameters, geometry.source, geometry.filter, geometry.output),
            scratch.bytes,
        ),
    )
