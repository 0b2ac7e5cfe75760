"""What is timed: whole models, and single layers of the shapes that real models have."""

import os
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import tinyrt
from benchmarks.synthetic import Feature, Network, mobilenet_v2
from tinyrt.samples import random_inputs

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("TINYRT_SHARED", ROOT.parent / "shared")) / "models"
OWN = ROOT / "models"
RECORDS = 4
"""Inputs that the runs of a case go through in turn."""

Inputs = Literal["uniform", "held-out", "half zeros"]


@dataclass(frozen=True, slots=True)
class Case:
    """One model, or one layer, with the kind of input that it is run on."""

    name: str
    title: str
    kind: Literal["model", "kernel"]
    inputs: Inputs
    build: Callable[[], bytes]
    quick: bool = False
    """Whether `make bench-quick` runs it."""
    file: Path | None = None
    """Where the model is read from; None where it is built."""

    @property
    def missing(self) -> str | None:
        """Why the case cannot be run here."""
        if self.file is None or self.file.exists():
            return None
        return f"{self.file.name} is not among the shared models"

    def records(self, content: bytes) -> list[list[bytes]]:
        """The inputs of each run: for each of `RECORDS` records the bytes of every input."""
        graph = tinyrt.load(content).graph
        if self.inputs == "held-out":
            assert self.file is not None
            return _held_out(self.file, graph.tensors[graph.inputs[0]].bytes)
        found = []
        for seed in range(RECORDS):
            values = random_inputs(graph, seed)
            record = [values[index] for index in graph.inputs]
            if self.inputs == "half zeros":
                record = [_half_zeros(value, seed) for value in record]
            found.append(record)
        return found


def _held_out(model: Path, input_bytes: int) -> list[list[bytes]]:
    """Samples that the model was not trained on; a record ends with its label."""
    data = model.with_suffix(".samples.bin").read_bytes()
    size = input_bytes + 1
    step = len(data) // size // RECORDS * size
    return [[data[first : first + input_bytes]] for first in range(0, RECORDS * step, step)]


def _half_zeros(value: bytes, seed: int) -> bytes:
    """What a ReLU leaves: half of the values at the zero-point, −128."""
    signs = random.Random(-1 - seed).randbytes(len(value))
    return bytes(0x80 if sign & 1 else byte for byte, sign in zip(value, signs, strict=True))


# --- whole models ----------------------------------------------------------------------------

MLPERF_TINY = {
    "kws": ("kws_ref_model", "keyword spotting, DS-CNN"),
    "vww": ("vww_96_int8", "visual wake words, MobileNetV1 0.25"),
    "resnet": ("pretrainedResnet_quant", "image classification, ResNet-8"),
    "ad": ("ad01_int8", "anomaly detection, autoencoder"),
}
"""The MLPerf Tiny four: file and what it is."""
MOBILENET_V2 = "mobilenet_v2"

_OTHERS = {
    "micro_speech": ("micro_speech_quantized", "micro_speech"),
    "hello_world": ("hello_world_int8", "hello_world"),
}
_OWN = ("keywords", "digits", "anomaly", "sine")
_QUICK = ("digits", "sine")


def models() -> Iterator[Case]:
    """Every model at hand, ours on random and on held-out inputs."""
    for name, (stem, title) in (MLPERF_TINY | _OTHERS).items():
        path = SHARED / f"{stem}.tflite"
        yield Case(name, title, "model", "uniform", path.read_bytes, file=path)
    for name in _OWN:
        path = OWN / f"{name}.tflite"
        for inputs in ("uniform", "held-out"):
            yield Case(
                f"{name}-{inputs}",
                f"our {name}",
                "model",
                inputs,
                path.read_bytes,
                quick=name in _QUICK and inputs == "held-out",
                file=path,
            )
    title = "MobileNetV2 1.0, 224x224, random weights"
    yield Case(MOBILENET_V2, title, "model", "uniform", mobilenet_v2)


# --- single layers ---------------------------------------------------------------------------

_Layer = Callable[[Network], Feature]


def _conv(
    *source: int,
    outputs: int,
    kernel: tuple[int, int] = (1, 1),
    stride: int = 1,
    linear: bool = False,
    zero_point: int = -128,
) -> _Layer:
    def build(net: Network) -> Feature:
        feature = net.input(1, *source, zero_point=zero_point)
        return net.conv(feature, outputs, kernel, stride, linear=linear)

    return build


def _depthwise(*source: int, stride: int = 1) -> _Layer:
    return lambda net: net.depthwise(net.input(1, *source), stride)


def _dense(depth: int, outputs: int, *, linear: bool = False, zero_point: int = -128) -> _Layer:
    return lambda net: net.dense(net.input(1, depth, zero_point=zero_point), outputs, linear=linear)


def _add(*source: int, zero_point: int) -> _Layer:
    return lambda net: net.add(
        net.input(1, *source, zero_point=zero_point), net.input(1, *source, zero_point=zero_point)
    )


def _pool(*source: int) -> _Layer:
    return lambda net: net.mean_pool(net.input(1, *source))


def _softmax(classes: int) -> _Layer:
    return lambda net: net.softmax(net.input(1, classes, zero_point=-3))


_K3 = (3, 3)
LAYERS: dict[str, tuple[str, _Layer]] = {
    # a window over few channels, then over many
    "conv10x4_s2_49x10x1_64": (
        "kws",
        _conv(49, 10, 1, outputs=64, kernel=(10, 4), stride=2, zero_point=83),
    ),
    "conv3x3_s2_96x96x3_8": ("vww", _conv(96, 96, 3, outputs=8, kernel=_K3, stride=2)),
    "conv3x3_s2_224x224x3_32": (
        MOBILENET_V2,
        _conv(224, 224, 3, outputs=32, kernel=_K3, stride=2, zero_point=-1),
    ),
    "conv3x3_32x32x16_16": ("resnet", _conv(32, 32, 16, outputs=16, kernel=_K3)),
    "conv3x3_s2_16x16x32_64": ("resnet", _conv(16, 16, 32, outputs=64, kernel=_K3, stride=2)),
    "conv3x3_8x8x64_64_linear": ("resnet", _conv(8, 8, 64, outputs=64, kernel=_K3, linear=True)),
    # 1x1: many positions and few channels, to few positions and many channels
    "conv1x1_112x112x32_16_linear": (MOBILENET_V2, _conv(112, 112, 32, outputs=16, linear=True)),
    "conv1x1_56x56x24_144": (MOBILENET_V2, _conv(56, 56, 24, outputs=144, zero_point=-3)),
    "conv1x1_48x48x8_16": ("vww", _conv(48, 48, 8, outputs=16)),
    "conv1x1_24x24x32_32": ("vww", _conv(24, 24, 32, outputs=32)),
    "conv1x1_s2_32x32x16_32_linear": (
        "resnet",
        _conv(32, 32, 16, outputs=32, stride=2, linear=True),
    ),
    "conv1x1_14x14x384_64_linear": (MOBILENET_V2, _conv(14, 14, 384, outputs=64, linear=True)),
    "conv1x1_14x14x64_384": (MOBILENET_V2, _conv(14, 14, 64, outputs=384, zero_point=-3)),
    "conv1x1_25x5x64_64": ("kws", _conv(25, 5, 64, outputs=64)),
    "conv1x1_7x7x160_960": (MOBILENET_V2, _conv(7, 7, 160, outputs=960, zero_point=-3)),
    "conv1x1_7x7x960_320_linear": (MOBILENET_V2, _conv(7, 7, 960, outputs=320, linear=True)),
    "conv1x1_6x6x128_128": ("vww", _conv(6, 6, 128, outputs=128)),
    "conv1x1_3x3x256_256": ("vww", _conv(3, 3, 256, outputs=256)),
    # depthwise 3x3
    "depthwise_112x112x32": (MOBILENET_V2, _depthwise(112, 112, 32)),
    "depthwise_s2_56x56x144": (MOBILENET_V2, _depthwise(56, 56, 144, stride=2)),
    "depthwise_48x48x8": ("vww", _depthwise(48, 48, 8)),
    "depthwise_s2_48x48x16": ("vww", _depthwise(48, 48, 16, stride=2)),
    "depthwise_25x5x64": ("kws", _depthwise(25, 5, 64)),
    "depthwise_14x14x384": (MOBILENET_V2, _depthwise(14, 14, 384)),
    "depthwise_6x6x128": ("vww", _depthwise(6, 6, 128)),
    # dense
    "dense_640_128": ("ad", _dense(640, 128, zero_point=89)),
    "dense_128_128": ("ad", _dense(128, 128)),
    "dense_8_128": ("ad", _dense(8, 128)),
    "dense_128_640_linear": ("ad", _dense(128, 640, linear=True)),
    "dense_1280_1000_linear": (MOBILENET_V2, _dense(1280, 1000, linear=True)),
    # the rest
    "add_32x32x16": ("resnet", _add(32, 32, 16, zero_point=-3)),
    "add_14x14x64": (MOBILENET_V2, _add(14, 14, 64, zero_point=-3)),
    "pool_8x8x64": ("resnet", _pool(8, 8, 64)),
    "pool_25x5x64": ("kws", _pool(25, 5, 64)),
    "softmax_12": ("kws", _softmax(12)),
    "softmax_1000": (MOBILENET_V2, _softmax(1000)),
}
"""Name, the model that has the shape, and the layer."""
_SPARSE = (
    "conv1x1_25x5x64_64",
    "conv1x1_6x6x128_128",
    "conv1x1_3x3x256_256",
    "depthwise_25x5x64",
    "dense_128_128",
)
"""Timed on half zeros as well: an executor may leave out what is multiplied by zero."""
_QUICK_LAYERS = ("conv1x1_3x3x256_256", "depthwise_6x6x128", "dense_8_128", "softmax_12")


def _model_of(layer: _Layer) -> bytes:
    net = Network(seed=1)
    return net.finish(layer(net))


def kernels() -> Iterator[Case]:
    """The grid of layers."""
    for name, (origin, layer) in LAYERS.items():
        title = f"{name.replace('_', ' ')} ({origin})"
        build = partial(_model_of, layer)
        quick = name in _QUICK_LAYERS
        yield Case(name, title, "kernel", "uniform", build, quick=quick)
        if name in _SPARSE:
            yield Case(f"{name}-half-zeros", title, "kernel", "half zeros", build)
