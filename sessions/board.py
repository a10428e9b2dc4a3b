"""The board: the open session and the next one, in Redis, so that no turn of a call has to ask the database."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType

import msgspec
from msgspec import Struct
from redis.asyncio import Redis

from config.changes import Change, channel
from sessions.directions import Directions
from sessions.model import Seat, Session

#: A session that has begun to close is no longer shown: nobody new is admitted.
_COMING = ("planned", "postponed")


class PostedSeat(Struct, frozen=True):
    """A seat as a caller may be told of it. State and depth are live: whoever reads the board adds them."""

    id: str
    unit: str
    leader: str
    state: str = "closed"
    depth: int = 0
    #: The leader has signed out: nobody new is let into this line.
    left: bool = False


class PostedSession(Struct, frozen=True):
    """The same fields as the flow's SessionFacts. Times in Unix seconds; `opens_at`: when it was opened, if that was before."""

    id: str
    opens_at: float
    closes_at: float
    theme: str = ""
    seats: tuple[PostedSeat, ...] = ()
    #: What was announced to all who wait, and when; nobody new is let into the line.
    notice: str = ""
    notice_at: float = 0.0
    admission_closed: bool = False


class Board(Struct, frozen=True):
    """`open` is the session that is held now, `next` the one after it."""

    open: PostedSession | None = None
    next: PostedSession | None = None


def draw(sessions: Iterable[Session], directed: Mapping[str, Directions] = MappingProxyType({})) -> Board:
    """The board of these sessions, which are in the order of their opening."""
    known = list(sessions)
    held = next((one for one in known if one.state == "open"), None)
    coming = next((one for one in known if one.state in _COMING), None)
    return Board(
        open=_posted(held, directed.get(held.id, Directions())) if held else None,
        next=_posted(coming, Directions()) if coming else None,
    )


async def post(redis: Redis, prefix: str, board: Board) -> bool:
    """Put the board up and tell everybody; False when it hung there already."""
    text = msgspec.json.encode(board).decode()
    if await redis.get(board_key(prefix)) == text:
        return False
    await redis.set(board_key(prefix), text)
    change = Change(kind="session", id=board.open.id if board.open else "")
    await redis.publish(channel(prefix), msgspec.json.encode(change))
    return True


async def read_board(redis: Redis, prefix: str) -> Board:
    """The board as it hangs there; empty when nothing was posted yet."""
    return read_text(await redis.get(board_key(prefix)))


def board_key(prefix: str) -> str:
    """Where the board hangs in Redis, as text."""
    return f"{prefix}board"


@lru_cache(maxsize=4)
def read_text(text: str | None) -> Board:
    """Raises msgspec.DecodeError for what cannot be read."""
    return msgspec.json.decode(text, type=Board) if text else Board()


def _posted(session: Session, directed: Directions) -> PostedSession:
    return PostedSession(
        id=session.id,
        opens_at=session.began_at.timestamp(),
        closes_at=session.closes_at.timestamp(),
        theme=session.theme,
        seats=tuple(_posted_seat(seat) for seat in session.seats),
        notice=directed.notice,
        notice_at=directed.notice_at,
        admission_closed=directed.admission_closed,
    )


def _posted_seat(seat: Seat) -> PostedSeat:
    return PostedSeat(id=seat.id, unit=seat.unit, leader=seat.leader, left=seat.has_left)
