"""A seat's desk phone rings out, then its mobile rings, with the settings as they are and the real line in virtual time: the claim is
shorter than both together, and never lapses while somebody cares for it."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from calls.assembly import Core
from ivr.call import Call, Carrier
from ivr.events import Answered, Arrived, Keyed, Missed
from sessions.board import Board, PostedSeat, PostedSession, post
from telephony.asterisk.bridge import RENEWALS_PER_LEASE, Bridge
from telephony.switchboard import Switchboard
from telephony.twilio.caller import Caller
from tests.clocks import SetClock

DESK, MOBILE = "sip:leader@127.0.0.1:5070", "+8613900000001"
#: Rung for as long as a line may be, and taken at the last moment.
DESK_RINGS_OUT_S, MOBILE_TAKEN_S = 20.0, 39.9


@pytest.mark.parametrize("carrier", ["asterisk", "twilio"])
async def test_the_claim_does_not_lapse_between_the_desk_phone_and_the_mobile(
    core: Core, clock: SetClock, monkeypatch: pytest.MonkeyPatch, carrier: Carrier
) -> None:
    lease_s = core.settings.claim_lease_s
    assert (core.settings.ring_s, lease_s) == (DESK_RINGS_OUT_S, 35.0), "as the city gets them"
    call_id = await _offered(core, clock, carrier)
    claim, begun = await core.seats.state("s1"), clock()
    left: list[float] = []

    async def passes(lost: asyncio.Event, seconds: float) -> bool:
        """Second by second what else looks at the claim: cron, and whoever serves the line. True: the mobile was taken."""
        for _ in range(round(seconds * 10)):
            at = round(clock.pass_by(0.1) - begun, 1)
            if at == DESK_RINGS_OUT_S:
                await _rings_out(core, call_id)
            assert await core.line.reap("s1") is None, f"after {at} s"
            left.append((await core.seats.state("s1")).until - clock())
            if at == MOBILE_TAKEN_S:
                lost.set()
                break
        return lost.is_set()

    if carrier == "asterisk":
        monkeypatch.setattr("telephony.asterisk.bridge.pause", passes)
        leg = SimpleNamespace(claim=("s1", claim.token))
        bridge = SimpleNamespace(_settings=core.settings, _core=core, _legs=SimpleNamespace(all=lambda: [leg]))
        await Bridge._renew_claims(cast(Bridge, bridge), asyncio.Event())
        assert min(left) > lease_s - lease_s / RENEWALS_PER_LEASE, "renewed well before it ends"
    else:
        assert await passes(asyncio.Event(), MOBILE_TAKEN_S)
        assert left[round(DESK_RINGS_OUT_S * 10)] > core.settings.ring_s, "the mobile has a whole claim, whatever is told of its leg"
    assert await core.line.claim_next("s1", "another", lease_s) is None
    talking = (await core.turns.take_turn(call_id, lambda facts: Answered(facts=facts))).call
    seat = await core.seats.state("s1")
    assert (talking.node, seat.state, seat.token, talking.leader_line) == ("talking", "talking", claim.token, MOBILE)
    clock.pass_by(lease_s)
    assert await core.line.reap("s1") is None, "a talk needs no claim"


async def _offered(core: Core, clock: SetClock, carrier: Carrier) -> str:
    """Somebody waits, and the desk phone begins to ring."""
    held = PostedSession("x1", clock() - 60, clock() + 7200, "社保", (PostedSeat("s1", "市人社局", "王局长"),))
    await post(core.redis, core.settings.redis_prefix, Board(open=held))
    lines = f"{DESK},{MOBILE}"
    await core.seats.open("s1", "x1", "市人社局", "王局长", lines, lines)
    call_id = "t-CA" + "1" * 32 if carrier == "twilio" else "a-pbx1-1-1"
    await core.calls.create(Call(call_id, carrier, clock(), number="+8613812345678", entered_at=clock()))
    await core.turns.take_turn(call_id, lambda facts: Arrived(facts=facts))
    await core.turns.take_turn(call_id, lambda facts: Keyed(facts=facts, key="1"))
    board = Switchboard(core.settings, core.redis, core.line, core.seats, core.turns, "me")
    assert await board.serve("s1") is not None
    return call_id


async def _rings_out(core: Core, call_id: str) -> None:
    """As the carrier tells it. Over the cloud the webhook that says so is all that can be relied on."""
    turn = await core.turns.take_turn(call_id, lambda facts: Missed(facts=facts, reason="no_answer"))
    assert (turn.call.node, turn.call.leader_line) == ("ringing", MOBILE)
    if turn.call.carrier == "twilio":
        caller: Any = SimpleNamespace(_exchange=SimpleNamespace(core=core, settings=core.settings))
        await Caller._keep_claim(caller, turn.call)
