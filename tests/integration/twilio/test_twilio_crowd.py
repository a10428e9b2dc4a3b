"""Callers of both carriers in one line: one leader, the order of joining, nobody lost."""

import asyncio
import time

from redis.asyncio import Redis

from config.settings import Settings
from ivr.call import Call
from ivr.events import Answered, Arrived, Keyed, TalkEnded
from telephony.twilio.exchange import call_id_of
from tests.cloud import Callee, When
from tests.integration.twilio.town import LEADER, Town, town
from tests.waiting import until

EACH = 50


async def _asterisk_caller(here: Town, number: int) -> str:
    """A caller as an Asterisk bridge brings one in: the same turns of the same call, without the telephone."""
    call_id = f"a-pbx1-{number}"
    call = Call(id=call_id, carrier="asterisk", started_at=time.time(), number=f"+86139{number:08}", host="pbx1")
    await here.core.calls.create(call)
    await here.core.turns.take_turn(call_id, lambda facts: Arrived(facts=facts))
    await here.core.turns.take_turn(call_id, lambda facts: Keyed(facts=facts, key="1"))
    return call_id


async def _talk(here: Town, call_id: str, served: list[str]) -> None:
    """The bridge's part when the leader's seat is offered to this caller."""

    async def rings() -> bool:
        call = await here.core.calls.get(call_id)
        return call is not None and call.node == "ringing"

    await until(rings, 90.0, f"{call_id} is put through")
    served.append(call_id)
    await here.core.turns.take_turn(call_id, lambda facts: Answered(facts=facts))
    await here.core.turns.take_turn(call_id, lambda facts: TalkEnded(facts=facts, seconds=5.0))


async def test_fifty_callers_of_each_carrier_are_served_in_the_order_they_joined(
    settings: Settings, redis: Redis
) -> None:
    async with town(settings, speed=60.0, handle_time_s=20.0) as here:
        here.cloud.callees[LEADER] = Callee(answer_after_s=1, script=(When("", press="1"),), talk_s=2)
        await here.open_session()
        await here.core.seats.pause(here.seat_id, "not yet")
        joined, legs = [], {}
        for number in range(EACH):
            leg = here.call(When("请按一", press="1"))
            await here.at(leg, "waiting")
            joined.append(call_id_of(leg.sid))
            legs[joined[-1]] = leg
            joined.append(await _asterisk_caller(here, number))
        served: list[str] = []
        talks = [asyncio.create_task(_talk(here, one, served)) for one in joined if one.startswith("a-")]
        assert [caller.call_id for caller in await here.core.line.callers(here.seat_id)] == joined
        await here.core.seats.resume(here.seat_id)
        await asyncio.gather(*talks)
        outcomes = await here.ended(list(legs.values()), 90.0)
        entries = [entry for one in joined for entry in await here.core.ledger.events(one) if entry.kind == "connected"]
        here.cloud.assert_faultless()
    assert outcomes == ["talked"] * EACH
    assert [entry.call_id for entry in sorted(entries, key=lambda entry: entry.at)] == joined
