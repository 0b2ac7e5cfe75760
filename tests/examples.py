"""The smallest sensible model of each operator: they must load, run, and survive being mutated."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from tests.builder import TensorSpec, single_operator


def q8(*shape: int, scale: float = 0.5, zero_point: int = 3) -> TensorSpec:
    """An int8 tensor that is fed or computed."""
    return TensorSpec(shape, "int8", scale=scale, zero_point=zero_point)


def weights(*shape: int, axis: int | None = None) -> TensorSpec:
    """Constant int8 weights, quantized along an axis or as a whole."""
    count = 1
    for size in shape:
        count *= size
    scale = 0.25 if axis is None else [0.25 + index / 64 for index in range(shape[axis])]
    data = bytes((37 * index + 11) % 255 ^ 0x80 for index in range(count))
    return TensorSpec(shape, "int8", scale=scale, zero_point=0, axis=axis or 0, data=data)


def bias(count: int) -> TensorSpec:
    """Constant int32 bias."""
    return TensorSpec(
        (count,), "int32", scale=0.125, data=[17 * index - 9 for index in range(count)]
    )


def int32(*values: int) -> TensorSpec:
    """A constant int32 vector."""
    return TensorSpec((len(values),), "int32", data=values)


def int32_scalar(value: int) -> TensorSpec:
    """A constant int32 scalar."""
    return TensorSpec((), "int32", data=value)


def _model(
    opcode: str,
    inputs: Sequence[TensorSpec | None],
    *outputs: TensorSpec,
    **options: object,
) -> Callable[[], bytes]:
    return partial(single_operator, opcode, inputs, outputs, **options)


_PROBABILITY = q8(1, 6, scale=1 / 256, zero_point=-128)
_FLOAT = TensorSpec((1, 6), "float32")
_MATRIX = q8(2, 6)
_IMAGE = q8(1, 4, 4, 2)

EXAMPLES: Mapping[str, Callable[[], bytes]] = {
    "CONV_2D": _model(
        "CONV_2D",
        [q8(1, 5, 5, 2), weights(3, 3, 3, 2, axis=0), bias(3)],
        q8(1, 3, 3, 3),
        padding="SAME",
        stride_w=2,
        stride_h=2,
        fused_activation_function="RELU",
    ),
    "DEPTHWISE_CONV_2D": _model(
        "DEPTHWISE_CONV_2D",
        [q8(1, 5, 5, 2), weights(1, 3, 3, 4, axis=3), bias(4)],
        q8(1, 3, 3, 4),
        padding="VALID",
        stride_w=1,
        stride_h=1,
        depth_multiplier=2,
    ),
    "FULLY_CONNECTED": _model("FULLY_CONNECTED", [q8(2, 6), weights(4, 6), bias(4)], q8(2, 4)),
    "FULLY_CONNECTED per channel": _model(
        "FULLY_CONNECTED", [q8(2, 6), weights(4, 6, axis=0), None], q8(2, 4)
    ),
    "SOFTMAX": _model("SOFTMAX", [q8(1, 6)], _PROBABILITY, beta=1.0),
    "AVERAGE_POOL_2D": _model(
        "AVERAGE_POOL_2D",
        [_IMAGE],
        q8(1, 2, 2, 2),
        padding="VALID",
        stride_w=2,
        stride_h=2,
        filter_width=2,
        filter_height=2,
    ),
    "MAX_POOL_2D": _model(
        "MAX_POOL_2D",
        [_IMAGE],
        q8(1, 2, 2, 2),
        padding="SAME",
        stride_w=2,
        stride_h=2,
        filter_width=3,
        filter_height=3,
    ),
    "ADD": _model("ADD", [_MATRIX, q8(2, 6, scale=0.25)], q8(2, 6, scale=0.75)),
    "SUB": _model("SUB", [_MATRIX, q8(2, 6, scale=0.25)], q8(2, 6, scale=0.75)),
    "MUL": _model(
        "MUL", [_MATRIX, q8(2, 6, scale=0.25)], q8(2, 6), fused_activation_function="RELU6"
    ),
    "ADD broadcast": _model("ADD", [_IMAGE, q8(1, 1, 1, 2)], _IMAGE),
    "RESHAPE": _model("RESHAPE", [_MATRIX, int32(3, -1)], q8(3, 4), new_shape=(3, -1)),
    "SQUEEZE": _model("SQUEEZE", [q8(1, 6, 1)], q8(6), squeeze_dims=(0, 2)),
    "EXPAND_DIMS": _model("EXPAND_DIMS", [_MATRIX, int32_scalar(1)], q8(2, 1, 6)),
    "PAD": _model(
        "PAD",
        [_IMAGE, TensorSpec((4, 2), "int32", data=[[0, 0], [1, 2], [0, 1], [0, 0]])],
        q8(1, 7, 5, 2),
    ),
    "PADV2": _model(
        "PADV2",
        [
            _IMAGE,
            TensorSpec((4, 2), "int32", data=[[0, 0], [1, 0], [0, 1], [0, 0]]),
            TensorSpec((), "int8", scale=0.5, zero_point=3, data=-7),
        ],
        q8(1, 5, 5, 2),
    ),
    "MEAN": _model("MEAN", [_IMAGE, int32(1, 2)], q8(1, 2), keep_dims=False),
    "TRANSPOSE": _model("TRANSPOSE", [_IMAGE, int32(0, 3, 1, 2)], q8(1, 2, 4, 4)),
    "CONCATENATION": _model("CONCATENATION", [_MATRIX, q8(2, 3)], q8(2, 9), axis=1),
    "SPLIT": _model("SPLIT", [int32_scalar(1), _MATRIX], q8(2, 3), q8(2, 3), num_splits=2),
    "SLICE": _model("SLICE", [_MATRIX, int32(0, 2), int32(2, 3)], q8(2, 3)),
    "STRIDED_SLICE": _model(
        "STRIDED_SLICE",
        [_MATRIX, int32(0, 1), int32(2, 6), int32(1, 2)],
        q8(2, 3),
        end_mask=2,
    ),
    "SHAPE": _model("SHAPE", [_IMAGE], TensorSpec((4,), "int32"), out_type="INT32"),
    "SHAPE int64": _model("SHAPE", [_IMAGE], TensorSpec((4,), "int64"), out_type="INT64"),
    "PACK": _model("PACK", [_MATRIX, _MATRIX], q8(2, 2, 6), values_count=2, axis=1),
    "UNPACK": _model("UNPACK", [_MATRIX], q8(6), q8(6), num=2, axis=0),
    "RESIZE_NEAREST_NEIGHBOR": _model(
        "RESIZE_NEAREST_NEIGHBOR", [_IMAGE, int32(8, 6)], q8(1, 8, 6, 2)
    ),
    "RELU": _model("RELU", [_MATRIX], _MATRIX),
    "RELU6": _model("RELU6", [_MATRIX], _MATRIX),
    "LEAKY_RELU": _model("LEAKY_RELU", [_MATRIX], q8(2, 6, scale=0.25), alpha=0.1),
    "HARD_SWISH": _model("HARD_SWISH", [_MATRIX], q8(2, 6, scale=0.25)),
    "LOGISTIC": _model("LOGISTIC", [q8(1, 6)], _PROBABILITY),
    "TANH": _model("TANH", [q8(1, 6)], q8(1, 6, scale=1 / 128, zero_point=0)),
    "QUANTIZE": _model("QUANTIZE", [_FLOAT], q8(1, 6)),
    "QUANTIZE int8": _model("QUANTIZE", [q8(1, 6)], q8(1, 6, scale=0.3, zero_point=-2)),
    "DEQUANTIZE": _model("DEQUANTIZE", [q8(1, 6)], _FLOAT),
}
