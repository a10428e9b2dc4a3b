"""Sentences as sound files, made beforehand, kept by content; a recorded file takes a sentence's place.

state_dir/prompts/<language>/<hash of language, voice, text, engine>.wav
state_dir/prompts/recorded/<language>/<key>.wav, or <key>-<value>.wav      put there by people, any PCM WAV
"""

import asyncio
import hashlib
import re
from array import array
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import structlog

from config.settings import Settings
from ivr.call import Language
from ivr.facts import SessionFacts
from ivr.nodes.pick import MOST_UNITS
from ivr.verbs import Prompt
from ivr.wording import all_prompts, render
from telephony import speech
from telephony.sound import UnreadableSound, read_wav, write_wav
from telephony.sound import speech as even_out

log = structlog.get_logger()

#: A caller waits at most this long for a sentence that nobody thought of; then a tone stands in for it.
PATIENCE_S = 2.0
#: Processes that make sounds beforehand, and sentences made at once for callers.
MAKERS, AT_ONCE = 2, 2
#: Values that may be part of a file's name.
_SAFE = re.compile(r"[\w:\u3400-\u9fff-]{1,40}")
LARGEST_RECORDED = 5_000_000

#: What Asterisk's own fallback says, by the names its dialplan knows.
FALLBACK = {
    "sorry": (Prompt("fallback_sorry"),),
    "leave_message": (Prompt("message_what"), Prompt("message_how", {"minutes": 2})),
    "thank_you": (Prompt("goodbye_order_recorded"), Prompt("goodbye")),
}

#: Told how many of how many are done.
Progress = Callable[[int, int], None]


class Prompts:
    """The sounds of all prompts. One for each process; several may share the folder."""

    def __init__(self, settings: Settings) -> None:
        self.folder = settings.state_dir / "prompts"
        self._language = settings.language
        self._city = settings.city
        self._making: dict[Path, asyncio.Task[None]] = {}
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def audio(self, prompts: Iterable[Prompt], language: Language) -> list[Path]:
        """The files of these sentences, in order. Never raises, never waits longer than PATIENCE_S in all."""
        wanted = [(prompt, self.path(prompt, language)) for prompt in prompts]
        missing = {path: prompt for prompt, path in wanted if not path.exists()}
        if missing:
            await asyncio.wait(
                [self._make(prompt, language, path) for path, prompt in missing.items()], timeout=PATIENCE_S
            )
        return [path if path.exists() else self._stand_in(prompt) for prompt, path in wanted]

    def path(self, prompt: Prompt, language: Language) -> Path:
        """Where the sound of a prompt is, or will be."""
        recorded = self.recorded(prompt, language)
        if recorded:
            status = recorded.stat()
            name = _hash("recorded", str(recorded), str(status.st_size), str(status.st_mtime_ns))
            return self.folder / language / f"{name}.wav"
        return self._spoken_path(render(prompt, language), language)

    def _spoken_path(self, text: str, language: Language) -> Path:
        try:
            version = speech.engine_version()
        except speech.SpeechUnavailable:
            version = ""
        name = _hash(language, speech.voice_of(language), text, version, str(speech.MAKING))
        return self.folder / language / f"{name}.wav"

    def recorded(self, prompt: Prompt, language: Language) -> Path | None:
        """The file that somebody recorded for this prompt, if there is one."""
        value = "".join(f"-{value}" for value in prompt.values.values())
        if value and not _SAFE.fullmatch(value):
            return None
        path = self.folder / "recorded" / language / f"{prompt.key}{value}.wav"
        return path if path.is_file() else None

    def _make(self, prompt: Prompt, language: Language, path: Path) -> asyncio.Task[None]:
        """The one task that makes this file, however many callers want it."""
        task = self._making.get(path)
        if task is None:
            task = asyncio.create_task(self._make_off_the_loop(prompt, language, path))
            self._making[path] = task
            task.add_done_callback(lambda _: self._making.pop(path, None))
        return task

    async def _make_off_the_loop(self, prompt: Prompt, language: Language, path: Path) -> None:
        recorded = self.recorded(prompt, language)
        async with self._slots:
            await asyncio.to_thread(make, render(prompt, language), language, path, recorded)

    def _stand_in(self, prompt: Prompt) -> Path:
        log.error("prompt_missing", prompt=prompt.key)
        path = self.folder / "tone.wav"
        if not path.exists():
            write_wav(path, speech.tone())
        return path

    def known(self, sessions: Iterable[SessionFacts] = ()) -> list[Prompt]:
        """Every prompt that can be made beforehand, with the names of these sessions."""
        sessions = list(sessions)
        seats = [seat for session in sessions for seat in session.seats]
        return [
            *(Prompt(key, {"city": self._city}) for key in ("greeting", "placed_greeting")),
            *(Prompt(key, {"unit": seat.unit}) for seat in seats for key in ("answering_unit", "next_unit")),
            *(Prompt("answering_leader", {"leader": seat.leader}) for seat in seats),
            *_keys_of_units(sessions),
            *all_prompts(self._language),
        ]

    async def warm(
        self, sessions: Iterable[SessionFacts] = (), progress: Progress | None = None, language: Language | None = None
    ) -> int:
        """Make everything that can be made beforehand and is not there yet, beside the calls. Returns how many were made.

        Raises telephony.speech.SpeechUnavailable when there is no engine.
        """
        chosen = language or self._language
        work = {self.path(prompt, chosen): prompt for prompt in self.known(sessions)}
        missing = [(path, prompt) for path, prompt in work.items() if not path.exists()]
        if missing:
            speech.engine()
            await self._make_all(missing, chosen, progress or _silently)
        return len(missing)

    async def _make_all(self, missing: Sequence[tuple[Path, Prompt]], language: Language, progress: Progress) -> None:
        loop = asyncio.get_running_loop()
        # spawn: a fork of a process with a running event loop inherits its sockets and locks.
        makers = ProcessPoolExecutor(MAKERS, mp_context=get_context("spawn"))
        try:
            jobs = [
                loop.run_in_executor(
                    makers, partial(make, render(prompt, language), language, path, self.recorded(prompt, language))
                )
                for path, prompt in missing
            ]
            for done, job in enumerate(asyncio.as_completed(jobs), 1):
                await job
                progress(done, len(jobs))
        finally:
            # Whoever stops now does not wait for a thousand sentences: the next start makes the rest.
            makers.shutdown(wait=False, cancel_futures=True)

    async def write_fallback(self, folder: Path) -> None:
        """The sounds that Asterisk plays by itself while no bridge is there: sorry, leave_message, thank_you, beep."""
        for name, prompts in FALLBACK.items():
            sounds = await self.audio(prompts, self._language)
            joined = array("h")
            for sound in sounds:
                joined.extend(read_wav(sound.read_bytes()))
            write_wav(folder / f"{name}.wav", joined)
        write_wav(folder / "beep.wav", speech.tone())


def make(text: str, language: Language, path: Path, recorded: Path | None) -> None:
    """One file: from the recorded one when it can be used, else spoken. Logs and leaves no file when neither works."""
    if recorded and _convert(recorded, path):
        return
    try:
        speech.make_sentence(text, language, path)
    except (speech.SpeechUnavailable, OSError) as error:
        log.error("prompt_not_made", error=str(error))


def _convert(recorded: Path, path: Path) -> bool:
    try:
        if recorded.stat().st_size > LARGEST_RECORDED:
            raise UnreadableSound("larger than 5 MB")
        write_wav(path, even_out(read_wav(recorded.read_bytes()), speech.PAUSE_WITHIN))
    except (UnreadableSound, OSError) as error:
        log.warning("recorded_prompt_unusable", file=recorded.name, error=str(error))
        return False
    return True


def _keys_of_units(sessions: Iterable[SessionFacts]) -> Iterable[Prompt]:
    """Several leaders: each unit is named with its key."""
    for session in sessions:
        for key, seat in enumerate(session.seats[:MOST_UNITS] if len(session.seats) > 1 else (), 1):
            yield Prompt(f"pick_{key}", {"unit": seat.unit})


def _silently(done: int, total: int) -> None:
    pass


def _hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
