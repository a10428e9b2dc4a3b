"""The bridge's audit against Asterisk's own records: a call that no event told of is accounted for, whenever its leg ends."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import pytest
from redis.asyncio import Redis

from calls.assembly import Core, build
from config.migrate import upgrade
from config.settings import Settings
from telephony.asterisk.audit import Audit
from telephony.asterisk.connection import Connection, Event
from telephony.asterisk.exchange import Exchange
from telephony.asterisk.leg import Leg
from telephony.asterisk.legs import Legs
from telephony.asterisk.pbx_config import pbx_files
from telephony.prompts import Prompts
from tests.clocks import SetClock
from tests.waiting import until

CALL, UNIQUEID = "a-pbx1-7-1", "pbx1-7.1"
ROW = (
    f'"{UNIQUEID}","{UNIQUEID}","1","PJSIP/caller-1","","13900000001","h","fallback","7.0","8.0","20.0","ANSWERED",'
    f'"fallback-message","{CALL}"\n'
)


class NoChannels:
    """An Asterisk on which nobody calls any more."""

    async def listing(self, action: str) -> list[Event]:
        return []


class EndingLeg(Leg):
    """Its caller has gone; it has not found out yet that Redis does not know the call."""

    async def run(self, first: object = None) -> None:
        await self._inbox.get()


@pytest.fixture
async def core(redis: Redis, settings: Settings, clock: SetClock) -> AsyncIterator[Core]:
    settings.state_dir.mkdir(parents=True)
    await asyncio.to_thread(upgrade, settings.effective_database_url)
    made = build(settings, clock)
    yield made
    await made.close()


@pytest.fixture
def exchange(core: Core) -> Exchange:
    connection = cast(Connection, NoChannels())
    return Exchange(core.settings, connection, core.calls, core.turns, Prompts(core.settings), core.line)


@pytest.fixture
def records(core: Core) -> Path:
    path = pbx_files(core.settings, core.settings.state_dir / "asterisk").cdr
    path.parent.mkdir(parents=True)
    path.write_text(ROW)
    return path


async def outcome(core: Core) -> str | None:
    await core.outbox.idle()
    return await core.ledger.outcome(CALL)


async def test_given_a_call_that_came_and_went_unseen_when_it_is_looked_for_then_it_is_in_the_ledger(
    core: Core, exchange: Exchange, records: Path
) -> None:
    audit = Audit(exchange, core, Legs(exchange))
    await audit.look()
    assert await outcome(core) is not None
    before = await core.ledger.events(CALL)
    await audit.look()
    await core.outbox.idle()
    assert await core.ledger.events(CALL) == before


async def test_given_a_leg_that_is_just_ending_when_records_are_read_then_the_next_look_reads_them_again(
    core: Core, exchange: Exchange, records: Path
) -> None:
    legs = Legs(exchange)
    audit = Audit(exchange, core, legs)
    leg = EndingLeg(exchange, CALL, "PJSIP/caller-1", UNIQUEID)
    legs.add(leg)
    await audit.look()
    assert await outcome(core) is None
    leg.hear("Hangup", {})
    await until(lambda: not len(legs))
    await audit.look()
    assert await outcome(core) is not None
