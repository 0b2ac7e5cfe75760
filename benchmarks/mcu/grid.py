"""Single layers of the shapes that real models have, and some that are awkward."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from benchmarks.synthetic import RELU6, SIGNED
from tests.layers import Net
from tests.values import Quant, Shape, Value

Build = Callable[[], bytes]
"""Builds a model of one operator."""
Add = Callable[[Net, Value], Value]
"""Adds an operator to a network, with the value that it is applied to."""

# Model, input, kernel, stride, channels.
_CONVOLUTIONS: tuple[tuple[str, Shape, tuple[int, int], int, int], ...] = (
    ("kws", (49, 10, 1), (10, 4), 2, 64),
    ("kws", (25, 5, 64), (1, 1), 1, 64),
    ("vww", (96, 96, 3), (3, 3), 2, 8),
    ("vww", (48, 48, 8), (1, 1), 1, 16),
    ("vww", (24, 24, 16), (1, 1), 1, 32),
    ("vww", (24, 24, 32), (1, 1), 1, 32),
    ("vww", (12, 12, 32), (1, 1), 1, 64),
    ("vww", (12, 12, 64), (1, 1), 1, 64),
    ("vww", (6, 6, 64), (1, 1), 1, 128),
    ("vww", (6, 6, 128), (1, 1), 1, 128),
    ("vww", (3, 3, 128), (1, 1), 1, 256),
    ("vww", (3, 3, 256), (1, 1), 1, 256),
    ("resnet", (32, 32, 3), (3, 3), 1, 16),
    ("resnet", (32, 32, 16), (3, 3), 1, 16),
    ("resnet", (32, 32, 16), (3, 3), 2, 32),
    ("resnet", (32, 32, 16), (1, 1), 2, 32),
    ("resnet", (16, 16, 32), (3, 3), 1, 32),
    ("resnet", (16, 16, 32), (3, 3), 2, 64),
    ("resnet", (16, 16, 32), (1, 1), 2, 64),
    ("resnet", (8, 8, 64), (3, 3), 1, 64),
    ("our_digits", (8, 8, 1), (3, 3), 1, 16),
    ("our_digits", (8, 8, 16), (1, 1), 1, 32),
    ("our_digits", (4, 4, 32), (1, 1), 1, 48),
    ("odd", (9, 9, 3), (3, 3), 1, 5),
    ("odd", (9, 7, 11), (5, 5), 1, 7),
    ("odd", (13, 11, 7), (1, 1), 1, 9),
    ("odd", (15, 15, 6), (3, 3), 2, 10),
    ("odd", (40, 1, 13), (5, 1), 1, 12),
)
# Model, input, kernel, stride, multiplier.
_DEPTHWISE: tuple[tuple[str, Shape, tuple[int, int], int, int], ...] = (
    ("kws", (25, 5, 64), (3, 3), 1, 1),
    ("vww", (48, 48, 8), (3, 3), 1, 1),
    ("vww", (48, 48, 16), (3, 3), 2, 1),
    ("vww", (24, 24, 32), (3, 3), 1, 1),
    ("vww", (24, 24, 32), (3, 3), 2, 1),
    ("vww", (12, 12, 64), (3, 3), 1, 1),
    ("vww", (12, 12, 64), (3, 3), 2, 1),
    ("vww", (6, 6, 128), (3, 3), 1, 1),
    ("vww", (6, 6, 128), (3, 3), 2, 1),
    ("vww", (3, 3, 256), (3, 3), 1, 1),
    ("micro_speech", (49, 40, 1), (10, 8), 2, 8),
    ("our_digits", (8, 8, 16), (3, 3), 1, 1),
    ("our_digits", (4, 4, 32), (3, 3), 1, 1),
    ("odd", (9, 9, 3), (3, 3), 1, 1),
    ("odd", (9, 9, 3), (3, 3), 2, 1),
    ("odd", (9, 9, 6), (3, 3), 1, 2),
    ("odd", (14, 14, 24), (5, 5), 1, 1),
    ("odd", (14, 14, 24), (5, 5), 2, 1),
    ("odd", (40, 1, 13), (9, 1), 1, 1),
)
# Model, depth, units.
_DENSE: tuple[tuple[str, int, int], ...] = (
    ("kws", 64, 12),
    ("vww", 256, 2),
    ("resnet", 64, 10),
    ("ad", 640, 128),
    ("ad", 128, 128),
    ("ad", 128, 8),
    ("ad", 8, 128),
    ("ad", 128, 640),
    ("micro_speech", 4000, 4),
    ("our_digits", 192, 10),
    ("our_sine", 1, 16),
    ("our_sine", 16, 16),
    ("our_sine", 16, 1),
    ("odd", 37, 13),
)
_AVERAGE, _MAX = "AVERAGE_POOL_2D", "MAX_POOL_2D"
# Model, operator, input, window.
_POOLS: tuple[tuple[str, str, Shape, tuple[int, int]], ...] = (
    ("kws", _AVERAGE, (25, 5, 64), (25, 5)),
    ("vww", _AVERAGE, (3, 3, 256), (3, 3)),
    ("resnet", _AVERAGE, (8, 8, 64), (8, 8)),
    ("our_digits", _AVERAGE, (4, 4, 48), (2, 2)),
    ("our_digits", _MAX, (8, 8, 32), (2, 2)),
    ("odd", _AVERAGE, (9, 9, 13), (3, 3)),
    ("odd", _MAX, (9, 9, 13), (3, 3)),
)
# Model, classes.
_SOFTMAX = (("vww", 2), ("micro_speech", 4), ("resnet", 10), ("kws", 12), ("odd", 1000))
# Model, input.
_ADD: tuple[tuple[str, Shape], ...] = (
    ("resnet", (32, 32, 16)),
    ("resnet", (16, 16, 32)),
    ("resnet", (8, 8, 64)),
    ("odd", (5, 7, 3)),
)
_MAP = (16, 16, 16)
"""Input of the operators that no model at hand has, or that move bytes."""


def layers() -> Mapping[str, Build]:
    """Every layer, by the model that has one of that shape (or `odd`) and what it is."""
    return dict(_layers())


def _layers() -> Iterator[tuple[str, Build]]:
    for model, shape, kernel, stride, channels in _CONVOLUTIONS:
        yield (
            f"{model}/conv{_size(kernel, stride)}_{_text(shape)}_{channels}",
            _one(
                partial(
                    Net.conv,
                    name="layer",
                    channels=channels,
                    kernel=kernel,
                    stride=stride,
                    activation="RELU6",
                ),
                *shape,
            ),
        )
    for model, shape, kernel, stride, multiplier in _DEPTHWISE:
        times = f"_times{multiplier}" if multiplier > 1 else ""
        yield (
            f"{model}/depthwise{_size(kernel, stride)}_{_text(shape)}{times}",
            _one(
                partial(
                    Net.depthwise,
                    name="layer",
                    kernel=kernel,
                    stride=stride,
                    multiplier=multiplier,
                    activation="RELU6",
                ),
                *shape,
            ),
        )
    for model, depth, units in _DENSE:
        add: Add = partial(Net.fully_connected, name="layer", units=units, per_channel=False)
        yield f"{model}/dense_{depth}_{units}", _one(add, depth)
    for model, opcode, shape, size in _POOLS:
        kind = "average" if opcode == _AVERAGE else "max"
        add = partial(Net.pool, name="layer", opcode=opcode, size=size)
        yield f"{model}/{kind}_pool{_text(size)}_{_text(shape)}", _one(add, *shape)
    for model, classes in _SOFTMAX:
        yield f"{model}/softmax_{classes}", _one(partial(Net.softmax, name="layer"), classes)
    for model, shape in _ADD:
        yield f"{model}/add_{_text(shape)}", _two(Net.add, shape, shape)
    yield "odd/add_broadcast_16x16x16", _two(Net.add, _MAP, (16,))
    yield "odd/sub_16x16x16", _two(Net.sub, _MAP, _MAP)
    yield "odd/mul_16x16x16", _two(Net.mul, _MAP, _MAP)
    for name, add in _ELEMENTWISE.items():
        yield f"odd/{name}_16x16x16", _one(add, *_MAP)
    yield "odd/concatenate_16x16x16", _two(_concatenate, _MAP, _MAP)


def _concatenate(net: Net, x: Value, y: Value, name: str) -> Value:
    return net.concatenate([x, y], name, 3)


_ELEMENTWISE: Mapping[str, Add] = {
    "leaky_relu": partial(Net.leaky_relu, name="layer"),
    "hard_swish": partial(Net.hard_swish, name="layer"),
    "logistic": partial(Net.logistic, name="layer"),
    "mean": partial(Net.mean, name="layer"),
    "quantize": partial(Net.quantize, name="layer", quant=SIGNED),
    "pad": partial(Net.pad, name="layer", before=1, after=1),
    "transpose": partial(Net.transpose, name="layer", axes=(0, 3, 1, 2)),
    "resize": partial(Net.resize, name="layer", factor=2),
    "strided_slice": partial(Net.last, name="layer", begin=3, end=11),
}


def _one(add: Add, *shape: int, quant: Quant = RELU6) -> Build:
    def build() -> bytes:
        net = Net(31)
        x = net.input("input", (1, *shape), quant)
        return net.finish([x], [add(net, x)])

    return build


def _two(add: Callable[[Net, Value, Value, str], Value], first: Shape, second: Shape) -> Build:
    def build() -> bytes:
        net = Net(32)
        x, y = (net.input(f"input {n}", (1, *s), SIGNED) for n, s in enumerate((first, second)))
        return net.finish([x, y], [add(net, x, y, "layer")])

    return build


def _text(sizes: Shape) -> str:
    return "x".join(map(str, sizes))


def _size(kernel: tuple[int, int], stride: int) -> str:
    return _text(kernel) + (f"_s{stride}" if stride > 1 else "")
