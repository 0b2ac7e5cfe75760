"""`keywords`: ten spoken words, *silence* and *unknown*, by the DS-CNN of MLPerf Tiny.

Words are spoken by espeak-ng in many voices, accents, speeds and pitches, and mixed with noise;
what is held out is spoken by voices of which training heard none, nor any of their relatives.
"""

from __future__ import annotations

import subprocess

import audio
import common
import numpy as np
import tensorflow as tf
from scipy import signal as dsp

SEED = 12
WORDS = ["down", "go", "left", "no", "off", "on", "right", "stop", "up", "yes"]
CLASSES = [*WORDS, "silence", "unknown"]
OTHER_WORDS = [
    *("bed", "bird", "cat", "dog", "eight", "five", "four", "happy", "house", "marvin"),
    *("nine", "one", "seven", "sheila", "six", "three", "tree", "two", "wow", "zero"),
]
UNHEARD_WORDS = ["backward", "follow", "learn", "visual", "light", "open"]
"""Spoken only in the held-out *unknown*."""

ACCENTS = [
    *("en-us", "en-gb", "en-gb-scotland", "en-gb-x-rp", "en-gb-x-gbclan", "en-gb-x-gbcwmd"),
    "en-029",
]
TRAINING_VOICES = [
    *("Alex", "Andrea", "Andy", "Annie", "AnxiousAndy", "Denis", "Gene", "Gene2", "Henrique"),
    *("Hugo", "Jacky", "Marco", "Mike", "RicishayMax", "RicishayMax2", "RicishayMax3", "Storm"),
    *("anika", "antonio", "aunty", "benjamin", "ed", "f1", "f3", "f4", "f5", "grandpa"),
    *("iven", "iven2", "iven3", "iven4", "john", "kaukovalta", "klatt", "klatt2", "klatt3"),
    *("klatt4", "klatt5", "m1", "m2", "m4", "m5", "m6", "m8", "marcelo", "max"),
    *("michel", "miguel", "norbert", "pablo", "paul", "pedro", "rob", "robert", "shelby"),
    "victor",
]
HELD_OUT_VOICES = [
    *("Alicia", "Diogo", "Lee", "Mario", "Michael", "Nguyen", "adam", "belinda", "boris"),
    *("david", "edward", "edward2", "f2", "grandma", "gustave", "linda", "m3", "m7", "quincy"),
    *("sandro", "steph", "steph2", "travis", "zac"),
]
TRAINING_TAKES, TRAINING_COPIES, HELD_OUT_TAKES = 5, 6, 4
SAMPLES_OF_EACH_CLASS = 20
COEFFICIENTS = 10
WAVE_HEADER = 44
"""Bytes before the samples in what espeak-ng writes."""


def speak(word: str, voice: str, generator: np.random.Generator) -> np.ndarray:
    """Has espeak-ng say a word in a random accent, speed and pitch; at most one second."""
    accent = ACCENTS[generator.integers(len(ACCENTS))]
    speed, pitch = generator.integers(120, 230), generator.integers(15, 86)
    command = ["espeak-ng", "-v", f"{accent}+{voice}", "-s", f"{speed}", "-p", f"{pitch}"]
    spoken = subprocess.run([*command, "--stdout", word], check=True, capture_output=True).stdout
    samples = np.frombuffer(spoken, np.int16, offset=WAVE_HEADER) / 32768
    sound = dsp.resample_poly(samples, 320, 441)  # from 22,050 samples a second
    heard = np.flatnonzero(np.abs(sound) > 0.02 * np.abs(sound).max())
    return sound[heard[0] : heard[-1] + 1][: audio.RATE]


def surround(sound: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Puts a sound (empty: silence) somewhere into a second of noise and hum, at any level."""
    noise = audio.coloured_noise(generator, audio.RATE, generator.uniform(0, 2))
    hum = np.sin(2 * np.pi * generator.uniform(50, 400) * np.arange(audio.RATE) / audio.RATE)
    second = noise + generator.uniform(0, 0.7) * hum
    if len(sound):
        below = 10 ** (-generator.uniform(5, 30) / 20)
        start = generator.integers(0, audio.RATE - len(sound) + 1)
        second *= below
        second[start : start + len(sound)] += audio.unit_rms(sound)
    return second * 0.1 * 10 ** (generator.uniform(-15, 5) / 20)


def features(sounds: list[np.ndarray], generator: np.random.Generator) -> np.ndarray:
    """MFCCs of each sound in its own noise: shape [sounds, 49, 10]."""
    return np.stack(
        [audio.mfcc(surround(sound, generator), coefficients=COEFFICIENTS) for sound in sounds]
    )


def takes(
    voices: list[str], count: int, others: list[str], generator: np.random.Generator
) -> tuple[list[np.ndarray], np.ndarray]:
    """Records every class `count` times in every voice.

    Returns:
        The sounds and their indices into :data:`CLASSES`.
    """
    sounds, labels = [], []
    for voice in voices:
        for _ in range(count):
            for label, name in enumerate(CLASSES):
                word = others[generator.integers(len(others))] if name == "unknown" else name
                silent = name == "silence"
                sounds.append(np.zeros(0) if silent else speak(word, voice, generator))
                labels.append(label)
    return sounds, np.array(labels)


def build() -> tf.keras.Model:
    """A 10×4 convolution of stride 2, four depthwise-separable blocks, pooling, dense, softmax."""
    layers = tf.keras.layers
    convolution = layers.Conv2D(
        64, [10, 4], strides=2, padding="same", use_bias=False, name="conv1"
    )
    stack = [layers.Input([49, COEFFICIENTS, 1], name="mfcc"), *common.normalized(convolution)]
    stack.append(layers.Dropout(0.2, name="dropout1"))
    for block in range(1, 5):
        depthwise = layers.DepthwiseConv2D(3, padding="same", use_bias=False, name=f"dw{block}")
        pointwise = layers.Conv2D(64, 1, use_bias=False, name=f"pw{block}")
        stack += [*common.normalized(depthwise), *common.normalized(pointwise)]
    stack += [
        layers.Dropout(0.4, name="dropout2"),
        layers.AveragePooling2D([25, 5], name="average_pool"),
        layers.Flatten(name="flatten"),
        layers.Dense(len(CLASSES), activation="softmax", name="keyword"),
    ]
    return tf.keras.Sequential(stack, name="keywords")


def main() -> None:
    """Records, trains, converts, measures on voices never heard, and publishes."""
    common.seed_everything(SEED)
    generator = np.random.default_rng(SEED)
    sounds, labels = takes(TRAINING_VOICES, TRAINING_TAKES, OTHER_WORDS, generator)
    training = np.concatenate([features(sounds, generator) for _ in range(TRAINING_COPIES)])
    sounds, held_out_labels = takes(
        HELD_OUT_VOICES, HELD_OUT_TAKES, OTHER_WORDS + UNHEARD_WORDS, generator
    )
    mean, deviation = training.mean(axis=(0, 1)), training.std(axis=(0, 1))
    training, held_out = (
        ((values - mean) / deviation)[..., np.newaxis].astype(np.float32)
        for values in (training, features(sounds, generator))
    )

    model = build()
    common.fit(
        model,
        training,
        np.eye(len(CLASSES), dtype=np.float32)[np.tile(labels, TRAINING_COPIES)],
        loss=tf.keras.losses.CategoricalCrossentropy(label_smoothing=0.05),
        epochs=10,
        batch_size=64,
        learning_rate=0.002,
    )
    converted = common.convert(model, training[:: len(training) // 400])

    codes = converted.input_quantization.quantize(held_out)
    float_outputs = common.run_float(converted, held_out)
    int8_outputs = common.run_int8(converted, codes)
    # The takes run voice by voice: evenly spread, the samples have something of every voice.
    of_class = [np.flatnonzero(held_out_labels == label) for label in range(len(CLASSES))]
    spread = np.linspace(0, len(of_class[0]) - 1, SAMPLES_OF_EACH_CLASS).astype(int)
    pick = np.sort(np.concatenate([indices[spread] for indices in of_class]))

    def share(outputs: np.ndarray, chosen: np.ndarray | slice) -> float:
        correct = common.count_correct(outputs[chosen], held_out_labels[chosen])
        return correct / len(held_out_labels[chosen])

    everything = slice(None)
    common.publish(
        "keywords",
        converted,
        codes[pick],
        held_out_labels[pick],
        {
            "title": "ten spoken words, silence and unknown",
            "data": "words spoken by espeak-ng 1.51 in 80 voices, 24 of them held out, mixed with "
            "noise; MFCCs, each coefficient less its mean over its deviation",
            "feature_mean": mean.tolist(),
            "feature_deviation": deviation.tolist(),
            "licence": "Apache-2.0",
            "data_licence": "Apache-2.0",
            "metric": "accuracy",
            "float_accuracy": share(float_outputs, pick),
            "int8_accuracy": share(int8_outputs, pick),
            "held_out_samples": len(held_out),
            "held_out_float_accuracy": share(float_outputs, everything),
            "held_out_int8_accuracy": share(int8_outputs, everything),
            "label": "index into classes",
            "classes": CLASSES,
            "sample_correct": common.count_correct(int8_outputs[pick], held_out_labels[pick]),
        },
    )


if __name__ == "__main__":
    main()
