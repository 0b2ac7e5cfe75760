"""Sound to features, and the noises that the two sound recipes share.

Signals are float arrays of one channel, 16,000 samples a second, full scale ±1.
"""

from __future__ import annotations

import numpy as np
from scipy import fft

RATE = 16_000
"""Samples a second."""

FLOOR = 1e-10
"""Power below which the logarithm is cut off."""


def coloured_noise(generator: np.random.Generator, count: int, exponent: float) -> np.ndarray:
    """Noise of unit RMS whose power falls with frequency as 1 / f**exponent."""
    spectrum = fft.rfft(generator.standard_normal(count))
    spectrum[1:] /= np.arange(1, len(spectrum)) ** (exponent / 2)
    spectrum[0] = 0
    return unit_rms(fft.irfft(spectrum, count))


def unit_rms(signal: np.ndarray) -> np.ndarray:
    """The signal, scaled to a root mean square of 1."""
    return signal / np.sqrt(np.mean(signal**2) + FLOOR)


def mel_filters(bands: int, fft_size: int, low: float, high: float) -> np.ndarray:
    """Triangles of unit height, evenly spaced on the mel scale from `low` to `high` Hz.

    Returns:
        Weights of shape [fft_size / 2 + 1, bands].
    """
    edges_mel = np.linspace(_mel(low), _mel(high), bands + 2)
    edges = 700 * (10 ** (edges_mel / 2595) - 1)
    bins = np.arange(fft_size // 2 + 1)[:, np.newaxis] * RATE / fft_size
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    return np.clip(np.minimum(rising, falling), 0, None)


def _mel(hertz: float) -> float:
    return 2595 * np.log10(1 + hertz / 700)


def mel_power(
    signal: np.ndarray, *, window: int, hop: int, fft_size: int, filters: np.ndarray
) -> np.ndarray:
    """Mel-band power of Hann-windowed frames.

    Args:
        signal: at least `window` samples.
        window: samples in a frame.
        hop: samples from one frame to the next.
        fft_size: length to which a frame is padded with zeros.
        filters: of :func:`mel_filters`.

    Returns:
        Power of shape [frames, bands], at least :data:`FLOOR`.
    """
    frames = np.lib.stride_tricks.sliding_window_view(signal, window)[::hop]
    spectrum = fft.rfft(frames * np.hanning(window), fft_size)
    return np.maximum(np.abs(spectrum) ** 2 @ filters / window, FLOOR)


def mfcc(signal: np.ndarray, *, coefficients: int) -> np.ndarray:
    """Mel-frequency cepstral coefficients: 30 ms frames every 20 ms, 40 bands, 20 Hz to 7.6 kHz.

    Returns:
        Array of shape [frames, coefficients]; one second of signal gives 49 frames.
    """
    filters = mel_filters(40, 512, 20, 7600)
    power = mel_power(signal, window=480, hop=320, fft_size=512, filters=filters)
    return fft.dct(np.log(power), norm="ortho")[:, :coefficients]
