"""What the desks show: the line with every caller, and the seats with whom they talk to. Numbers are masked; no words of
citizens."""

import msgspec
from msgspec import Struct, structs

from api.schemas.line import CallerOut, LineOut
from api.snapshot import LineReader
from calls.assembly import Core
from calls.written import times_written, times_written_at_all
from config.privacy import mask
from ivr.call import Call
from queueing.line import depth_of
from queueing.seats import SeatNow
from sessions.board import Board, PostedSession, read_board
from telephony.supervision import Supervisions

#: A seat in one of these goes on to its end whatever becomes of the session.
BUSY = ("ringing", "talking", "wrap_up")


class DeskCaller(Struct, frozen=True):
    """One caller in the line. Times in Unix seconds; `chance` 0..1; `wait_min` whole minutes."""

    call_id: str
    carrier: str
    number: str
    seat_id: str
    unit: str
    position: int
    joined_at: float
    state: str
    chance: float
    wait_min: int
    written: int


class DeskTalk(Struct, frozen=True):
    """Whom a seat rings for or talks to."""

    call_id: str = ""
    carrier: str = ""
    number: str = ""
    joined_at: float = 0.0
    written: int = 0


class DeskSeat(Struct, frozen=True):
    """A seat as it is; `until` is the end of wrap-up."""

    id: str
    unit: str
    leader: str
    state: str
    since: float
    until: float
    depth: int
    #: Why it is paused, or will be after this call.
    reason: str = ""
    pause_after: str = ""
    closing: bool = False
    talk: DeskTalk = DeskTalk()
    #: When the head of the line joined it; 0.0 = nobody waits.
    head_joined_at: float = 0.0
    head_number: str = ""
    #: Who is in the talk besides, and how far: changes whenever that does.
    watched: str = ""


class DeskNow(Struct, frozen=True):
    """The desk at one moment. Holds no clock: the same document means that nothing changed."""

    session: PostedSession | None = None
    coming: PostedSession | None = None
    seats: tuple[DeskSeat, ...] = ()
    callers: tuple[DeskCaller, ...] = ()
    #: How often something was written about any call: also of one that is on no line and at no seat any more.
    written: int = 0

    def seat(self, seat_id: str) -> DeskSeat | None:
        return next((seat for seat in self.seats if seat.id == seat_id), None)

    @property
    def longest_since(self) -> float:
        return min((one.joined_at for one in self.callers), default=0.0)


class DeskReader:
    """Reads it from Redis alone. Raises RedisError."""

    def __init__(self, core: Core, line: LineReader) -> None:
        self._core, self._line = core, line
        self._watching = Supervisions(core.redis, core.settings.redis_prefix)

    async def read(self) -> DeskNow:
        core = self._core
        posted = await read_board(core.redis, core.settings.redis_prefix)
        line = await self._line.read()
        seats = await self._seats(posted)
        busy = [seat.call_id for seat in seats if seat.state in ("ringing", "talking")]
        calls = {call.id: call for call in [await core.calls.get_readable(call_id) for call_id in busy] if call}
        wanted = [*busy, *(one.call_id for one in line.callers)]
        written = await times_written(core.redis, core.settings.redis_prefix, wanted)
        units = {seat.id: seat.unit for seat in seats}
        return DeskNow(
            session=posted.open,
            coming=posted.next,
            seats=tuple([await self._show(seat, line, calls.get(seat.call_id), written) for seat in seats]),
            written=await times_written_at_all(core.redis, core.settings.redis_prefix),
            callers=tuple(_caller(one, units.get(one.seat_id, ""), written[one.call_id]) for one in line.callers),
        )

    async def read_for_stream(self) -> tuple[object, bytes]:
        """Key and document are the same: there is no clock in it."""
        body = msgspec.json.encode(await self.read())
        return body, body

    async def _show(self, seat: SeatNow, line: LineOut, call: Call | None, written: dict[str, int]) -> DeskSeat:
        found = await self._watching.of_seat(seat.id) if seat.state == "talking" else []
        return _seat(seat, line, call, written, " ".join(f"{one.id}-{one.state}" for one in found))

    async def _seats(self, posted: Board) -> list[SeatNow]:
        """Those of the session that is held or comes, and whoever is still busy after theirs began to close."""
        shown = posted.open or posted.next
        planned = {seat.id: seat for seat in shown.seats} if shown else {}
        known = await self._core.seats.known()
        found = await self._core.seats.all([*planned, *(seat_id for seat_id in known if seat_id not in planned)])
        return [
            structs.replace(seat, unit=planned[seat.id].unit, leader=planned[seat.id].leader)
            if seat.id in planned
            else seat
            for seat in found
            if seat.id in planned or seat.state in BUSY
        ]


def _caller(one: CallerOut, unit: str, written: int) -> DeskCaller:
    # Whole percents and minutes: finer steps would be a new desk every moment.
    return DeskCaller(
        one.call_id, one.carrier, one.number, one.seat_id, unit, one.position, one.joined_at.timestamp(), one.state,
        round(one.chance, 2), round(one.wait_s / 60), written,
    )  # fmt: skip


def _seat(now: SeatNow, line: LineOut, call: Call | None, written: dict[str, int], watched: str) -> DeskSeat:
    waiting = [one for one in line.callers if one.seat_id == now.id]
    counted = next((one.depth for one in line.seats if one.id == now.id), 0)
    head = next((one for one in waiting if one.state != "offered"), None)
    return DeskSeat(
        now.id, now.unit, now.leader, now.state, now.since, now.until, depth_of(waiting, counted), now.reason, now.pause_after,
        now.closing, _talk(call, written), head.joined_at.timestamp() if head else 0.0, head.number if head else "", watched,
    )  # fmt: skip


def _talk(call: Call | None, written: dict[str, int]) -> DeskTalk:
    if call is None:
        return DeskTalk()
    return DeskTalk(call.id, call.carrier, mask(call.number), call.joined_at, written.get(call.id, 0))
