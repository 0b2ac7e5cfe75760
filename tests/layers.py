"""Layers of whole networks for tests: seeded weights, and scales as a calibrated model has them.

Every value carries the mean and deviation that its real numbers should have. A layer's weights
are scaled, and its bias set, so that its sums get the mean and deviation that are asked for; its
output gets the range that follows. So activations neither vanish nor all saturate, however deep
a network is, and a network has the same weights and scales at every batch and resolution.
"""

import math
import random
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import chain
from statistics import NormalDist, fmean, pstdev
from typing import Any

from tests.builder import ModelBuilder
from tests.values import ACTIVATIONS, PROBABILITY, Quant, Shape, Value, averaged

BELL = bytes(
    round(NormalDist().inv_cdf((byte + 0.5) / 256) * 127 / 2.9) & 0xFF for byte in range(256)
)
"""Makes uniform bytes normally distributed int8 weights, −127 to 127."""


class Net:
    """A network in the making: every method adds an operator and gives its output.

    Args:
        seed: of the weights, which come from it in the order of the layers.
    """

    def __init__(self, seed: int) -> None:
        self._model = ModelBuilder()
        self._rng = random.Random(seed)

    def finish(self, inputs: Iterable[Value], outputs: Iterable[Value]) -> bytes:
        """The .tflite file."""
        return self._model.finish([v.index for v in inputs], [v.index for v in outputs])

    # --- tensors -----------------------------------------------------------------------------

    def input(self, name: str, shape: Shape, quant: Quant | None = None) -> Value:
        """An input of the network, of any batch: uniform over −4 to 4, or over the int8 range."""
        index = self._tensor(name, shape, quant, shape_signature=(-1, *shape[1:]))
        span = 8.0 if quant is None else 256 * quant.scale
        mean = 0.0 if quant is None else (-0.5 - quant.zero_point) * quant.scale
        return Value(shape, mean, span / math.sqrt(12), quant, index)

    def constant(self, name: str, shape: Shape, values: Sequence[float]) -> Value:
        """Real numbers as an int8 constant."""
        quant = Quant.over(min(values), max(values))
        index = self._tensor(name, shape, quant, data=[quant.value(real) for real in values])
        return Value(shape, fmean(values), pstdev(values), quant, index)

    def _tensor(self, name: str, shape: Shape, quant: Quant | None, **options: Any) -> int:
        if quant is None:
            return self._model.tensor(name, shape, "float32", **options)
        return self._model.tensor(
            name, shape, scale=quant.scale, zero_point=quant.zero_point, **options
        )

    def integers(self, name: str, shape: Shape, values: Iterable[int]) -> int:
        """An int32 constant."""
        return self._model.tensor(name, shape, "int32", data=list(values))

    def _vector(self, name: str, values: Sequence[int]) -> int:
        return self.integers(name, (len(values),), values)

    def _operator(
        self, opcode: str, inputs: Iterable[int], name: str, output: Value, **options: Any
    ) -> Value:
        """Add an operator with one output, whose index is yet to be filled in."""
        output = replace(output, index=self._tensor(name, output.shape, output.quant))
        self._model.operator(opcode, inputs, [output.index], **options)
        return output

    def _moved(
        self, opcode: str, x: Value, shape: Shape, name: str, *more: int, **options: Any
    ) -> Value:
        """An operator that moves the elements of its input and changes none."""
        return self._operator(opcode, [x.index, *more], name, replace(x, shape=shape), **options)

    # --- layers with weights -----------------------------------------------------------------

    def conv(
        self,
        x: Value,
        name: str,
        channels: int,
        kernel: int | tuple[int, int] = 1,
        *,
        stride: int = 1,
        padding: str = "SAME",
        activation: str = "NONE",
    ) -> Value:
        """CONV_2D; the kernel is square, or given as height and width."""
        sizes = kernel if isinstance(kernel, tuple) else (kernel, kernel)
        filter_ = (channels, *sizes, x.shape[3])
        spatial = _window(x.shape, sizes, stride, padding)
        options = {"padding": padding, "stride_h": stride, "stride_w": stride}
        shape = (x.shape[0], *spatial, channels)
        return self._weighted("CONV_2D", x, name, filter_, 0, shape, activation, **options)

    def depthwise(
        self,
        x: Value,
        name: str,
        kernel: int | tuple[int, int] = 3,
        *,
        stride: int = 1,
        padding: str = "SAME",
        activation: str = "NONE",
        multiplier: int = 1,
    ) -> Value:
        """DEPTHWISE_CONV_2D with so many filters a channel; the kernel as in `conv`."""
        sizes = kernel if isinstance(kernel, tuple) else (kernel, kernel)
        channels = x.shape[3] * multiplier
        filter_ = (1, *sizes, channels)
        spatial = _window(x.shape, sizes, stride, padding)
        options = {"padding": padding, "stride_h": stride, "stride_w": stride}
        options |= {"depth_multiplier": multiplier}
        shape = (x.shape[0], *spatial, channels)
        return self._weighted(
            "DEPTHWISE_CONV_2D", x, name, filter_, 3, shape, activation, **options
        )

    def fully_connected(
        self, x: Value, name: str, units: int, *, activation: str = "NONE", per_channel: bool = True
    ) -> Value:
        """FULLY_CONNECTED on [batches, depth]."""
        axis = 0 if per_channel else None
        filter_, shape = (units, x.shape[1]), (x.shape[0], units)
        return self._weighted("FULLY_CONNECTED", x, name, filter_, axis, shape, activation)

    def _weighted(
        self,
        opcode: str,
        x: Value,
        name: str,
        filter_shape: Shape,
        axis: int | None,
        shape: Shape,
        activation: str,
        **options: Any,
    ) -> Value:
        """A layer with weights; without an axis for their scales there is one scale for all."""
        # As batch normalization leaves them: nearly half of a clipped layer's sums are below 0.
        linear = activation == "NONE"
        mean, deviation = (self._rng.uniform(-1.0, 1.0), 1.0) if linear else (0.5, 2.5)
        data = self._rng.randbytes(math.prod(filter_shape)).translate(BELL)
        channels = filter_shape[axis or 0]
        taps = len(data) // channels
        weights = memoryview(data).cast("b").tolist()
        filters = [
            weights[c::channels] if axis == 3 else weights[c * taps : (c + 1) * taps]
            for c in range(channels)
        ]
        norms = [math.sqrt(sum(w * w for w in filter_)) or 1.0 for filter_ in filters]
        if axis is None:
            norms = [fmean(norms)] * channels
        scales = [deviation / (max(x.deviation, 1e-6) * norm) for norm in norms]
        biases = [
            (mean + deviation * self._rng.gauss(0.0, 0.3)) / (x.own.scale * scale)
            - x.mean / x.own.scale * sum(filter_)
            for filter_, scale in zip(filters, scales, strict=True)
        ]
        if axis is None:
            del scales[1:]
        filter_index = self._model.tensor(
            f"{name}/weights", filter_shape, scale=scales, axis=axis or 0, data=data
        )
        bias_scales = [x.own.scale * scale for scale in scales]
        rounded = [round(bias) for bias in biases]
        bias_index = self._model.tensor(
            f"{name}/bias", (channels,), "int32", scale=bias_scales, data=rounded
        )
        sums = Value(shape, mean, math.hypot(deviation, 0.3 * deviation))
        output = Value(shape, *sums.through(ACTIVATIONS[activation]))
        inputs = [x.index, filter_index, bias_index]
        return self._operator(
            opcode, inputs, name, output, fused_activation_function=activation, **options
        )

    # --- elementwise -------------------------------------------------------------------------

    def quantize(self, x: Value, name: str, quant: Quant | None = None) -> Value:
        """QUANTIZE, from float32 or from another scale."""
        output = replace(x, quant=quant) if quant else x.calibrated()
        return self._operator("QUANTIZE", [x.index], name, output)

    def dequantize(self, x: Value, name: str) -> Value:
        """DEQUANTIZE."""
        return self._operator("DEQUANTIZE", [x.index], name, replace(x, quant=None))

    def add(self, x: Value, y: Value, name: str, quant: Quant | None = None) -> Value:
        """ADD."""
        return self._sum("ADD", x, y, name, x.mean + y.mean, quant)

    def sub(self, x: Value, y: Value, name: str, quant: Quant | None = None) -> Value:
        """SUB."""
        return self._sum("SUB", x, y, name, x.mean - y.mean, quant)

    def _sum(
        self, opcode: str, x: Value, y: Value, name: str, mean: float, quant: Quant | None
    ) -> Value:
        deviation = math.hypot(x.deviation, y.deviation)
        return self._pair(opcode, x, y, name, mean, deviation, quant)

    def mul(self, x: Value, y: Value, name: str) -> Value:
        """MUL."""
        squares = (v.mean**2 + v.deviation**2 for v in (x, y))
        mean = x.mean * y.mean
        deviation = math.sqrt(max(math.prod(squares) - mean**2, 0.0))
        return self._pair("MUL", x, y, name, mean, deviation, None)

    def _pair(
        self,
        opcode: str,
        x: Value,
        y: Value,
        name: str,
        mean: float,
        deviation: float,
        quant: Quant | None,
    ) -> Value:
        rank = max(len(x.shape), len(y.shape))
        shapes = ((1,) * (rank - len(v.shape)) + v.shape for v in (x, y))
        shape = tuple(max(sizes) for sizes in zip(*shapes, strict=True))
        output = Value(shape, mean, deviation, quant)
        return self._operator(
            opcode, [x.index, y.index], name, output if quant else output.calibrated()
        )

    def leaky_relu(self, x: Value, name: str) -> Value:
        """LEAKY_RELU."""
        output = Value(x.shape, *x.through(lambda real: max(real, 0.1 * real)))
        return self._operator("LEAKY_RELU", [x.index], name, output, alpha=0.1)

    def hard_swish(self, x: Value, name: str) -> Value:
        """HARD_SWISH."""
        swish = x.through(lambda real: real * ACTIVATIONS["RELU6"](real + 3) / 6)
        return self._operator("HARD_SWISH", [x.index], name, Value(x.shape, *swish))

    def logistic(self, x: Value, name: str) -> Value:
        """LOGISTIC."""
        mean, deviation, _ = x.through(lambda real: 1 / (1 + math.exp(-real)))
        output = Value(x.shape, mean, deviation, PROBABILITY)
        return self._operator("LOGISTIC", [x.index], name, output)

    def softmax(self, x: Value, name: str) -> Value:
        """SOFTMAX."""
        mean = 1 / x.shape[-1]
        output = Value(x.shape, mean, mean, PROBABILITY)
        return self._operator("SOFTMAX", [x.index], name, output, beta=1.0)

    # --- pooling -----------------------------------------------------------------------------

    def mean(self, x: Value, name: str) -> Value:
        """MEAN over height and width, which are kept as 1."""
        output = averaged(x, (x.shape[0], 1, 1, x.shape[3]))
        axes = self._vector(f"{name}/axes", (1, 2))
        return self._operator("MEAN", [x.index, axes], name, output, keep_dims=True)

    def pool(self, x: Value, name: str, opcode: str, size: int | tuple[int, int]) -> Value:
        """AVERAGE_POOL_2D or MAX_POOL_2D over windows side by side, square or as given."""
        height, width = size if isinstance(size, tuple) else (size, size)
        rows, columns = x.shape[1] // height, x.shape[2] // width
        shape = (x.shape[0], rows, columns, x.shape[3])
        # Either keeps the quantization: LiteRT has no pooling between scales.
        output = averaged(x, shape) if opcode == "AVERAGE_POOL_2D" else x
        output = replace(output, shape=shape, quant=x.quant)
        options = {"stride_h": height, "stride_w": width}
        options |= {"filter_height": height, "filter_width": width}
        return self._operator(opcode, [x.index], name, output, padding="VALID", **options)

    # --- movers ------------------------------------------------------------------------------

    def pad(self, x: Value, name: str, before: int, after: int) -> Value:
        """PAD of height and width."""
        ends = [(0, 0), (before, after), (before, after), (0, 0)]
        shape = tuple(size + sum(pair) for size, pair in zip(x.shape, ends, strict=True))
        paddings = self.integers(f"{name}/paddings", (4, 2), chain.from_iterable(ends))
        return self._moved("PAD", x, shape, name, paddings)

    def transpose(self, x: Value, name: str, axes: Sequence[int]) -> Value:
        """TRANSPOSE."""
        shape = tuple(x.shape[axis] for axis in axes)
        return self._moved("TRANSPOSE", x, shape, name, self._vector(f"{name}/axes", axes))

    def reshape(self, x: Value, name: str, *shape: int) -> Value:
        """RESHAPE; one size may be −1."""
        rest = math.prod(x.shape) // math.prod(size for size in shape if size > 0)
        filled = tuple(rest if size == -1 else size for size in shape)
        return self._moved("RESHAPE", x, filled, name, self._vector(f"{name}/shape", shape))

    def flatten(self, x: Value, name: str) -> Value:
        """The batch from SHAPE and STRIDED_SLICE, PACK with the rest, RESHAPE: keras' Flatten."""
        shape = self._model.tensor(f"{name}/Shape", (len(x.shape),), "int32")
        self._model.operator("SHAPE", [x.index], [shape], out_type="INT32")
        batch = self._model.tensor(f"{name}/strided_slice", (), "int32")
        bounds = [self._vector(f"{name}/{n}", [i]) for i, n in enumerate(("begin", "end"))]
        bounds.append(self._vector(f"{name}/strides", [1]))
        self._model.operator("STRIDED_SLICE", [shape, *bounds], [batch], shrink_axis_mask=1)
        features = math.prod(x.shape[1:])
        rest = self.integers(f"{name}/features", (), [features])
        wanted = self._model.tensor(f"{name}/packed", (2,), "int32")
        self._model.operator("PACK", [batch, rest], [wanted], values_count=2)
        flat = (x.shape[0], features)
        index = self._tensor(f"{name}/Reshape", flat, x.quant, shape_signature=(-1, features))
        self._model.operator("RESHAPE", [x.index, wanted], [index])
        return replace(x, index=index, shape=flat)

    def squeeze(self, x: Value, name: str, axis: int) -> Value:
        """SQUEEZE of one dimension."""
        shape = x.shape[:axis] + x.shape[axis + 1 :]
        return self._moved("SQUEEZE", x, shape, name, squeeze_dims=(axis,))

    def expand_dims(self, x: Value, name: str, axis: int) -> Value:
        """EXPAND_DIMS."""
        shape = (*x.shape[:axis], 1, *x.shape[axis:])
        return self._moved("EXPAND_DIMS", x, shape, name, self.integers(f"{name}/axis", (), [axis]))

    def concatenate(self, parts: Sequence[Value], name: str, axis: int) -> Value:
        """CONCATENATION of tensors of one quantization."""
        first = parts[0]
        shape = list(first.shape)
        shape[axis] = sum(part.shape[axis] for part in parts)
        output = replace(first, shape=tuple(shape))
        return self._operator("CONCATENATION", [p.index for p in parts], name, output, axis=axis)

    def last(self, x: Value, name: str, begin: int, end: int) -> Value:
        """STRIDED_SLICE of the last dimension."""
        rank = len(x.shape)
        corners = ([0] * (rank - 1) + [begin], [0] * (rank - 1) + [end], [1] * rank)
        names = ("begin", "end", "strides")
        inputs = [self._vector(f"{name}/{n}", c) for n, c in zip(names, corners, strict=True)]
        mask = (1 << (rank - 1)) - 1
        shape = (*x.shape[:-1], end - begin)
        return self._moved("STRIDED_SLICE", x, shape, name, *inputs, begin_mask=mask, end_mask=mask)

    def slice(self, x: Value, name: str, begin: int) -> Value:
        """SLICE of the last dimension, from a place to its end."""
        rank = len(x.shape)
        first = self._vector(f"{name}/begin", [0] * (rank - 1) + [begin])
        sizes = self._vector(f"{name}/size", [-1] * rank)
        return self._moved("SLICE", x, (*x.shape[:-1], x.shape[-1] - begin), name, first, sizes)

    def split(self, x: Value, name: str, count: int) -> list[Value]:
        """SPLIT of the last dimension."""
        axis = self.integers(f"{name}/axis", (), [len(x.shape) - 1])
        shape = (*x.shape[:-1], x.shape[-1] // count)
        parts = self._parts(x, name, shape, count)
        indices = [part.index for part in parts]
        self._model.operator("SPLIT", [axis, x.index], indices, num_splits=count)
        return parts

    def unpack(self, x: Value, name: str) -> list[Value]:
        """UNPACK of the last dimension."""
        count = x.shape[-1]
        parts = self._parts(x, name, x.shape[:-1], count)
        indices = [part.index for part in parts]
        self._model.operator("UNPACK", [x.index], indices, axis=-1, num=count)
        return parts

    def _parts(self, x: Value, name: str, shape: Shape, count: int) -> list[Value]:
        names = (f"{name}:{number}" for number in range(count))
        return [replace(x, index=self._tensor(n, shape, x.quant), shape=shape) for n in names]

    def pack(self, parts: Sequence[Value], name: str) -> Value:
        """PACK along a new last dimension."""
        count = len(parts)
        output = replace(parts[0], shape=(*parts[0].shape, count))
        indices = [part.index for part in parts]
        return self._operator("PACK", indices, name, output, axis=-1, values_count=count)

    def resize(self, x: Value, name: str, factor: int) -> Value:
        """RESIZE_NEAREST_NEIGHBOR."""
        batch, height, width, depth = x.shape
        size = (factor * height, factor * width)
        return self._moved(
            "RESIZE_NEAREST_NEIGHBOR",
            x,
            (batch, *size, depth),
            name,
            self._vector(f"{name}/size", size),
            half_pixel_centers=True,
        )


def _window(shape: Shape, kernel: tuple[int, int], stride: int, padding: str) -> Shape:
    """Height and width after a sliding window."""
    if padding == "SAME":
        return tuple(-(-size // stride) for size in shape[1:3])
    pairs = zip(shape[1:3], kernel, strict=True)
    return tuple((size - extent) // stride + 1 for size, extent in pairs)
