"""Whole networks as converters emit them, at any size, with seeded weights."""

from collections.abc import Callable
from itertools import product

from tests.layers import Net
from tests.values import Quant, Value

PIXELS = Quant(1 / 255, -128)
"""Pixels of 0 to 255 as keras rescales them, 0 to 1."""
BLOCKS = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
"""MobileNetV2: expansion, channels, repeats, stride of the first of them."""


def channels_of(count: float) -> int:
    """The nearest multiple of 8, not more than a tenth below, as torchvision rounds widths."""
    rounded = max(8, int(count + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * count else rounded


def mobilenet_v2(
    width: float = 1.0,
    resolution: int = 224,
    batch: int = 1,
    *,
    classes: int = 1000,
    features: int = 1280,
    nchw: bool = False,
    pool: bool = False,
) -> bytes:
    """MobileNetV2 from PyTorch: padding by PAD, because PyTorch pads both ends; float32 I/O.

    Args:
        width: multiplier of the channels; (1.0, 224) takes 300 million MACs.
        resolution: height and width of the input, a multiple of 32.
        batch: of the input.
        classes: of the output.
        features: channels of the last convolution.
        nchw: the input is as PyTorch has it, and a TRANSPOSE makes it NHWC.
        pool: AVERAGE_POOL_2D over the last feature map, instead of MEAN.
    """
    net = Net(2018)
    size = (resolution, resolution)
    x = image = net.input("input", (batch, 3, *size) if nchw else (batch, *size, 3))
    if nchw:
        x = net.transpose(x, "input/nhwc", (0, 2, 3, 1))
    x = net.quantize(x, "input/int8")
    x = net.pad(x, "features.0.0/pad", 1, 1)
    stem = channels_of(32 * width)
    x = net.conv(x, "features.0.0", stem, 3, stride=2, padding="VALID", activation="RELU6")
    number = 1
    for expansion, channels, repeats, first_stride in BLOCKS:
        for repeat in range(repeats):
            stride = 1 if repeat else first_stride
            x = _inverted_residual(
                net, x, f"features.{number}", expansion, channels_of(channels * width), stride
            )
            number += 1
    x = net.conv(x, f"features.{number}.0", features, activation="RELU6")
    x = net.pool(x, "pool", "AVERAGE_POOL_2D", x.shape[1]) if pool else net.mean(x, "mean")
    x = net.reshape(x, "flatten", -1, features)
    x = net.fully_connected(x, "classifier.1", classes)
    x = net.softmax(x, "softmax")
    return net.finish([image], [net.dequantize(x, "output")])


def _inverted_residual(
    net: Net, x: Value, name: str, expansion: int, channels: int, stride: int
) -> Value:
    source = x
    if expansion > 1:
        x = net.conv(x, f"{name}.conv.0", expansion * x.shape[3], activation="RELU6")
    padding = "SAME"
    if stride > 1:
        x = net.pad(x, f"{name}.conv.1/pad", 1, 1)
        padding = "VALID"
    x = net.depthwise(x, f"{name}.conv.1", stride=stride, padding=padding, activation="RELU6")
    x = net.conv(x, f"{name}.conv.2", channels)
    return net.add(source, x, f"{name}/add") if x.shape == source.shape else x


def detector(resolution: int = 32, batch: int = 1, *, classes: int = 4, anchors: int = 2) -> bytes:
    """A detector of two scales: boxes, scores and areas as float32.

    Boxes are [batch, candidates, 4]: y and x of two corners, in pixels; scores are
    [batch, candidates, classes], areas [batch, candidates, 1].

    Args:
        resolution: height and width of the input, a multiple of 16.
        batch: of the input.
        classes: that are told apart.
        anchors: candidates for each cell of a feature map.
    """
    net = Net(2019)
    image = net.input("image", (batch, resolution, resolution, 3))
    x = net.quantize(image, "image/int8")
    x = net.hard_swish(net.conv(x, "stem", 8, 3, stride=2), "stem/swish")
    x = _separable(net, x, "backbone.1", 16)
    x = fine = _separable(net, x, "backbone.2", 24)
    coarse = _separable(net, x, "backbone.3", 32)
    lateral = net.leaky_relu(net.conv(coarse, "neck.lateral", 24), "neck.lateral/leaky")
    above = net.resize(lateral, "neck.up", 2)
    beside = net.quantize(fine, "neck.fine", above.quant)
    fine = net.conv(net.concatenate([above, beside], "neck.concat", 3), "neck.fuse", 24)
    fine = net.leaky_relu(fine, "neck.fuse/leaky")
    decoded = [
        _head(net, feature, f"head.{number}", resolution, classes, anchors)
        for number, feature in enumerate((fine, coarse))
    ]
    corners, scores = (
        net.concatenate(parts, name, 1)
        for parts, name in zip(zip(*decoded, strict=True), ("corners", "scores"), strict=True)
    )
    outputs = [
        net.dequantize(_rows_first(net, corners), "boxes"),
        net.dequantize(scores, "scores"),
        net.dequantize(_areas(net, corners), "areas"),
    ]
    return net.finish([image], outputs)


def _separable(net: Net, x: Value, name: str, channels: int) -> Value:
    """Halves height and width."""
    x = net.depthwise(x, f"{name}/depthwise", stride=2, activation="RELU6")
    return net.conv(x, f"{name}/pointwise", channels, activation="RELU6")


def _head(
    net: Net, x: Value, name: str, resolution: int, classes: int, anchors: int
) -> tuple[Value, Value]:
    """Corners [batch, candidates, 4] and scores [batch, candidates, classes] of one scale."""
    _, rows, columns, _ = x.shape
    cells, pitch = rows * columns, resolution // rows
    x = net.conv(x, f"{name}/predict", anchors * (5 + classes))
    x = net.reshape(x, f"{name}/cells", -1, cells, anchors, 5 + classes)
    x = net.transpose(x, f"{name}/anchors", (0, 2, 1, 3))
    x = net.logistic(x, f"{name}/logistic")

    def scalar(label: str, value: float) -> Value:
        return net.constant(f"{name}/{label}", (), [value])

    centre = net.mul(net.last(x, f"{name}/xy", 0, 2), scalar("two", 2.0), f"{name}/xy/twice")
    centre = net.sub(centre, scalar("half", 0.5), f"{name}/xy/centred")
    grid = [float(v) for y, x in product(range(rows), range(columns)) for v in (x, y)]
    centre = net.add(
        centre, net.constant(f"{name}/grid", (1, 1, cells, 2), grid), f"{name}/xy/grid"
    )
    centre = net.mul(centre, scalar("pitch", float(pitch)), f"{name}/xy/pixels")
    root = net.last(x, f"{name}/wh", 2, 4)
    sizes = [pitch * (1.0 + anchor + side) for anchor in range(anchors) for side in (0.0, 0.5)]
    anchor = net.constant(f"{name}/anchor_sizes", (1, anchors, 1, 2), sizes)
    extent = net.mul(net.mul(root, root, f"{name}/wh/square"), anchor, f"{name}/wh/pixels")
    # One scale for all corners, so that they can be joined.
    quant = Quant.over(-0.5 * resolution, 1.5 * resolution)
    low = net.sub(centre, extent, f"{name}/low", quant)
    high = net.add(centre, extent, f"{name}/high", quant)
    corners = net.concatenate([low, high], f"{name}/corners", 3)
    found = net.squeeze(net.last(x, f"{name}/found", 4, 5), f"{name}/found/flat", 3)
    found = net.expand_dims(found, f"{name}/found/column", 3)
    scores = net.mul(found, net.slice(x, f"{name}/classes", 5), f"{name}/scores")
    scores = net.quantize(scores, f"{name}/scores/int8", Quant(1 / 256, -128))
    return (
        net.reshape(corners, f"{name}/corners/rows", -1, anchors * cells, 4),
        net.reshape(scores, f"{name}/scores/rows", -1, anchors * cells, classes),
    )


def _rows_first(net: Net, corners: Value) -> Value:
    """Corners x, y, x, y as y, x, y, x."""
    x1, y1, x2, y2 = net.unpack(corners, "corners/unpacked")
    return net.pack([y1, x1, y2, x2], "corners/packed")


def _areas(net: Net, corners: Value) -> Value:
    low, high = net.split(corners, "corners/split", 2)
    width, height = net.unpack(net.sub(high, low, "areas/extent"), "areas/unpacked")
    return net.expand_dims(net.mul(width, height, "areas/flat"), "areas/column", 2)


def keras_classifier(resolution: int = 16, batch: int = 1, *, classes: int = 10) -> bytes:
    """A small classifier from keras with int8 I/O, whose Flatten asks for the batch at run time.

    Args:
        resolution: height and width of the input, a multiple of 8.
        batch: of the input.
        classes: of the output.
    """
    net = Net(2015)
    image = net.input("serving_default_image:0", (batch, resolution, resolution, 1), PIXELS)
    x = net.conv(image, "model/conv2d/Relu", 8, 3, activation="RELU")
    x = net.pool(x, "model/max_pooling2d/MaxPool", "MAX_POOL_2D", 2)
    x = net.depthwise(x, "model/depthwise_conv2d/Relu", activation="RELU")
    x = net.conv(x, "model/conv2d_1/Relu", 12, activation="RELU")
    x = net.pool(x, "model/average_pooling2d/AvgPool", "AVERAGE_POOL_2D", 2)
    x = net.flatten(x, "model/flatten")
    x = net.fully_connected(x, "model/dense/Relu", 24, activation="RELU", per_channel=False)
    x = net.fully_connected(x, "model/dense_1/BiasAdd", classes, per_channel=False)
    return net.finish([image], [net.softmax(x, "StatefulPartitionedCall:0")])


def branches(resolution: int = 16, *, width: int = 4) -> bytes:
    """Branches side by side, as exporters write them: all first layers, then all second ones.

    Args:
        resolution: height and width of the input.
        width: number of branches.
    """
    net = Net(2014)
    image = net.input("image", (1, resolution, resolution, 3), PIXELS)
    wide = [net.conv(image, f"wide.{n}", 16, 3, activation="RELU") for n in range(width)]
    narrow = [net.pool(x, f"pool.{n}", "MAX_POOL_2D", 4) for n, x in enumerate(wide)]
    quant = narrow[0].quant
    level = [net.quantize(x, f"level.{n}", quant) for n, x in enumerate(narrow)]
    x = net.conv(net.concatenate(level, "joined", 3), "mix", 12)
    return net.finish([image], [net.mean(x, "mean")])


SMALL: dict[str, Callable[[], bytes]] = {
    "mobilenet_v2": lambda: mobilenet_v2(0.1, 32, classes=10, features=64),
    "mobilenet_v2 from NCHW, pooled": lambda: mobilenet_v2(
        0.1, 32, 2, classes=10, features=64, nchw=True, pool=True
    ),
    "detector": detector,
    "detector of a batch": lambda: detector(32, 2),
    "keras_classifier": keras_classifier,
    "keras_classifier of a batch": lambda: keras_classifier(16, 3),
}
"""Of each kind, as small as it gets."""
