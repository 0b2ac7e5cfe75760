"""The operators: one explicit line each."""

from tinyrt.kernel import Kernel
from tinyrt.ops.average_pool_2d import AveragePool2D
from tinyrt.ops.concatenation import Concatenation
from tinyrt.ops.conv_2d import Conv2D
from tinyrt.ops.depthwise_conv_2d import DepthwiseConv2D
from tinyrt.ops.expand_dims import ExpandDims
from tinyrt.ops.fully_connected import FullyConnected
from tinyrt.ops.max_pool_2d import MaxPool2D
from tinyrt.ops.reshape import Reshape
from tinyrt.ops.squeeze import Squeeze

ALL: tuple[type[Kernel], ...] = (
    AveragePool2D,
    Concatenation,
    Conv2D,
    DepthwiseConv2D,
    ExpandDims,
    FullyConnected,
    MaxPool2D,
    Reshape,
    Squeeze,
)
