"""The call as the caller lives it, over the cloud."""

from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from redis.asyncio import Redis

from config.settings import Settings
from ivr.events import Released
from ivr.limits import Limits
from telephony.twilio.exchange import call_id_of
from tests.cloud import Callee, When
from tests.cloud.leg import Leg
from tests.cloud.mischief import Drop, Hold, Repeat, Rule
from tests.cloud.rest.troubles import Trouble
from tests.integration.twilio.town import LEADER, WILLING, Town, said, town
from tests.waiting import until


async def test_who_waits_talks_with_the_leader(here: Town) -> None:
    here.cloud.callees[LEADER] = WILLING
    await here.open_session()
    leg = here.call(When(said("choose_free"), press="1"))
    await here.at(leg, "talking")
    assert leg.texts[0].startswith(said("greeting", city=here.settings.city))
    (leader,) = leg.dialed
    assert any(said("whisper_confirm") in text for text in leader.texts)
    leader.hang_up()
    assert await here.outcome(leg) == "talked"
    assert any(said("goodbye_talked") in text for text in leg.texts)
    assert (await here.kinds(leg))[-1] == "closed"
    assert (await here.order(leg)).source == "talked"


async def test_a_leader_who_hangs_up_as_the_whisper_ends_is_rung_three_times_then_the_seat_pauses(here: Town) -> None:
    """The cloud told of a talk each time, and afterwards that the two were never put together."""
    here.cloud.callees[LEADER] = (*(replace(WILLING, too_soon=True),) * Limits().most_gone, WILLING)
    await here.open_session()
    leg = here.call(When(said("choose_free"), press="1"))

    async def paused() -> bool:
        return (await here.core.seats.state(here.seat_id)).reason == "hung_up"

    await until(paused, 30, "the seat paused")
    call = await here.at(leg, "waiting")
    assert (call.missed, await here.core.line.position(here.seat_id, call.id)) == (Limits().most_gone, 1)
    assert (await here.kinds(leg)).count("connected") == Limits().most_gone
    await here.core.seats.resume(here.seat_id)
    await here.at(leg, "talking")
    leg.dialed[-1].hang_up()
    assert await here.outcome(leg) == "talked"


@pytest.mark.parametrize(("status", "tells_bridged"), [("completed", True), ("no-answer", True), ("completed", False)])
async def test_a_mobile_that_answers_and_does_not_press_1_is_no_talk_whatever_the_cloud_says_of_it(
    here: Town, status: str, tells_bridged: bool
) -> None:
    """Nothing is pressed, then a wrong key: back to the head of the line each time."""
    here.cloud.declined_status, here.cloud.tells_bridged = status, tells_bridged
    wrong = Callee(answer_after_s=2, script=(When(said("whisper_confirm"), press="9"),) * 2)
    here.cloud.callees[LEADER] = (Callee(answer_after_s=2), wrong, WILLING)
    await here.open_session()
    leg = here.call(When(said("choose_free"), press="1"))
    await here.at(leg, "ringing")
    for times in (1, 2):

        async def missed(times: int = times) -> bool:
            seat = await here.core.seats.state(here.seat_id)
            return (await here.saved(leg)).missed == times and seat.state == "paused"

        await until(missed, 30.0, "the leader's miss")
        assert await here.core.line.position(here.seat_id, call_id_of(leg.sid)) == 1
        await here.core.seats.resume(here.seat_id)
    await here.at(leg, "talking", 30.0)
    leg.dialed[-1].hang_up()
    assert await here.outcome(leg) == "talked"
    assert (await here.kinds(leg)).count("connected") == 1


async def test_a_whisper_that_is_never_reached_loses_nobody(here: Town) -> None:
    """The leader's leg has no fallback URL at the cloud: it ends, and the caller is the first again, however late and often that is
    told."""
    here.cloud.mischief.add(*(Rule(r"/twilio/whisper", Drop(), nth) for nth in (1, 2, 3)))
    here.cloud.mischief.add(Rule(r"/twilio/leg", Hold(past=99)), Rule(r"/twilio/dialled", Repeat(2)))
    here.cloud.callees[LEADER] = WILLING
    await here.open_session()
    leg = here.call(When(said("choose_free"), press="1"))
    await here.at(leg, "ringing")

    async def missed() -> bool:
        return (await here.saved(leg)).missed == 1

    await until(missed, 30.0, "the leg that fails")
    assert await here.core.line.position(here.seat_id, call_id_of(leg.sid)) == 1
    await here.core.seats.resume(here.seat_id)
    await here.at(leg, "talking", 30.0)
    leg.dialed[-1].hang_up()
    assert await here.outcome(leg) == "talked"
    assert (len(leg.dialed), [error.code for error in here.cloud.errors]) == (2, [11205])
    assert (len(await here.orders(1)), here.spool_files()) == (1, [])
    here.cloud.errors.clear()


async def test_who_declines_records_the_matter_and_hears_the_orders_number(here: Town) -> None:
    await here.open_session()
    leg = here.call(
        When(said("choose_free"), press="2"),
        When(said("message_how", minutes=2), speak_s=12),
        When(said("order_repeat"), hang_up=True, after_s=1),
    )
    assert await here.outcome(leg) == "work_order"
    order = await here.order(leg)
    assert order.source == "declined"
    assert [tag.tag for tag in order.tags] == ["熱線問政"]
    spoken = " ".join(said("digit", digit=digit) for digit in order.number if digit.isdigit())
    assert spoken in " ".join(leg.texts)


async def test_an_emergency_stop_ends_the_talk_and_reaches_who_waits_and_who_is_rung_for(here: Town) -> None:
    """The leader's leg ends with the talk; both callers are told, and nobody is skipped."""
    here.cloud.callees[LEADER] = WILLING
    await here.open_session()
    talking = here.call(When(said("choose_free"), press="1"))
    await here.at(talking, "talking")
    waiting = here.call(When(said("choose_line"), press="1"))
    await here.at(waiting, "waiting")
    await here.opening.close(here.session_id, "session_stopped")
    await talking.heard(said("goodbye_session_stopped"))
    await waiting.heard(said("message_session_stopped"))
    leader = next(leg for leg in here.cloud.calls.values() if leg.parties.parent is not None)
    await leader.ended(15)
    assert (await here.order(talking)).source == "callback"
    waiting.hang_up()
    assert await here.ended([talking, waiting]) == ["talked", "work_order"]


async def test_the_second_line_of_a_seat_rings_when_the_first_is_busy_and_has_a_claim_of_its_own_time(here: Town) -> None:
    """However long the lines ring together, and though no notice of their legs comes to us."""
    mobile = "+8613900000002"
    here.cloud.mischief.add(Rule(r"/twilio/leg", Drop()))
    here.cloud.callees |= {LEADER: Callee(outcome="busy", answer_after_s=20), mobile: replace(WILLING, answer_after_s=10)}
    await here.open_session(f"{LEADER},{mobile}")
    leg = here.call(When(said("choose_free"), press="1"))
    await until(lambda: len(leg.dialed) == 1, 15, "the desk to ring")
    before = await here.core.seats.state(here.seat_id)
    await until(lambda: len(leg.dialed) == 2, 15, "the mobile to ring")
    after = await here.core.seats.state(here.seat_id)
    assert (after.state, after.token) == ("ringing", before.token)
    assert after.until > before.until
    await here.at(leg, "talking")
    assert [one.parties.to for one in leg.dialed] == [LEADER, mobile]
    leg.dialed[-1].hang_up()
    assert await here.outcome(leg) == "talked"
    assert [kind for kind in await here.kinds(leg) if kind in ("offered", "next_line", "missed")] == ["offered", "next_line"]


async def test_who_calls_after_the_leader_left_is_told_and_can_be_called_back(here: Town) -> None:
    await here.open_session()
    await here.opening.sign_out(here.seat_id)
    leg = here.call(When(said("line_left"), press="3"))
    await leg.heard(said("callback_promise"))
    assert not any(said("leader_not_here") in text for text in leg.texts)
    assert await here.outcome(leg) == "callback"
    assert (await here.order(leg)).source == "callback"


@pytest.mark.parametrize("line", ["sip:leader@sip.example.gov.cn", "client:leader_1"])
async def test_a_leader_at_a_phone_that_needs_no_confirmation(here: Town, line: str) -> None:
    """The first try fails at once: the caller is at the head again, before who came later, and is served first."""
    here.cloud.callees[line] = (Callee(outcome="failed", answer_after_s=0), Callee(answer_after_s=1, talk_s=5))
    await here.open_session(line)
    first = here.call(When(said("choose_free"), press="1"))
    await first.heard(said("waiting_leader_missed"))
    second = here.call(When("请按一", press="1"))
    await here.at(second, "waiting")
    await here.core.seats.resume(here.seat_id)
    assert await here.ended([first, second]) == ["talked", "talked"]
    rung = [leg for leg in here.cloud.calls.values() if leg.parties.parent is not None]
    assert [leg.parties.parent for leg in rung] == [first, first, second]
    assert {leg.parties.to for leg in rung} == {line}
    assert not any(said("whisper_confirm") in text for leg in rung for text in leg.texts)


async def test_the_operators_of_the_cloud_are_reached_without_those_of_asterisk(
    settings: Settings, redis: Redis
) -> None:
    operators = "+8673488812300"
    async with town(settings, twilio_operators_line=operators) as here:
        rung, answers = Callee(answer_after_s=500), Callee(answer_after_s=1)
        here.cloud.callees[operators] = (Callee(answer_after_s=1, talk_s=10), answers, rung)
        wants = When(said("choose_closed_operators"), press="0")
        leg = here.call(wants)
        assert await here.outcome(leg) == "transferred"
        assert [one.parties.to for one in leg.dialed] == [operators]
        leg = here.call(wants)
        await until(lambda: any(one.kind == "bridged" for one in leg.transcript), 15.0, "an operator")
        leg.hang_up()
        assert await here.outcome(leg) == "transferred", "whoever ends the talk"
        assert await here.orders() == ()
        leg = here.call(wants)
        await until(lambda: leg.dialed and leg.dialed[0].status == "ringing", 15.0, "the operators' phone rings")
        leg.hang_up()
        assert await here.outcome(leg) == "abandoned", "nobody has taken them: they are called back"
        assert (await here.order(leg)).source == "abandoned"
        here.cloud.assert_faultless()


async def test_an_emergency_stop_while_the_leader_is_rung(here: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when the cloud refuses to be interrupted for longer than anybody tries at once: the sweep comes back to it."""
    monkeypatch.setattr("telephony.twilio.bridge.LOOKS_MAX", 2)
    monkeypatch.setattr("telephony.twilio.bridge.SWEEP_EVERY_S", 0.2)
    here.cloud.troubles.add(Trouble(r"POST .*/Calls/CA", "before", times=5))
    here.cloud.callees[LEADER] = Callee(answer_after_s=500)
    await here.open_session()
    leg = here.call(When(said("choose_free"), press="1"))
    await here.at(leg, "ringing")
    await here.opening.close(here.session_id, "session_stopped")
    await leg.heard(said("message_session_stopped"))
    leg.hang_up()
    assert await here.ended([leg]) == ["work_order"]


async def test_who_waits_is_interrupted_by_rest_and_not_by_the_end_of_the_music(settings: Settings, redis: Redis) -> None:
    """At this speed a piece of the hold music lasts for minutes: a free seat, an operator and closing time reach them before."""
    async with town(settings, speed=0.1, twilio_hold_s=120.0) as here:
        here.cloud.callees[LEADER] = Callee(answer_after_s=500)
        await here.open_session()
        await here.core.seats.pause(here.seat_id, "away")
        legs = [here.call(When("请按一", press="1"))]
        await here.at(legs[0], "waiting")
        legs += [here.call(When("请按一", press="1")) for _ in range(2)]
        called, released, stays = legs
        for leg in legs:
            await here.at(leg, "waiting")
            await leg.heard(said("choose_waiting"))
        await here.core.turns.take_turn(
            call_id_of(released.sid), lambda facts: Released(facts=facts, to="work_order", reason="operator")
        )
        await _interrupted(here, released, said("message_released"))
        for nth in (1, 2, 3):  # the update brings its own fallback along
            here.cloud.mischief.add(Rule(r"/twilio/present", Drop(), nth))
        await here.core.seats.resume(here.seat_id)
        await _interrupted(here, called, said("connecting"), "present", "present", "fallback")
        assert [error.code for error in here.cloud.errors] == [11205], "what was dropped"
        await here.opening.close(here.session_id)
        await _interrupted(here, stays, said("message_session_closed"))


async def test_while_an_interruption_is_slow_the_end_of_the_music_rings_nobody(settings: Settings, redis: Redis) -> None:
    """The cloud carries the update out after four seconds, in which the hold loop comes round: the leader is rung once."""
    async with town(settings, speed=10.0, twilio_hold_s=5.0) as here:
        here.cloud.callees[LEADER] = replace(WILLING, answer_after_s=15)
        await here.open_session()
        await here.core.seats.pause(here.seat_id, "away")
        leg = here.call(When("请按一", press="1"))
        await here.at(leg, "waiting")
        here.cloud.troubles.add(Trouble(r"POST .*/Calls/CA", "slow", seconds=4.0))
        await here.core.seats.resume(here.seat_id)

        def presented() -> list[bool]:
            """What was to be presented: True where it was asked for because an interruption is under way."""
            came = [sent.request.url for sent in here.cloud.sent if sent.request.call_sid == leg.sid]
            return ["waits=1" in url for url in came if "/twilio/present?" in url]

        await until(lambda: False in presented(), 30.0, "the interruption")
        assert any(presented()), "the hold loop came round meanwhile"
        await here.at(leg, "talking", 30.0)
        leg.dialed[-1].hang_up()
        assert await here.outcome(leg) == "talked"
        assert (len(leg.dialed), presented()[-1]) == (1, False)
        assert (await here.kinds(leg)).count("offered") == 1


async def _interrupted(here: Town, leg: Leg, sentence: str, *more: str) -> None:
    """The next scene is heard, asked for by one REST update, and no webhook of the hold loop came. `more`: what the cloud asked
    when it got no answer."""
    await leg.heard(sentence, 30.0)
    updates = [one for one in here.cloud.asked if one.startswith("POST") and one.endswith(f"/Calls/{leg.sid}.json")]
    assert len(updates) == 1
    steps = [urlsplit(sent.request.url).path for sent in here.cloud.sent if sent.request.call_sid == leg.sid]
    assert steps == [f"/twilio/{step}" for step in ("voice", "keys", "present", *more)]
