"""`anomaly`: a machine's sound, reconstructed by an autoencoder; ill machines reconstruct badly.

The network is the one of MLPerf Tiny's anomaly detection. The sound is computed: four machines,
each with its own speed, gears, blades, resonances and hiss, in changing surroundings. Training
hears healthy machines only; what is held out has healthy machines and five kinds of fault.
"""

from __future__ import annotations

from dataclasses import dataclass

import audio
import common
import numpy as np
import tensorflow as tf
from scipy import signal as dsp

SEED = 5
SECONDS = 2
BANDS = 128
STACKED_FRAMES = 5
TRAINING_CLIPS = 80
HELD_OUT_CLIPS = 20
SAMPLES_OF_EACH_KIND = 100

TIME = np.arange(SECONDS * audio.RATE) / audio.RATE


@dataclass(frozen=True, slots=True)
class Machine:
    """What tells one machine from another.

    Attributes:
        speed: revolutions a second.
        harmonics: amplitude of each multiple of the speed.
        resonances: (centre in Hz, bandwidth in Hz, level) of the housing, driven by noise.
    """

    speed: float
    harmonics: np.ndarray
    resonances: tuple[tuple[float, float, float], ...]

    @classmethod
    def random(cls, generator: np.random.Generator) -> Machine:
        """Draws a machine: decaying harmonics, louder at the blades and the gear mesh."""
        harmonics = np.exp(generator.normal(0, 0.6, 40)) / np.arange(1, 41)
        harmonics[generator.integers(5, 9)] += 0.5
        harmonics[generator.integers(16, 30)] += 0.4
        resonances = tuple(
            (centre * generator.uniform(0.8, 1.25), centre / 4, generator.uniform(0.2, 0.5))
            for centre in (500, 1400, 3200)
        )
        return cls(generator.uniform(22, 38), harmonics, resonances)

    def healthy(self, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Runs the machine.

        Returns:
            The sound at about unit RMS, and the shaft's angle in radians, sample by sample.
        """
        wander = 0.004 * np.sin(2 * np.pi * generator.uniform(0.2, 1) * TIME + _phase(generator))
        speed = self.speed * generator.uniform(0.98, 1.02) * (1 + wander)
        angle = 2 * np.pi * np.cumsum(speed) / audio.RATE + _phase(generator)
        sound = np.zeros_like(TIME)
        for order, amplitude in enumerate(self.harmonics, 1):
            level = amplitude * generator.uniform(0.85, 1.15)
            sound += level * np.sin(order * angle + _phase(generator))
        modulation = 1 + 0.3 * np.sin(angle)
        for centre, width, level in self.resonances:
            hiss = generator.standard_normal(len(TIME))
            sound += level * modulation * _band(hiss, centre - width / 2, centre + width / 2)
        sound += 0.12 * audio.coloured_noise(generator, len(TIME), 0.5)
        return audio.unit_rms(sound), angle

    def record(self, generator: np.random.Generator, fault: str | None) -> np.ndarray:
        """The machine, ill or not, in its surroundings, at a changing distance."""
        sound, angle = self.healthy(generator)
        if fault is not None:
            sound = sound + FAULTS[fault](generator, angle) * generator.uniform(0.8, 1.6)
        surroundings = audio.coloured_noise(generator, len(TIME), generator.uniform(0.5, 1.5))
        sound = sound + generator.uniform(0.03, 0.12) * surroundings
        return 0.1 * generator.uniform(0.8, 1.25) * sound


def _phase(generator: np.random.Generator) -> float:
    return generator.uniform(0, 2 * np.pi)


def _band(signal: np.ndarray, low: float, high: float) -> np.ndarray:
    sections = dsp.butter(2, [low, high], "bandpass", fs=audio.RATE, output="sos")
    return audio.unit_rms(dsp.sosfilt(sections, signal))


def _pulses(angle: np.ndarray, per_turn: float) -> np.ndarray:
    """A unit impulse whenever the shaft has turned by 1 / `per_turn` of a revolution."""
    return np.diff(np.floor(angle * per_turn / (2 * np.pi)), prepend=0).clip(0, 1)


def bearing(generator: np.random.Generator, angle: np.ndarray) -> np.ndarray:
    """A pitted bearing: knocks at a fixed fraction of the speed that ring the race."""
    ring = generator.uniform(2500, 5000)
    return 0.25 * _band(_pulses(angle, generator.uniform(3.2, 5.4)), ring * 0.85, ring * 1.15)


def whine(generator: np.random.Generator, angle: np.ndarray) -> np.ndarray:
    """A worn gear: a high tone at a multiple of the speed."""
    return 0.1 * np.sin(round(generator.uniform(50, 150)) * angle + _phase(generator))


def rub(generator: np.random.Generator, angle: np.ndarray) -> np.ndarray:
    """A blade that touches the housing: a scrape, once in a turn."""
    contact = np.clip(np.sin(angle + _phase(generator)), 0, None) ** 4
    return 0.2 * contact * _band(generator.standard_normal(len(angle)), 1500, 6000)


def leak(generator: np.random.Generator, angle: np.ndarray) -> np.ndarray:
    """Air that escapes: a steady hiss, up high."""
    return 0.12 * _band(generator.standard_normal(len(angle)), 4000, 7500)


def rattle(generator: np.random.Generator, angle: np.ndarray) -> np.ndarray:
    """A loose screw: short clicks at random."""
    clicks = (generator.random(len(angle)) < 40 / audio.RATE) * generator.uniform(
        0.5, 1.5, len(angle)
    )
    return 0.25 * _band(clicks, 900, 7000)


FAULTS = {"bearing": bearing, "whine": whine, "rub": rub, "leak": leak, "rattle": rattle}


def features(sound: np.ndarray) -> np.ndarray:
    """Log-mel power in dB: every five neighbouring 64 ms frames are a row of [rows, 640]."""
    filters = audio.mel_filters(BANDS, 2048, 0, 8000)
    power = audio.mel_power(sound, window=1024, hop=512, fft_size=2048, filters=filters)
    rows = np.lib.stride_tricks.sliding_window_view(10 * np.log10(power), STACKED_FRAMES, axis=0)
    return np.swapaxes(rows, 1, 2).reshape(-1, STACKED_FRAMES * BANDS)


def record_all(
    machines: list[Machine], clips: int, generator: np.random.Generator, *, ill: bool, step: int
) -> np.ndarray:
    """Every `step`-th row of `clips` recordings of each machine, the faults in turn."""
    kinds = list(FAULTS)
    rows = [
        features(machine.record(generator, kinds[clip % len(kinds)] if ill else None))[::step]
        for machine in machines
        for clip in range(clips)
    ]
    return np.concatenate(rows)


def build() -> tf.keras.Model:
    """Dense layers of 128 ×4, 8, 128 ×4, each with batch normalization and ReLU; 640 outputs."""
    layers = tf.keras.layers
    stack: list[tf.keras.layers.Layer] = [layers.Input([STACKED_FRAMES * BANDS], name="frames")]
    for index, units in enumerate([128] * 4 + [8] + [128] * 4, 1):
        stack += [
            layers.Dense(units, name=f"dense{index}"),
            layers.BatchNormalization(name=f"dense{index}_bn"),
            layers.ReLU(name=f"dense{index}_relu"),
        ]
    stack.append(layers.Dense(STACKED_FRAMES * BANDS, name="reconstruction"))
    return tf.keras.Sequential(stack, name="anomaly")


@dataclass(frozen=True, slots=True)
class Score:
    """The integer score of README.md: the manifest's factors, and what they do."""

    input_factor: int
    output_factor: int
    source: common.Quantization
    sink: common.Quantization

    @classmethod
    def of(cls, converted: common.Converted) -> Score:
        """Scales both quantization steps by the same power of two, to at most 16 bits."""
        source, sink = converted.input_quantization, converted.output_quantization
        unit = 2.0 ** np.floor(15 - np.log2(max(source.scale, sink.scale)))
        return cls(round(source.scale * unit), round(sink.scale * unit), source, sink)

    def __call__(self, inputs: np.ndarray, outputs: np.ndarray) -> np.ndarray:
        """One exact integer a sample."""
        target = self.input_factor * (inputs.astype(np.int64) - self.source.zero_point)
        found = self.output_factor * (outputs.astype(np.int64) - self.sink.zero_point)
        return np.sum((target - found) ** 2, axis=1)


def main() -> None:
    """Records, trains on healthy machines, converts, measures on held-out clips, and publishes."""
    common.seed_everything(SEED)
    generator = np.random.default_rng(SEED)
    machines = [Machine.random(generator) for _ in range(4)]
    healthy = record_all(machines, TRAINING_CLIPS, generator, ill=False, step=2)
    normal = record_all(machines, HELD_OUT_CLIPS, generator, ill=False, step=4)
    anomalous = record_all(machines, HELD_OUT_CLIPS, generator, ill=True, step=4)
    mean, deviation = float(healthy.mean()), float(healthy.std())
    healthy, normal, anomalous = (
        (rows - mean) / deviation for rows in (healthy, normal, anomalous)
    )

    model = build()
    common.fit(model, healthy, healthy, loss="mse", epochs=60, batch_size=128, learning_rate=0.002)
    converted = common.convert(model, healthy[::20])
    score = Score.of(converted)

    def areas(well: np.ndarray, ill: np.ndarray) -> tuple[float, int]:
        """Float AUC, and the pairs that the int8 model puts in order."""
        scores = [
            np.mean((rows - common.run_float(converted, rows)) ** 2, axis=1) for rows in (well, ill)
        ]
        area = common.count_ordered_pairs(*scores) / (len(well) * len(ill))
        codes = [converted.input_quantization.quantize(rows) for rows in (well, ill)]
        exact = [score(rows, common.run_int8(converted, rows)) for rows in codes]
        return area, common.count_ordered_pairs(*exact)

    pick = np.linspace(0, len(normal) - 1, SAMPLES_OF_EACH_KIND).astype(int)
    held_out_area, held_out_pairs = areas(normal, anomalous)
    sample_area, sample_pairs = areas(normal[pick], anomalous[pick])
    samples = np.concatenate([normal[pick], anomalous[pick]])
    common.publish(
        "anomaly",
        converted,
        converted.input_quantization.quantize(samples),
        np.repeat([0, 1], SAMPLES_OF_EACH_KIND),
        {
            "title": "anomalous machine sound",
            "data": "computed: four machines, healthy and with five kinds of fault "
            f"({', '.join(FAULTS)}); five frames of 128 log-mel bands in dB, "
            "less their mean over their deviation",
            "feature_mean": mean,
            "feature_deviation": deviation,
            "licence": "Apache-2.0",
            "data_licence": "Apache-2.0",
            "metric": "auc",
            "float_auc": sample_area,
            "int8_auc": sample_pairs / SAMPLES_OF_EACH_KIND**2,
            "held_out_samples": len(normal) + len(anomalous),
            "held_out_float_auc": held_out_area,
            "held_out_int8_auc": held_out_pairs / (len(normal) * len(anomalous)),
            "label": "0 normal, 1 anomalous",
            "input_zero_point": score.source.zero_point,
            "output_zero_point": score.sink.zero_point,
            "score_input_factor": score.input_factor,
            "score_output_factor": score.output_factor,
            "sample_pairs": SAMPLES_OF_EACH_KIND**2,
            "sample_ordered_pairs": sample_pairs,
        },
    )


if __name__ == "__main__":
    main()
