"""One webhook as values: what is used of it is read and checked here, everything else is never looked at."""

import hashlib
import re
from urllib.parse import parse_qsl

from config.numbers import read_number
from config.settings import Settings
from telephony.twilio.connection import ENDED
from telephony.twilio.exchange import is_call_sid, is_recording_sid
from telephony.twilio.signature import Form

_KEYS = re.compile(r"[0-9*#]{1,32}\Z")
_SECONDS = re.compile(r"[0-9]{1,6}\Z")
_RECORDING_NAME = re.compile(r"t-CA[0-9a-fA-F]{32}-[mt][0-9]{1,6}\Z")
_LEG = re.compile(r"[0-9a-z]{26}\Z")
_COUNT_MAX = 1_000_000
#: What the cloud says when a message ended because the caller hung up.
HANGUP = "hangup"
#: Parameters that are carried over when a webhook has to come again: none of them is personal. Keys only one at a time,
#: because several are a telephone number.
CARRIED = ("RecordingDuration", "DialCallStatus", "DialCallDuration", "DialBridged")
LONGEST_CARRIED = 40
#: RecordingDuration may say so much more than there is.
ROUNDED_S = 0.5


class Webhook:
    """What one webhook tells, and what of our own address came back with it: each value is read when it is asked for, because a
    webhook is about a few of them. Empty or 0 where it says nothing. Reading never raises: the content may be hostile."""

    __slots__ = ("_form", "_mark", "_ours", "_settings", "call_sid", "outbound", "retries", "status")

    def __init__(self, settings: Settings, step: str, query: str, form: Form, token: str) -> None:
        """`token`: the cloud's own mark of a repetition, may be empty."""
        self._settings, self._form = settings, form
        self._ours = dict(parse_qsl(query, keep_blank_values=True, errors="replace")) if query else {}
        self._mark = step, query, token
        #: Of the leg the webhook is about.
        self.call_sid = _sid(form.get("CallSid"))
        self.status = form.get("CallStatus")
        self.outbound = form.get("Direction").startswith("outbound")
        #: How often the same has been asked to come again.
        self.retries = self._count("retries")

    # -- of the leg ---------------------------------------------------------------------------------------------------
    @property
    def ended(self) -> bool:
        """The call this webhook is about is over."""
        return self.status in ENDED

    @property
    def arrives(self) -> bool:
        """Of this leg nobody may have heard yet: it is answered. The fallback URL may be the first to hear of it."""
        step = self._mark[0]
        return step == "voice" or (step == "fallback" and self.scene < 0)

    @property
    def parent_sid(self) -> str:
        """Of the leg that dialled this one."""
        return _sid(self._form.get("ParentCallSid"))

    @property
    def number(self) -> str:
        """E.164 of the citizen. Personal data."""
        return read_number(self._form.get("To" if self.outbound else "From"), self._settings)

    @property
    def answered_by(self) -> str:
        """Voicemail detection: human, machine_start, fax, unknown; empty = not asked for."""
        return self._form.get("AnsweredBy")

    @property
    def error(self) -> str:
        """ErrorCode with which the cloud came to the fallback."""
        return self._form.get("ErrorCode")

    # -- what came of the verb ----------------------------------------------------------------------------------------
    @property
    def keys(self) -> str:
        digits = self._told("Digits")
        return digits if _KEYS.match(digits) else ""

    @property
    def hung_up(self) -> bool:
        """A message ended because the caller hung up."""
        return self._told("Digits") == HANGUP

    @property
    def recorded_s(self) -> float:
        return _seconds(self._told("RecordingDuration"))

    @property
    def spoken_s(self) -> float:
        """Of a message, without the silence that ended it, which the cloud keeps and counts in whole seconds. A key, the receiver
        and the longest time end a message at once."""
        seconds, settings = self.recorded_s, self._settings
        if self.keys or self.hung_up or self.ended or seconds >= round(settings.message_max_s):
            return seconds
        return max(0.0, seconds - max(1, round(settings.message_silence_s)) - ROUNDED_S)

    @property
    def recording_sid(self) -> str:
        """Of a message only its address is promised, whose last part is the SID."""
        for sid in (self._told("RecordingSid"), self._form.get("RecordingUrl").rpartition("/")[2].partition(".")[0]):
            if is_recording_sid(sid):
                return sid
        return ""

    @property
    def recording_status(self) -> str:
        return self._form.get("RecordingStatus")

    @property
    def dial_status(self) -> str:
        return self._told("DialCallStatus")

    @property
    def dialled_s(self) -> float:
        return _seconds(self._told("DialCallDuration"))

    @property
    def bridged(self) -> bool | None:
        """None = the cloud did not say."""
        return {"true": True, "false": False}.get(self._told("DialBridged").lower())

    # -- from our own address -----------------------------------------------------------------------------------------
    @property
    def for_sid(self) -> str:
        """The caller's call, on webhooks of the other side's leg or of one that goes on with a call."""
        return _sid(self._ours.get("of", ""))

    @property
    def is_misled(self) -> bool:
        """Our address names a leg or a call by something that is no id: it is not known whose webhook this is."""
        ours = self._ours
        return (
            ("of" in ours and not self.for_sid) or ("leg" in ours and not self.leg) or ("placed" in ours and not self.placed)
        )  # fmt: skip

    @property
    def scene(self) -> int:
        """The scene that is answered, -1 = none, or nothing that could be one."""
        return self._count("scene", -1)

    @property
    def count(self) -> int:
        """Pieces of music heard, or looks taken, in this scene so far."""
        return self._count("count")

    @property
    def typed(self) -> int:
        """Keys of a number that the call held when it was asked for more."""
        return self._count("typed")

    @property
    def tries(self) -> int:
        return self._count("tries")

    @property
    def several(self) -> bool:
        """Keys of a number are awaited, several at once."""
        return self._ours.get("several") == "1"

    @property
    def waits(self) -> bool:
        """Asked for while an interruption was under way, and not by it."""
        return "waits" in self._ours

    @property
    def leg(self) -> str:
        """Our id of a call that we placed."""
        leg = self._ours.get("leg", "")
        return leg if _LEG.match(leg) else ""

    @property
    def placed(self) -> str:
        """Id of a call about an order, on webhooks of its legs."""
        placed = self._ours.get("placed", "")
        return placed if _LEG.match(placed) else ""

    @property
    def recording(self) -> str:
        """Name of the recording, as the flow gave it."""
        name = self._ours.get("name", "")
        return name if _RECORDING_NAME.match(name) else ""

    # -- of itself ----------------------------------------------------------------------------------------------------
    @property
    def digest(self) -> str:
        """The same for a repetition, different for everything else."""
        step, query, token = self._mark
        return _digest(step, query, self._form, token)

    @property
    def carried(self) -> tuple[tuple[str, str], ...]:
        """What has to come along when this webhook has to come again."""
        told = [(name, self._told(name)) for name in CARRIED]
        values = [(name, value) for name, value in (*told, ("RecordingSid", self.recording_sid)) if value]
        kept = [(name, value) for name, value in values if value.isascii() and len(value) <= LONGEST_CARRIED]
        digits = self._told("Digits")
        if digits and ((len(digits) == 1 and _KEYS.match(digits)) or digits == HANGUP):
            kept.append(("Digits", digits))
        return tuple(kept)

    def _told(self, name: str) -> str:
        """Of one that came again, also what was carried over."""
        return self._form.get(name) or (self._ours.get(name, "") if self.retries else "")

    def _count(self, name: str, without: int = 0) -> int:
        text = self._ours.get(name, "")
        return min(int(text), _COUNT_MAX) if text.isascii() and text.isdigit() and len(text) <= 9 else without


def _digest(step: str, query: str, form: Form, token: str) -> str:
    """By the cloud's own mark where it sends one; else by everything that makes this webhook what it is."""
    if token and len(token) <= 200:
        return hashlib.sha256(f"{step}\0{query}\0{token}".encode()).hexdigest()[:32]
    parts = "\0".join(f"{name}\1{value}" for name in sorted(form) for value in form.getlist(name))
    return hashlib.sha256(f"{step}\0{query}\0{parts}".encode("utf-8", "replace")).hexdigest()[:32]


def _sid(text: str) -> str:
    return text if text and is_call_sid(text) else ""


def _seconds(text: str) -> float:
    return float(text) if _SECONDS.match(text) else 0.0
