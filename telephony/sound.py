"""Sound as numbers: read and write WAV, change the rate, cut silence, even out loudness. Plain Python, no device, no engine."""

import io
import math
import os
import secrets
import sys
import wave
from array import array
from collections.abc import Sequence
from functools import lru_cache
from operator import mul
from pathlib import Path
from typing import TypeAlias

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
_HALF_TAPS = 24


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
        samples = array("h", ((left + right) // 2 for left, right in zip(samples[::2], samples[1::2], strict=True)))
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
    """From `rate` to 8 kHz through a windowed-sinc low-pass, so that nothing above 4 kHz folds back."""
    if rate == RATE or not samples:
        return samples
    phases, step = _filters(rate)
    padded = [0] * _HALF_TAPS + list(samples) + [0] * (_HALF_TAPS + 1)
    taps = 2 * _HALF_TAPS
    out = array("h", bytes(2 * (len(samples) * RATE // rate)))
    count = len(phases)
    for index in range(len(out)):
        at = index * step
        start = at // count + 1
        value = sum(map(mul, phases[at % count], padded[start : start + taps]))
        out[index] = max(-FULL_SCALE, min(FULL_SCALE, round(value)))
    return out


@lru_cache(maxsize=8)
def _filters(rate: int) -> tuple[tuple[tuple[float, ...], ...], int]:
    """One filter for each position between two samples, and the step per output sample in such positions."""
    divisor = math.gcd(rate, RATE)
    count, step = RATE // divisor, rate // divisor
    cutoff = 0.92 * min(1.0, RATE / rate)
    return tuple(_filter(phase / count, cutoff) for phase in range(count)), step


def _filter(shift: float, cutoff: float) -> tuple[float, ...]:
    taps = []
    for tap in range(2 * _HALF_TAPS):
        x = tap - _HALF_TAPS + 1 - shift
        window = 0.5 + 0.5 * math.cos(math.pi * x / _HALF_TAPS) if abs(x) < _HALF_TAPS else 0.0
        sinc = 1.0 if x == 0 else math.sin(math.pi * cutoff * x) / (math.pi * cutoff * x)
        taps.append(cutoff * sinc * window)
    gain = sum(taps)
    return tuple(tap / gain for tap in taps)


def levels(samples: Sequence[int]) -> list[float]:
    """RMS of each 10 ms frame."""
    return [
        math.sqrt(sum(map(mul, frame, frame)) / FRAME)
        for frame in (samples[at : at + FRAME] for at in range(0, len(samples) - FRAME + 1, FRAME))
    ]


def speech(samples: Samples, pause_s: float) -> Samples:
    """A sentence ready to be played: starts within 20 ms, as loud as all others, never clipped, then `pause_s` of silence."""
    frames = levels(samples)
    loudest = max(frames, default=0.0)
    voiced = [index for index, level in enumerate(frames) if level > loudest * SILENCE]
    if loudest < 1 or not voiced:
        raise UnreadableSound("there is no sound in it")
    first, last = max(0, voiced[0] - LEAD_FRAMES), voiced[-1] + TAIL_FRAMES
    kept = samples[first * FRAME : last * FRAME]
    rms = math.sqrt(sum(frames[index] ** 2 for index in voiced) / len(voiced))
    gain = min(SPEECH_RMS / rms, HIGHEST_PEAK / max(map(abs, kept), default=1))
    even = array("h", (round(sample * gain) for sample in kept))
    even.extend(array("h", bytes(2 * round(pause_s * RATE))))
    return even
