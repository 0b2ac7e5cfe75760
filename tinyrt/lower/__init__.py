"""Lowering: the C kernel that computes an operator in the fewest instructions.

An operator's own kernel is its definition in C, plain and general. A lowered one asks for more
preparation: weights in the order of its loops, the input's zero-point folded into the biases,
scales as what one instruction can apply. All of it is computed here, with the proof that no byte
of the output changes; an operator for which there is none keeps its own kernel.
"""

from tinyrt.kernel import CKernel, Kernel
from tinyrt.lower.add_same import AddSame
from tinyrt.lower.conv_2d_packed import Conv2DPacked
from tinyrt.lower.depthwise_conv_3x3 import DepthwiseConv3x3
from tinyrt.lower.depthwise_conv_fours import DepthwiseConvFours
from tinyrt.lower.fully_connected_packed import FullyConnectedPacked
from tinyrt.lower.fully_connected_wide import FullyConnectedWide
from tinyrt.ops.add import Add
from tinyrt.ops.conv_2d import Conv2D
from tinyrt.ops.depthwise_conv_2d import DepthwiseConv2D
from tinyrt.ops.fully_connected import FullyConnected

ALL: tuple[type[CKernel], ...] = (
    AddSame,
    Conv2DPacked,
    DepthwiseConv3x3,
    DepthwiseConvFours,
    FullyConnectedPacked,
    FullyConnectedWide,
)
"""Every kernel that operators are lowered to."""


def lowered(
    kernel: Kernel, room: int | None, known: CKernel | None = None, *, alike: bool = False
) -> CKernel | None:
    """The kernel that stands in for an operator's own, if there is one.

    Args:
        kernel: the operator.
        room: bytes of working memory that enlarge no arena; None: as much as helps.
        known: what stands in for the operator of which this is a strip, or for another strip:
            weights that are packed for that one need not be packed again.
        alike: whether the kernel must read the very weights of that one.
    """
    match kernel:
        case Add():
            return AddSame.of(kernel, known)
        case Conv2D():
            return Conv2DPacked.of(kernel, known)
        case DepthwiseConv2D():
            found = DepthwiseConv3x3.of(kernel, room, known, alike=alike)
            return found or Conv2DPacked.of(kernel, known) or DepthwiseConvFours.of(kernel)
        case FullyConnected():
            return FullyConnectedPacked.of(kernel) or FullyConnectedWide.of(kernel)
    return None
