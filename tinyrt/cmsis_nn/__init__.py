"""CMSIS-NN: which of its functions compute an operator, and with which arguments.

All that tinyrt knows of that library is in this package: it is a party's knowledge of its own, that
changes with the library's versions and is certified as one. An operator without a place here, or
whose values the library does not take, keeps its own kernel.

Whatever is said holds for every core that the library knows: emitted code is bound to none. Of
working memory the most that any core takes is planned, and the emitted `init` asks the library, as
it was built, whether that suffices.
"""

from tinyrt.cmsis_nn import convolution, layers, movers
from tinyrt.cmsis_nn.calls import Call
from tinyrt.graph import DType, Node
from tinyrt.kernel import Kernel
from tinyrt.movers import Join
from tinyrt.ops.add import Add
from tinyrt.ops.average_pool_2d import AveragePool2D
from tinyrt.ops.conv_2d import Conv2D
from tinyrt.ops.depthwise_conv_2d import DepthwiseConv2D
from tinyrt.ops.fully_connected import FullyConnected
from tinyrt.ops.max_pool_2d import MaxPool2D
from tinyrt.ops.mul import Mul
from tinyrt.ops.pad import Pad
from tinyrt.ops.softmax import Softmax
from tinyrt.ops.transpose import Transpose

__all__ = ["COMMIT", "Call", "calls"]

COMMIT = "99f736a63036613032f9b70de36b493bcd7802d4"
"""The commit of CMSIS-NN that emitted code was certified with."""


def calls(node: Node, kernel: Kernel) -> tuple[Call, ...]:
    """The calls that compute an operator, in order; none where its own kernel is to do it."""
    if node.input(0).dtype is not DType.INT8:
        return ()
    if isinstance(kernel, Join):
        return movers.join(kernel)
    call = _call(kernel)
    return () if call is None else (call,)


def _call(kernel: Kernel) -> Call | None:
    match kernel:
        case Conv2D():
            return convolution.conv_2d(kernel)
        case DepthwiseConv2D():
            return convolution.depthwise_conv_2d(kernel)
        case FullyConnected():
            return layers.fully_connected(kernel)
        case AveragePool2D():
            return layers.average_pool_2d(kernel)
        case MaxPool2D():
            return layers.max_pool_2d(kernel)
        case Softmax():
            return layers.softmax(kernel)
        case Add():
            return layers.add(kernel)
        case Mul():
            return layers.mul(kernel)
        case Pad():
            return movers.pad(kernel)
        case Transpose():
            return movers.transpose(kernel)
    return None
