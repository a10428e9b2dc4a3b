"""What a turn may know of the world: read by `calls.turn` and handed in with every event. Values only."""

from typing import Literal

from msgspec import Struct

from ivr.limits import Limits

Admission = Literal[
    "recommended",  # waiting is worth it
    "discouraged",  # the chance is small: the work order is recommended first
    "ended",  # nobody new can be served: a work order or a callback only
]


class SeatFacts(Struct, frozen=True):
    """One leader's seat as the caller may be told of it."""

    id: str
    unit: str
    leader: str
    #: closed | free | ringing | talking | wrap_up | paused
    state: str
    #: Callers in this seat's line now.
    depth: int = 0
    #: The forecast for whoever joins this line now, as below.
    admission: Admission = "recommended"
    chance: float | None = None
    wait_s: float | None = None
    can_serve: int | None = None
    #: The leader was here and has gone for good; a closed seat whose leader has not left is one whose leader is late.
    left: bool = False
    #: An operator holds the line: the seat gets no caller, whether its leader is there or not.
    held: bool = False
    #: Times in a row that the leader took the call and hung up before the two were together.
    gone: int = 0


class Notice(Struct, frozen=True):
    """What an operator has announced to all who wait. `key` is a key of the wording (see `ivr.notices`)."""

    key: str
    at: float


class Place(Struct, frozen=True):
    """The place that this caller's number holds in a line, by an earlier call."""

    call_id: str
    seat_id: str
    joined_at: float
    #: When that call left the line, Unix seconds; 0 = it still waits.
    left_at: float = 0.0


class SessionFacts(Struct, frozen=True):
    """A session, open or the next one. Times are Unix seconds."""

    id: str
    opens_at: float
    closes_at: float
    theme: str = ""
    seats: tuple[SeatFacts, ...] = ()


class Facts(Struct, frozen=True):
    """Clock, line, forecast and opening state at the moment of the event."""

    #: Unix seconds.
    now: float
    #: The session that is open now, if any, and the next one that is planned.
    session: SessionFacts | None = None
    next_session: SessionFacts | None = None
    #: IANA zone in which times are spoken.
    timezone: str = "Asia/Shanghai"
    #: 1 = next to be put through; 0 = not in the line.
    position: int = 0
    #: Callers waiting in the line this call is in, or would join.
    depth: int = 0
    admission: Admission = "recommended"
    #: 0..1, chance of being put through before closing time; None = unknown.
    chance: float | None = None
    #: Expected seconds until put through; None = unknown.
    wait_s: float | None = None
    #: How many of those who wait can still be served, for "本場大約還能接聽 5 位".
    can_serve: int | None = None
    #: Announced to all who wait, if anything.
    notice: Notice | None = None
    #: Held by the number of this call, within the grace time.
    place: Place | None = None
    #: Calls of this number in the last minutes, this one included; 0 = withheld, or not counted.
    recent_calls: int = 0
    #: E.164 of what the caller has keyed in so far; empty when it is no telephone that we may ring.
    dialable: str = ""
    #: Callers of this carrier can be called back, this one included where the number is known.
    calls_back: bool = False
    #: An ordinary operators' line is configured.
    operators: bool = False
    #: Named in the greeting.
    city: str = "衡阳市"
    limits: Limits = Limits()
