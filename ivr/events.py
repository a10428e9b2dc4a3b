"""Everything that can happen to a call. At most twelve; each carries the facts of its moment."""

from typing import Literal

from msgspec import Struct

from ivr.facts import Facts


class Event(Struct, frozen=True, tag=True, kw_only=True):
    """Common to all events: the facts, read at the moment of the event."""

    facts: Facts


class Arrived(Event, frozen=True, tag=True):
    """The call is there and can hear us. `leg`: the carrier's name of a leg by which we called back."""

    leg: str = ""


class Keyed(Event, frozen=True, tag=True):
    """One key of the keypad: 0-9, * or #."""

    key: str


class TimedOut(Event, frozen=True, tag=True):
    """The verb that waits (Ask, Await) came to its end without an answer."""


class Recorded(Event, frozen=True, tag=True):
    """A message's recording ended: by key, by silence or at its limit. `seconds` 0.0 = nothing was recorded."""

    seconds: float
    ended_by: Literal["key", "silence", "limit", "unknown"] = "unknown"


class Offered(Event, frozen=True, tag=True):
    """A free seat claimed this caller. `token` fences off whoever claimed before."""

    seat_id: str
    token: int
    #: SIP URIs or numbers of the leader's lines, separated by commas, rung in turn.
    line: str


class Answered(Event, frozen=True, tag=True):
    """The other side took the call: the two hear each other now."""


class Missed(Event, frozen=True, tag=True):
    """The other side did not take the call."""

    reason: Literal["no_answer", "busy", "declined", "unreachable", "gone", "unconfirmed"]


class TalkEnded(Event, frozen=True, tag=True):
    """A talk (leader or operator) ended while the caller is still there. `seconds` of talk."""

    seconds: float


class OrderMade(Event, frozen=True, tag=True):
    """The work order exists."""

    number: str


class Released(Event, frozen=True, tag=True):
    """Somebody or something took the caller out of the line or the flow."""

    to: Literal["work_order", "operator", "callback", "fallback", "seat", "other_call"]
    #: session_closed | session_stopped | session_postponed | leader_left | operator | seat_closed | error
    reason: str
    #: With to="seat": the seat whose line the caller goes on waiting in.
    seat_id: str = ""
    #: With to="other_call": the call that has the place now.
    call_id: str = ""


class Woken(Event, frozen=True, tag=True):
    """A wake-up that this call asked for (WakeAt) is due, or there is something to tell who waits."""

    #: An operator has moved this caller: the position may have risen.
    moved: bool = False
    #: An operator has put somebody before this caller.
    overtaken: bool = False


class HungUp(Event, frozen=True, tag=True):
    """The caller is gone. `seconds` recorded if a message was being recorded, else 0.0."""

    seconds: float = 0.0


AnyEvent = (
    Arrived
    | Keyed
    | TimedOut
    | Recorded
    | Offered
    | Answered
    | Missed
    | TalkEnded
    | OrderMade
    | Released
    | Woken
    | HungUp
)
