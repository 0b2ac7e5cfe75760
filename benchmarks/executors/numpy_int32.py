"""What a competent programmer writes with NumPy: int32 im2col, requantization in int64.

Everything that can be prepared is: weights are int32 in the order that the product wants, input
offsets are folded into biases, padded inputs and windows onto them are made once, and arithmetic is
done in place. Byte-exact with tinyrt's reference kernels. Products are `@`, or `einsum`, which is
the fastest that NumPy 2 has for int32: its loops are vectorized, those of `@` on integers are not.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

import tinyrt
from benchmarks.executors import CannotRunError, Factory
from tinyrt import gemmlowp
from tinyrt.fixedpoint import requantize, saturating_rounding_doubling_high_mul
from tinyrt.kernel import Kernel
from tinyrt.load import Step
from tinyrt.ops.add import Add
from tinyrt.ops.average_pool_2d import AveragePool2D
from tinyrt.ops.conv_2d import Conv2D
from tinyrt.ops.depthwise_conv_2d import DepthwiseConv2D
from tinyrt.ops.fully_connected import FullyConnected
from tinyrt.ops.max_pool_2d import MaxPool2D
from tinyrt.ops.reshape import Reshape
from tinyrt.ops.softmax import Softmax

Array = NDArray[Any]
Layer = Callable[..., Array]
Product = Callable[[Array], Array]
"""Takes [rows, taps] to [rows, outputs], both int32."""


def _matmul(weights: Array) -> Product:
    """Rows times the rows of [outputs, taps], by `@`."""
    transposed = weights.T
    return lambda rows: rows @ transposed


def _einsum(weights: Array) -> Product:
    """The same by `einsum`, along whichever axis is long enough for vectors."""
    outputs, taps = weights.shape
    if outputs >= 64 or outputs >= taps:
        return partial(np.einsum, "ji,pj->pi", np.ascontiguousarray(weights.T))
    return partial(np.einsum, "ij,pj->pi", weights)


_PRODUCTS = {"numpy": _matmul, "numpy-einsum": _einsum}


class Requantizer:
    """Accumulators to int8, by TFLM's double rounding, in int64."""

    def __init__(
        self,
        multipliers: Sequence[int],
        shifts: Sequence[int],
        offset: int,
        limits: tuple[int, int],
    ) -> None:
        """Prepare the constants of each output channel."""
        exponents = np.array(shifts, np.int64)
        self._left = np.maximum(exponents, 0)
        self._right = np.maximum(-exponents, 0)
        self._multipliers = np.array(multipliers, np.int64)
        # Halves are rounded away from zero; where nothing is shifted out there is no half.
        self._half = np.where(self._right > 0, 1 << np.maximum(self._right - 1, 0), 0)
        self._signed = np.where(self._right > 0, -1, 0)
        self._offset = offset
        self._limits = limits

    def __call__(self, accumulators: Array) -> Array:
        """From [..., channels] of any integer type to int8."""
        values = accumulators.astype(np.int64)
        if self._left.any():
            values <<= self._left
        values *= self._multipliers
        values += 1 << 30
        values >>= 31
        negative = values >> 63
        negative &= self._signed
        values += self._half
        values += negative
        values >>= self._right
        values += self._offset
        np.clip(values, *self._limits, out=values)
        return values.astype(np.int8)


def _requantizer(kernel: Conv2D | DepthwiseConv2D | FullyConnected) -> Requantizer:
    return Requantizer(
        kernel.multipliers,
        kernel.shifts,
        kernel.output_offset,
        (kernel.activation_min, kernel.activation_max),
    )


class Windows:
    """The windows over a padded copy of the input, NHWC."""

    def __init__(
        self,
        kernel: Conv2D | DepthwiseConv2D | AveragePool2D | MaxPool2D,
        depth: int,
        padding: int,
        dtype: type[Any] = np.int32,
        dilation: tuple[int, int] = (1, 1),
    ) -> None:
        """Make the padded copy and the view of its windows."""
        extent = (
            (kernel.filter_height - 1) * dilation[0] + 1,
            (kernel.filter_width - 1) * dilation[1] + 1,
        )
        rows = (kernel.output_height - 1) * kernel.stride_height + extent[0]
        columns = (kernel.output_width - 1) * kernel.stride_width + extent[1]
        height = max(rows, kernel.pad_top + kernel.input_height)
        width = max(columns, kernel.pad_left + kernel.input_width)
        self._padded = np.full((kernel.batches, height, width, depth), padding, dtype)
        self._inside = self._padded[
            :,
            kernel.pad_top : kernel.pad_top + kernel.input_height,
            kernel.pad_left : kernel.pad_left + kernel.input_width,
        ]
        windows = sliding_window_view(self._padded, extent, axis=(1, 2))
        windows = windows[:, :: kernel.stride_height, :: kernel.stride_width]
        windows = windows[:, : kernel.output_height, : kernel.output_width]
        windows = windows[..., :: dilation[0], :: dilation[1]]
        self.view = windows.transpose(0, 1, 2, 4, 5, 3)
        """[batches, output_height, output_width, filter_height, filter_width, depth]"""

    def fill(self, source: Array) -> None:
        """Copy an input to where the windows look."""
        self._inside[...] = source


def _windows(kernel: Conv2D | DepthwiseConv2D, depth: int) -> Windows:
    """Outside of the input lies what the offset takes to zero."""
    dilation = (kernel.dilation_height, kernel.dilation_width)
    return Windows(kernel, depth, -kernel.input_offset, dilation=dilation)


def convolution(kernel: Conv2D, product: Callable[[Array], Product]) -> Layer:
    """im2col, then one product."""
    if kernel.filter_depth != kernel.input_depth:
        raise CannotRunError("grouped convolution")
    taps = kernel.filter_height * kernel.filter_width * kernel.filter_depth
    filter_ = np.frombuffer(kernel.filter, np.int8).reshape(-1, taps).astype(np.int32)
    return _im2col(kernel, kernel.input_depth, filter_, product)


def _im2col(
    kernel: Conv2D | DepthwiseConv2D,
    depth: int,
    filter_: Array,
    product: Callable[[Array], Product],
) -> Layer:
    outputs, taps = filter_.shape
    bias = (np.array(kernel.bias) + kernel.input_offset * filter_.sum(1)).astype(np.int32)
    multiply, requantized = product(filter_), _requantizer(kernel)
    shape = (kernel.batches, kernel.output_height, kernel.output_width, outputs)
    plain = taps == depth and kernel.stride_height == kernel.stride_width == 1
    windows = None if plain else _windows(kernel, depth)

    def run(source: Array) -> Array:
        if windows is None:
            rows = source.reshape(-1, taps).astype(np.int32)
        else:
            windows.fill(source)
            rows = windows.view.reshape(-1, taps)
        sums = multiply(rows)
        sums += bias
        return requantized(sums).reshape(shape)

    return run


def depthwise(kernel: DepthwiseConv2D, product: Callable[[Array], Product]) -> Layer:
    """Tap by tap over whole feature maps; one input channel is an ordinary convolution."""
    channels = kernel.input_depth * kernel.depth_multiplier
    filter_ = np.frombuffer(kernel.filter, np.int8).astype(np.int32)
    filter_ = filter_.reshape(kernel.filter_height, kernel.filter_width, channels)
    if kernel.input_depth == 1:
        return _im2col(kernel, 1, np.ascontiguousarray(filter_.reshape(-1, channels).T), product)
    offset_sums = kernel.input_offset * filter_.sum((0, 1))
    bias = (np.array(kernel.bias) + offset_sums).astype(np.int32)
    requantized = _requantizer(kernel)
    windows = _windows(kernel, channels)
    taps = [
        (windows.view[:, :, :, y, x], filter_[y, x])
        for y in range(kernel.filter_height)
        for x in range(kernel.filter_width)
    ]
    shape = (kernel.batches, kernel.output_height, kernel.output_width, channels)
    sums, term = np.empty(shape, np.int32), np.empty(shape, np.int32)

    def run(source: Array) -> Array:
        if kernel.depth_multiplier > 1:
            source = source.repeat(kernel.depth_multiplier, axis=3)
        windows.fill(source)
        sums[...] = bias
        for pixels, weights in taps:
            np.multiply(pixels, weights, out=term)
            np.add(sums, term, out=sums)
        return requantized(sums)

    return run


def dense(kernel: FullyConnected, product: Callable[[Array], Product]) -> Layer:
    """One product."""
    filter_ = np.frombuffer(kernel.filter, np.int8).astype(np.int32)
    filter_ = filter_.reshape(kernel.output_depth, kernel.input_depth)
    bias = (np.array(kernel.bias) + kernel.input_offset * filter_.sum(1)).astype(np.int32)
    multiply, requantized = product(filter_), _requantizer(kernel)

    def run(source: Array) -> Array:
        sums = multiply(source.reshape(-1, kernel.input_depth).astype(np.int32))
        sums += bias
        return requantized(sums)

    return run


def average_pool(kernel: AveragePool2D) -> Layer:
    """Sums of windows over counts, rounded half away from zero."""
    windows = Windows(kernel, kernel.depth, 0)
    ones = Windows(kernel, 1, 0)
    ones.fill(np.ones((kernel.batches, kernel.input_height, kernel.input_width, 1), np.int32))
    counts = ones.view.sum((3, 4), dtype=np.int32)
    halves = counts // 2

    def run(source: Array) -> Array:
        windows.fill(source)
        sums = windows.view.sum((3, 4), dtype=np.int32)
        means: Array = (np.abs(sums) + halves) // counts
        means *= np.sign(sums)
        np.clip(means, kernel.activation_min, kernel.activation_max, out=means)
        return means.astype(np.int8)

    return run


def max_pool(kernel: MaxPool2D) -> Layer:
    """The greatest of each window."""
    windows = Windows(kernel, kernel.depth, -128, np.int8)

    def run(source: Array) -> Array:
        windows.fill(source)
        greatest: Array = windows.view.max((3, 4))
        np.clip(greatest, kernel.activation_min, kernel.activation_max, out=greatest)
        return greatest

    return run


def add(kernel: Add) -> Layer:
    """Both operands through a table of 256 rescaled values."""
    if kernel.loops != 1 or kernel.strides1 != kernel.strides2:
        raise CannotRunError("ADD of different shapes")
    tables = [
        np.array(
            [
                requantize((value + offset) << 20, multiplier, shift, kernel.numerics)
                for value in (*range(128), *range(-128, 0))
            ],
            np.int64,
        )
        for offset, multiplier, shift in (
            (kernel.input1_offset, kernel.input1_multiplier, kernel.input1_shift),
            (kernel.input2_offset, kernel.input2_multiplier, kernel.input2_shift),
        )
    ]
    requantized = Requantizer(
        (kernel.output_multiplier,),
        (kernel.output_shift,),
        kernel.output_offset,
        (kernel.activation_min, kernel.activation_max),
    )

    def run(first: Array, second: Array) -> Array:
        sums = tables[0][first.view(np.uint8)]
        sums += tables[1][second.view(np.uint8)]
        return requantized(sums)

    return run


def softmax(kernel: Softmax) -> Layer:
    """Exponentials from a table by difference, then one reciprocal a row."""
    table = np.array([_exponential(kernel, -steps) for steps in range(256)], np.int64)
    parts = (table + (1 << 11)) >> 12

    def run(source: Array) -> Array:
        rows = source.reshape(kernel.rows, kernel.depth).astype(np.int64)
        steps = rows.max(1, keepdims=True) - rows
        output = np.empty(rows.shape, np.int8)
        for row, total in enumerate(parts[steps].sum(1).tolist()):
            headroom = 32 - total.bit_length()
            reciprocal = gemmlowp.one_over_one_plus_x((total << headroom) - (1 << 31))
            quotients = (table[steps[row]] * reciprocal + (1 << 30)) >> 31
            exponent = 12 - headroom + 31 - 8
            quotients = (quotients + (1 << (exponent - 1))) >> exponent  # none is negative
            output[row] = np.minimum(quotients - 128, 127)
        return output.reshape(source.shape)

    return run


def _exponential(kernel: Softmax, difference: int) -> int:
    if difference < kernel.difference_min:
        return 0
    scaled = saturating_rounding_doubling_high_mul(
        difference << kernel.left_shift, kernel.multiplier
    )
    return gemmlowp.exp_on_negative_values(scaled, 5)


def _layer(step: Step, product: Callable[[Array], Product]) -> Layer:
    kernel: Kernel = step.kernel
    match kernel:
        case Conv2D():
            return convolution(kernel, product)
        case DepthwiseConv2D():
            return depthwise(kernel, product)
        case FullyConnected():
            return dense(kernel, product)
        case AveragePool2D():
            return average_pool(kernel)
        case MaxPool2D():
            return max_pool(kernel)
        case Add():
            return add(kernel)
        case Softmax():
            return softmax(kernel)
        case Reshape():
            return np.copy
    raise CannotRunError(f"no NumPy implementation of {kernel.opcode}")


class NumpyNetwork:
    """A model as a list of NumPy functions."""

    def __init__(self, model: bytes, name: str) -> None:
        """Prepare every layer from the integers that tinyrt folded."""
        program = tinyrt.load(model)
        self._graph = program.graph
        self._values: dict[int, Array] = {}
        self._layers = [
            (_layer(step, _PRODUCTS[name]), step.operands, step.results[0], step.node.outputs[0])
            for step in program.steps
        ]

    def feed(self, inputs: Sequence[bytes]) -> None:
        """Set every input."""
        for index, value in zip(self._graph.inputs, inputs, strict=True):
            tensor = self._graph.tensors[index]
            self._values[index] = np.frombuffer(value, np.int8).reshape(tensor.shape)

    def invoke(self) -> None:
        """Run once."""
        values = self._values
        for layer, operands, result, tensor in self._layers:
            found = layer(*[values[index] for index in operands])
            values[result] = found.reshape(tensor.shape)

    def outputs(self) -> list[bytes]:
        """The bytes of every output."""
        return [self._values[index].tobytes() for index in self._graph.outputs]


def factory(name: str) -> tuple[Factory, str]:
    """Executors with one kind of product."""
    return (lambda model: NumpyNetwork(model, name)), np.__version__
