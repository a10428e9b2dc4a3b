"""One webhook as values: what is used of it is read and checked here, everything else is never looked at."""

import hashlib
import re
from collections.abc import Callable
from urllib.parse import parse_qsl

from msgspec import Struct

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
CARRIED = ("RecordingDuration", "RecordingSid", "DialCallStatus", "DialCallDuration", "DialBridged")
LONGEST_CARRIED = 40


class Webhook(Struct, frozen=True):
    """What one webhook tells. Empty or 0 where it says nothing. `number` is personal data."""

    #: Of the leg the webhook is about, and of the leg that dialled it.
    call_sid: str
    parent_sid: str
    #: The caller's call, from our own address on webhooks of the other side's leg.
    for_sid: str
    status: str
    #: E.164 of the citizen.
    number: str
    keys: str
    hung_up: bool
    recorded_s: float
    recording_sid: str
    recording_status: str
    dial_status: str
    dialled_s: float
    #: None = the cloud did not say.
    bridged: bool | None
    #: voicemail detection: human, machine_start, fax, unknown; empty = not asked for.
    answered_by: str
    #: ErrorCode with which the cloud came to the fallback.
    error: str
    #: From our own address: the scene that is answered, -1 = none.
    scene: int
    count: int
    typed: int
    tries: int
    retries: int
    #: Keys of a number are awaited, several at once.
    several: bool
    #: Our id of a call that we placed.
    leg: str
    #: Id of a call about an order, from our own address on webhooks of its legs.
    placed: str
    outbound: bool
    #: Name of the recording, as the flow gave it.
    recording: str
    #: The same for a repetition, different for everything else.
    digest: str
    carried: tuple[tuple[str, str], ...]

    @property
    def ended(self) -> bool:
        """The call this webhook is about is over."""
        return self.status in ENDED


def read_webhook(settings: Settings, step: str, query: str, form: Form, token: str) -> Webhook:
    """`token`: the cloud's own mark of a repetition, may be empty. Never raises: the content may be hostile."""
    ours = dict(parse_qsl(query, keep_blank_values=True, errors="replace")) if query else {}
    retries = _count(ours.get("retries", ""))

    def kept(name: str) -> str:
        return form.get(name) or ours.get(name, "")

    told = kept if retries else form.get
    leg, name = ours.get("leg", ""), ours.get("name", "")
    digits, recording_sid = told("Digits"), told("RecordingSid")
    outbound = form.get("Direction").startswith("outbound")
    return Webhook(
        call_sid=_sid(form.get("CallSid")),
        parent_sid=_sid(form.get("ParentCallSid")),
        for_sid=_sid(ours.get("of", "")),
        status=form.get("CallStatus"),
        number=read_number(form.get("To" if outbound else "From"), settings),
        keys=digits if _KEYS.match(digits) else "",
        hung_up=digits == HANGUP,
        recorded_s=_seconds(told("RecordingDuration")),
        recording_sid=recording_sid if is_recording_sid(recording_sid) else "",
        recording_status=form.get("RecordingStatus"),
        dial_status=told("DialCallStatus"),
        dialled_s=_seconds(told("DialCallDuration")),
        bridged={"true": True, "false": False}.get(told("DialBridged").lower()),
        answered_by=form.get("AnsweredBy"),
        error=form.get("ErrorCode"),
        scene=_count(ours["scene"]) if "scene" in ours else -1,
        count=_count(ours.get("count", "")),
        typed=_count(ours.get("typed", "")),
        tries=_count(ours.get("tries", "")),
        retries=retries,
        several=ours.get("several") == "1",
        leg=leg if _LEG.match(leg) else "",
        placed=ours.get("placed", "") if _LEG.match(ours.get("placed", "")) else "",
        outbound=outbound,
        recording=name if _RECORDING_NAME.match(name) else "",
        digest=_digest(step, query, form, token),
        carried=_carried(told, digits),
    )


def _carried(told: Callable[[str], str], digits: str) -> tuple[tuple[str, str], ...]:
    values = [(name, value) for name in CARRIED if (value := told(name))]
    kept = [(name, value) for name, value in values if value.isascii() and len(value) <= LONGEST_CARRIED]
    if digits and ((len(digits) == 1 and _KEYS.match(digits)) or digits == HANGUP):
        kept.append(("Digits", digits))
    return tuple(kept)


def _digest(step: str, query: str, form: Form, token: str) -> str:
    """By the cloud's own mark where it sends one; else by everything that makes this webhook what it is."""
    if token and len(token) <= 200:
        return hashlib.sha256(f"{step}\0{query}\0{token}".encode()).hexdigest()[:32]
    parts = "\0".join(f"{name}\1{value}" for name in sorted(form) for value in form.getlist(name))
    return hashlib.sha256(f"{step}\0{query}\0{parts}".encode("utf-8", "replace")).hexdigest()[:32]


def _sid(text: str) -> str:
    return text if is_call_sid(text) else ""


def _seconds(text: str) -> float:
    return float(text) if _SECONDS.match(text) else 0.0


def _count(text: str) -> int:
    return min(int(text), _COUNT_MAX) if text.isascii() and text.isdigit() and len(text) <= 9 else 0
