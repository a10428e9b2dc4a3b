"""Sentences in TwiML: recorded prompts from our own server, or the cloud's voice where there is no sound."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from config.settings import Settings
from ivr.call import Language
from ivr.verbs import Prompt
from ivr.wording import render
from telephony.prompts import Prompts
from telephony.twilio.addresses import Addresses

#: Language and voice that the cloud accepts together; a wrong pair fails the verb.
VOICES: dict[Language, tuple[str, str]] = {
    "zh-Hans": ("cmn-CN", "Polly.Zhiyu-Neural"),
    "zh-Hant": ("cmn-CN", "Polly.Zhiyu-Neural"),
    "en": ("en-US", "Polly.Joanna-Neural"),
}
#: A sound that was there once stays for this process; the table is emptied when it grows beyond this.
KNOWN_MAX = 4096
#: One that was not there is looked for again after so long: it may have been made meanwhile.
MISSING_S = 5.0

V = TypeVar("V")


class Speech:
    """Adds sentences to a TwiML verb."""

    def __init__(self, settings: Settings, prompts: Prompts, addresses: Addresses) -> None:
        self._prompts, self._addresses = prompts, addresses
        #: Without a public URL the cloud cannot fetch our sounds.
        self._plays = bool(settings.public_url)
        self._known: dict[tuple[object, ...], Path] = {}
        #: Until when a sentence counts as one without a sound.
        self._missing: dict[tuple[object, ...], float] = {}

    def add(self, verb: Any, prompts: Sequence[Prompt], language: Language) -> None:
        """`verb`: a VoiceResponse or a Gather. Sentences without sound that follow each other become one Say."""
        unspoken: list[str] = []
        for prompt in prompts:
            sound = self._sound(prompt, language) if self._plays else None
            if sound is None:
                unspoken.append(render(prompt, language))
                continue
            self._say(verb, unspoken, language)
            verb.play(self._addresses.sound(sound))
        self._say(verb, unspoken, language)

    def _say(self, verb: Any, sentences: list[str], language: Language) -> None:
        if sentences:
            spoken, voice = VOICES[language]
            verb.say(" ".join(sentences), language=spoken, voice=voice)
            sentences.clear()

    def _sound(self, prompt: Prompt, language: Language) -> Path | None:
        known = (prompt.key, *prompt.values.values(), language)
        path = self._known.get(known)
        if path is not None:
            return path
        now = time.monotonic()
        if self._missing.get(known, 0.0) > now:
            return None
        path = self._prompts.path(prompt, language)
        if not path.is_file():
            _put(self._missing, known, now + MISSING_S)
            return None
        _put(self._known, known, path)
        return path


def _put(table: dict[tuple[object, ...], V], key: tuple[object, ...], value: V) -> None:
    if len(table) >= KNOWN_MAX:
        table.clear()
    table[key] = value
