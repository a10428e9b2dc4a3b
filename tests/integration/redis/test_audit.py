"""The bridge's audit against Asterisk's own records: a call that no event told of is accounted for, whenever its leg ends."""

from array import array
from pathlib import Path
from typing import cast

import pytest
from msgspec.structs import replace

from calls.assembly import Core
from calls.places import Places
from calls.shards import call_key
from calls.store import PERFORM_LEASE_S
from ivr.call import Call, NodeName
from ivr.events import Recorded
from telephony.asterisk.audit import Audit
from telephony.asterisk.channel import Channel
from telephony.asterisk.connection import Connection, Event
from telephony.asterisk.exchange import Exchange
from telephony.asterisk.leg import Leg
from telephony.asterisk.legs import Legs
from telephony.asterisk.node_records import NodeRecords
from telephony.asterisk.pbx_config import pbx_files
from telephony.asterisk.restore import as_text, restore
from telephony.asterisk.spool import seconds_of
from telephony.prompts import Prompts
from telephony.sound import write_wav
from tests.clocks import SetClock
from tests.waiting import until
from workorders.register import of_call

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
def exchange(core: Core) -> Exchange:
    connection = cast(Connection, NoChannels())
    return Exchange(core.settings, connection, core.calls, core.turns, Prompts(core.settings), core.line)


@pytest.fixture
def records(core: Core) -> Path:
    path = pbx_files(core.settings, core.settings.state_dir / "asterisk").cdr
    path.parent.mkdir(parents=True)
    path.write_text(ROW)
    return path


async def a_call_that(core: Core, node: NodeName, **more: object) -> Call:
    """As Redis knows it since its bridge died."""
    now = core.clock()
    call = Call(CALL, "asterisk", now - 60, number="+8613900000001", host="pbx1", node=node, seq=9, scene=9)
    call = replace(call, seat_id="seat", token=3, joined_at=now - 50, recording=f"{CALL}-t9")
    if node == "talking":
        call = replace(call, talk_started_at=now - 40, outcome="talked")
    call = replace(call, **more)
    return await core.calls.create(call)


def write(records: Path, stage: str = "") -> None:
    """What Asterisk wrote of the call; nothing yet without a stage."""
    records.write_text(ROW.replace("fallback-message", stage) if stage else "")


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
    nodes = NodeRecords(core.redis, core.settings.redis_prefix, 90)
    reported = await nodes.read(0.0, core.clock())  # for a check at another node
    assert {node: [call.call_id for call in found.calls] for node, found in reported.items()} == {"pbx1": [CALL]}
    await audit.look()
    await core.outbox.idle()
    assert await core.ledger.events(CALL) == before


@pytest.mark.parametrize("node", ["ringing", "waiting", "talking"])
async def test_given_a_talk_of_which_only_asterisk_knows_when_it_is_looked_for_then_they_have_talked(
    core: Core, exchange: Exchange, records: Path, node: NodeName
) -> None:
    await a_call_that(core, node)
    write(records)
    assert await Audit(exchange, core, Legs(exchange)).look() is True
    assert await outcome(core) is None  # Asterisk writes a moment after the end
    write(records, "talk:41.5")
    assert await Audit(exchange, core, Legs(exchange)).look() is False
    assert await outcome(core) == "talked"
    facts = {event.kind: event.data for event in await core.ledger.events(CALL)}
    assert facts["talked"]["seconds"] == 41.5
    order = await of_call(core.database, CALL)
    assert order is not None
    assert (order.source, [one.name for one in order.recordings]) == ("talked", [f"{CALL}-t9"])


async def test_given_a_caller_whose_phone_may_ring_when_a_bridge_starts_then_that_is_no_missed_call(
    core: Core, exchange: Exchange, records: Path
) -> None:
    await a_call_that(core, "calling")
    write(records)
    audit = Audit(exchange, core, Legs(exchange))
    assert [await audit.look(), await audit.look()] == [False, False]
    call = await core.calls.get(CALL)
    assert call is not None
    assert (call.node, call.callbacks_missed) == ("calling", 0)


async def test_given_an_asterisk_that_died_and_wrote_nothing_then_its_calls_are_not_waited_for(
    core: Core, exchange: Exchange, records: Path
) -> None:
    await a_call_that(core, "ringing")
    write(records)
    audit = Audit(exchange, core, Legs(exchange))
    assert [await audit.look(), await audit.look()] == [True, False]
    assert await outcome(core) == "abandoned"


async def test_given_words_after_the_order_was_made_then_they_are_a_recording_of_their_own_in_it(
    core: Core, exchange: Exchange, records: Path
) -> None:
    await a_call_that(core, "message", recording=f"{CALL}-m9")
    audit = Audit(exchange, core, Legs(exchange))
    await core.turns.take_turn(CALL, lambda facts: Recorded(facts=facts, seconds=5.0))
    await core.outbox.idle()
    exchange.spool.mkdir(parents=True)
    write_wav(exchange.spool / f"{CALL}.wav", array("h", bytes(16000)))
    exchange.recordings.mkdir(parents=True, exist_ok=True)
    (exchange.recordings / f"{CALL}-m9.wav").write_bytes(b"settled")
    await audit.look()
    await core.outbox.idle()
    order = await of_call(core.database, CALL)
    assert order is not None
    assert sorted(one.name for one in order.recordings) == [f"{CALL}-m0", f"{CALL}-m9"]
    assert (exchange.recordings / f"{CALL}-m9.wav").read_bytes() == b"settled"
    assert seconds_of(exchange.recordings / f"{CALL}-m0.wav") == 1.0
    assert not list(exchange.spool.iterdir())


async def test_given_a_leg_whose_channel_went_without_a_word_then_its_call_is_ended(
    core: Core, exchange: Exchange, records: Path
) -> None:
    write(records)
    await a_call_that(core, "waiting", token=0)
    legs = Legs(exchange)
    legs.add(EndingLeg(exchange, CALL, "PJSIP/caller-1", UNIQUEID))
    audit = Audit(exchange, core, legs)
    await audit.look()
    assert (len(legs), await outcome(core)) == (1, None)
    await audit.look()
    assert (len(legs), await outcome(core)) == (0, "abandoned")


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


@pytest.mark.parametrize("node", ["waiting", "talking"])
async def test_given_a_damaged_record_when_calls_are_looked_for_then_it_is_closed_and_nobody_else_suffers(
    core: Core, exchange: Exchange, records: Path, node: NodeName
) -> None:
    write(records)
    await a_call_that(core, node)
    await core.redis.hset(call_key(core.settings.redis_prefix, CALL), "call", "{")
    legs = Legs(exchange)
    leg = Leg(exchange, CALL, "PJSIP/caller-1", UNIQUEID)
    await leg.be_known()  # as after every login
    await core.redis.hset(call_key(core.settings.redis_prefix, CALL), "call", "{")
    await Audit(exchange, core, legs).look()
    assert await outcome(core) == "fallback"


class RememberingChannel:
    """A channel that was told of its call before Redis lost it."""

    def __init__(self, call: Call) -> None:
        self._call = call

    async def get_variable(self, name: str) -> str:
        return as_text(self._call)


@pytest.mark.parametrize(
    ("node", "reason", "state"),
    [
        ("waiting", "", "waiting"), ("ringing", "", "offered"), ("callback", "kept", "callback"),
        ("calling", "", "offered"), ("screening", "", "offered"),
    ],
)  # fmt: skip
async def test_given_a_caller_in_the_line_when_redis_lost_it_then_the_place_of_the_number_comes_back_with_the_call(
    core: Core, clock: SetClock, exchange: Exchange, node: NodeName, reason: str, state: str
) -> None:
    call = await a_call_that(core, node, reason=reason)
    await core.redis.flushall()
    new = replace(call, node="arriving", seq=0, scene=0)
    await restore(exchange, cast(Channel, RememberingChannel(call)), new)
    clock.pass_by(PERFORM_LEASE_S + 1)  # a drainer's
    await core.outbox.drain_once()
    await core.outbox.idle()
    assert [(one.call_id, one.joined_at, one.state) for one in await core.line.callers("seat")] == [
        (CALL, call.joined_at, state)
    ]
    places = Places(core.redis, core.settings, core.clock)
    place, _ = places.read_look("a-2", await places.begin_look(call.number, "a-2", counted=False), core.clock())
    assert place is not None
    assert (place.call_id, place.seat_id, place.joined_at, place.left_at) == (CALL, "seat", call.joined_at, 0.0)
