"""`digits`: handwritten digits, 8×8 pixels, by a small separable convolutional network.

The data are scikit-learn's bundled copy of the test part of UCI's *Optical Recognition of
Handwritten Digits*: 13 writers, as far as can be told one after the other. Held out is the last
fifth as it stands, not a random one, so that most of it is in hands that training never saw.
"""

from __future__ import annotations

import common
import numpy as np
import tensorflow as tf
from scipy import ndimage
from sklearn.datasets import load_digits

SEED = 8
HELD_OUT = 360
COPIES = 24


def build() -> tf.keras.Model:
    """Convolution, two depthwise-separable blocks, both poolings, one dense layer."""
    layers = tf.keras.layers
    return tf.keras.Sequential(
        [
            layers.Input([8, 8, 1], name="image"),
            *common.normalized(layers.Conv2D(16, 3, padding="same", use_bias=False, name="conv1")),
            *common.normalized(
                layers.DepthwiseConv2D(3, padding="same", use_bias=False, name="dw1")
            ),
            *common.normalized(layers.Conv2D(32, 1, use_bias=False, name="pw1")),
            layers.MaxPooling2D(2, name="max_pool"),
            *common.normalized(
                layers.DepthwiseConv2D(3, padding="same", use_bias=False, name="dw2")
            ),
            *common.normalized(layers.Conv2D(48, 1, use_bias=False, name="pw2")),
            layers.AveragePooling2D(2, name="average_pool"),
            layers.Flatten(name="flatten"),
            layers.Dropout(0.3, name="dropout"),
            layers.Dense(10, activation="softmax", name="digit"),
        ],
        name="digits",
    )


def augment(images: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Turns, scales, shears and shifts each image a little, about its middle."""
    out = np.empty_like(images)
    for index, image in enumerate(images):
        turn, shear = generator.uniform(-0.2, 0.2, 2)
        scale = generator.uniform(0.9, 1.12, 2)
        matrix = (
            np.array([[np.cos(turn), np.sin(turn) + shear], [-np.sin(turn), np.cos(turn)]]) / scale
        )
        offset = 3.5 - matrix @ np.full(2, 3.5) + generator.uniform(-0.6, 0.6, 2)
        out[index] = ndimage.affine_transform(image, matrix, offset, order=1)
    return np.clip(out, 0, 1)


def main() -> None:
    """Trains on all but the last 360 images, converts, measures on those, and publishes."""
    common.seed_everything(SEED)
    generator = np.random.default_rng(SEED)
    digits = load_digits()
    images = (digits.images / 16).astype(np.float32)
    labels = digits.target
    train_images, held_out_images = images[:-HELD_OUT], images[-HELD_OUT:]
    train_labels, held_out_labels = labels[:-HELD_OUT], labels[-HELD_OUT:]

    augmented = [train_images, *(augment(train_images, generator) for _ in range(COPIES))]
    model = build()
    common.fit(
        model,
        np.concatenate(augmented)[..., np.newaxis],
        np.eye(10, dtype=np.float32)[np.tile(train_labels, COPIES + 1)],
        loss=tf.keras.losses.CategoricalCrossentropy(label_smoothing=0.05),
        epochs=15,
        batch_size=64,
        learning_rate=0.004,
    )
    converted = common.convert(model, train_images[:, :, :, np.newaxis])

    held_out = held_out_images[..., np.newaxis]
    codes = converted.input_quantization.quantize(held_out)
    float_correct = common.count_correct(common.run_float(converted, held_out), held_out_labels)
    int8_correct = common.count_correct(common.run_int8(converted, codes), held_out_labels)
    common.publish(
        "digits",
        converted,
        codes,
        held_out_labels,
        {
            "title": "handwritten digits, 8×8 pixels",
            "data": "scikit-learn load_digits(): E. Alpaydin and C. Kaynak (1998), Optical "
            "Recognition of Handwritten Digits, UCI, doi:10.24432/C50P49; images quantized",
            "licence": "Apache-2.0",
            "data_licence": "CC-BY-4.0",
            "metric": "accuracy",
            "float_accuracy": float_correct / HELD_OUT,
            "int8_accuracy": int8_correct / HELD_OUT,
            "label": "index into classes",
            "classes": [str(digit) for digit in range(10)],
            "sample_correct": int8_correct,
        },
    )


if __name__ == "__main__":
    main()
