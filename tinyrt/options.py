"""The enumerations and the options tables of operators in a .tflite file, as declarations.

Only what tinyrt looks at is declared, and no table without fields. To read another operator's
options, declare their table here and add it to `_TABLES`.

**Source:** `tensorflow/compiler/mlir/lite/schema/schema.fbs`; slots count from 0 in the order of
the fields there, tags from 1 in the order of the `BuiltinOptions` union.
"""

from collections.abc import Mapping
from enum import IntEnum

from tinyrt.flatbuffer import INT8, INT32
from tinyrt.records import Record, boolean, integer, named, numbers, real, record

RANK_LIMIT = 8
"""Most dimensions of a tensor, as in LiteRT."""

TensorType = IntEnum(
    "TensorType",
    "FLOAT32 FLOAT16 INT32 UINT8 INT64 STRING BOOL INT16 COMPLEX64 INT8 FLOAT64 COMPLEX128 UINT64 "
    "RESOURCE VARIANT UINT32 UINT16 INT4 BFLOAT16 INT2 UINT4 FLOAT8_E4M3FN FLOAT8_E5M2",
    start=0,
)
Padding = IntEnum("Padding", "SAME VALID", start=0)
ActivationFunctionType = IntEnum(
    "ActivationFunctionType", "NONE RELU RELU_N1_TO_1 RELU6 TANH SIGN_BIT", start=0
)
FullyConnectedWeightsFormat = IntEnum(
    "FullyConnectedWeightsFormat", "DEFAULT SHUFFLED4x16INT8", start=0
)
MirrorPadMode = IntEnum("MirrorPadMode", "REFLECT SYMMETRIC", start=0)
LSTMKernelType = IntEnum("LSTMKernelType", "FULL BASIC", start=0)
BuiltinOperator = IntEnum(
    "BuiltinOperator",
    "ADD AVERAGE_POOL_2D CONCATENATION CONV_2D DEPTHWISE_CONV_2D DEPTH_TO_SPACE DEQUANTIZE "
    "EMBEDDING_LOOKUP FLOOR FULLY_CONNECTED HASHTABLE_LOOKUP L2_NORMALIZATION L2_POOL_2D "
    "LOCAL_RESPONSE_NORMALIZATION LOGISTIC LSH_PROJECTION LSTM MAX_POOL_2D MUL RELU RELU_N1_TO_1 "
    "RELU6 RESHAPE RESIZE_BILINEAR RNN SOFTMAX SPACE_TO_DEPTH SVDF TANH CONCAT_EMBEDDINGS "
    "SKIP_GRAM CALL CUSTOM EMBEDDING_LOOKUP_SPARSE PAD UNIDIRECTIONAL_SEQUENCE_RNN GATHER "
    "BATCH_TO_SPACE_ND SPACE_TO_BATCH_ND TRANSPOSE MEAN SUB DIV SQUEEZE "
    "UNIDIRECTIONAL_SEQUENCE_LSTM STRIDED_SLICE BIDIRECTIONAL_SEQUENCE_RNN EXP TOPK_V2 SPLIT "
    "LOG_SOFTMAX DELEGATE BIDIRECTIONAL_SEQUENCE_LSTM CAST PRELU MAXIMUM ARG_MAX MINIMUM LESS "
    "NEG PADV2 GREATER GREATER_EQUAL LESS_EQUAL SELECT SLICE SIN TRANSPOSE_CONV SPARSE_TO_DENSE "
    "TILE EXPAND_DIMS EQUAL NOT_EQUAL LOG SUM SQRT RSQRT SHAPE POW ARG_MIN FAKE_QUANT "
    "REDUCE_PROD REDUCE_MAX PACK LOGICAL_OR ONE_HOT LOGICAL_AND LOGICAL_NOT UNPACK REDUCE_MIN "
    "FLOOR_DIV REDUCE_ANY SQUARE ZEROS_LIKE FILL FLOOR_MOD RANGE RESIZE_NEAREST_NEIGHBOR "
    "LEAKY_RELU SQUARED_DIFFERENCE MIRROR_PAD ABS SPLIT_V UNIQUE CEIL REVERSE_V2 ADD_N GATHER_ND "
    "COS WHERE RANK ELU REVERSE_SEQUENCE MATRIX_DIAG QUANTIZE MATRIX_SET_DIAG ROUND HARD_SWISH "
    "IF WHILE NON_MAX_SUPPRESSION_V4 NON_MAX_SUPPRESSION_V5 SCATTER_ND SELECT_V2 DENSIFY "
    "SEGMENT_SUM BATCH_MATMUL PLACEHOLDER_FOR_GREATER_OP_CODES CUMSUM CALL_ONCE BROADCAST_TO "
    "RFFT2D CONV_3D IMAG REAL COMPLEX_ABS HASHTABLE HASHTABLE_FIND HASHTABLE_IMPORT "
    "HASHTABLE_SIZE REDUCE_ALL CONV_3D_TRANSPOSE VAR_HANDLE READ_VARIABLE ASSIGN_VARIABLE "
    "BROADCAST_ARGS RANDOM_STANDARD_NORMAL BUCKETIZE RANDOM_UNIFORM MULTINOMIAL GELU "
    "DYNAMIC_UPDATE_SLICE RELU_0_TO_1 UNSORTED_SEGMENT_PROD UNSORTED_SEGMENT_MAX "
    "UNSORTED_SEGMENT_SUM ATAN2 UNSORTED_SEGMENT_MIN SIGN BITCAST BITWISE_XOR RIGHT_SHIFT "
    "STABLEHLO_LOGISTIC STABLEHLO_ADD STABLEHLO_DIVIDE STABLEHLO_MULTIPLY STABLEHLO_MAXIMUM "
    "STABLEHLO_RESHAPE STABLEHLO_CLAMP STABLEHLO_CONCATENATE STABLEHLO_BROADCAST_IN_DIM "
    "STABLEHLO_CONVOLUTION STABLEHLO_SLICE STABLEHLO_CUSTOM_CALL STABLEHLO_REDUCE STABLEHLO_ABS "
    "STABLEHLO_AND STABLEHLO_COSINE STABLEHLO_EXPONENTIAL STABLEHLO_FLOOR STABLEHLO_LOG "
    "STABLEHLO_MINIMUM STABLEHLO_NEGATE STABLEHLO_OR STABLEHLO_POWER STABLEHLO_REMAINDER "
    "STABLEHLO_RSQRT STABLEHLO_SELECT STABLEHLO_SUBTRACT STABLEHLO_TANH STABLEHLO_SCATTER "
    "STABLEHLO_COMPARE STABLEHLO_CONVERT STABLEHLO_DYNAMIC_SLICE STABLEHLO_DYNAMIC_UPDATE_SLICE "
    "STABLEHLO_PAD STABLEHLO_IOTA STABLEHLO_DOT_GENERAL STABLEHLO_REDUCE_WINDOW STABLEHLO_SORT "
    "STABLEHLO_WHILE STABLEHLO_GATHER STABLEHLO_TRANSPOSE DILATE STABLEHLO_RNG_BIT_GENERATOR "
    "REDUCE_WINDOW STABLEHLO_COMPOSITE STABLEHLO_SHIFT_LEFT STABLEHLO_CBRT STABLEHLO_CASE",
    start=0,
)


@record
class Conv2DOptions(Record):
    """CONV_2D."""

    padding: Padding = named(0, INT8, Padding.SAME)
    stride_w: int = integer(1, INT32)
    stride_h: int = integer(2, INT32)
    fused_activation_function: ActivationFunctionType = named(3, INT8, ActivationFunctionType.NONE)
    dilation_w_factor: int = integer(4, INT32, 1)
    dilation_h_factor: int = integer(5, INT32, 1)
    quantized_bias_type: TensorType = named(6, INT8, TensorType.FLOAT32)


@record
class DepthwiseConv2DOptions(Record):
    """DEPTHWISE_CONV_2D; the multiplier that counts follows from the shapes."""

    padding: Padding = named(0, INT8, Padding.SAME)
    stride_w: int = integer(1, INT32)
    stride_h: int = integer(2, INT32)
    depth_multiplier: int = integer(3, INT32)
    fused_activation_function: ActivationFunctionType = named(4, INT8, ActivationFunctionType.NONE)
    dilation_w_factor: int = integer(5, INT32, 1)
    dilation_h_factor: int = integer(6, INT32, 1)


@record
class Pool2DOptions(Record):
    """AVERAGE_POOL_2D and MAX_POOL_2D."""

    padding: Padding = named(0, INT8, Padding.SAME)
    stride_w: int = integer(1, INT32)
    stride_h: int = integer(2, INT32)
    filter_width: int = integer(3, INT32)
    filter_height: int = integer(4, INT32)
    fused_activation_function: ActivationFunctionType = named(5, INT8, ActivationFunctionType.NONE)


@record
class FullyConnectedOptions(Record):
    """FULLY_CONNECTED."""

    fused_activation_function: ActivationFunctionType = named(0, INT8, ActivationFunctionType.NONE)
    weights_format: FullyConnectedWeightsFormat = named(
        1, INT8, FullyConnectedWeightsFormat.DEFAULT
    )
    keep_num_dims: bool = boolean(2)
    asymmetric_quantize_inputs: bool = boolean(3)
    quantized_bias_type: TensorType = named(4, INT8, TensorType.FLOAT32)


@record
class TransposeConvOptions(Record):
    """TRANSPOSE_CONV."""

    padding: Padding = named(0, INT8, Padding.SAME)
    stride_w: int = integer(1, INT32)
    stride_h: int = integer(2, INT32)
    fused_activation_function: ActivationFunctionType = named(3, INT8, ActivationFunctionType.NONE)
    quantized_bias_type: TensorType = named(4, INT8, TensorType.FLOAT32)


@record
class SVDFOptions(Record):
    """SVDF."""

    rank: int = integer(0, INT32)
    fused_activation_function: ActivationFunctionType = named(1, INT8, ActivationFunctionType.NONE)
    asymmetric_quantize_inputs: bool = boolean(2)


@record
class UnidirectionalSequenceLSTMOptions(Record):
    """UNIDIRECTIONAL_SEQUENCE_LSTM."""

    fused_activation_function: ActivationFunctionType = named(0, INT8, ActivationFunctionType.NONE)
    cell_clip: float = real(1)
    proj_clip: float = real(2)
    time_major: bool = boolean(3)
    asymmetric_quantize_inputs: bool = boolean(4)
    diagonal_recurrent_tensors: bool = boolean(5)


@record
class BatchMatMulOptions(Record):
    """BATCH_MATMUL."""

    adj_x: bool = boolean(0)
    adj_y: bool = boolean(1)
    asymmetric_quantize_inputs: bool = boolean(2)


@record
class SoftmaxOptions(Record):
    """SOFTMAX."""

    beta: float = real(0)


@record
class AddOptions(Record):
    """ADD."""

    fused_activation_function: ActivationFunctionType = named(0, INT8, ActivationFunctionType.NONE)
    pot_scale_int16: bool = boolean(1, default=True)


@record
class SubOptions(Record):
    """SUB."""

    fused_activation_function: ActivationFunctionType = named(0, INT8, ActivationFunctionType.NONE)
    pot_scale_int16: bool = boolean(1, default=True)


@record
class MulOptions(Record):
    """MUL."""

    fused_activation_function: ActivationFunctionType = named(0, INT8, ActivationFunctionType.NONE)


@record
class ConcatenationOptions(Record):
    """CONCATENATION."""

    axis: int = integer(0, INT32)
    fused_activation_function: ActivationFunctionType = named(1, INT8, ActivationFunctionType.NONE)


@record
class ReshapeOptions(Record):
    """RESHAPE, where the shape is no input."""

    new_shape: tuple[int, ...] = numbers(0, INT32, RANK_LIMIT)


@record
class SqueezeOptions(Record):
    """SQUEEZE."""

    squeeze_dims: tuple[int, ...] = numbers(0, INT32, RANK_LIMIT)


@record
class ReducerOptions(Record):
    """MEAN, SUM, REDUCE_MAX and the other reductions."""

    keep_dims: bool = boolean(0)


@record
class SplitOptions(Record):
    """SPLIT."""

    num_splits: int = integer(0, INT32)


@record
class StridedSliceOptions(Record):
    """STRIDED_SLICE."""

    begin_mask: int = integer(0, INT32)
    end_mask: int = integer(1, INT32)
    ellipsis_mask: int = integer(2, INT32)
    new_axis_mask: int = integer(3, INT32)
    shrink_axis_mask: int = integer(4, INT32)
    offset: bool = boolean(5)


@record
class ShapeOptions(Record):
    """SHAPE."""

    out_type: TensorType = named(0, INT8, TensorType.FLOAT32)


@record
class PackOptions(Record):
    """PACK."""

    values_count: int = integer(0, INT32)
    axis: int = integer(1, INT32)


@record
class UnpackOptions(Record):
    """UNPACK."""

    num: int = integer(0, INT32)
    axis: int = integer(1, INT32)


@record
class GatherOptions(Record):
    """GATHER."""

    axis: int = integer(0, INT32)
    batch_dims: int = integer(1, INT32)


@record
class ResizeBilinearOptions(Record):
    """RESIZE_BILINEAR; slots 0 and 1 are deprecated."""

    align_corners: bool = boolean(2)
    half_pixel_centers: bool = boolean(3)


@record
class ResizeNearestNeighborOptions(Record):
    """RESIZE_NEAREST_NEIGHBOR."""

    align_corners: bool = boolean(0)
    half_pixel_centers: bool = boolean(1)


@record
class LeakyReluOptions(Record):
    """LEAKY_RELU."""

    alpha: float = real(0)


@record
class MirrorPadOptions(Record):
    """MIRROR_PAD."""

    mode: MirrorPadMode = named(0, INT8, MirrorPadMode.REFLECT)


_TABLES: tuple[tuple[int, type[Record], tuple[BuiltinOperator, ...]], ...] = (
    (1, Conv2DOptions, (BuiltinOperator.CONV_2D,)),
    (2, DepthwiseConv2DOptions, (BuiltinOperator.DEPTHWISE_CONV_2D,)),
    (5, Pool2DOptions, (BuiltinOperator.AVERAGE_POOL_2D, BuiltinOperator.MAX_POOL_2D)),
    (6, SVDFOptions, (BuiltinOperator.SVDF,)),
    (8, FullyConnectedOptions, (BuiltinOperator.FULLY_CONNECTED,)),
    (9, SoftmaxOptions, (BuiltinOperator.SOFTMAX,)),
    (10, ConcatenationOptions, (BuiltinOperator.CONCATENATION,)),
    (11, AddOptions, (BuiltinOperator.ADD,)),
    (15, ResizeBilinearOptions, (BuiltinOperator.RESIZE_BILINEAR,)),
    (17, ReshapeOptions, (BuiltinOperator.RESHAPE,)),
    (21, MulOptions, (BuiltinOperator.MUL,)),
    (23, GatherOptions, (BuiltinOperator.GATHER,)),
    (27, ReducerOptions, (BuiltinOperator.MEAN, BuiltinOperator.SUM, BuiltinOperator.REDUCE_MAX)),
    (28, SubOptions, (BuiltinOperator.SUB,)),
    (30, SqueezeOptions, (BuiltinOperator.SQUEEZE,)),
    (32, StridedSliceOptions, (BuiltinOperator.STRIDED_SLICE,)),
    (35, SplitOptions, (BuiltinOperator.SPLIT,)),
    (49, TransposeConvOptions, (BuiltinOperator.TRANSPOSE_CONV,)),
    (55, ShapeOptions, (BuiltinOperator.SHAPE,)),
    (59, PackOptions, (BuiltinOperator.PACK,)),
    (64, UnpackOptions, (BuiltinOperator.UNPACK,)),
    (71, UnidirectionalSequenceLSTMOptions, (BuiltinOperator.UNIDIRECTIONAL_SEQUENCE_LSTM,)),
    (74, ResizeNearestNeighborOptions, (BuiltinOperator.RESIZE_NEAREST_NEIGHBOR,)),
    (75, LeakyReluOptions, (BuiltinOperator.LEAKY_RELU,)),
    (77, MirrorPadOptions, (BuiltinOperator.MIRROR_PAD,)),
    (101, BatchMatMulOptions, (BuiltinOperator.BATCH_MATMUL,)),
)

BUILTIN_OPTIONS: Mapping[int, type[Record]] = {tag: table for tag, table, _ in _TABLES}
"""The options tables by their tag in the `BuiltinOptions` union."""
OPTIONS_OF: Mapping[BuiltinOperator, type[Record]] = {
    operator: table for _, table, operators in _TABLES for operator in operators
}
"""The options tables by the operators that have them."""
