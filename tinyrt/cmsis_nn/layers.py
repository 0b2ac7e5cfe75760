"""FULLY_CONNECTED, pooling, SOFTMAX, ADD and MUL in CMSIS-NN.

**Source:** arm_fully_connected_wrapper_s8.c, arm_avgpool_s8.c, arm_max_pool_s8.c,
arm_softmax_s8.c, arm_elementwise_add_s8.c and arm_elementwise_mul_s8.c in CMSIS-NN at 99f736a.
"""

from tinyrt.broadcast import Broadcast
from tinyrt.cmsis_nn.calls import (
    Argument,
    Array,
    Call,
    Dims,
    Operand,
    Result,
    Scratch,
    SizeQuery,
    Struct,
)
from tinyrt.ops.add import Add
from tinyrt.ops.average_pool_2d import AveragePool2D
from tinyrt.ops.fully_connected import FullyConnected
from tinyrt.ops.max_pool_2d import MaxPool2D
from tinyrt.ops.mul import Mul
from tinyrt.ops.softmax import Softmax
from tinyrt.pooling import Pool2D
from tinyrt.sums import LEFT_SHIFT

_SOFTMAX_DEPTH = 511
"""Longer rows may add up to 512, which is beyond the shifts that the library computes with."""
_SOFTMAX_SHIFT = 30
"""It multiplies by 2 to this power, in int32."""


def fully_connected(kernel: FullyConnected) -> Call:
    """arm_fully_connected_wrapper_s8.

    With MVE it takes the bias together with what the input's offset adds to every sum: that is
    computed here, not when the model starts.
    """
    filter_ = Dims(n=kernel.input_depth, c=kernel.output_depth)
    sums = Array("sums", "int32_t", _offset_sums(kernel), "(int32_t *)")
    bytes_ = 4 * kernel.output_depth
    parameters = Struct(
        "dense_params",
        "cmsis_nn_fc_params",
        {
            "input_offset": kernel.input_offset,
            "filter_offset": 0,
            "output_offset": kernel.output_offset,
            "activation": {"min": kernel.activation_min, "max": kernel.activation_max},
        },
    )
    quantization = Struct(
        "quant",
        "cmsis_nn_quant_params",
        {
            "multiplier": Array("multipliers", "int32_t", kernel.multipliers, "(int32_t *)"),
            "shift": Array("shifts", "int32_t", kernel.shifts, "(int32_t *)"),
            "is_per_channel": kernel.per_channel,
        },
    )
    return Call(
        "arm_fully_connected_wrapper_s8",
        (
            Struct("context", "cmsis_nn_context", {"buf": sums, "size": bytes_}),
            parameters,
            quantization,
            Dims(n=kernel.batches, c=kernel.input_depth),
            Operand(0),
            filter_,
            Array("filter", "int8_t", kernel.filter),
            Dims(c=kernel.output_depth),
            Array("bias", "int32_t", kernel.bias),
            Dims(n=kernel.batches, c=kernel.output_depth),
            Result(),
        ),
        buffer=SizeQuery("arm_fully_connected_s8_get_buffer_size", (filter_,), bytes_),
    )


def _offset_sums(kernel: FullyConnected) -> tuple[int, ...]:
    """Bias plus input offset times the sum of weights, for each output.

    It is the accumulator of an input of zeros, so that it fits in int32.
    """
    weights = memoryview(kernel.filter).cast("b")
    starts = range(0, len(weights), kernel.input_depth)
    return tuple(
        bias + kernel.input_offset * sum(weights[start : start + kernel.input_depth])
        for bias, start in zip(kernel.bias, starts, strict=True)
    )


def average_pool_2d(kernel: AveragePool2D) -> Call:
    """arm_avgpool_s8: sums of int32 for each channel without MVE."""
    bytes_ = 4 * kernel.depth
    return Call(
        "arm_avgpool_s8",
        _pool(kernel, Scratch(0, bytes_)),
        buffer=SizeQuery(
            "arm_avgpool_s8_get_buffer_size", (kernel.output_width, kernel.depth), bytes_
        ),
    )


def max_pool_2d(kernel: MaxPool2D) -> Call:
    """arm_max_pool_s8."""
    return Call("arm_max_pool_s8", _pool(kernel, Scratch()))


def _pool(kernel: Pool2D, scratch: Scratch) -> tuple[Argument, ...]:
    """The arguments of either."""
    parameters = Struct(
        "pool_params",
        "cmsis_nn_pool_params",
        {
            "stride": {"w": kernel.stride_width, "h": kernel.stride_height},
            "padding": {"w": kernel.pad_left, "h": kernel.pad_top},
            "activation": {"min": kernel.activation_min, "max": kernel.activation_max},
        },
    )
    return (
        scratch,
        parameters,
        Dims(kernel.batches, kernel.input_height, kernel.input_width, kernel.depth),
        Operand(0),
        Dims(h=kernel.filter_height, w=kernel.filter_width),
        Dims(kernel.batches, kernel.output_height, kernel.output_width, kernel.depth),
        Result(),
    )


def softmax(kernel: Softmax) -> Call | None:
    """arm_softmax_s8, which rounds as the kernel of ours does; it returns nothing."""
    if kernel.depth > _SOFTMAX_DEPTH or kernel.left_shift > _SOFTMAX_SHIFT:
        return None
    return Call(
        "arm_softmax_s8",
        (
            Operand(0),
            kernel.rows,
            kernel.depth,
            kernel.multiplier,
            kernel.left_shift,
            kernel.difference_min,
            Result(),
        ),
        returns_status=False,
    )


def add(kernel: Add) -> Call | None:
    """arm_elementwise_add_s8, for operands of one shape: it does not stretch them."""
    if not _same_shape(kernel):
        return None
    return Call(
        "arm_elementwise_add_s8",
        (
            Operand(0),
            Operand(1),
            kernel.input1_offset,
            kernel.input1_multiplier,
            kernel.input1_shift,
            kernel.input2_offset,
            kernel.input2_multiplier,
            kernel.input2_shift,
            LEFT_SHIFT,
            Result(),
            kernel.output_offset,
            kernel.output_multiplier,
            kernel.output_shift,
            kernel.activation_min,
            kernel.activation_max,
            kernel.extents[0],
        ),
        in_place=(0, 1),
    )


def mul(kernel: Mul) -> Call | None:
    """arm_elementwise_mul_s8, for operands of one shape."""
    if not _same_shape(kernel):
        return None
    return Call(
        "arm_elementwise_mul_s8",
        (
            Operand(0),
            Operand(1),
            kernel.input1_offset,
            kernel.input2_offset,
            Result(),
            kernel.output_offset,
            kernel.output_multiplier,
            kernel.output_shift,
            kernel.activation_min,
            kernel.activation_max,
            kernel.extents[0],
        ),
        in_place=(0, 1),
    )


def _same_shape(kernel: Broadcast) -> bool:
    return kernel.loops == 1 and kernel.strides1 == kernel.strides2 == (1,)
