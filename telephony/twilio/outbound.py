"""Calls that we place, to call back who keeps a place. No faster than the account may; voicemail is noticed.

The person who answers comes into the call flow like any caller. A placed call is known by an id of ours (`leg`); what
became of it is kept in Redis for a day: placed, ringing, human, machine, or the status with which it ended.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import structlog
from msgspec import Struct

from config.ids import new_id
from config.lease import give_back, is_first
from config.redis import shard_key
from config.scripts import load
from telephony.errors import CallGone, CarrierUnavailable, CarrierUncertain
from telephony.twilio.connection import ENDED, CloudCall, started_at
from telephony.twilio.exchange import Exchange

log = structlog.get_logger()

#: Nobody waits longer for a turn at the account's rate; the job tries again later.
TURN_WITHIN_S = 30.0
KEPT_S = 86_400
#: At most so many at once after a quiet time.
BURST = 1
RING_S = 30
EVENTS = ["initiated", "ringing", "answered", "completed"]
#: The cloud did not say whether it placed a call: its list is looked at so often, after so long each time.
LOOKS, LOOK_AFTER_S = 2, 1.5
#: Its clock may be behind ours by so much.
SKEW_S = 10.0
#: AnsweredBy of the cloud's machine detection.
MACHINES = ("machine", "fax")
#: What is known of a leg only ever moves on: notices come late, twice and in any order. By what it was answered comes last, and
#: stays known.
_RANKS = {
    "placed": 0, "queued": 1, "initiated": 1, "ringing": 2, "in-progress": 3, **dict.fromkeys(ENDED, 4), "human": 5, "machine": 5,
}  # fmt: skip

#: Asked right before the cloud is: False when nobody waits for this call any more.
Wanted = Callable[[], Awaitable[bool]]

_TAKE = load(__file__, "take_token-1")
_NOTE = load(__file__, "note_leg-1")


class Placed(Struct, frozen=True):
    """A call that was placed."""

    leg: str
    call_sid: str


class Outbound:
    """Raises RedisError, CarrierUnavailable (nobody was called: again later), CarrierUncertain (somebody may have been
    called: not again), CarrierRefused (number or setting) and CallGone (nobody was called, nobody waits for it)."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._redis, self._prefix = exchange.core.redis, exchange.settings.redis_prefix

    async def place(
        self,
        number: str,
        leg: str = "",
        *,
        of: str = "",
        placed: str = "",
        ring_s: float = RING_S,
        wanted: Wanted | None = None,
    ) -> Placed:
        """Call `number` (E.164). With a `leg` that was placed before, the call that was made then: never two.
        `of`: CallSid by which a call came that this one goes on with. `placed`: id of a call about an order. `wanted` is asked
        when our turn has come, which may be half a minute later."""
        leg = leg or new_id()
        made = await self._field(leg, "call_sid")
        if made:
            return Placed(leg, made)
        await self._turn()
        if wanted is not None and not await wanted():
            raise CallGone("nobody waits for this call any more")
        named = {"leg": leg, "of": of, "placed": placed}
        about: dict[str, str | int] = {"seq": 0, **{name: value for name, value in named.items() if value}}
        asked_at = self._exchange.core.clock()
        try:
            call_sid = await self._exchange.connection.place(self._order(number, about, ring_s))
        except CarrierUncertain as error:
            log.warning("the cloud did not say whether it placed a call", leg=leg, error=str(error))
            call_sid = await self._look_for(leg, number, asked_at)
        await self._belongs(call_sid, leg)
        await self.note(leg, "placed", call_sid)
        return Placed(leg, call_sid)

    def _order(self, number: str, about: dict[str, str | int], ring_s: float) -> dict[str, str | list[str]]:
        settings, addresses = self._exchange.settings, self._exchange.addresses
        return {
            "To": number,
            "From": settings.twilio_number,
            "Url": addresses.step("voice", about),
            "Method": "POST",
            "FallbackUrl": addresses.step("fallback", about),
            "FallbackMethod": "POST",
            "StatusCallback": addresses.step("status", about),
            "StatusCallbackMethod": "POST",
            "StatusCallbackEvent": EVENTS,
            "Timeout": str(round(ring_s)),
            "MachineDetection": "Enable",
        }

    async def _look_for(self, leg: str, number: str, asked_at: float) -> str:
        """CallSid of the call that the cloud placed without telling us. Raises CarrierUnavailable when it placed none,
        CarrierUncertain when it cannot be asked either."""
        for _ in range(LOOKS):
            if made := await self._field(leg, "call_sid"):  # its first status came meanwhile
                return made
            for call in await self._listed(number, asked_at):
                if await self._belongs(call.sid, leg):
                    return call.sid
            await asyncio.sleep(LOOK_AFTER_S)
        raise CarrierUnavailable("the cloud did not place the call")

    async def _listed(self, number: str, asked_at: float) -> list[CloudCall]:
        """Calls of ours to this number since then, as the cloud knows them."""
        since = asked_at - SKEW_S
        day = datetime.fromtimestamp(since, UTC).date().isoformat()
        try:
            found = await self._exchange.connection.calls_to(number, day)
        except CarrierUnavailable as error:
            raise CarrierUncertain("the cloud's list of calls cannot be read") from error
        ours = self._exchange.settings.twilio_number
        return [call for call in found if call.caller == ours and (started_at(call) or asked_at) >= since]

    async def _belongs(self, call_sid: str, leg: str) -> bool:
        """False for the call of an earlier try."""
        key = shard_key(self._prefix, f"out:{call_sid}", "of")
        await self._redis.set(key, leg, nx=True, ex=KEPT_S)
        return bool(await self._redis.get(key) == leg)

    async def reserve(self, leg: str) -> str:
        """A name for one of all who would place this leg; empty for the others."""
        mine = new_id()
        return mine if await is_first(self._redis, self._reserved(leg), KEPT_S, mine) else ""

    async def give_up(self, leg: str, mine: str) -> None:
        """It was not placed: whoever comes next may. `mine`: as `reserve` gave it."""
        await give_back(self._redis, self._reserved(leg), mine)

    async def note(self, leg: str, state: str, call_sid: str) -> str:
        """What the cloud tells of a placed call, if that is news; the state it is in."""
        rank = _RANKS.get(state, -1)
        before = [one for one, other in _RANKS.items() if other < rank]
        known = state if rank >= 0 else ""
        return str(await _NOTE.run(self._redis, (self._key(leg),), KEPT_S, call_sid, known, *before))

    async def answered(self, leg: str, answered_by: str) -> bool:
        """False: by a machine, which is not spoken to."""
        human = not answered_by.startswith(MACHINES)
        await self._put(leg, {"state": "human" if human else "machine"})
        return human

    async def call_sid(self, leg: str) -> str:
        """The call that was placed for this leg; empty = none that we know of."""
        return await self._field(leg, "call_sid")

    async def state(self, leg: str) -> str:
        """placed | queued | initiated | ringing | in-progress | human | machine | completed | busy | no-answer | failed | canceled;
        empty = unknown."""
        return await self._field(leg, "state")

    async def _turn(self) -> None:
        """Wait until the account may place another call. Raises CarrierUnavailable."""
        key = shard_key(self._prefix, "outbound", "rate")
        mine = new_id()
        rate, clock = self._exchange.settings.twilio_calls_per_s, self._exchange.core.clock
        give_up = asyncio.get_running_loop().time() + TURN_WITHIN_S
        while (wait := float(await _TAKE.run(self._redis, (key,), clock(), rate, BURST, mine))) > 0:
            if asyncio.get_running_loop().time() + wait > give_up:
                raise CarrierUnavailable("too many calls are to be placed at once")
            await asyncio.sleep(wait)

    async def _field(self, leg: str, name: str) -> str:
        reading: Any = self._redis.hget(self._key(leg), name)
        return await reading or ""

    async def _put(self, leg: str, values: dict[str, str]) -> None:
        async with self._redis.pipeline(transaction=True) as pipe:
            for name, value in values.items():
                pipe.hset(self._key(leg), name, value)
            pipe.expire(self._key(leg), KEPT_S)
            await pipe.execute()

    def _reserved(self, leg: str) -> str:
        return f"{self._key(leg)}:reserved"

    def _key(self, leg: str) -> str:
        return shard_key(self._prefix, f"out:{leg}", "leg")
