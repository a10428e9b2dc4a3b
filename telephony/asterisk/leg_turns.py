"""The turns of one leg's call: an absent Redis is waited for, a call that Redis does not know is made."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
from redis.exceptions import RedisError

from calls.store import CorruptCall, UnknownCall
from calls.turn import Turn
from ivr.call import Call
from telephony.asterisk.channel import Channel
from telephony.asterisk.exchange import Exchange
from telephony.asterisk.restore import new_call, regain, restore
from telephony.asterisk.stage import MakeEvent

log = structlog.get_logger()

#: Redis may be away this long before a caller is handed to the fallback.
PATIENCE_S = 4.0
RETRY_S = 0.25
RETRY_GONE_S = 1.0

T = TypeVar("T")


class LegTurns:
    """Of one caller. Raises what Redis raises when it stays away for too long."""

    def __init__(self, exchange: Exchange, channel: Channel, call_id: str) -> None:
        self._exchange, self._channel, self._call_id = exchange, channel, call_id
        #: The caller's, as the channel brought it.
        self.number = ""
        #: The call as we were told of it last, and whether Redis was away since: it may have come back older.
        self.known: Call | None = None
        self._in_doubt = False
        #: The caller has hung up: nobody bears silence any more, and the end must be accounted for.
        self.gone = False

    async def known_call(self) -> Call:
        """The call; one that Redis does not know is made, from what its channel remembers if it remembers anything."""
        exchange = self._exchange
        try:
            call = await self.patiently(lambda: exchange.calls.get(self._call_id))
        except CorruptCall:
            return (await self.present()).call  # it begins anew, at the fallback
        if call is None:
            new = new_call(exchange.settings, self._call_id, self.number, exchange.now())
            call = await self.patiently(lambda: restore(exchange, self._channel, new))
        return call

    async def take(self, make: MakeEvent, seen: int | None = None) -> Turn:
        try:
            return await self.patiently(lambda: self._exchange.turns.take_turn(self._call_id, make, seen))
        except UnknownCall:
            await self.known_call()
            return await self.patiently(lambda: self._exchange.turns.take_turn(self._call_id, make, seen))

    async def present(self) -> Turn:
        """The scene as it is, without a turn."""
        return await self.patiently(lambda: self._exchange.turns.present(self._call_id))

    async def regain(self) -> None:
        """See that Redis knows no less of the call than we do. Raises what Redis raises."""
        if self.known is not None:
            await regain(self._exchange, self.known)
        self._in_doubt = False

    async def patiently(self, act: Callable[[], Awaitable[T]]) -> T:
        """An absent Redis is waited for, but not longer than a caller bears silence; for ever once the caller is gone."""
        loop = asyncio.get_running_loop()
        give_up = loop.time() + PATIENCE_S
        while True:
            try:
                if self._in_doubt:
                    await self.regain()
                return await act()
            except (RedisError, OSError) as error:
                self._in_doubt = True
                if loop.time() > give_up and not self.gone:
                    raise
                log.warning("a turn waits for Redis", call_id=self._call_id, error=type(error).__name__)
                await asyncio.sleep(RETRY_GONE_S if self.gone else RETRY_S)
