"""What a session is planned from, checked: times with zones, at least one seat, lines that can be rung."""

from datetime import datetime, timedelta

from msgspec import Struct

from config.columns import from_unix
from config.text import clean
from sessions.lines import read_cloud_lines, read_lines
from sessions.model import Seat, Session

_LONGEST_SESSION = timedelta(hours=12)
#: As many as a caller can pick by one key (A14).
MOST_SEATS = 9


class PlanRefused(ValueError):
    """A session cannot be planned like this. The message says what to change."""


class PlannedSeat(Struct, frozen=True, kw_only=True):
    """One leader's seat. Without any line the leader can only sign in later with one."""

    unit: str
    leader: str
    post: str = ""
    line_asterisk: str = ""
    line_twilio: str = ""


class Plan(Struct, frozen=True, kw_only=True):
    """A session to be. Times are aware."""

    opens_at: datetime
    closes_at: datetime
    seats: tuple[PlannedSeat, ...]
    theme: str = ""


def check_times(opens_at: datetime, closes_at: datetime) -> None:
    """Raises PlanRefused."""
    if opens_at.tzinfo is None or closes_at.tzinfo is None:
        raise PlanRefused("times need a zone, for example 2026-11-25T09:00:00+08:00")
    if opens_at >= closes_at:
        raise PlanRefused("a session closes after it opens")
    if closes_at - opens_at > _LONGEST_SESSION:
        raise PlanRefused("a session lasts 12 hours at most")


def session_of(plan: Plan, now: float) -> Session:
    """The rows of a plan. Raises PlanRefused and LineRefused."""
    check_times(plan.opens_at, plan.closes_at)
    if not 0 < len(plan.seats) <= MOST_SEATS:
        raise PlanRefused(f"a session has 1 to {MOST_SEATS} seats: callers pick one by a key")
    return Session(
        opens_at=plan.opens_at,
        closes_at=plan.closes_at,
        original_opens_at=plan.opens_at,
        theme=clean(plan.theme, 200),
        created_at=from_unix(now),
        seats=[_seat(seat, position) for position, seat in enumerate(plan.seats, start=1)],
    )


def again(held: Session, opens_at: datetime, closes_at: datetime, now: float) -> Session:
    """The rows of a session that takes the place of one which had begun: the same seats, the first date kept (R1.3)."""
    return Session(
        opens_at=opens_at,
        closes_at=closes_at,
        original_opens_at=held.original_opens_at,
        theme=held.theme,
        state="postponed",
        created_at=from_unix(now),
        seats=[
            Seat(
                position=seat.position, unit=seat.unit, leader=seat.leader, post=seat.post,
                line_asterisk=seat.line_asterisk, line_twilio=seat.line_twilio,
            )
            for seat in held.seats
        ],
    )  # fmt: skip


def _seat(seat: PlannedSeat, position: int) -> Seat:
    unit, leader = clean(seat.unit, 100), clean(seat.leader, 60)
    if not unit or not leader:
        raise PlanRefused(f"seat {position} needs a unit and a leader")
    return Seat(
        position=position,
        unit=unit,
        leader=leader,
        post=clean(seat.post, 60),
        line_asterisk=read_lines(seat.line_asterisk),
        line_twilio=read_cloud_lines(seat.line_twilio),
    )
