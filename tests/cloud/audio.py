"""Sound: what a `<Play>` may be, how long it and a spoken text last, and the recordings the cloud hands out."""

import io
import math
import struct
import wave

from tests.cloud.errors import Rejected

#: https://www.twilio.com/docs/voice/twiml/play: MIME types of `<Play>`.
WAV_TYPES = ("audio/wav", "audio/wave", "audio/x-wav", "audio/vnd.wave")
MP3_TYPES = ("audio/mpeg", "audio/mp3", "audio/x-mp3")
RATE = 8000
#: Seconds a character takes to say: Chinese, and anything else.
_WIDE, _NARROW = 0.22, 0.07


def speech_seconds(text: str) -> float:
    """How long a text takes to say, about."""
    return max(0.4, sum(_WIDE if ord(character) > 0x2E7F else _NARROW for character in text))


def sound_seconds(content_type: str, body: bytes) -> float:
    """Length of a sound file. Raises Rejected when it is none, or its type does not say what it is."""
    kind = content_type.split(";", maxsplit=1)[0].strip().lower()
    if kind in WAV_TYPES:
        return _wav_seconds(body)
    if kind in MP3_TYPES:
        if not (body.startswith(b"ID3") or body[:1] == b"\xff"):
            raise Rejected(13420, "no MP3 frames")
        return len(body) / 4000
    raise Rejected(13420, f"{content_type!r}")


def _wav_seconds(body: bytes) -> float:
    try:
        with wave.open(io.BytesIO(body)) as sound:
            seconds: float = sound.getnframes() / sound.getframerate()
    except (wave.Error, EOFError, ZeroDivisionError) as error:
        raise Rejected(13420, f"no WAV file: {error}") from error
    if not seconds:
        raise Rejected(13420, "an empty WAV file")
    return seconds


def recorded(seconds: float, channels: int) -> bytes:
    """A recording as the cloud hands it out: 8 kHz, 16 bit, a low tone of that length."""
    period = [int(8000 * math.sin(2 * math.pi * n / 40)) for n in range(40)]
    cycle = b"".join(struct.pack("<h", sample) * channels for sample in period)
    frames = max(1, int(seconds * RATE))
    data = (cycle * (frames // 40 + 1))[: frames * 2 * channels]
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(channels)
        sound.setsampwidth(2)
        sound.setframerate(RATE)
        sound.writeframes(data)
    return file.getvalue()
