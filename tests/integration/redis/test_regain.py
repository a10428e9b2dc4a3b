"""Redis comes back older than it was, as a replica does that takes over and lacks the last turns: who was told of them knows better."""

from typing import cast

import pytest
from msgspec.structs import replace

from calls.assembly import Core
from calls.ledger import Entry
from calls.store import PERFORM_LEASE_S
from ivr.call import Call, NodeName
from ivr.events import Offered
from telephony.asterisk.closing import close_gone
from telephony.asterisk.connection import Connection
from telephony.asterisk.exchange import Exchange
from telephony.asterisk.leg import Leg
from telephony.asterisk.restore import regain
from telephony.prompts import Prompts
from tests.clocks import SetClock
from workorders.register import of_call

CALL, SEAT = "a-pbx1-7-1", "seat"


@pytest.fixture
def exchange(core: Core) -> Exchange:
    return Exchange(core.settings, cast(Connection, None), core.calls, core.turns, Prompts(core.settings), core.line)


async def older_than(core: Core, node: NodeName, *, claimed_anew: bool) -> Call:
    """Redis has the call waiting, and perhaps offers it once more; the call as it was before the fail-over."""
    now = core.clock()
    call = Call(CALL, "asterisk", now - 60, number="+8613900000001", seat_id=SEAT, joined_at=now - 50, node="waiting", seq=7, scene=7)
    await core.seats.open(SEAT, "x1", "市水务局", "王局长", "sip:l@127.0.0.1:9", "")
    await core.calls.create(call)
    await core.line.join(SEAT, CALL, call.joined_at, 7)
    if claimed_anew and (claim := await core.line.claim_next(SEAT, "me", 30)) is not None:
        offer = claim
        await core.turns.take_turn(
            CALL, lambda facts: Offered(facts=facts, seat_id=SEAT, token=offer.token, line=offer.line)
        )
    return replace(call, node=node, seq=9, scene=9, token=3, entered_at=now - 20, talk_started_at=now - 20, host="pbx1")


@pytest.mark.parametrize(
    ("node", "claimed_anew", "in_line", "seat_is"),
    [
        ("waiting", False, [CALL], "free"), ("message", False, [], "free"), ("ringing", False, [CALL], "ringing"),
        ("ringing", True, [CALL], "ringing"), ("talking", False, [], "talking"), ("talking", True, [], "talking"),
    ],
)  # fmt: skip
async def test_given_an_older_redis_when_somebody_knows_more_then_call_line_and_seat_are_as_they_were(
    core: Core, clock: SetClock, exchange: Exchange, node: NodeName, claimed_anew: bool, in_line: list[str], seat_is: str
) -> None:
    known = await older_than(core, node, claimed_anew=claimed_anew)
    for _ in range(2):
        await regain(exchange, known)
    clock.pass_by(PERFORM_LEASE_S + 1)  # a drainer's
    await core.outbox.drain_once()
    await core.outbox.idle()
    call = await core.calls.get(CALL)
    assert call is not None
    assert (call.node, call.scene, call.joined_at, call.seq > known.seq) == (node, known.scene, known.joined_at, True)
    assert [one.call_id for one in await core.line.callers(SEAT)] == in_line
    seat = await core.seats.state(SEAT)
    assert (seat.state, seat.call_id if seat_is != "free" else CALL) == (seat_is, CALL)
    if seat_is != "free":
        assert await core.line.free(SEAT, call.token, talked=node == "talking", at=clock()), "the claim is the call's"
    assert [fact.kind for fact in await core.ledger.events(CALL)].count("restored") == 1


async def test_given_a_claim_of_somebody_else_when_a_talk_is_regained_then_it_stays(
    core: Core, clock: SetClock, exchange: Exchange
) -> None:
    known = await older_than(core, "talking", claimed_anew=False)
    await core.line.join(SEAT, "a-other", clock() - 100, 1)
    claim = await core.line.claim_next(SEAT, "me", 30)
    assert claim is not None
    await regain(exchange, known)
    seat, call = await core.seats.state(SEAT), await core.calls.get(CALL)
    assert call is not None
    assert (seat.call_id, seat.state, call.node) == ("a-other", "ringing", "talking")
    assert not await core.line.free(SEAT, call.token, talked=True, at=clock())


async def test_given_a_call_that_is_newer_in_redis_then_it_is_left_alone(core: Core, exchange: Exchange) -> None:
    known = await older_than(core, "message", claimed_anew=True)
    newer = await core.calls.get(CALL)
    assert newer is not None
    await regain(exchange, replace(known, seq=newer.seq))
    assert await core.calls.get(CALL) == newer


async def test_given_a_leg_that_is_told_to_look_anew_then_it_puts_back_what_it_knows(core: Core, exchange: Exchange) -> None:
    known = await older_than(core, "waiting", claimed_anew=False)
    leg = Leg(exchange, CALL, "", "pbx1-7.1")
    leg.turns.known = known
    await leg.turns.regain()
    call = await core.calls.get(CALL)
    assert call is not None
    assert call.scene == known.scene


async def test_given_a_place_that_was_kept_after_the_last_turn_redis_knows_then_there_is_an_order_to_call_back(
    core: Core, exchange: Exchange
) -> None:
    """Nobody is on the phone who would know: they count as having hung up while they waited."""
    await older_than(core, "kept", claimed_anew=False)
    fact = Entry(command_id=f"{CALL}-8-0", call_id=CALL, kind="callback", at=core.clock(), session_id="x1")
    await core.ledger.write([fact, replace(fact, command_id=f"{CALL}-8-1", kind="closed", outcome="callback")])
    await close_gone(exchange, CALL, rows=())
    await core.outbox.idle()
    order = await of_call(core.database, CALL)
    assert order is not None
    assert (order.source, await core.ledger.outcome(CALL)) == ("abandoned", "callback")
