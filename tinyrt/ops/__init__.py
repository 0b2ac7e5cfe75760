"""The operators: one explicit line each."""

from tinyrt.kernel import Kernel
from tinyrt.ops.add import Add, AddInt32
from tinyrt.ops.average_pool_2d import AveragePool2D
from tinyrt.ops.concatenation import Concatenation
from tinyrt.ops.conv_2d import Conv2D
from tinyrt.ops.depthwise_conv_2d import DepthwiseConv2D
from tinyrt.ops.dequantize import Dequantize, DequantizeInt16
from tinyrt.ops.expand_dims import ExpandDims
from tinyrt.ops.fully_connected import FullyConnected
from tinyrt.ops.hard_swish import HardSwish
from tinyrt.ops.leaky_relu import LeakyRelu
from tinyrt.ops.logistic import Logistic
from tinyrt.ops.max_pool_2d import MaxPool2D
from tinyrt.ops.mean import Mean
from tinyrt.ops.mul import Mul, MulInt32
from tinyrt.ops.pack import Pack
from tinyrt.ops.pad import Pad, PadV2
from tinyrt.ops.quantize import Quantize, QuantizeInt16, Requantize, RequantizeBytes
from tinyrt.ops.relu import Relu
from tinyrt.ops.relu6 import Relu6
from tinyrt.ops.reshape import Reshape
from tinyrt.ops.resize_nearest_neighbor import ResizeNearestNeighbor
from tinyrt.ops.shape import ShapeOf
from tinyrt.ops.slice import Slice
from tinyrt.ops.softmax import Softmax
from tinyrt.ops.split import Split
from tinyrt.ops.squeeze import Squeeze
from tinyrt.ops.strided_slice import StridedSlice
from tinyrt.ops.sub import Sub, SubInt32
from tinyrt.ops.tanh import Tanh
from tinyrt.ops.transpose import Transpose
from tinyrt.ops.unpack import Unpack

ALL: tuple[type[Kernel], ...] = (
    Add,
    AddInt32,
    AveragePool2D,
    Concatenation,
    Conv2D,
    DepthwiseConv2D,
    Dequantize,
    DequantizeInt16,
    ExpandDims,
    FullyConnected,
    HardSwish,
    LeakyRelu,
    Logistic,
    MaxPool2D,
    Mean,
    Mul,
    MulInt32,
    Pack,
    Pad,
    PadV2,
    Quantize,
    QuantizeInt16,
    Relu,
    Relu6,
    Requantize,
    RequantizeBytes,
    Reshape,
    ResizeNearestNeighbor,
    ShapeOf,
    Slice,
    Softmax,
    Split,
    Squeeze,
    StridedSlice,
    Sub,
    SubInt32,
    Tanh,
    Transpose,
    Unpack,
)
