"""FULLY_CONNECTED."""

from collections.abc import Iterator
from dataclasses import dataclass
from operator import mul
from typing import Self

from tinyrt import constraints, walks, weights, windows
from tinyrt.fast.dense import dense
from tinyrt.fast.requantize import Requantization
from tinyrt.fixedpoint import Numerics, quantize_multiplier, requantize_to_int8
from tinyrt.graph import DType, Node, Shape
from tinyrt.kernel import Cost, Int8Data, Int8s, Int32s, Kernel, Overlap, Run, Touch, Value
from tinyrt.options import FullyConnectedOptions, FullyConnectedWeightsFormat
from tinyrt.scales import factor_fits, scale_of, single, zero_point_of


def _options(node: Node) -> FullyConnectedOptions:
    return node.options_as(FullyConnectedOptions)


def plain_weights(node: Node) -> str | None:
    """The weights_format is DEFAULT."""
    found = _options(node).weights_format
    if found is FullyConnectedWeightsFormat.DEFAULT:
        return None
    return node.option_found("weights_format", found.name)


def _single_precision_factor(node: Node) -> float:
    """For one filter scale: the product is rounded to single precision here, and only here."""
    product = single(scale_of(node.input(0)) * scale_of(node.input(1)))
    return product / scale_of(node.outputs[0])


@dataclass(frozen=True, slots=True)
class FullyConnected(Kernel):
    """FULLY_CONNECTED, int8: every output is the product of a row of inputs and of weights.

    The input, whatever its rank, is read as rows of `input_depth` values.

    **Source:** FullyConnected and FullyConnectedPerChannel in TFLM's
    reference/integer_ops/fully_connected.h; the multipliers of CalculateOpDataFullyConnected in
    micro/kernels/fully_connected_common.cc.
    """

    opcode = "FULLY_CONNECTED"
    c_name = "fully_connected_s8"
    arity = (2, 3)
    folded = (1, 2)
    constraints = (
        constraints.present(1, "filter"),
        constraints.input_is(1, "filter", DType.INT8),
        constraints.input_is(2, "bias", DType.INT32),
        constraints.output_type_as_input,
        constraints.rank(1, "filter", 2),
        constraints.constant(1, "filter"),
        constraints.constant(2, "bias"),
        constraints.per_tensor(0, "input"),
        constraints.per_tensor_outputs,
        plain_weights,
        windows.fused_activation(lambda node: _options(node).fused_activation_function),
        weights.filter_scales(0),
        weights.factors_fit,
        factor_fits(
            "input scale · filter scale, in single precision, / output scale",
            _single_precision_factor,
        ),
        weights.bias_per_channel(0),
        weights.accumulators_fit(0),
    )

    batches: int
    input_depth: int
    output_depth: int
    input_offset: int
    output_offset: int
    activation_min: int
    activation_max: int
    filter: Int8Data
    bias: Int32s
    per_channel: int
    """1: each output has a multiplier and a shift; 0: all share the only ones."""
    multipliers: Int32s
    shifts: Int8s
    numerics: Numerics

    @classmethod
    def infer(cls, node: Node) -> tuple[Shape, ...]:
        """[batches, output_depth], or the input's shape with another last size (keep_num_dims).

        An output of another shape with as many rows is taken as it is, as TFLM does.
        """
        source, output = node.input(0), node.outputs[0]
        output_depth, input_depth = node.input(1).shape
        batches, rest = divmod(source.elements, input_depth)
        if rest:
            raise ValueError(f"input {source} is not a multiple of {input_depth} weights")
        if output.shape[-1:] == (output_depth,) and output.elements == batches * output_depth:
            return (output.shape,)
        if not _options(node).keep_num_dims:
            return ((batches, output_depth),)
        if source.shape[-1:] != (input_depth,):
            raise ValueError(f"the last size of input {source} must be {input_depth}")
        return ((*source.shape[:-1], output_depth),)

    @classmethod
    def prepare(cls, node: Node, numerics: Numerics) -> Self:
        """Fold weights and scales."""
        source, filter_, output = node.input(0), node.input(1), node.outputs[0]
        assert filter_.quantization is not None
        assert filter_.data is not None
        output_depth, input_depth = filter_.shape
        per_channel = len(filter_.quantization.scales) > 1
        if per_channel:
            multipliers, shifts = weights.channel_multipliers(node, output_depth, numerics)
        else:
            multiplier, shift = quantize_multiplier(_single_precision_factor(node), numerics)
            multipliers, shifts = (multiplier,), (shift,)
        low, high = windows.activation_range(_options(node).fused_activation_function, output)
        return cls(
            batches=source.elements // input_depth,
            input_depth=input_depth,
            output_depth=output_depth,
            input_offset=-zero_point_of(source),
            output_offset=zero_point_of(output),
            activation_min=low,
            activation_max=high,
            filter=bytes(filter_.data),
            bias=weights.bias_or_zeros(node.optional_input(2), output_depth),
            per_channel=int(per_channel),
            multipliers=multipliers,
            shifts=shifts,
            numerics=numerics,
        )

    def reference(self, *operands: Value) -> tuple[Value, ...]:
        """Take the product of each row of inputs with each row of weights."""
        source = memoryview(operands[0]).cast("b").tolist()
        filter_ = memoryview(self.filter).cast("b").tolist()
        output = bytearray()
        for first in range(0, self.batches * self.input_depth, self.input_depth):
            row = [value + self.input_offset for value in source[first : first + self.input_depth]]
            for channel in range(self.output_depth):
                start = channel * self.input_depth
                scale = channel if self.per_channel else 0
                value = requantize_to_int8(
                    self.bias[channel]
                    + sum(map(mul, row, filter_[start : start + self.input_depth])),
                    self.multipliers[scale],
                    self.shifts[scale],
                    self.output_offset,
                    self.activation_min,
                    self.activation_max,
                    self.numerics,
                )
                output.append(value & 0xFF)
        return (output,)

    def fast(self) -> Run:
        """Lanes of output channels, one row of inputs after another."""
        requantization = Requantization(
            self.multipliers,
            self.shifts,
            self.output_offset,
            self.activation_min,
            self.activation_max,
            self.numerics,
        )
        return (
            dense(
                self.input_depth,
                self.batches,
                -self.input_offset,
                self.filter,
                self.bias,
                requantization,
            )
            or self.reference
        )

    def cost(self) -> Cost:
        """Every weight meets every row."""
        return Cost(macs=self.batches * self.input_depth * self.output_depth)

    def _walk(self) -> walks.Walk:
        """How the C walks: a row is a pixel."""
        return walks.row_by_row(self.batches, self.input_depth, self.output_depth)

    def overlap(self) -> tuple[Overlap, ...]:
        """Row by row: within a row everything is read until its end."""
        return (self._walk().overlap(),)

    def touches(self) -> Iterator[Touch]:
        """Row by row."""
        return self._walk().touches()
