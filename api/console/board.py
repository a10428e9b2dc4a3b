"""What the board shows: counts and states of the open session. Holds no number, no name of a caller, no id of a call."""

import asyncio

import msgspec
from msgspec import Struct

from calls.assembly import Core
from calls.outlook import LineNow, Outlook
from config.database import DatabaseUnavailable
from queueing.depth import Sample
from queueing.line import depth_of
from sessions.board import PostedSession, read_board

#: Points of the graph; more cannot be told apart.
POINTS = 240


class BoardSeat(Struct, frozen=True):
    """A seat: `since` in Unix seconds."""

    unit: str
    leader: str
    state: str
    since: float
    depth: int


class BoardNow(Struct, frozen=True):
    """The board at one moment. Times in Unix seconds, parts 0..1; `longest_since` 0.0 = nobody waits."""

    session: PostedSession | None = None
    coming: PostedSession | None = None
    depth: int = 0
    longest_since: float = 0.0
    calls: int = 0
    served: int = 0
    orders: int = 0
    abandoned: int = 0
    chance: float | None = None
    wait_s: float = 0.0
    can_serve: int = 0
    seats: tuple[BoardSeat, ...] = ()
    series: tuple[Sample, ...] = ()
    #: The ledger could be read.
    counted: bool = True

    @property
    def abandon_rate(self) -> float:
        return self.abandoned / self.calls if self.calls else 0.0


class BoardReader:
    """Reads it from Redis; the counts from the ledger, and without them when the database is away."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._outlook = Outlook(core.redis, core.settings, core.clock)

    async def read(self) -> BoardNow:
        """The board now. Raises RedisError."""
        core = self._core
        posted = await read_board(core.redis, core.settings.redis_prefix)
        if posted.open is None:
            return BoardNow(coming=posted.next)
        ids = [seat.id for seat in posted.open.seats]
        looks = await self._outlook.look(ids)
        waiting = await asyncio.gather(*(core.line.callers(seat_id) for seat_id in ids))
        counts = await self._counts(posted.open.id)
        chance, wait_s, can_serve = self._forecast(posted.open, looks)
        return BoardNow(
            session=posted.open,
            coming=posted.next,
            depth=sum(depth_of(line, look.depth) for line, look in zip(waiting, looks, strict=True)),
            longest_since=min((one.joined_at for line in waiting for one in line), default=0.0),
            calls=sum(counts.values()) if counts is not None else 0,
            served=(counts or {}).get("talked", 0),
            orders=sum((counts or {}).get(name, 0) for name in ("work_order", "callback")),
            abandoned=(counts or {}).get("abandoned", 0),
            chance=chance,
            wait_s=wait_s,
            can_serve=can_serve,
            seats=tuple(
                BoardSeat(plan.unit, plan.leader, look.seat.state, look.seat.since, look.depth)
                for plan, look in zip(posted.open.seats, looks, strict=True)
            ),
            series=await self._series(ids, posted.open.opens_at),
            counted=counts is not None,
        )

    async def read_for_stream(self) -> tuple[object, bytes]:
        """Key and document: the board itself decides whether it changed, for it holds no clock."""
        body = msgspec.json.encode(await self.read())
        return body, body

    async def _counts(self, session_id: str) -> dict[str, int] | None:
        try:
            return (await self._core.ledger.summary(session_id)).outcomes
        except DatabaseUnavailable:
            return None

    async def _series(self, seat_ids: list[str], opens_at: float) -> tuple[Sample, ...]:
        """Depth of all lines together: samples of the seats are taken at the same moments."""
        kept = await asyncio.gather(*(self._core.depths.samples(seat_id) for seat_id in seat_ids))
        sums: dict[int, int] = {}
        for samples in kept:
            for sample in samples:
                if sample.at >= opens_at:
                    tick = int(sample.at // 10) * 10
                    sums[tick] = sums.get(tick, 0) + sample.depth
        points = [Sample(float(at), depth) for at, depth in sorted(sums.items())]
        step = max(1, -(-len(points) // POINTS))
        return tuple(points[::-1][::step][::-1])

    def _forecast(self, session: PostedSession, looks: list[LineNow]) -> tuple[float | None, float, int]:
        """For a newcomer in the best line that is open: chance, wait in seconds, how many can be served in all."""
        told = [
            self._outlook.forecast(look, ahead=look.depth, closes_at=session.closes_at)
            for look in looks
            if look.seat.state != "closed"
        ]
        if not told:
            return None, 0.0, 0
        best = max(told, key=lambda one: (one.chance, -one.wait_s))
        # A whole percent and a whole minute: finer steps would be a new board every moment.
        return round(best.chance, 2), round(best.wait_s / 60) * 60.0, sum(one.can_serve for one in told)
