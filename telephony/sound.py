"""Sound as numbers: read and write WAV, change the rate, cut silence, even out loudness. No device, no engine."""

import io
import math
import os
import secrets
import sys
import wave
from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
import soxr
from numpy.typing import NDArray

#: What the telephone network carries (G.711): 8 kHz, one channel, 16 bits before coding.
RATE = 8000
FULL_SCALE = 32767
#: Loudness of speech, RMS of its voiced part, and the highest peak: -20 and -3 dB under full scale.
SPEECH_RMS, HIGHEST_PEAK = 0.10 * FULL_SCALE, 0.708 * FULL_SCALE
FRAME = RATE // 100
#: A frame this much under the loudest one is silence (-35 dB).
SILENCE = 10 ** (-35 / 20)
#: Left before the first and after the last sound.
LEAD_FRAMES, TAIL_FRAMES = 2, 4


class UnreadableSound(ValueError):
    """A file is no PCM WAV of 8 to 48 kHz with one or two channels of 16 bits, it is too long,
    or it holds no sound."""


Samples: TypeAlias = "array[int]"


def read_wav(data: bytes, longest_s: float = math.inf) -> Samples:
    """The sound of a WAV file at 8 kHz mono. Accepts headers of unknown length, as programs write into pipes. What is longer
    than `longest_s` seconds is refused before any work is done on it."""
    try:
        with wave.open(io.BytesIO(data)) as file:
            channels, width, rate = file.getnchannels(), file.getsampwidth(), file.getframerate()
            raw = file.readframes(file.getnframes())
    except (wave.Error, EOFError) as error:
        raise UnreadableSound(str(error)) from error
    if width != 2 or channels not in (1, 2) or not RATE <= rate <= 48000:
        raise UnreadableSound(f"{8 * width} bits, {channels} channels, {rate} Hz")
    if len(raw) > longest_s * rate * width * channels:
        raise UnreadableSound(f"longer than {longest_s:g} s")
    samples = array("h", raw[: len(raw) // (2 * channels) * 2 * channels])
    if sys.byteorder == "big":
        samples.byteswap()
    if channels == 2:
        both = _numbers(samples).reshape(-1, 2).astype(np.int32)
        samples = array("h", (both.sum(axis=1) // 2).astype(np.int16).tobytes())
    return resample(samples, rate)


def write_wav(path: Path, samples: Samples) -> None:
    """Write as 8 kHz mono 16-bit, at once or not at all: two processes may write the same file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    data = array("h", samples)
    if sys.byteorder == "big":
        data.byteswap()
    try:
        with wave.open(str(unfinished), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(data.tobytes())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def resample(samples: Samples, rate: int) -> Samples:
    """From `rate` to 8 kHz by the SoX resampler, so that nothing above 4 kHz folds back. Accepts mono."""
    if rate == RATE or not samples:
        return samples
    return array("h", soxr.resample(_numbers(samples), rate, RATE).tobytes())


def levels(samples: Sequence[int]) -> list[float]:
    """RMS of each 10 ms frame."""
    return [float(level) for level in _levels(np.array(samples, np.float64))]


def speech(samples: Samples, pause_s: float) -> Samples:
    """A sentence ready to be played: starts within 20 ms, as loud as all others, never clipped, then `pause_s` of silence."""
    sound = _numbers(samples).astype(np.float64)
    frames = _levels(sound)
    loudest = float(frames.max(initial=0.0))
    voiced = np.flatnonzero(frames > loudest * SILENCE)
    if loudest < 1 or not voiced.size:
        raise UnreadableSound("there is no sound in it")
    first, last = max(0, int(voiced[0]) - LEAD_FRAMES), int(voiced[-1]) + TAIL_FRAMES
    kept = sound[first * FRAME : last * FRAME]
    rms = math.sqrt(float(np.mean(frames[voiced] ** 2)))
    gain = min(SPEECH_RMS / rms, HIGHEST_PEAK / float(np.abs(kept).max(initial=1.0)))
    even = array("h", np.rint(kept * gain).astype(np.int16).tobytes())
    even.extend(array("h", bytes(2 * round(pause_s * RATE))))
    return even


def _numbers(samples: Samples) -> NDArray[np.int16]:
    return np.frombuffer(samples, np.int16)


def _levels(sound: NDArray[np.float64]) -> NDArray[np.float64]:
    frames = sound[: len(sound) // FRAME * FRAME].reshape(-1, FRAME)
    found: NDArray[np.float64] = np.sqrt(np.mean(frames**2, axis=1))
    return found
