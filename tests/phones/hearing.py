"""What was heard: tones and speech-level sound in 8 kHz recordings. Measures only."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

RATE = 8000
_HEADER = 44
_FRAME = 160  # 20 ms
#: A-law's smallest steps and the encoder's idle noise stay below this.
SILENCE_RMS = 60.0

Samples = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sound:
    """A stretch of sound, described. `rms` of 16-bit samples; `purity` 1.0 = one tone, speech below 0.5."""

    seconds: float
    rms: float
    purity: float
    #: Share of 20 ms frames that are not silent.
    activity: float

    @property
    def is_silent(self) -> bool:
        return self.rms < SILENCE_RMS

    @property
    def is_speech_like(self) -> bool:
        """Sound of a speaking level that is spread over the spectrum: neither silence nor a tone."""
        return self.rms > 3 * SILENCE_RMS and self.activity > 0.2 and self.purity < 0.5


def read(path: Path) -> Samples:
    """The samples of a wav file, also of one that is still being written (its header says 0 then)."""
    data = path.read_bytes()[_HEADER:] if path.exists() else b""
    return np.frombuffer(data[: len(data) // 2 * 2], dtype="<i2").astype(np.float64)


def describe(samples: Samples) -> Sound:
    if not samples.size:
        return Sound(0.0, 0.0, 0.0, 0.0)
    frames = samples[: samples.size // _FRAME * _FRAME].reshape(-1, _FRAME)
    loud = np.sqrt((frames**2).mean(axis=1)) > SILENCE_RMS if frames.size else np.zeros(1)
    return Sound(samples.size / RATE, _rms(samples), _purity(samples), float(loud.mean()))


def tone_share(samples: Samples, hz: float) -> float:
    """The share (0..1) of the energy that is the tone `hz` (Goertzel, in blocks of 0.1 s; silence = 0)."""
    block = RATE // 10
    count = samples.size // block
    if not count or _rms(samples) < SILENCE_RMS:
        return 0.0
    blocks = samples[: count * block].reshape(count, block)
    turn = np.exp(-2j * np.pi * hz * np.arange(block) / RATE)
    tone = 2 * np.abs(blocks @ turn) ** 2 / block
    return float(min(1.0, tone.sum() / (blocks**2).sum()))


def first_sound_at(samples: Samples) -> float | None:
    """Seconds until the first 20 ms that are not silent; None = silence throughout."""
    frames = samples[: samples.size // _FRAME * _FRAME].reshape(-1, _FRAME)
    loud = np.flatnonzero(np.sqrt((frames**2).mean(axis=1)) > SILENCE_RMS)
    return float(loud[0] * _FRAME / RATE) if loud.size else None


def _rms(samples: Samples) -> float:
    return float(np.sqrt((samples**2).mean()))


def _purity(samples: Samples) -> float:
    """The share of the energy in the loudest 30 Hz of the spectrum."""
    power = np.abs(np.fft.rfft(samples * np.hanning(samples.size))) ** 2
    total = power.sum()
    if total <= 0:
        return 0.0
    width = max(1, round(30 * samples.size / RATE))
    sums = np.convolve(power, np.ones(width), mode="same")
    return float(sums.max() / total)


#: The stretch by which a sound is recognised, and how like it what was heard must be (1.0 = the same).
NEEDLE_S, LIKENESS = 0.35, 0.75


def find(samples: Samples, sound: Samples, after_s: float = 0.0) -> float | None:
    """Seconds at which `sound` begins in `samples`, the first time at or after `after_s`; None when it is not heard.

    By the loudest stretch of the sound and normalised correlation: level does not matter, a lost packet elsewhere neither.
    """
    size = min(round(NEEDLE_S * RATE), sound.size)
    start = int(np.argmax(_sliding(sound**2, size))) if sound.size > size else 0
    needle = sound[start : start + size]
    if samples.size < size or not needle.any():
        return None
    likeness = _correlate(samples, needle) / np.sqrt(np.maximum(_sliding(samples**2, size), 1.0) * (needle**2).sum())
    skipped = max(0, round(after_s * RATE) + start)
    found = np.flatnonzero(likeness[skipped:] > LIKENESS)
    return float((skipped + found[0] - start) / RATE) if found.size else None


def _sliding(values: Samples, size: int) -> Samples:
    """Sums of `size` consecutive values."""
    sums = np.concatenate(([0.0], np.cumsum(values)))
    return sums[size:] - sums[:-size]


def _correlate(samples: Samples, needle: Samples) -> Samples:
    length = 1 << (samples.size + needle.size).bit_length()
    spectrum = np.fft.rfft(samples, length) * np.conj(np.fft.rfft(needle, length))
    return np.fft.irfft(spectrum, length)[: samples.size - needle.size + 1]
