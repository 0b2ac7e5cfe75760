"""What is timed: whole models, and single layers of the shapes that real models have."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tinyrt
from benchmarks.synthetic import LAYERS, mobilenet_v2
from tests.corpus import ROOT, SHARED
from tinyrt.samples import random_inputs

SHARED_MODELS = SHARED / "models"
OWN_MODELS = ROOT / "models"
RECORDS = 4
"""Inputs that the runs of a case go through in turn."""

Inputs = Literal["uniform", "held-out", "half zeros"]


@dataclass(frozen=True, slots=True)
class Case:
    """One model, or one layer, with the kind of input that it is run on."""

    name: str
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
    "kws": "kws_ref_model",
    "vww": "vww_96_int8",
    "resnet": "pretrainedResnet_quant",
    "ad": "ad01_int8",
}
"""The MLPerf Tiny four: DS-CNN, MobileNetV1 0.25, ResNet-8, an autoencoder; by file."""
MOBILENET_V2 = "mobilenet_v2"

_OTHERS = {
    "micro_speech": "micro_speech_quantized",
    "hello_world": "hello_world_int8",
}
_OWN = ("keywords", "digits", "anomaly", "sine")
_QUICK = ("digits", "sine")


def models() -> Iterator[Case]:
    """Every model at hand, ours on random and on held-out inputs."""
    for name, stem in (MLPERF_TINY | _OTHERS).items():
        path = SHARED_MODELS / f"{stem}.tflite"
        yield Case(name, "model", "uniform", path.read_bytes, file=path)
    for name in _OWN:
        path = OWN_MODELS / f"{name}.tflite"
        yield Case(f"our_{name}", "model", "uniform", path.read_bytes, file=path)
        quick = name in _QUICK
        title = f"our_{name}_held_out"
        yield Case(title, "model", "held-out", path.read_bytes, quick=quick, file=path)
    yield Case(MOBILENET_V2, "model", "uniform", mobilenet_v2)


# --- single layers ---------------------------------------------------------------------------

_SPARSE = (
    "kws/conv1x1_25x5x64_64",
    "vww/conv1x1_6x6x128_128",
    "vww/conv1x1_3x3x256_256",
    "kws/depthwise_25x5x64",
    "ad/dense_128_128",
)
"""Timed on half zeros as well: an executor may leave out what is multiplied by zero."""
_QUICK_LAYERS = (
    "vww/conv1x1_3x3x256_256",
    "vww/depthwise_6x6x128",
    "ad/dense_8_128",
    "kws/softmax_12",
)


def kernels() -> Iterator[Case]:
    """The grid of layers."""
    for name, build in LAYERS.items():
        quick = name in _QUICK_LAYERS
        yield Case(name, "kernel", "uniform", build, quick=quick)
        if name in _SPARSE:
            yield Case(f"{name}_half_zeros", "kernel", "half zeros", build)
