"""Brings a free seat and the head of its line together. Knows no carrier: the caller's own leg does the ringing.

Any number of processes may run one: a claim has one winner, and whoever dies between claim and ring loses it by lease.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from calls.store import UnknownCall
from calls.turn import Congested, Turn, Turns
from config.changes import listen
from config.settings import Settings
from ivr.events import Offered
from queueing.line import Claim, Line
from queueing.seats import Seats

log = structlog.get_logger()

#: Wrap-ups end and claims lapse by the clock, without a change that is announced.
LOOK_EVERY_S = 0.5


def _nobody(turn: Turn) -> None:
    """Nobody here plays what the caller hears."""


class Switchboard:
    """Serves every open seat whenever something changed. `owner` names this process in claims."""

    def __init__(
        self,
        settings: Settings,
        redis: Redis,
        line: Line,
        seats: Seats,
        turns: Turns,
        owner: str,
        on_turn: Callable[[Turn], None] = _nobody,
    ) -> None:
        """`on_turn` is told of every turn taken here, before the announcement of it comes around by Redis."""
        self._settings, self._redis, self._owner = settings, redis, owner
        self._on_turn = on_turn
        self._line, self._seats, self._turns = line, seats, turns
        self._look = asyncio.Event()
        self._changed: set[str] = set()

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`. An outage of Redis is waited out."""
        listening = asyncio.create_task(self._listen())
        try:
            while not stop.is_set():
                try:
                    await self._serve_changed()
                except (RedisError, OSError) as error:
                    log.warning("the switchboard waits for Redis", error=type(error).__name__)
                    await asyncio.sleep(LOOK_EVERY_S)
        finally:
            listening.cancel()
            with suppress(asyncio.CancelledError):
                await listening

    async def _listen(self) -> None:
        async for change in listen(self._redis, self._settings.redis_prefix, calls=False):
            if change.kind == "line":
                self._changed.add(change.id)
            self._look.set()

    async def _serve_changed(self) -> None:
        try:
            async with asyncio.timeout(LOOK_EVERY_S):
                await self._look.wait()
            seat_ids, everything = list(self._changed), False
        except TimeoutError:
            seat_ids, everything = [], True
        self._look.clear()
        self._changed.clear()
        if everything:
            seat_ids = await self._seats.known()
        for seat_id in seat_ids:
            await self.serve(seat_id, reap=everything)

    async def serve(self, seat_id: str, *, reap: bool = False) -> Claim | None:
        """Offer the seat to the head of its line; the claim made, or None when the seat is not free or nobody waits. One
        whose call is lost keeps nobody else from the leader."""
        if reap and (lapsed := await self._line.reap(seat_id)) is not None:
            log.warning("a claim lapsed, the caller is at the head again", seat_id=seat_id, call_id=lapsed.call_id)
        claim = await self._line.claim_next(seat_id, self._owner, self._settings.claim_lease_s)
        if claim is None:
            return None
        try:
            turn = await self._turns.take_turn(
                claim.call_id,
                lambda facts: Offered(facts=facts, seat_id=claim.seat_id, token=claim.token, line=claim.line),
            )
        except UnknownCall:
            log.error("a call that nobody knows stood in the line", call_id=claim.call_id, seat_id=seat_id)
            await self._line.forget(claim)
            return None
        except Congested:
            return None  # the claim lapses, and they are offered anew
        self._on_turn(turn)
        return claim
