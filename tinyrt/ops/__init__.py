"""The operators: one explicit line each."""

from tinyrt.kernel import Kernel
from tinyrt.ops.conv_2d import Conv2D
from tinyrt.ops.depthwise_conv_2d import DepthwiseConv2D
from tinyrt.ops.fully_connected import FullyConnected
from tinyrt.ops.reshape import Reshape

ALL: tuple[type[Kernel], ...] = (
    Conv2D,
    DepthwiseConv2D,
    FullyConnected,
    Reshape,
)
