"""Random quantized tensors for the tests of layers: plausible scales, extreme values."""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from tests.builder import TensorSpec

ACTIVATIONS = ("NONE", "RELU", "RELU_N1_TO_1", "RELU6")
ZERO_POINTS = (-128, -127, -3, 0, 5, 126, 127)


def activation(rng: random.Random, *shape: int) -> TensorSpec:
    """An int8 tensor that is fed or computed."""
    return TensorSpec(
        shape, "int8", scale=rng.uniform(0.002, 0.2), zero_point=rng.choice(ZERO_POINTS)
    )


def weights(rng: random.Random, shape: Sequence[int], axis: int | None) -> TensorSpec:
    """Constant int8 weights, quantized along an axis or as a whole."""
    count = 1 if axis is None else shape[axis]
    values: Sequence[int] = rng.choice(
        (range(-128, 128), range(-127, 128), (-128, 127), (-128,), (127,), range(-2, 3))
    )
    scales = [rng.uniform(0.0005, 0.05) for _ in range(count)]
    if count > 1 and rng.random() < 0.2:
        scales[-1] = 0.0  # converters leave it to channels whose weights are all zero
    return TensorSpec(
        shape,
        "int8",
        scale=scales,
        axis=axis or 0,
        data=[rng.choice(values) for _ in range(math.prod(shape))],
    )


def bias(rng: random.Random, count: int, scale: float = 1e-4) -> list[TensorSpec]:
    """Constant int32 bias; sometimes none, sometimes large.

    TFLM looks at its scale in dense layers with one filter scale: it is to be their product.

    TFLM crashes in convolutions whose bias is listed as left out: there is no third input then.
    """
    reach = rng.choice((0, 50, 5000, 1 << 20, 1 << 30))
    if not reach:
        return []
    values = [rng.randint(-reach, reach) for _ in range(count)]
    return [TensorSpec((count,), "int32", scale=scale, data=values)]


def output(rng: random.Random, source: TensorSpec, filter_: TensorSpec, *shape: int) -> TensorSpec:
    """An int8 tensor whose scale lets most of a layer's sums show, and some saturate."""
    taps = math.prod(filter_.shape) / max(filter_.shape[0], filter_.shape[-1])
    spread = source.scale * max(filter_.scale) * 40 * math.sqrt(taps)
    return TensorSpec(
        shape,
        "int8",
        scale=spread * rng.choice((0.02, 0.2, 0.5, 1.0, 4.0)),
        zero_point=rng.choice(ZERO_POINTS),
    )


def window_output(size: int, kernel: int, stride: int, dilation: int, padding: str) -> int:
    """Positions of a window along one axis; 0 or less where it does not fit."""
    if padding == "SAME":
        return -(-size // stride)
    return (size - ((kernel - 1) * dilation + 1)) // stride + 1


@dataclass(frozen=True)
class Geometry:
    """A sliding window; pairs are height and width."""

    size: tuple[int, int]
    kernel: tuple[int, int]
    strides: tuple[int, int]
    dilations: tuple[int, int]
    padding: str

    @property
    def output(self) -> tuple[int, ...]:
        """Rows and columns of the output; 0 or less where the window does not fit."""
        axes = zip(self.size, self.kernel, self.strides, self.dilations, strict=True)
        return tuple(window_output(*axis, self.padding) for axis in axes)

    @property
    def options(self) -> dict[str, Any]:
        """The options of a convolution."""
        return {
            "padding": self.padding,
            "stride_h": self.strides[0],
            "stride_w": self.strides[1],
            "dilation_h_factor": self.dilations[0],
            "dilation_w_factor": self.dilations[1],
        }


def geometry(rng: random.Random, **fixed: Any) -> Geometry:
    """A random window; `fixed` replaces some of the draws."""
    drawn = Geometry(
        size=(rng.randint(1, 7), rng.randint(1, 7)),
        kernel=(rng.randint(1, 4), rng.randint(1, 4)),
        strides=(rng.randint(1, 3), rng.randint(1, 3)),
        dilations=(1, 1) if rng.random() < 0.6 else (rng.randint(1, 3), 2),
        padding=rng.choice(("SAME", "VALID")),
    )
    names = {field.name for field in fields(Geometry)}
    drawn = replace(drawn, **{name: value for name, value in fixed.items() if name in names})
    return drawn if min(drawn.output) >= 1 else replace(drawn, padding="SAME")
