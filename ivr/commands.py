"""What a turn wants done in the world. At most twelve; performed exactly once by `calls.outbox`, id `{call}-{seq}-{n}`."""

from typing import Literal

from msgspec import Struct

from ivr.call import OrderSource, Outcome

LeaveReason = Literal[
    "declined", "callback", "abandoned", "released", "talked", "failed", "moved", "replaced",
    "stray",  # the line holds a call that does not wait there: it was damaged, or it has just left by another turn
]  # fmt: skip


class Command(Struct, frozen=True, tag=True, kw_only=True):
    """Common to all commands."""


class Note(Command, frozen=True, tag=True):
    """Put a fact into the ledger. `data` never holds personal data."""

    kind: str
    at: float
    data: dict[str, str | int | float] = {}


class JoinLine(Command, frozen=True, tag=True):
    """Join the seat's line (idempotent; a known caller keeps the place and the first joining time). Whoever waits with the
    same number gives up the place."""

    seat_id: str
    joined_at: float
    #: `callback`: the caller has hung up and keeps the place.
    mark: Literal["", "callback"] = ""
    #: An earlier call of the same number: where it stands or stood, this one goes on.
    from_call: str = ""


class LeaveLine(Command, frozen=True, tag=True):
    """Leave the seat's line for good."""

    seat_id: str
    reason: LeaveReason


class ReturnToHead(Command, frozen=True, tag=True):
    """The leader did not take this caller: back to the head with the first joining time; the seat pauses, unless the
    leader cannot be blamed (`pause=False`). `behind`: who did not answer our call back lets so many others go first.
    `from_talk`: the leader had taken the call, but the two were never put together, as the carrier says afterwards."""

    seat_id: str
    token: int
    reason: str
    pause: bool
    behind: int = 0
    from_talk: bool = False


class TakeSeat(Command, frozen=True, tag=True):
    """The leader and the caller talk: the seat is `talking`, the caller has left the line."""

    seat_id: str
    token: int
    at: float


class FreeSeat(Command, frozen=True, tag=True):
    """The seat is done with this claim. After a talk it goes to wrap-up, else it is free at once."""

    seat_id: str
    token: int
    talked: bool
    at: float


class MakeOrder(Command, frozen=True, tag=True):
    """Make the work order of this call; the answer comes as OrderMade. One a call."""

    source: OrderSource
    #: Name of the recording, or empty. A caller who hung up in mid-message may have left no file under this name.
    recording: str
    #: Number keyed in by a caller whose own is withheld.
    contact: str
    at: float


class WithdrawOrder(Command, frozen=True, tag=True):
    """The caller gave up, and came back in time: the order to call them back is withdrawn."""

    at: float


class KeepNumber(Command, frozen=True, tag=True):
    """The number at which this caller is to be called back lasts longer than Redis: encrypted, where those of the orders are."""

    at: float


class WakeAt(Command, frozen=True, tag=True):
    """Wake this call (Woken) at `at`, Unix seconds. A later one replaces an earlier one; 0 = none."""

    at: float


class CloseCall(Command, frozen=True, tag=True):
    """The call is over, with its one outcome."""

    outcome: Outcome
    at: float


AnyCommand = (
    Note
    | JoinLine
    | LeaveLine
    | ReturnToHead
    | TakeSeat
    | FreeSeat
    | MakeOrder
    | WithdrawOrder
    | KeepNumber
    | WakeAt
    | CloseCall
)
