"""Our own hold music: a quiet pentatonic tune over soft chords, computed, the same on every machine, free of any right.

Nothing in it is near the keypad's tones for long, so that no detector takes a note for a key.
"""

from array import array
from functools import lru_cache
from math import exp, pi, sin
from pathlib import Path

from telephony.sound import RATE, Samples, write_wav

#: One beat; the tune has 64 beats and is then back at its beginning.
BEAT_S = 0.94
BEATS = 64
#: Highest peak: 12 dB under full scale, so that an announcement is clearly louder.
PEAK = 8200
#: Semitones above A3 (220 Hz) of the pentatonic scale the tune walks on, and its chords, one for eight beats.
SCALE = (0, 3, 5, 7, 10, 12, 15, 17)
CHORDS = ((-12, -5, 3), (-9, -2, 3), (-7, 0, 5), (-5, 2, 7)) * 2
#: Steps of the scale, one a beat; -1 rests.
TUNE = (
    *(4, -1, 3, 2, 3, -1, 1, -1, 2, -1, 3, 4, 5, -1, -1, -1),
    *(5, -1, 4, 3, 4, -1, 2, -1, 3, -1, 2, 1, 2, -1, -1, -1),
    *(4, -1, 5, 6, 5, -1, 4, -1, 3, -1, 4, 2, 3, -1, -1, -1),
    *(2, -1, 1, 2, 3, -1, 2, -1, 1, -1, 0, 1, 0, -1, -1, -1),
)


def write_music(path: Path) -> Path:
    """Write the tune, unless it is there. It loops without a seam."""
    if not path.exists():
        write_wav(path, compose())
    return path


def compose() -> Samples:
    """The tune: 60 s at 8 kHz. What rings on at the end is laid over the beginning."""
    total = round(BEATS * BEAT_S * RATE)
    mix = [0.0] * total
    for beat, step in enumerate(TUNE):
        if step >= 0:
            _lay(mix, _note(SCALE[step], 2.6, 1.0), beat)
    for bar, chord in enumerate(CHORDS):
        for semitones in chord:
            _lay(mix, _note(semitones, 7.5, 0.34), bar * 8)
            _lay(mix, _note(semitones, 7.5, 0.22), bar * 8 + 4)
    gain = PEAK / max(map(abs, mix))
    return array("h", (round(value * gain) for value in mix))


def _lay(mix: list[float], note: tuple[float, ...], beat: int) -> None:
    start = round(beat * BEAT_S * RATE)
    for at, value in enumerate(note, start):
        mix[at % len(mix)] += value


@lru_cache(maxsize=64)
def _note(semitones: int, seconds: float, loudness: float) -> tuple[float, ...]:
    """A soft struck tone with two overtones: rises in 30 ms, dies away, ends at nothing."""
    hertz = 220.0 * 2 ** (semitones / 12)
    count, rise = round(seconds * RATE), round(0.03 * RATE)
    turn = 2 * pi * hertz / RATE
    return tuple(
        loudness
        * min(1.0, at / rise, (count - at) / rise)
        * exp(-3.2 * at / count)
        * (sin(turn * at) + 0.28 * sin(2 * turn * at) + 0.08 * sin(3 * turn * at))
        for at in range(count)
    )
