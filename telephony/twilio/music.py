"""Hold music in pieces: between two of them the cloud asks us, which is the caller's sign of life."""

import io
import wave
from functools import lru_cache
from math import ceil
from pathlib import Path
from typing import Any

from config.settings import Settings
from telephony.twilio.addresses import Addresses

#: Without music there is silence, in Pauses of at most this length.
LONGEST_PAUSE_S = 30


class Music:
    """One file of hold music, cut into pieces of `twilio_hold_s`, played in a circle."""

    def __init__(self, settings: Settings, addresses: Addresses) -> None:
        self._path = settings.state_dir / "moh" / "hold.wav"
        self._addresses, self._piece_s = addresses, settings.twilio_hold_s
        self._plays = bool(settings.public_url)

    def add(self, verb: Any, count: int) -> None:
        """The piece after `count` others, into a Gather."""
        pieces = self.pieces() if self._plays else 0
        if pieces:
            verb.play(self._addresses.music(count % pieces))
        else:
            verb.pause(length=min(LONGEST_PAUSE_S, ceil(self._piece_s)))

    def pieces(self) -> int:
        """How many there are; 0 = no music."""
        try:
            changed = self._path.stat().st_mtime_ns
        except OSError:
            return 0
        length = _length_s(self._path, changed)
        return max(1, int(length / self._piece_s)) if length else 0

    def piece(self, number: int) -> bytes:
        """One piece as a WAV file. Raises OSError, or LookupError when there is no such piece."""
        if not 0 <= number < self.pieces():
            raise LookupError("no such piece")
        return _cut(self._path, self._path.stat().st_mtime_ns, number, self._piece_s)


@lru_cache(maxsize=4)
def _length_s(path: Path, changed: int) -> float:
    """`changed` is part of the key: a new file is measured anew."""
    try:
        with wave.open(str(path)) as file:
            return float(file.getnframes() / file.getframerate())
    except (wave.Error, EOFError, OSError):
        return 0.0


@lru_cache(maxsize=32)
def _cut(path: Path, changed: int, number: int, piece_s: float) -> bytes:
    out = io.BytesIO()
    with wave.open(str(path)) as source, wave.open(out, "wb") as piece:
        frames = round(piece_s * source.getframerate())
        source.setpos(min(number * frames, source.getnframes()))
        piece.setparams(source.getparams())
        piece.writeframes(source.readframes(frames))
    return out.getvalue()
