"""Models with random weights: MobileNetV2 whole, and single layers of the shapes of real models."""

from collections.abc import Callable, Mapping
from functools import partial

from tests.layers import Net
from tests.values import Quant
from tests.zoo import BLOCKS

RELU6 = Quant(6 / 255, -128)
"""What follows a ReLU6."""
SIGNED = Quant(8 / 255, -3)
"""What follows a layer without activation, or is an image."""
CLIPPED = "RELU6"


def mobilenet_v2() -> bytes:
    """MobileNetV2 1.0 at 224x224 with 1,000 classes, int8 throughout: 300 million MACs."""
    net = Net(224)
    image = net.input("image", (1, 224, 224, 3), SIGNED)
    x = net.conv(image, "stem", 32, 3, stride=2, activation=CLIPPED)
    for number, (expansion, channels, repeats, first_stride) in enumerate(BLOCKS):
        for repeat in range(repeats):
            source, name = x, f"block_{number}_{repeat}"
            if expansion > 1:
                x = net.conv(x, f"{name}/expand", expansion * x.shape[3], activation=CLIPPED)
            stride = 1 if repeat else first_stride
            x = net.depthwise(x, f"{name}/depthwise", stride=stride, activation=CLIPPED)
            x = net.conv(x, f"{name}/project", channels)
            if repeat:
                x = net.add(source, x, f"{name}/add")
    x = net.conv(x, "features", 1280, activation=CLIPPED)
    x = net.pool(x, "pool", "AVERAGE_POOL_2D", 7)
    x = net.fully_connected(net.reshape(x, "flat", 1, 1280), "classes", 1000)
    return net.finish([image], [net.softmax(x, "softmax")])


Layer = Callable[[], bytes]
"""Builds a model of one operator."""


def _conv(
    *source: int,
    outputs: int,
    kernel: int | tuple[int, int] = 1,
    stride: int = 1,
    activation: str = CLIPPED,
    quant: Quant = RELU6,
) -> Layer:
    def build() -> bytes:
        net = Net(1)
        x = net.input("input", (1, *source), quant)
        y = net.conv(x, "layer", outputs, kernel, stride=stride, activation=activation)
        return net.finish([x], [y])

    return build


def _depthwise(*source: int, stride: int = 1) -> Layer:
    def build() -> bytes:
        net = Net(2)
        x = net.input("input", (1, *source), RELU6)
        y = net.depthwise(x, "layer", stride=stride, activation=CLIPPED)
        return net.finish([x], [y])

    return build


def _dense(depth: int, outputs: int, *, activation: str = CLIPPED, quant: Quant = RELU6) -> Layer:
    def build() -> bytes:
        net = Net(3)
        x = net.input("input", (1, depth), quant)
        y = net.fully_connected(x, "layer", outputs, activation=activation, per_channel=False)
        return net.finish([x], [y])

    return build


def _add(*source: int) -> Layer:
    def build() -> bytes:
        net = Net(4)
        x, y = (net.input(name, (1, *source), SIGNED) for name in ("first", "second"))
        return net.finish([x, y], [net.add(x, y, "layer")])

    return build


def _pool(*source: int) -> Layer:
    def build() -> bytes:
        net = Net(5)
        x = net.input("input", (1, *source), RELU6)
        return net.finish([x], [net.pool(x, "layer", "AVERAGE_POOL_2D", source[0])])

    return build


def _softmax(classes: int) -> Layer:
    def build() -> bytes:
        net = Net(6)
        x = net.input("input", (1, classes), SIGNED)
        return net.finish([x], [net.softmax(x, "layer")])

    return build


_linear = partial(_conv, activation="NONE")
_expand = partial(_conv, quant=SIGNED)

LAYERS: Mapping[str, Layer] = {
    # a window over few channels, then over many
    "kws/conv10x4_s2_49x10x1_64": _conv(
        49, 10, 1, outputs=64, kernel=(10, 4), stride=2, quant=SIGNED
    ),
    "vww/conv3x3_s2_96x96x3_8": _conv(96, 96, 3, outputs=8, kernel=3, stride=2),
    "mobilenet/conv3x3_s2_224x224x3_32": _expand(224, 224, 3, outputs=32, kernel=3, stride=2),
    "resnet/conv3x3_32x32x16_16": _conv(32, 32, 16, outputs=16, kernel=3),
    "resnet/conv3x3_s2_16x16x32_64": _conv(16, 16, 32, outputs=64, kernel=3, stride=2),
    "resnet/conv3x3_8x8x64_64_linear": _linear(8, 8, 64, outputs=64, kernel=3),
    # 1x1: from many positions and few channels to few positions and many channels
    "mobilenet/conv1x1_112x112x32_16_linear": _linear(112, 112, 32, outputs=16),
    "mobilenet/conv1x1_56x56x24_144": _expand(56, 56, 24, outputs=144),
    "vww/conv1x1_48x48x8_16": _conv(48, 48, 8, outputs=16),
    "vww/conv1x1_24x24x32_32": _conv(24, 24, 32, outputs=32),
    "resnet/conv1x1_s2_32x32x16_32_linear": _linear(32, 32, 16, outputs=32, stride=2),
    "mobilenet/conv1x1_14x14x384_64_linear": _linear(14, 14, 384, outputs=64),
    "mobilenet/conv1x1_14x14x64_384": _expand(14, 14, 64, outputs=384),
    "kws/conv1x1_25x5x64_64": _conv(25, 5, 64, outputs=64),
    "mobilenet/conv1x1_7x7x160_960": _expand(7, 7, 160, outputs=960),
    "mobilenet/conv1x1_7x7x960_320_linear": _linear(7, 7, 960, outputs=320),
    "vww/conv1x1_6x6x128_128": _conv(6, 6, 128, outputs=128),
    "vww/conv1x1_3x3x256_256": _conv(3, 3, 256, outputs=256),
    # depthwise, 3x3
    "mobilenet/depthwise_112x112x32": _depthwise(112, 112, 32),
    "mobilenet/depthwise_s2_56x56x144": _depthwise(56, 56, 144, stride=2),
    "vww/depthwise_48x48x8": _depthwise(48, 48, 8),
    "vww/depthwise_s2_48x48x16": _depthwise(48, 48, 16, stride=2),
    "kws/depthwise_25x5x64": _depthwise(25, 5, 64),
    "mobilenet/depthwise_14x14x384": _depthwise(14, 14, 384),
    "vww/depthwise_6x6x128": _depthwise(6, 6, 128),
    # dense
    "ad/dense_640_128": _dense(640, 128, quant=SIGNED),
    "ad/dense_128_128": _dense(128, 128),
    "ad/dense_8_128": _dense(8, 128),
    "ad/dense_128_640_linear": _dense(128, 640, activation="NONE"),
    "mobilenet/dense_1280_1000_linear": _dense(1280, 1000, activation="NONE"),
    # the rest
    "resnet/add_32x32x16": _add(32, 32, 16),
    "mobilenet/add_14x14x64": _add(14, 14, 64),
    "resnet/pool_8x8x64": _pool(8, 8, 64),
    "vww/pool_3x3x256": _pool(3, 3, 256),
    "kws/softmax_12": _softmax(12),
    "mobilenet/softmax_1000": _softmax(1000),
}
"""Layers, by the model that has one of that shape and what it is."""
