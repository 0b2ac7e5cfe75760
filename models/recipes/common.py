"""What every recipe shares: seeds, conversion to int8, evaluation, and the manifest.

A recipe builds a Keras model, hands it to :func:`convert`, runs the two TFLite files with
:func:`run_float` (LiteRT) and :func:`run_int8` (TFLM's own interpreter), and :func:`publish` writes
the result: the model, its sample file and its table in ``MANIFEST.toml``.
"""

from __future__ import annotations

import hashlib
import json
import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# oneDNN picks its summation order by the machine: a recipe should give one result.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

import numpy as np
import tensorflow as tf
import tflite
from ai_edge_litert.interpreter import Interpreter
from tflite_micro.python.tflite_micro import runtime

if TYPE_CHECKING:
    from collections.abc import Mapping

MODELS = Path(__file__).resolve().parent.parent
"""The folder that holds the models, their samples and the manifest."""

MANIFEST_HEADER = """\
# The models of this folder: origin, licence, digests and measured figures.
# Written by the recipes in recipes/; README.md defines every field. Do not edit by hand.
"""

Field = str | int | float | list[str] | list[float]


@dataclass(frozen=True, slots=True)
class Quantization:
    """Affine quantization of a whole tensor: ``real = scale * (q - zero_point)``."""

    scale: float
    zero_point: int

    def quantize(self, real: np.ndarray) -> np.ndarray:
        """Rounds to the nearest int8 code, clamped to [−128, 127]."""
        codes = np.round(np.asarray(real, np.float64) / self.scale) + self.zero_point
        return np.clip(codes, -128, 127).astype(np.int8)

    def dequantize(self, codes: np.ndarray) -> np.ndarray:
        """Gives the real value of each int8 code."""
        return (codes.astype(np.float64) - self.zero_point) * self.scale


@dataclass(frozen=True, slots=True)
class Converted:
    """A trained model as two TFLite files with the same weights.

    Attributes:
        float_bytes: float32 throughout, batch 1.
        int8_bytes: int8 inputs, outputs and arithmetic, batch 1.
        input_quantization: of the int8 model's only input.
        output_quantization: of the int8 model's only output.
    """

    float_bytes: bytes
    int8_bytes: bytes
    input_quantization: Quantization
    output_quantization: Quantization


def seed_everything(seed: int) -> None:
    """Makes initial weights, shuffling and summation order the same in every run."""
    tf.keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def fit(
    model: tf.keras.Model,
    inputs: np.ndarray,
    targets: np.ndarray,
    *,
    loss: str | tf.keras.losses.Loss,
    epochs: int,
    batch_size: int,
    learning_rate: float,
) -> None:
    """Trains with Adam under a cosine-decayed learning rate, one line of progress an epoch."""
    steps = epochs * -(-len(inputs) // batch_size)
    schedule = tf.keras.optimizers.schedules.CosineDecay(learning_rate, steps)
    model.compile(tf.keras.optimizers.Adam(schedule), loss)
    model.fit(inputs, targets, batch_size=batch_size, epochs=epochs, verbose=2)


def normalized(layer: tf.keras.layers.Layer) -> list[tf.keras.layers.Layer]:
    """The layer, batch normalization, ReLU: one operator once converted."""
    return [
        layer,
        tf.keras.layers.BatchNormalization(name=f"{layer.name}_bn"),
        tf.keras.layers.ReLU(name=f"{layer.name}_relu"),
    ]


def convert(model: tf.keras.Model, representative: np.ndarray) -> Converted:
    """Converts to float TFLite and, calibrated on `representative`, to full-integer int8.

    Args:
        model: one input, one output.
        representative: real inputs of the training set, first axis = samples.
    """
    # A fixed batch of 1 spares the converter the SHAPE … PACK chains of a dynamic one.
    name, (_, *shape) = model.inputs[0].name, model.input_shape
    fixed = tf.keras.models.clone_model(
        model, input_tensors=tf.keras.layers.Input(batch_shape=[1, *shape], name=name)
    )
    fixed.set_weights(model.get_weights())
    float_bytes = tf.lite.TFLiteConverter.from_keras_model(fixed).convert()

    converter = tf.lite.TFLiteConverter.from_keras_model(fixed)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: (
        [sample[np.newaxis].astype(np.float32)] for sample in representative
    )
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.int8
    converter.inference_output_type = tf.int8
    int8_bytes = converter.convert()

    interpreter = Interpreter(model_content=int8_bytes)
    source, sink = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    return Converted(
        float_bytes,
        int8_bytes,
        Quantization(*source["quantization"]),
        Quantization(*sink["quantization"]),
    )


def run_float(converted: Converted, inputs: np.ndarray) -> np.ndarray:
    """Runs LiteRT on the float model, sample by sample; returns the stacked outputs."""
    interpreter = Interpreter(model_content=converted.float_bytes, num_threads=1)
    interpreter.allocate_tensors()
    source = interpreter.get_input_details()[0]["index"]
    sink = interpreter.get_output_details()[0]["index"]
    outputs = []
    for sample in inputs.astype(np.float32):
        interpreter.set_tensor(source, sample[np.newaxis])
        interpreter.invoke()
        outputs.append(interpreter.get_tensor(sink)[0])
    return np.stack(outputs)


def run_int8(converted: Converted, codes: np.ndarray) -> np.ndarray:
    """Runs TFLM's interpreter on the int8 model, sample by sample; returns the stacked outputs."""
    interpreter = runtime.Interpreter.from_bytes(converted.int8_bytes)
    outputs = []
    for sample in codes:
        interpreter.set_input(sample[np.newaxis], 0)
        interpreter.invoke()
        outputs.append(interpreter.get_output(0)[0])
    return np.stack(outputs)


def count_correct(outputs: np.ndarray, labels: np.ndarray) -> int:
    """Counts samples whose largest output (the first of equals) is the labelled class."""
    return int(np.sum(np.argmax(outputs, axis=1) == labels))


def count_ordered_pairs(normal: np.ndarray, anomalous: np.ndarray) -> int:
    """Counts (normal, anomalous) pairs in which the anomalous score is strictly greater."""
    below = np.searchsorted(np.sort(normal), anomalous, side="left")
    return int(below.sum())


def operators(model_bytes: bytes) -> list[str]:
    """Names the kinds of operator in a TFLite file, in order of first use."""
    model = tflite.Model.GetRootAsModel(model_bytes, 0)
    graph = model.Subgraphs(0)
    names = []
    for index in range(graph.OperatorsLength()):
        code = model.OperatorCodes(graph.Operators(index).OpcodeIndex())
        names.append(tflite.opcode2name(max(code.BuiltinCode(), code.DeprecatedBuiltinCode())))
    return list(dict.fromkeys(names))


def publish(
    name: str,
    converted: Converted,
    codes: np.ndarray,
    labels: np.ndarray,
    fields: Mapping[str, Field],
) -> None:
    """Writes ``<name>.tflite``, ``<name>.samples.bin`` and the model's manifest table.

    Args:
        name: stem of the files and key of the table.
        converted: the model.
        codes: int8 inputs of the sample file, first axis = samples.
        labels: one int8 per sample; its meaning is the metric's.
        fields: what only the recipe knows, in the order in which the manifest shows it.
    """
    records = np.concatenate(
        [codes.reshape(len(codes), -1), labels.astype(np.int8)[:, np.newaxis]], axis=1
    )
    sample_bytes = records.tobytes()
    (MODELS / f"{name}.tflite").write_bytes(converted.int8_bytes)
    (MODELS / f"{name}.samples.bin").write_bytes(sample_bytes)
    table: dict[str, Field] = {
        "file": f"{name}.tflite",
        "sha256": hashlib.sha256(converted.int8_bytes).hexdigest(),
        "bytes": len(converted.int8_bytes),
        "operators": operators(converted.int8_bytes),
        "recipe": f"recipes/{name}.py",
        **fields,
        "samples_file": f"{name}.samples.bin",
        "samples_sha256": hashlib.sha256(sample_bytes).hexdigest(),
        "samples_bytes": len(sample_bytes),
        "record_bytes": records.shape[1],
        "samples": len(records),
    }
    path = MODELS / "MANIFEST.toml"
    manifest = tomllib.loads(path.read_text()) if path.exists() else {}
    manifest[name] = table
    sections = [
        "\n".join([f"[{key}]", *(f"{field} = {_literal(value)}" for field, value in entry.items())])
        for key, entry in sorted(manifest.items())
    ]
    path.write_text(MANIFEST_HEADER + "\n" + "\n\n".join(sections) + "\n")
    print(sections[sorted(manifest).index(name)])


def _literal(value: Field) -> str:
    """Writes a manifest value as TOML; JSON's strings and integers are TOML's too."""
    if isinstance(value, list):
        return "[" + ", ".join(map(_literal, value)) + "]"
    return f"{value:.4f}" if isinstance(value, float) else json.dumps(value, ensure_ascii=False)
