"""Quantized layers of real shapes with random weights: single ones, and a whole MobileNetV2.

Scales are chosen so that sums neither vanish nor saturate: a layer is given the root mean square
that its inputs will have, and its weights the scale under which its own outputs have a known one.
"""

import math
import random
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

from tests.builder import ModelBuilder

SPREAD = 1.5
"""Standard deviation, in real units, of the sums of every layer."""
_WEIGHT_DEVIATION = 40
_RELU6_SCALE = 6 / 255
_NORMAL = bytes(
    max(-127, min(127, round(NormalDist(0, _WEIGHT_DEVIATION).inv_cdf((rank + 0.5) / 256)))) & 0xFF
    for rank in range(256)
)
"""Turns uniform bytes into normally distributed weights."""


@dataclass(frozen=True, slots=True)
class Feature:
    """A tensor of a model that is being built."""

    index: int
    shape: tuple[int, ...]
    scale: float
    zero_point: int
    rms: float
    """Expected root mean square, in real units."""


class Network:
    """Builds a model layer by layer; the same seed gives the same bytes."""

    def __init__(self, seed: int) -> None:
        """Begin without layers."""
        self._model = ModelBuilder()
        self._rng = random.Random(seed)
        self._inputs: list[Feature] = []

    def input(self, *shape: int, zero_point: int = -128) -> Feature:
        """An input of the model; −128 is the zero-point behind a ReLU, −1 that of an image."""
        # Root mean square of uniform int8 values about their zero-point.
        steps = math.sqrt(sum((value - zero_point) ** 2 for value in range(-128, 128)) / 256)
        feature = self._feature("input", shape, _RELU6_SCALE, zero_point, _RELU6_SCALE * steps)
        self._inputs.append(feature)
        return feature

    def conv(
        self,
        source: Feature,
        channels: int,
        kernel: tuple[int, int] = (1, 1),
        stride: int = 1,
        *,
        linear: bool = False,
    ) -> Feature:
        """CONV_2D with SAME padding, a scale for each channel, and RELU6 unless `linear`."""
        batches, height, width, depth = source.shape
        filter_, bias = self._weights(
            source, (channels, *kernel, depth), 0, depth * math.prod(kernel)
        )
        result = self._result(
            (batches, -(-height // stride), -(-width // stride), channels), linear
        )
        self._model.operator(
            "CONV_2D",
            [source.index, filter_, bias],
            [result.index],
            padding="SAME",
            stride_h=stride,
            stride_w=stride,
            dilation_h_factor=1,
            dilation_w_factor=1,
            fused_activation_function="NONE" if linear else "RELU6",
        )
        return result

    def depthwise(self, source: Feature, stride: int = 1) -> Feature:
        """DEPTHWISE_CONV_2D, 3x3, SAME padding, RELU6."""
        batches, height, width, depth = source.shape
        filter_, bias = self._weights(source, (1, 3, 3, depth), 3, 9)
        result = self._result((batches, -(-height // stride), -(-width // stride), depth), False)
        self._model.operator(
            "DEPTHWISE_CONV_2D",
            [source.index, filter_, bias],
            [result.index],
            padding="SAME",
            stride_h=stride,
            stride_w=stride,
            depth_multiplier=1,
            dilation_h_factor=1,
            dilation_w_factor=1,
            fused_activation_function="RELU6",
        )
        return result

    def dense(self, source: Feature, outputs: int, *, linear: bool = False) -> Feature:
        """FULLY_CONNECTED with one scale, and RELU6 unless `linear`."""
        rows, depth = source.shape
        filter_, bias = self._weights(source, (outputs, depth), None, depth)
        result = self._result((rows, outputs), linear)
        self._model.operator(
            "FULLY_CONNECTED",
            [source.index, filter_, bias],
            [result.index],
            fused_activation_function="NONE" if linear else "RELU6",
        )
        return result

    def add(self, first: Feature, second: Feature) -> Feature:
        """ADD of two tensors of one shape."""
        rms = math.hypot(first.rms, second.rms)
        result = self._feature("add", first.shape, _linear_scale(rms), -3, rms)
        self._model.operator(
            "ADD", [first.index, second.index], [result.index], fused_activation_function="NONE"
        )
        return result

    def mean_pool(self, source: Feature) -> Feature:
        """AVERAGE_POOL_2D over all positions."""
        batches, height, width, depth = source.shape
        result = self._feature(
            "pool", (batches, 1, 1, depth), source.scale, source.zero_point, source.rms / 2
        )
        self._model.operator(
            "AVERAGE_POOL_2D",
            [source.index],
            [result.index],
            padding="VALID",
            stride_h=height,
            stride_w=width,
            filter_height=height,
            filter_width=width,
            fused_activation_function="NONE",
        )
        return result

    def flatten(self, source: Feature) -> Feature:
        """RESHAPE to rows."""
        shape = (source.shape[0], math.prod(source.shape[1:]))
        target = self._model.tensor("shape", (2,), "int32", data=shape)
        result = self._feature("flat", shape, source.scale, source.zero_point, source.rms)
        self._model.operator("RESHAPE", [source.index, target], [result.index], new_shape=shape)
        return result

    def softmax(self, source: Feature) -> Feature:
        """SOFTMAX."""
        result = self._feature("softmax", source.shape, 1 / 256, -128, 0.1)
        self._model.operator("SOFTMAX", [source.index], [result.index], beta=1.0)
        return result

    def finish(self, result: Feature) -> bytes:
        """The .tflite file."""
        return self._model.finish([feature.index for feature in self._inputs], [result.index])

    def _result(self, shape: tuple[int, ...], linear: bool) -> Feature:
        if linear:
            return self._feature("sums", shape, _linear_scale(SPREAD), -3, SPREAD)
        # Half of the sums are negative, and become zero.
        return self._feature("relu", shape, _RELU6_SCALE, -128, SPREAD / math.sqrt(2))

    def _feature(
        self, name: str, shape: tuple[int, ...], scale: float, zero_point: int, rms: float
    ) -> Feature:
        index = self._model.tensor(name, shape, "int8", scale=scale, zero_point=zero_point)
        return Feature(index, shape, scale, zero_point, rms)

    def _weights(
        self, source: Feature, shape: Sequence[int], axis: int | None, taps: int
    ) -> tuple[int, int]:
        """Filter and bias, as tensor indices."""
        outputs = shape[axis or 0]
        scale = SPREAD / (math.sqrt(taps) * source.rms * _WEIGHT_DEVIATION)
        count = 1 if axis is None else outputs
        scales = [scale * self._rng.uniform(0.7, 1.3) for _ in range(count)]
        data = self._rng.randbytes(math.prod(shape)).translate(_NORMAL)
        filter_ = self._model.tensor(
            "filter", shape, "int8", scale=scales, axis=axis or 0, data=data
        )
        unit = source.scale * scale
        values = [round(self._rng.gauss(0, SPREAD / 4) / unit) for _ in range(outputs)]
        bias = self._model.tensor(
            "bias",
            (outputs,),
            "int32",
            scale=[source.scale * scale for scale in scales],
            data=struct.pack(f"<{outputs}i", *values),
        )
        return filter_, bias


def _linear_scale(rms: float) -> float:
    """Four deviations to either side of zero fit."""
    return rms * 8 / 255


_STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
"""Expansion, channels, blocks and stride of the first block (Sandler et al. 2018, table 2)."""


def mobilenet_v2(seed: int = 0) -> bytes:
    """MobileNetV2 1.0 at 224x224 with 1,000 classes: 300 million multiply-accumulates."""
    net = Network(seed)
    feature = net.conv(net.input(1, 224, 224, 3, zero_point=-1), 32, (3, 3), 2)
    for expansion, channels, blocks, first_stride in _STAGES:
        for block in range(blocks):
            source, stride = feature, 1 if block else first_stride
            if expansion > 1:
                feature = net.conv(feature, expansion * source.shape[3])
            feature = net.conv(net.depthwise(feature, stride), channels, linear=True)
            if block:
                feature = net.add(source, feature)
    feature = net.conv(feature, 1280)
    feature = net.dense(net.flatten(net.mean_pool(feature)), 1000, linear=True)
    return net.finish(net.softmax(feature))
