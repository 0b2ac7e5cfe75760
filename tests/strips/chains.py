"""Random heads of networks: operators whose rows can be computed strip by strip."""

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.builder import ModelBuilder, TensorSpec
from tests.ops import draws

Layer = Callable[["Head"], None]


class Head:
    """A network in the making; every layer takes the last tensor, some an earlier one as well."""

    def __init__(self, rng: random.Random, shape: tuple[int, int, int]) -> None:
        self.rng = rng
        self.model = ModelBuilder()
        self.maps = [draws.activation(rng, 1, *shape)]
        self.indices = [self.model.add(self.maps[0], "input")]

    @property
    def last(self) -> TensorSpec:
        """The tensor that the next layer takes."""
        return self.maps[-1]

    def add(self, opcode: str, inputs: list[int], output: TensorSpec, **options: Any) -> None:
        """Add a layer with its output."""
        index = self.model.add(output, f"map{len(self.maps)}")
        self.model.operator(opcode, inputs, [index], **options)
        self.maps.append(output)
        self.indices.append(index)

    def finish(self) -> bytes:
        """The file; the output is the last map."""
        return self.model.finish(self.indices[:1], self.indices[-1:])

    # --- layers ------------------------------------------------------------------------------

    def _window(self) -> draws.Geometry:
        """Windows over rows as far as reach makes sense, and sometimes far beyond."""
        return draws.geometry(
            self.rng,
            size=tuple(self.last.shape[1:3]),
            kernel=(self.rng.choice((1, 2, 3, 3, 5)), self.rng.randint(1, 3)),
            strides=(self.rng.choice((1, 1, 2, 3)), self.rng.randint(1, 2)),
            dilations=self.rng.choice(((1, 1), (1, 1), (2, 1), (3, 2))),
        )

    def conv_2d(self) -> None:
        """CONV_2D of any window."""
        window, depth = self._window(), self.last.shape[3]
        channels = self.rng.randint(1, 5)
        filter_ = draws.weights(self.rng, (channels, *window.kernel, depth), 0)
        constants = [self.model.add(s) for s in (filter_, *draws.bias(self.rng, channels))]
        output = draws.output(self.rng, self.last, filter_, 1, *window.output, channels)
        self.add("CONV_2D", [self.indices[-1], *constants], output, **window.options)

    def depthwise_conv_2d(self) -> None:
        """DEPTHWISE_CONV_2D of any window and multiplier."""
        window, channels = self._window(), self.last.shape[3] * self.rng.randint(1, 2)
        filter_ = draws.weights(self.rng, (1, *window.kernel, channels), 3)
        constants = [self.model.add(s) for s in (filter_, *draws.bias(self.rng, channels))]
        output = draws.output(self.rng, self.last, filter_, 1, *window.output, channels)
        self.add("DEPTHWISE_CONV_2D", [self.indices[-1], *constants], output, **window.options)

    def pool(self) -> None:
        """AVERAGE_POOL_2D or MAX_POOL_2D."""
        window = replace(self._window(), dilations=(1, 1))
        if min(window.output) < 1:
            window = replace(window, padding="SAME")
        self.add(
            self.rng.choice(("AVERAGE_POOL_2D", "MAX_POOL_2D")),
            self.indices[-1:],
            replace(self.last, shape=(1, *window.output, self.last.shape[3])),
            padding=window.padding,
            stride_h=window.strides[0],
            stride_w=window.strides[1],
            filter_height=window.kernel[0],
            filter_width=window.kernel[1],
        )

    def mean(self) -> None:
        """AVERAGE_POOL_2D of the whole map."""
        _, height, width, depth = self.last.shape
        self.add(
            "AVERAGE_POOL_2D",
            self.indices[-1:],
            replace(self.last, shape=(1, 1, 1, depth)),
            padding="VALID",
            stride_h=height,
            stride_w=width,
            filter_height=height,
            filter_width=width,
            fused_activation_function=self.rng.choice(draws.ACTIVATIONS),
        )

    def relu(self) -> None:
        """RELU."""
        self.add("RELU", self.indices[-1:], draws.activation(self.rng, *self.last.shape))

    def quantize(self) -> None:
        """QUANTIZE to another scale."""
        self.add("QUANTIZE", self.indices[-1:], draws.activation(self.rng, *self.last.shape))

    def residual(self) -> None:
        """ADD or SUB of the last map and an earlier one, if there is one of its shape."""
        alike = [n for n, spec in enumerate(self.maps) if spec.shape == self.last.shape]
        pair = [self.indices[self.rng.choice(alike)], self.indices[-1]]
        self.rng.shuffle(pair)
        scale = 4 * max(spec.scale for spec in self.maps)
        output = replace(draws.activation(self.rng, *self.last.shape), scale=scale)
        self.add(self.rng.choice(("ADD", "SUB")), pair, output)

    def scale(self) -> None:
        """MUL by a constant for each channel, or for each column and channel."""
        _, _, width, depth = self.last.shape
        shape = self.rng.choice(((depth,), (1, 1, 1, depth), (1, width, depth)))
        constant = draws.weights(self.rng, shape, None)
        pair = [self.indices[-1], self.model.add(constant)]
        self.rng.shuffle(pair)
        output = draws.activation(self.rng, *self.last.shape)
        self.add("MUL", pair, replace(output, scale=self.last.scale * constant.scale[0] * 99))

    def concatenation(self) -> None:
        """CONCATENATION of the last map with itself or an earlier one, along the channels."""
        alike = [
            number
            for number, spec in enumerate(self.maps)
            if spec.shape[1:3] == self.last.shape[1:3]
            and (spec.scale, spec.zero_point) == (self.last.scale, self.last.zero_point)
        ]
        other = self.rng.choice(alike)
        depth = self.last.shape[3] + self.maps[other].shape[3]
        output = replace(self.last, shape=(*self.last.shape[:3], depth))
        self.add("CONCATENATION", [self.indices[other], self.indices[-1]], output, axis=3)

    def resize(self) -> None:
        """RESIZE_NEAREST_NEIGHBOR to rows and columns of any number."""
        size = [max(2, extent + self.rng.randint(-2, 3)) for extent in self.last.shape[1:3]]
        constant = self.model.tensor("size", (2,), "int32", data=size)
        self.add(
            "RESIZE_NEAREST_NEIGHBOR",
            [self.indices[-1], constant],
            replace(self.last, shape=(1, *size, self.last.shape[3])),
            half_pixel_centers=self.rng.random() < 0.5,
        )


LAYERS: tuple[Layer, ...] = (
    Head.conv_2d,
    Head.conv_2d,
    Head.depthwise_conv_2d,
    Head.depthwise_conv_2d,
    Head.pool,
    Head.relu,
    Head.quantize,
    Head.residual,
    Head.scale,
    Head.concatenation,
    Head.resize,
)


def head(rng: random.Random) -> bytes:
    """A random network of two to six layers on a tall map, at whose end there may be a mean."""
    network = Head(rng, (rng.randint(5, 23), rng.randint(2, 6), rng.randint(1, 4)))
    for _ in range(rng.randint(2, 6)):
        if network.last.shape[1] > 3:
            rng.choice(LAYERS)(network)
    if rng.random() < 0.4:
        network.mean()
    return network.finish()


def wide_mean(rng: random.Random) -> bytes:
    """The mean of a map with more pixels than 16 bits can add up, and channels beyond fours."""
    network = Head(rng, (40, 12, 6))
    network.relu()
    network.mean()
    return network.finish()
