"""What a caller hears now, for a carrier to play. At most twelve; a carrier plays a scene's verbs in order."""

from msgspec import Struct


class Prompt(Struct, frozen=True):
    """One sentence: a key of the wording and its values, e.g. Prompt("ahead", {"count": 13}). At most one value varies."""

    key: str
    values: dict[str, str | int | float] = {}


class Verb(Struct, frozen=True, tag=True, kw_only=True):
    """Common to all verbs: the sentences that are spoken first (interruptible by any expected key)."""

    prompts: tuple[Prompt, ...] = ()


class Say(Verb, frozen=True, tag=True):
    """Speak to the end, then the next verb."""


class Ask(Verb, frozen=True, tag=True):
    """Speak, and take keys meanwhile and for `timeout_s` afterwards. Ends in Keyed, or TimedOut.

    A key whose turn leaves the scene as it is neither ends the Ask nor makes it speak again; the timeout starts anew.
    """

    keys: str
    timeout_s: float


class Hold(Verb, frozen=True, tag=True):
    """Speak, then hold music until something happens. `keys` are taken all the time."""

    keys: str


class Record(Verb, frozen=True, tag=True):
    """Speak, beep, record until `finish_key`, `silence_s` of silence or `max_s`. Ends in Recorded."""

    name: str
    max_s: float
    silence_s: float
    finish_key: str


class Await(Verb, frozen=True, tag=True):
    """Speak, then silence, for something of ours that takes a moment. Ends in TimedOut after `timeout_s` at the latest."""

    timeout_s: float


class Connect(Verb, frozen=True, tag=True):
    """Ring the leader's line; `whisper` is spoken to the leader first. Ends in Answered and TalkEnded, or Missed.

    The ringing does not wait for `prompts`: a carrier that cannot speak them meanwhile leaves them out.
    """

    seat_id: str
    token: int
    line: str
    ring_s: float
    whisper: tuple[Prompt, ...]
    #: The leader must press 1 (a mobile: a voicemail never swallows a citizen).
    confirm: bool
    #: Name of the talk's recording, without folder or extension; empty = not recorded.
    recording: str


class CallBack(Verb, frozen=True, tag=True):
    """Nobody is on the phone: call the caller. Ends in Arrived, or HungUp when nobody answers."""

    number: str
    ring_s: float
    #: Grows with every call back of this call.
    token: int


class Transfer(Verb, frozen=True, tag=True):
    """Put through to the ordinary operators. Ends in Answered and TalkEnded, or Missed."""

    ring_s: float


class HangUp(Verb, frozen=True, tag=True):
    """Speak, then end the call."""


AnyVerb = Say | Ask | Hold | Record | Await | Connect | CallBack | Transfer | HangUp
