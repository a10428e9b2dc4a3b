"""Text to speech with espeak-ng: one sentence in, one WAV file out. Runs outside the event loop; text goes by stdin only."""

import re
import subprocess
from array import array
from functools import lru_cache
from math import pi, sin
from pathlib import Path

from config.native import Program, find_program
from config.text import clean
from ivr.call import Language
from telephony.sound import RATE, Samples, UnreadableSound, read_wav, speech, write_wav

#: `cmn` reads the pinyin of its own dictionary as English; this voice reads it as Mandarin.
MANDARIN, ENGLISH = "cmn-latn-pinyin", "en"
#: Words a minute: slow enough for older callers on poor lines, some four syllables a second.
SPEED = {MANDARIN: 210, ENGLISH: 165}
#: Grows when the same engine and text are to sound different, so that old files are made anew.
MAKING = 1
#: Longest time for one sentence; a sentence takes some 30 ms.
DEADLINE_S = 10.0
LONGEST_TEXT = 400
#: Silence after a sentence, by what it ends with.
PAUSES = {"。": 0.30, ".": 0.30, "?": 0.30, "？": 0.30, "，": 0.15, ",": 0.15, ":": 0.15}
PAUSE_WITHIN = 0.05
_CHINESE = re.compile("([\u3400-\u9fff\U00020000-\U0002ffff]+)")


class SpeechUnavailable(Exception):
    """No sound could be made of a text: the engine is missing, failed, or took too long."""


@lru_cache
def engine() -> Program:
    """The program. Raises SpeechUnavailable when it is neither installed nor unpacked."""
    program = find_program("espeak-ng")
    if program is None:
        raise SpeechUnavailable("espeak-ng is not installed: run `make setup`, or `apt-get install espeak-ng`")
    return program


@lru_cache
def engine_version() -> str:
    """What tells sounds of one engine from those of another."""
    return _run("--version").decode("utf-8", "replace").partition("Data at")[0].strip()


def voice_of(language: Language) -> str:
    return ENGLISH if language == "en" else MANDARIN


def make_sentence(text: str, language: Language, path: Path) -> None:
    """Speak `text` into `path`. Raises SpeechUnavailable; OSError when the file cannot be written."""
    text = clean(text, LONGEST_TEXT)
    samples: Samples = array("h")
    for part, voice in _parts(text, language):
        samples.extend(_speak(part, voice))
    try:
        write_wav(path, speech(samples, PAUSES.get(text[-1:], PAUSE_WITHIN)))
    except UnreadableSound as error:
        raise SpeechUnavailable(f"espeak-ng made no sound: {error}") from error


def _parts(text: str, language: Language) -> list[tuple[str, str]]:
    """A Chinese name in an English sentence is spoken by the Chinese voice; it would be spelled otherwise."""
    if voice_of(language) == MANDARIN:
        return [(text, MANDARIN)]
    return [
        (part, MANDARIN if _CHINESE.match(part) else ENGLISH) for part in _CHINESE.split(text) if part.strip(" .,:;")
    ]


def _speak(text: str, voice: str) -> Samples:
    data = _run("-v", voice, "-s", str(SPEED[voice]), "-b", "1", "--stdin", "--stdout", text=text)
    try:
        return read_wav(data)
    except UnreadableSound as error:
        raise SpeechUnavailable(f"espeak-ng wrote what is no sound: {error}") from error


def _run(*arguments: str, text: str = "") -> bytes:
    program = engine()
    try:
        done = subprocess.run(
            [*program.argv, *arguments],
            input=text.encode("utf-8"),
            capture_output=True,
            env=program.environment(),
            timeout=DEADLINE_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise SpeechUnavailable(f"espeak-ng failed: {type(error).__name__}") from error
    return done.stdout


def tone(seconds: float = 0.25, hertz: float = 880.0) -> Samples:
    """A short soft tone: heard where a sentence could not be made, and as the beep before a recording."""
    count = int(seconds * RATE)
    ramp = RATE // 50
    return array(
        "h",
        (round(6000 * min(1, at / ramp, (count - at) / ramp) * sin(2 * pi * hertz * at / RATE)) for at in range(count)),
    )
