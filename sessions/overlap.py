"""No two sessions at one time: callers are told of one, and whoever answers then has a seat in it (A14)."""

from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from sessions.model import Session
from sessions.plan import PlanRefused

#: Any number, the same in all processes: PostgreSQL's advisory lock under which the times of sessions change.
_LOCK = 7_305_130_012
_COMING = ("planned", "postponed")


class SessionOverlaps(PlanRefused):
    """Another session is held at this time, or will be."""

    def __init__(self, other: Session) -> None:
        self.session_id, self.state = other.id, other.state
        self.opens_at, self.closes_at = other.began_at, other.closes_at
        super().__init__(self.told(other.began_at, other.closes_at))

    def told(self, opens_at: datetime, closes_at: datetime) -> str:
        """Which session, from when until when (in the zone of the times given), and what to do."""
        act = "close or postpone" if self.state == "open" else "postpone or cancel"
        when = f"from {opens_at:%Y-%m-%d %H:%M} to {closes_at:%Y-%m-%d %H:%M} ({opens_at:%Z})"
        return f"session {self.session_id} is {self.state} {when}: {act} it first, or choose another time"


async def lock_times(session: AsyncSession) -> None:
    """Until this transaction ends nobody else plans, moves or opens a session. SQLite has one writer anyway."""
    if (await session.connection()).dialect.name == "postgresql":
        await session.execute(select(func.pg_advisory_xact_lock(_LOCK)))


async def refuse_overlap(
    session: AsyncSession, opens_at: datetime, closes_at: datetime, at: datetime, but: str = ""
) -> None:
    """Raises SessionOverlaps when another session than `but` is held between `opens_at` and `closes_at`: one that is open, or is to
    come and not over `at` this moment. One that begins when another ends is fine, whoever still talks then. Takes `lock_times`."""
    await lock_times(session)
    begins_before = or_(Session.state == "open", Session.state.in_(_COMING) & (Session.opens_at < closes_at))
    query = select(Session).where(Session.id != but, begins_before, Session.closes_at > opens_at, Session.closes_at > at)
    other = await session.scalar(query.order_by(Session.opens_at, Session.id).limit(1))
    if other is not None:
        raise SessionOverlaps(other)
