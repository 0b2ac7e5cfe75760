"""`sine`: y = sin(x) on [0, 2π] in three dense layers of 16, 16 and 1 units."""

from __future__ import annotations

import common
import numpy as np
import tensorflow as tf

SEED = 3
TRAINING_SAMPLES = 4000


def build() -> tf.keras.Model:
    """Three dense layers, 321 parameters."""
    return tf.keras.Sequential(
        [
            tf.keras.layers.Input([1], name="x"),
            # Random biases spread the units' bends over the range; zeros would put all at x = 0.
            tf.keras.layers.Dense(
                16,
                activation="relu",
                bias_initializer=tf.keras.initializers.RandomUniform(-1, 1, seed=SEED),
                name="hidden1",
            ),
            tf.keras.layers.Dense(16, activation="relu", name="hidden2"),
            tf.keras.layers.Dense(1, name="y"),
        ],
        name="sine",
    )


def main() -> None:
    """Trains, converts, measures on all 256 possible int8 inputs, and publishes."""
    common.seed_everything(SEED)
    angles = np.random.default_rng(SEED).uniform(0, 2 * np.pi, [TRAINING_SAMPLES, 1])
    angles[:2, 0] = 0, 2 * np.pi  # the calibration sees the whole range
    model = build()
    common.fit(
        model, angles, np.sin(angles), loss="mse", epochs=100, batch_size=64, learning_rate=0.01
    )
    converted = common.convert(model, angles[:1000])

    codes = np.arange(-128, 128, dtype=np.int8)[:, np.newaxis]
    held_out = converted.input_quantization.dequantize(codes)
    target = np.sin(held_out)
    target_codes = converted.output_quantization.quantize(target)
    float_outputs = common.run_float(converted, held_out)
    int8_outputs = common.run_int8(converted, codes)
    int8_reals = converted.output_quantization.dequantize(int8_outputs)
    code_errors = np.abs(int8_outputs.astype(int) - target_codes.astype(int))
    common.publish(
        "sine",
        converted,
        codes,
        target_codes[:, 0],
        {
            "title": "sin(x) for x in [0, 2π]",
            "data": "computed: uniformly random angles",
            "licence": "Apache-2.0",
            "data_licence": "Apache-2.0",
            "metric": "mean_abs_error",
            "float_mean_abs_error": float(np.mean(np.abs(float_outputs - target))),
            "int8_mean_abs_error": float(np.mean(np.abs(int8_reals - target))),
            "label": "int8 code of sin(x) in the output's quantization",
            "sample_abs_error_sum": int(code_errors.sum()),
        },
    )


if __name__ == "__main__":
    main()
