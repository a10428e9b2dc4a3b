"""Plays the verbs of one scene on one channel. It decides nothing: what follows is the flow's."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, assert_never

from ivr.call import Language
from ivr.verbs import AnyVerb, Ask, Await, CallBack, Connect, HangUp, Hold, Prompt, Record, Say, Transfer
from telephony.asterisk import agi, dialplan
from telephony.asterisk.channel import AGI_DEADLINE_S, Channel
from telephony.errors import CallGone, CarrierRefused
from telephony.prompts import Prompts

#: A key stopped a prompt; the turn it causes replaces the scene within this time, or the key meant nothing here.
KEY_SETTLES_S = 0.3
#: An old scene's prompt that no key has stopped by then is broken off.
BREAK_AFTER_S = 0.12

#: 16-bit mono at 8 kHz, as RECORD FILE writes it.
WAV_HEADER, WAV_BYTES_PER_S = 44, 16000

#: A recording this close to its longest was ended by the limit.
LIMIT_SLACK_S = 0.5

#: Asterisk keeps so much of the silence that ended a recording: nobody spoke in it.
SILENCE_KEPT_S = 1.0

#: What a scene can come to by itself: TimedOut() or Recorded(seconds, ended_by).
OnTimedOut = Callable[[], None]
EndedBy = Literal["key", "silence", "limit", "unknown"]
OnRecorded = Callable[[float, EndedBy], None]


class Interpreter:
    """One channel's player. `play` runs until the scene has nothing more to do by itself, or is cancelled."""

    #: Where the channel enters AGI again, and where it is put through to the operators: context and extension.
    home = (dialplan.SERVICE_CONTEXT, dialplan.AGAIN_EXTEN)
    operators = (dialplan.TRANSFER_CONTEXT, dialplan.START_EXTEN)

    def __init__(
        self,
        channel: Channel,
        prompts: Prompts,
        recordings: Path,
        beep: Path,
        on_timed_out: OnTimedOut,
        on_recorded: OnRecorded,
    ) -> None:
        self._channel, self._prompts, self._recordings = channel, prompts, recordings
        self._beep = beep
        self._on_timed_out, self._on_recorded = on_timed_out, on_recorded
        self._answered = self._music = False
        #: Seconds of a message whose recording the caller ended by hanging up.
        self.recorded_s = 0.0

    async def play(self, verbs: Sequence[AnyVerb], language: Language, *, at_once: bool) -> None:
        """Play a scene. `at_once`: break off what an earlier scene is still playing. CallGone ends it quietly."""
        try:
            if at_once and not isinstance(verbs[0] if verbs else None, Connect):
                await self._break_off()  # leaving for a Connect breaks off what plays by itself
            for verb in verbs:
                await self._play_one(verb, language)
        except CallGone:
            return

    def adopt(self, *, answered: bool, music: bool) -> None:
        """Take over a channel as an earlier bridge left it."""
        self._answered, self._music = answered, music

    async def _play_one(self, verb: AnyVerb, language: Language) -> None:
        match verb:
            case Say():
                await self._speak(verb.prompts, language, "")
            case Ask():
                await self._speak(verb.prompts, language, agi.ANY_KEY)
                await asyncio.sleep(verb.timeout_s)
                self._on_timed_out()
            case Hold():
                await self._hold(verb, language)
            case Record():
                await self._speak(verb.prompts, language, verb.finish_key)
                await self._record(verb)
            case Await():
                await self._speak(verb.prompts, language, "")
                await asyncio.sleep(verb.timeout_s)
                self._on_timed_out()
            case Connect():
                await self._connect(verb, language)
            case CallBack():
                return  # nobody is on the phone: telephony.asterisk.callbacks
            case Transfer():
                await self._leave(self.operators, {dialplan.RING_S: str(int(verb.ring_s))})
            case HangUp():
                await self._speak(verb.prompts, language, "")
                await self._channel.hang_up()
            case _:
                assert_never(verb)

    async def _hold(self, verb: Hold, language: Language) -> None:
        if verb.prompts:
            await self._speak(verb.prompts, language, verb.keys)
        await self._prepare()
        # Also when it should be playing already: Asterisk goes on where it was, and an adopted caller is never in silence.
        await self._channel.agi(agi.start_music())
        self._music = True

    async def finish_recording(self, verb: Record) -> None:
        """A recording that an earlier bridge began: when the channel is idle, the file is the message. None: begin anew."""
        await self._channel.agi(agi.no_operation())
        path = self._recordings / f"{verb.name}.wav"
        if path.is_file():
            self._on_recorded(max(0.0, (path.stat().st_size - WAV_HEADER) / WAV_BYTES_PER_S), "unknown")
        else:
            await self._record(verb)

    async def _record(self, verb: Record) -> None:
        await self._prepare()
        path = self._recordings / f"{verb.name}.wav"
        self.recorded_s = 0.0
        if self._beep.exists():
            await self._channel.agi(agi.stream_file(self._beep, verb.finish_key))
        result = await self._channel.agi(
            agi.record_file(path, finish_key=verb.finish_key, max_s=verb.max_s, silence_s=verb.silence_s),
            within_s=verb.max_s + AGI_DEADLINE_S,
        )
        self._check(result)
        if result.hung_up:
            self.recorded_s = result.seconds
            return
        if not _has_header(path):
            raise CarrierRefused("nothing could be written where recordings are kept: is the disk full?")
        ended_by = _ended_by(result, verb)
        silence = SILENCE_KEPT_S if ended_by == "silence" else 0.0
        self._on_recorded(max(0.0, result.seconds - silence), ended_by)

    async def _connect(self, verb: Connect, language: Language) -> None:
        whisper = await self._prompts.audio(verb.whisper, language) if verb.whisper else []
        await self._leave(
            (dialplan.CONNECT_CONTEXT, dialplan.START_EXTEN),
            {
                dialplan.LINE: verb.line,
                dialplan.RING_S: str(int(verb.ring_s)),
                dialplan.WHISPER: agi.sound_list(whisper),
                dialplan.CONFIRM: "1" if verb.confirm else "",
                dialplan.RECORDING: verb.recording,
            },
        )

    async def _leave(self, place: tuple[str, str], variables: dict[str, str]) -> None:
        """Out of AGI into the dialplan, which brings the channel back when it is done."""
        if not self._answered:
            await self._prepare()
        self._channel.left_agi()
        self._music = False
        await self._channel.redirect(*place, variables)

    async def _prepare(self) -> None:
        """A channel that is answered and plays no music."""
        if not self._answered:
            await self._channel.agi(agi.answer())
            self._answered = True
        if self._music:
            self._music = False
            await self._channel.agi(agi.stop_music())

    async def _speak(self, prompts: Sequence[Prompt], language: Language, stop_keys: str) -> None:
        if not prompts:
            return
        sounds = await self._prompts.audio(prompts, language)
        await self._prepare()
        for sound in sounds:
            result = await self._channel.agi(agi.stream_file(sound, stop_keys))
            self._check(result)
            if result.hung_up:
                # Hung up, or taken elsewhere: either way this scene is over for the channel.
                raise CallGone("the channel left while a prompt was playing")
            if result.result not in ("0", ""):
                await asyncio.sleep(KEY_SETTLES_S)
                return

    def _check(self, result: agi.AgiResult) -> None:
        if result.failed:
            raise CarrierRefused(
                f"Asterisk could not play or record ({result.word}): is the disk full, a sound missing?"
            )

    async def _break_off(self) -> None:
        """Stop an earlier scene's prompt which the key that ended the scene came too early to stop."""
        if not self._channel.is_busy():
            return
        await asyncio.sleep(BREAK_AFTER_S)
        if self._channel.is_busy() and self._channel.in_agi.is_set():
            self._channel.left_agi()
            self._music = False
            await self._channel.redirect(*self.home)


def _has_header(path: Path) -> bool:
    """Asterisk does not tell when it could not write: a recording of nothing but silence has a header all the same."""
    return path.is_file() and path.stat().st_size >= WAV_HEADER


def _ended_by(result: agi.AgiResult, verb: Record) -> EndedBy:
    if result.word == "dtmf":
        return "key"  # in case of a timeout the result is the time that was left
    return "limit" if result.seconds >= verb.max_s - LIMIT_SLACK_S else "silence"
