"""Calls that we place: a person comes into the flow, a voicemail does not, and never faster than the account allows."""

import asyncio
import time
from typing import Any

import pytest
from redis.asyncio import Redis

from config.settings import Settings
from ivr.call import Call
from jobs import cloud_recordings
from queueing.keys import line_keys
from telephony.errors import CarrierRefused, CarrierUnavailable
from telephony.twilio.callbacks import leg_of_try
from telephony.twilio.exchange import call_id_of
from telephony.twilio.outbound import Outbound
from tests.cloud import Callee, When
from tests.cloud.leg import Leg
from tests.cloud.rest.troubles import Trouble
from tests.integration.twilio.cloud_phone import keys_heard
from tests.integration.twilio.town import ACCOUNT, LEADER, NUMBER, WILLING, Town, said, town
from tests.stories import called_back
from tests.waiting import until

CITIZEN = "+8613812345678"


def _outbound(here: Town) -> Outbound:
    assert here.parts is not None
    here.cloud.calls_per_second = 1000.0
    return Outbound(here.parts.exchange)


async def test_who_answers_comes_into_the_flow(here: Town) -> None:
    here.cloud.callees[CITIZEN] = Callee(
        answer_after_s=2, script=(When("请按二", press="2"), When("提示音", speak_s=9))
    )
    placed = await _outbound(here).place(CITIZEN)
    leg = here.cloud.calls[placed.call_sid]
    assert await here.outcome(leg, 30.0) == "work_order"
    call = await here.saved(leg)
    assert (call.id, call.number) == (call_id_of(placed.call_sid), CITIZEN)
    assert await _outbound(here).state(placed.leg) == "human"


async def _keeps_a_place(here: Town) -> Leg:
    """A caller who asked to be called back when it is their turn."""
    await here.open_session()
    await here.core.seats.pause(here.seat_id, "away")
    leg = here.call(When("请按一", press="1"), When("请按三", press="3", after_s=40), number=CITIZEN)
    await here.at(leg, "kept", 30.0)
    assert await here.outcome(leg) == "callback"
    return leg


async def test_who_keeps_a_place_is_called_back_and_talks_with_the_leader(
    here: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.cloud.calls_per_second = 1000.0
    silent = Callee(answer_after_s=2, answered_by="unknown", script=(When("请按一", press="1"),))  # a person until they say otherwise
    here.cloud.callees[CITIZEN] = silent
    here.cloud.callees[LEADER] = Callee(answer_after_s=1, script=(When("", press="1"),), talk_s=30)
    first = await _keeps_a_place(here)
    told_late = {"CallSid": first.sid, "AccountSid": ACCOUNT, "From": CITIZEN, "To": NUMBER, "CallStatus": "in-progress"}
    assert "<Hangup" in (await here.post("/twilio/voice", told_late)).text
    assert (await here.saved(first)).node == "kept", "nobody is on the leg they came by, whoever says so late"
    # The first order is never carried out, the second one is, and its answer is lost: rung once all the same.
    orders = r"POST .*/Calls\.json$"
    here.cloud.troubles.add(Trouble(orders, "before"), Trouble(orders, "after"))
    await here.core.seats.resume(here.seat_id)
    await here.at(first, "talking", 30.0)
    back = await here.cloud.leg_to(CITIZEN)
    assert [leg.sid for leg in here.cloud.calls.values() if leg.parties.to == CITIZEN] == [back.sid]
    assert (await here.saved(first)).leg == back.sid
    await here.at(first, "ended", 30.0)
    await back.ended(30.0)
    assert (keys_heard(back.texts), back.answered_by) == (called_back.HEARS, "unknown")
    assert [order.source for order in await here.orders(1)] == ["talked"]
    assert len(await here.core.calls.live()) == 0
    assert tuple(kind for kind in await here.kinds(first) if kind != "closed") == called_back.TALKED
    # What the notice of the recording asked for is lost: the sweep looks for it at the leg they talked on.
    monkeypatch.setattr(cloud_recordings, "NOTICE_WITHIN_S", 0.0)
    assert here.parts is not None
    connection = here.parts.exchange.connection
    await here.cloud.quiet()
    (kept,) = await connection.recordings_of(back.sid)
    jobs = f"rq:job:fetch_recording-{kept.sid}-*"
    await here.core.redis.delete("-", *[key async for key in here.core.redis.scan_iter(jobs)])

    async def swept() -> bool:
        return await cloud_recordings.sweep(here.core, connection) == 1

    await until(swept, 20.0, "the recording of the talk")
    assert len([key async for key in here.core.redis.scan_iter(jobs)]) == 1


async def test_who_calls_anew_while_our_call_back_asks_for_a_key_is_served_there_and_has_no_second_place(
    settings: Settings, redis: Redis
) -> None:
    async with town(settings, ask_timeout_s=2000.0) as here:
        here.cloud.calls_per_second = 1000.0
        here.cloud.callees[CITIZEN] = Callee(answer_after_s=2)  # takes our call, and presses nothing
        here.cloud.callees[LEADER] = Callee(answer_after_s=1, script=(When("", press="1"),), talk_s=30)
        first = await _keeps_a_place(here)
        joined_at = (await here.saved(first)).joined_at
        await here.core.seats.resume(here.seat_id)
        await here.at(first, "screening", 30.0)
        second = here.call(When("请按一", press="1"), number=CITIZEN)
        back = await here.cloud.leg_to(CITIZEN)
        await back.heard(said("goodbye_other_call"), 30.0)
        await back.ended(30.0)
        await here.at(first, "ended", 30.0)
        assert await here.outcome(second, 30.0) == "talked"
        assert (await here.saved(second)).joined_at == joined_at
        assert await here.core.line.depth(here.seat_id) == 0
        assert [(order.source, order.call_id) for order in await here.orders(1)] == [("talked", call_id_of(second.sid))]
        assert (await here.core.ledger.summary()).outcomes == {"callback": 1, "talked": 1}
        assert [leg.parties.to for leg in here.cloud.calls.values()].count(LEADER) == 1
        here.cloud.assert_faultless()


async def test_a_try_that_waits_for_its_turn_longer_than_its_claim_lasts_rings_nobody(
    here: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The account's rate is used up by others: the claim lapses and the next try begins before the first may call. What is told
    late of the first keeps no claim alive."""
    tries: list[Call] = []
    free = asyncio.Event()

    async def long_turn(_: Outbound) -> None:
        tries.append(await here.saved(first))
        await free.wait()

    async def until_when() -> str:
        found: Any = here.core.redis.hget(line_keys(here.settings.redis_prefix, here.seat_id).seat, "until")
        return str(await found)

    async def tell(leg: str) -> None:
        await here.post(f"/twilio/status?leg={leg}&of={first.sid}", {"AccountSid": ACCOUNT, "CallStatus": "ringing"})

    here.cloud.callees.update({CITIZEN: Callee(answer_after_s=2, script=(When("请按一", press="1"),)), LEADER: WILLING})
    outbound, first = _outbound(here), await _keeps_a_place(here)
    monkeypatch.setattr(Outbound, "_turn", long_turn)
    await here.core.seats.resume(here.seat_id)
    await until(lambda: tries, 30.0, "the first try")
    (old,) = tries
    lapse: Any = here.core.redis.hset(line_keys(here.settings.redis_prefix, here.seat_id).seat, "until", "0")
    await lapse

    async def anew() -> Call | None:
        call = await here.saved(first)
        return call if call.node == "calling" and call.token > old.token else None

    new = await until(anew, 30.0, "the next claim")
    assert new is not None
    lapses = await until_when()
    await tell(leg_of_try(old))
    assert await until_when() == lapses
    await tell(leg_of_try(new))
    assert await until_when() > lapses

    free.set()
    await here.at(first, "talking", 30.0)
    assert [call.token for call in tries] == [old.token, new.token]
    assert len([leg for leg in here.cloud.calls.values() if leg.parties.to == CITIZEN]) == 1
    assert [bool(await outbound.reserve(leg_of_try(call))) for call in tries] == [True, False]


async def test_what_is_told_late_of_a_leg_changes_nothing(here: Town) -> None:
    outbound = _outbound(here)
    told = ["placed", "ringing", "initiated", "completed", "ringing", "in-progress", "nonsense"]
    assert [await outbound.note("l" * 26, state, "") for state in told] == [
        "placed", "ringing", "ringing", "completed", "completed", "completed", "completed",
    ]  # fmt: skip
    whoever = ("human", "unknown", "machine_end_beep", "fax", "machine_start")
    assert [await outbound.answered("l" * 26, one) for one in whoever] == [True, True, False, False, False]
    assert await outbound.note("l" * 26, "completed", "") == "machine"


async def test_neither_voicemail_nor_fax_reach_the_leader_and_after_all_tries_there_is_an_order(here: Town) -> None:
    here.cloud.calls_per_second = 1000.0
    here.cloud.callees[CITIZEN] = (
        Callee(answer_after_s=2, answered_by="machine"), Callee(answer_after_s=2, answered_by="fax"),
    )  # fmt: skip
    first = await _keeps_a_place(here)
    await here.core.seats.resume(here.seat_id)
    await here.at(first, "ended", 60.0)
    assert LEADER not in {leg.parties.to for leg in here.cloud.calls.values()}
    assert [leg.texts for leg in here.cloud.calls.values() if leg.parties.to == CITIZEN] == [[], []], "and are not spoken to"
    assert (await here.order(first)).source == "callback"
    assert tuple(kind for kind in await here.kinds(first) if kind != "closed") == called_back.MISSED


async def test_a_voicemail_is_not_spoken_to(here: Town) -> None:
    here.cloud.callees[CITIZEN] = Callee(answer_after_s=2, answered_by="machine")
    outbound = _outbound(here)
    placed = await outbound.place(CITIZEN)
    await here.cloud.calls[placed.call_sid].ended()
    assert await outbound.state(placed.leg) == "machine"
    assert await here.core.calls.get(call_id_of(placed.call_sid)) is None


@pytest.mark.parametrize("outcome", ["busy", "no-answer", "failed"])
async def test_who_does_not_answer_is_known(here: Town, outcome: str) -> None:
    here.cloud.callees[CITIZEN] = Callee(outcome=outcome)  # type: ignore[arg-type]
    outbound = _outbound(here)
    placed = await outbound.place(CITIZEN)

    async def known() -> bool:
        return await outbound.state(placed.leg) == outcome

    await until(known, 10.0, outcome)


async def test_the_same_leg_is_placed_once(here: Town) -> None:
    here.cloud.callees[CITIZEN] = Callee(outcome="busy")
    outbound = _outbound(here)
    placed = await outbound.place(CITIZEN)
    assert await outbound.place(CITIZEN, placed.leg) == placed
    assert len(here.cloud.calls) == 1


async def test_no_faster_than_the_account_may(here: Town) -> None:
    here.cloud.callees[CITIZEN] = Callee(outcome="busy")
    outbound = _outbound(here)
    another = _outbound(here)  # of another process, say, and for another purpose: the account has one rate
    begun = time.monotonic()
    await asyncio.gather(*(one.place(CITIZEN) for one in (outbound, another) * 2))
    assert time.monotonic() - begun >= 2.9


async def test_the_clouds_refusals_have_names(here: Town) -> None:
    outbound = _outbound(here)
    with pytest.raises(CarrierRefused):
        await outbound.place("not a number")
    here.cloud.calls_per_second = 0.0001
    here.cloud.callees[CITIZEN] = Callee(outcome="busy")
    await outbound.place(CITIZEN)
    with pytest.raises(CarrierUnavailable):
        await outbound.place(CITIZEN)
