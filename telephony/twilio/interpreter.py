"""The verbs of one scene as TwiML. It decides nothing: what follows is the flow's.

Every verb that waits is followed by a Redirect, because TwiML that ends, ends the call. `again`: the scene is heard
already and goes on, so it is not spoken a second time.
"""

import time
from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any, assert_never

from msgspec.json import Encoder
from twilio.twiml import voice_response
from twilio.twiml.voice_response import VoiceResponse

from config.cloud_sip import CLOUD_USER, cloud_password, is_at_ours
from config.settings import Settings
from ivr.call import Call
from ivr.verbs import AnyVerb, Ask, Await, CallBack, Connect, HangUp, Hold, Prompt, Record, Say, Transfer
from telephony.twilio.addresses import Addresses
from telephony.twilio.music import Music
from telephony.twilio.speech import Speech

#: How often it is looked whether what is awaited has come.
AWAIT_S = 1
#: The cloud takes at most one call's number of keys.
CONTACT_KEYS_MAX = 20
#: Silence that ends a Gather around hold music, after the music: the shortest there is.
HOLD_GAP_S = 1
#: A talk is not cut by us; this is the cloud's own longest.
TALK_MAX_S = 14_400
LEG_EVENTS = "initiated ringing answered completed"
RECORDING_EVENTS = "completed absent"
#: How long TwiML is kept for others who hear the same, and how many pieces of it.
KNOWN_S, KNOWN_MAX = 10.0, 2000

_ENCODER = Encoder()


class Interpreter:
    """Renders scenes for one account."""

    def __init__(self, settings: Settings, addresses: Addresses, speech: Speech, music: Music) -> None:
        self._settings, self._addresses, self._speech, self._music = settings, addresses, speech, music
        self._password = cloud_password(settings) if settings.twilio_sip_address else ""
        self._known: dict[tuple[object, ...], str] = {}
        self._known_until = 0.0

    def render(self, call: Call, verbs: Sequence[AnyVerb], *, again: bool = False, count: int = 0) -> str:
        """The TwiML. `count`: pieces of music heard, or looks taken, in this scene so far."""
        if len(verbs) != 1 or not isinstance(verbs[0], Ask | Hold):
            return self._write(call, verbs, again=again, count=count)
        what = (
            _ENCODER.encode(verbs[0]), call.language, call.scene, call.seq, call.leg and call.id, len(call.typed),
            again, count,
        )  # fmt: skip
        known = self._still_known()
        if what not in known:
            known[what] = self._write(call, verbs, again=again, count=count)
        return known[what]

    def _still_known(self) -> dict[tuple[object, ...], str]:
        """Questions and music that were written a moment ago: at the same point of their calls many hear the same. Written
        anew now and then, because sounds are made and addresses expire."""
        now = time.monotonic()
        if now > self._known_until or len(self._known) >= KNOWN_MAX:
            self._known.clear()
            self._known_until = now + KNOWN_S
        return self._known

    def _write(self, call: Call, verbs: Sequence[AnyVerb], *, again: bool, count: int) -> str:
        response = VoiceResponse()
        for verb in verbs:
            self._add(response, call, verb, again=again, count=count)
        if not verbs:
            response.hangup()
        return str(response)

    def _add(self, response: VoiceResponse, call: Call, verb: AnyVerb, *, again: bool, count: int) -> None:
        if not again and not isinstance(verb, Ask | Hold):
            self._speech.add(response, verb.prompts, call.language)
        match verb:
            case Say():
                pass
            case Ask():
                self._ask(response, call, verb, () if again else verb.prompts)
            case Hold():
                self._hold(response, call, () if again else verb.prompts, count)
            case Await():
                response.pause(length=AWAIT_S)
                self._go_on(response, self._addresses.turn("awaited", call, count=count + AWAIT_S))
            case Record():
                self._record(response, call, verb)
            case Connect():
                self._connect(response, call, verb)
            case Transfer():
                line = self._settings.effective_twilio_operators_line
                self._dial(response, call, line, verb.ring_s, "joined", "")
            case HangUp() | CallBack():
                response.hangup()  # to call back, nobody may be on this leg: the bridge places the call
            case _:
                assert_never(verb)

    def _ask(self, response: VoiceResponse, call: Call, verb: Ask, prompts: Sequence[Prompt]) -> None:
        several = "#" in verb.keys
        gather = response.gather(
            input="dtmf",
            timeout=ceil(verb.timeout_s),
            num_digits=CONTACT_KEYS_MAX if several else 1,
            finish_on_key="#" if several else "",
            action=self._addresses.turn("keys", call, **({"several": 1, "typed": len(call.typed)} if several else {})),
            method="POST",
        )
        self._speech.add(gather, prompts, call.language)
        self._go_on(response, self._addresses.turn("silence", call))

    def _hold(self, response: VoiceResponse, call: Call, prompts: Sequence[Prompt], count: int) -> None:
        gather = response.gather(
            input="dtmf",
            timeout=HOLD_GAP_S,
            num_digits=1,
            finish_on_key="",
            action=self._addresses.turn("keys", call, count=count),
            method="POST",
        )
        self._speech.add(gather, prompts, call.language)
        self._music.add(gather, count)
        self._go_on(response, self._addresses.turn("hold", call, count=count + 1))

    def _record(self, response: VoiceResponse, call: Call, verb: Record) -> None:
        response.record(
            action=self._addresses.turn("recorded", call, name=verb.name),
            method="POST",
            timeout=max(1, round(verb.silence_s)),
            max_length=max(1, round(verb.max_s)),
            finish_on_key=verb.finish_key,
            play_beep=True,
            trim="do-not-trim",
            recording_status_callback=self._addresses.turn("recording", call, name=verb.name),
            recording_status_callback_event=RECORDING_EVENTS,
        )
        self._go_on(response, self._addresses.turn("recorded", call, empty=1))

    def _connect(self, response: VoiceResponse, call: Call, verb: Connect) -> None:
        self._dial(response, call, verb.line, verb.ring_s, "whisper", verb.recording)

    def _dial(self, response: VoiceResponse, call: Call, line: str, ring_s: float, step: Any, recording: str) -> None:
        recorded = {
            "record": "record-from-answer-dual",
            "recording_status_callback": self._addresses.turn("recording", call, name=recording),
            "recording_status_callback_event": RECORDING_EVENTS,
        }
        dial = response.dial(
            action=self._addresses.turn("dialled", call),
            method="POST",
            timeout=max(5, ceil(ring_s)),
            time_limit=TALK_MAX_S,
            answer_on_bridge=True,  # the caller was answered before: here it means that they hear ringing during the whisper, too
            caller_id=self._settings.twilio_number or None,
            **(recorded if recording else {}),
        )
        sid = call.id.removeprefix("t-")
        noun = {
            "url": self._addresses.turn(step, call, of=sid),
            "method": "POST",
            "status_callback": self._addresses.turn("leg", call, of=sid),
            "status_callback_event": LEG_EVENTS,
        }
        if line.startswith(("sip:", "sips:")):
            known = {"username": CLOUD_USER, "password": self._password} if is_at_ours(line, self._settings) else {}
            dial.sip(line, **known, **noun)
        elif line.startswith("client:"):
            dial.client(line.removeprefix("client:"), **noun)
        else:
            dial.number(line, **noun)

    # -- the other side's leg -----------------------------------------------------------------------------------------
    def whisper(self, call: Call, verb: Connect, tries: int) -> str:
        """What the leader hears before the two are put through; a mobile has to press 1."""
        response = VoiceResponse()
        sid = call.id.removeprefix("t-")
        if not verb.confirm:
            self._speech.add(response, verb.whisper, call.language)
            self._go_on(response, self._addresses.turn("joined", call, of=sid))
            return str(response)
        gather = response.gather(
            input="dtmf",
            timeout=ceil(self._settings.ask_timeout_s),
            num_digits=1,
            finish_on_key="",
            action=self._addresses.turn("confirm", call, of=sid, tries=tries),
            method="POST",
        )
        self._speech.add(gather, verb.whisper, call.language)
        self._go_on(response, self._addresses.turn("confirm", call, of=sid, tries=tries))
        return str(response)

    # -- what needs no call -------------------------------------------------------------------------------------------
    def sorry(self, about: Mapping[str, str] | None = None) -> str:
        """Nothing of ours is there: a message is taken without it. `about`: which call this leg of ours goes on with."""
        response = VoiceResponse()
        language = self._settings.language
        minutes = max(1, round(self._settings.message_max_s / 60))
        how = Prompt("message_how", {"minutes": minutes})
        self._speech.add(response, (Prompt("fallback_sorry"), Prompt("message_what"), how), language)
        response.record(
            action=(recorded := self._addresses.step("fallback-recorded", {"seq": 0, **(about or {})})),
            method="POST",
            timeout=max(1, round(self._settings.message_silence_s)),
            max_length=max(1, round(self._settings.message_max_s)),
            finish_on_key="#",
            play_beep=True,
            trim="do-not-trim",
        )
        self._go_on(response, recorded)
        return str(response)

    def thanks(self) -> str:
        """After that message."""
        return self.farewell((Prompt("goodbye_order_recorded"), Prompt("goodbye")))

    def farewell(self, prompts: Sequence[Prompt]) -> str:
        """Last words that no call stands for."""
        response = VoiceResponse()
        self._speech.add(response, prompts, self._settings.language)
        response.hangup()
        return str(response)

    def later(self, url: str, pause_s: int, *, apologise: bool) -> str:
        """Something of ours does not answer just now: the same again in a moment."""
        response = VoiceResponse()
        if apologise:
            self._speech.add(response, (Prompt("one_moment"),), self._settings.language)
        response.pause(length=pause_s)
        self._go_on(response, url)
        return str(response)

    @staticmethod
    def _go_on(response: voice_response.VoiceResponse, url: str) -> None:
        response.redirect(url, method="POST")


def nothing() -> str:
    """To a notification; on the leader's leg: put them through."""
    return str(VoiceResponse())


def hang_up() -> str:
    response = VoiceResponse()
    response.hangup()
    return str(response)
