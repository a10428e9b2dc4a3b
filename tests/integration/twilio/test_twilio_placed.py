"""Calls about orders over the cloud: urgent assignment (電話交辦) and follow-up (電話回訪). None is a citizen's call."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis

from api.app import create_app
from calls import placed_talk, placing
from calls.assembly import build
from calls.placed_register import left_to_people, of_order, wanted_follow_ups
from config.database import DatabaseUnavailable
from config.settings import Settings
from jobs import placed_calls
from telephony.twilio.placed import CloudPlacing
from tests.cloud import Callee, When
from tests.cloud.mischief import Drop, Rule
from tests.cloud.rest.troubles import Trouble
from tests.integration.twilio.office import CITIZEN, DUTY, QUICK, UNIT, Office, office_in
from tests.integration.twilio.town import ADMIN, away_town, said, serving
from tests.integration.twilio.weather import brew
from tests.waiting import until
from workorders.progress import move

CONFIRMS = Callee(answer_after_s=1, script=(When("请按一", press="1"),))


def _went_by_fallback(office: Office, times: int) -> None:
    """So many legs; the cloud complains of what was dropped, and of nothing else."""
    came = {sent.request.call_sid for sent in office.here.cloud.sent if "/twilio/fallback?" in sent.request.url}
    assert len(came) == times
    assert [error.code for error in office.here.cloud.errors] == [11205] * times
    office.here.cloud.errors.clear()
    assert office.here.spool_files() == [], "a call about an order is nobody's message"


@pytest.fixture
async def office(settings: Settings, redis: Redis) -> AsyncIterator[Office]:
    async with office_in(settings) as found:
        yield found


async def test_a_unit_is_rung_hears_the_order_and_confirms(office: Office) -> None:
    here = office.here
    here.cloud.callees[DUTY] = Callee(answer_after_s=1, script=(When("请按一", press="2"), When("请按一", press="1")))
    order_id = await office.order("registered", unit="")
    calls, address = f"work-orders/{order_id}/calls", f"{here.settings.effective_public_url}/api/"
    headers = {"Authorization": f"Bearer {ADMIN}"}
    async with httpx.AsyncClient(base_url=address, headers=headers, trust_env=False, timeout=20) as http:
        wrong = await http.put("units/duty-number", json={"unit": UNIT, "number": "一二三"})
        assert (wrong.status_code, wrong.json()["code"]) == (422, "invalid_number")
        kept = await http.put("units/duty-number", json={"unit": UNIT, "number": DUTY})
        assert kept.json() == {"name": UNIT, "duty_number": "734****0000"} == (await http.get("units")).json()["items"][-1]
        nobody = await http.post(f"{calls}/urgent")
        assert (nobody.status_code, nobody.json()["code"]) == (409, "state_conflict"), "no unit is known"
        asked = await http.post(f"{calls}/urgent", json={"unit": UNIT, "reason": "市领导指示"})
        placed_id = asked.json()["id"]
        assert (await http.post(f"{calls}/urgent")).status_code == 409, "it is under way"
        done = await office.over(order_id)
        (shown,) = (await http.get(calls)).json()["items"]
        assert (shown["id"], shown["state"], shown["result"], shown["due_at"]) == (placed_id, "done", "confirmed", None)
        assert (await http.post(f"{calls}/{placed_id}/withdraw")).status_code == 409
        page = (await http.get(f"{here.settings.effective_public_url}/orders/{order_id}")).text
        assert "已确认收到" in page
        assert f'action="/orders/{order_id}/calls/urgent"' in page, "it may be asked for again"
        assert DUTY not in asked.text + str(shown)
        metrics = (await http.get(f"{here.settings.effective_public_url}/metrics")).text
        assert 'hotline_orders_left_to_people{purpose="urgent"} 0.0' in metrics
    assert (done.result, done.tries, done.asked_by) == ("confirmed", 1, "admin")
    (leg,) = office.legs()
    spoken = "".join(leg.texts)
    assert spoken.count(said("urgent_matter", unit=UNIT)) == 2, "press 2 to hear it again"
    assert said("urgent_confirmed") in spoken
    order = await office.row(order_id)
    assert (order.status, order.urgent, order.unit) == ("signed", True, UNIT)
    told = next(event for event in await office.history(order_id) if event.kind == "urgent_confirmed")
    assert told.data == {"unit": UNIT, "tries": 1, "asked_by": "admin"}
    # No citizen's call: not in Redis, not in the ledger, and the account's list has nothing that is unaccounted for.
    assert await here.core.calls.live() == []
    assert await here.core.ledger.outcome(f"t-{leg.sid}") is None
    # The same again, long after: nothing changes.
    before = await office.kinds(order_id)
    late = {"CallSid": leg.sid, "AccountSid": here.settings.twilio_account_sid, "CallStatus": "in-progress", "Digits": "1"}
    address = f"leg={done.leg}&placed={placed_id}"
    for path in (f"keys?scene=0&{address}", f"keys?scene=2&{address}", f"voice?{address}", f"status?{address}"):
        answer = await here.post(f"/twilio/{path}", {**late, "CallStatus": "completed"} if "status" in path else late)
        assert answer.status_code == 200
    stranger = f"keys?scene=0&leg={'0' * 26}&placed={placed_id}"
    assert "<Hangup" in (await here.post(f"/twilio/{stranger}", late)).text
    assert await office.kinds(order_id) == before


async def test_who_does_not_confirm_is_rung_again_and_then_it_is_left_to_a_person(office: Office) -> None:
    here = office.here
    here.cloud.callees[DUTY] = (
        Callee(answer_after_s=1, script=(When("请按一"), When("请按一"))),  # hears it and presses nothing
        Callee(answer_after_s=1, answered_by="machine"),
    )
    order_id = await office.order()
    await office.ask(order_id, "urgent")
    done = await office.over(order_id)
    assert (done.result, done.tries, done.missed) == ("unreached", 2, "voicemail")
    missed = [event.data["reason"] for event in await office.history(order_id) if event.kind == "urgent_missed"]
    assert missed == ["unconfirmed", "voicemail"]
    _, machine = office.legs()
    assert machine.texts == [], "a voicemail is not spoken to"
    assert (await left_to_people(here.core.database))["urgent"] == 1
    assert (await office.row(order_id)).status == "dispatched"
    # Asked for anew, at a phone that is busy and then nobody's, and then a fax's: the other ways not to be reached.
    busy, fax = Callee(outcome="busy"), Callee(answer_after_s=1, answered_by="fax")
    here.cloud.callees[DUTY] = (busy, busy, busy, Callee(outcome="no-answer"), fax)
    await office.ask(order_id, "urgent")
    assert (await left_to_people(here.core.database))["urgent"] == 0, "it is tried again"
    again = await office.over(order_id)
    assert (again.result, again.missed) == ("unreached", "no_answer")
    here.cloud.mischief.add(Rule(r"/twilio/voice\?", Drop()))  # whoever answers is first heard of at the fallback URL
    await office.ask(order_id, "urgent")
    assert (await office.over(order_id)).missed == "voicemail", "a fax is spoken to as little"
    assert [leg.texts for leg in office.legs()[-2:]] == [[], []]
    _went_by_fallback(office, times=2)
    # The unit signs: nobody has to take over any more.
    await move(here.core.database, order_id, "sign", here.core.clock(), timezone="Asia/Shanghai")
    assert (await left_to_people(here.core.database))["urgent"] == 0


@pytest.mark.parametrize(
    ("key", "result", "status", "kinds", "mischief", "voice_fails"),
    [
        ("1", "satisfied", "closed", ["close"], "all repeated", False),
        ("2", "unsatisfied", "dispatched", ["redo", "supervision_asked"], "all answers lost once", False),
        ("9", "refused", "replied", [], "documents once more after the next, and after three", False),
        ("1", "satisfied", "closed", ["close"], "documents once more after the next, and after three", True),
        ("2", "unsatisfied", "dispatched", ["redo", "supervision_asked"], "all repeated", True),
        ("9", "refused", "replied", [], "notices when all is over", True),
    ],
)
async def test_a_petitioner_says_what_becomes_of_the_order(
    office: Office, key: str, result: str, status: str, kinds: list[str], mischief: str, voice_fails: bool
) -> None:
    """Also with what networks do to webhooks, and when the voice URL is never reached and the call goes on at the fallback URL."""
    brew(office.here.cloud, mischief)
    if voice_fails:
        office.here.cloud.mischief.add(Rule(r"/twilio/voice\?", Drop()))
    office.here.cloud.callees[CITIZEN] = Callee(answer_after_s=1, script=(When("满意请按一", press=key),))
    order_id = await office.order("replied")
    assert await wanted_follow_ups(office.database) == [order_id]
    await office.ask(order_id, "follow_up")
    assert await wanted_follow_ups(office.database) == []
    assert (await office.over(order_id)).result == result
    assert (await office.row(order_id)).status == status
    assert (await office.kinds(order_id))[4:] == ["follow_up_asked", f"follow_up_{result}", *kinds]
    (leg,) = office.legs()
    assert said(f"follow_up_{result}") in "".join(leg.texts)
    _went_by_fallback(office, times=int(voice_fails))
    if result == "refused":
        with pytest.raises(placing.AskRefused):
            await office.ask(order_id, "follow_up")


async def test_a_petitioner_who_wants_an_operator_is_put_through(settings: Settings, redis: Redis) -> None:
    operators = "+867341112222"
    async with office_in(settings, twilio_operators_line=operators) as office:
        office.here.cloud.callees[CITIZEN] = Callee(answer_after_s=1, script=(When("转人工", press="0"),))
        office.here.cloud.callees[operators] = Callee(answer_after_s=1, talk_s=5)
        order_id = await office.order("replied")
        await office.ask(order_id, "follow_up")
        assert (await office.over(order_id)).result == "operator"
        assert {leg.parties.to for leg in office.legs()} == {CITIZEN, operators}
        assert any(one.kind == "bridged" for leg in office.legs() for one in leg.transcript)
        assert (await left_to_people(office.database))["follow_up"] == 1, "the operator closes it, or sends it back"


async def test_nobody_is_called_at_night_nor_without_a_number_nor_for_an_order_that_moved_on(
    settings: Settings, redis: Redis
) -> None:
    async with office_in(settings, follow_up_hours="00:00-00:00:00.000001") as office:
        order_id = await office.order("replied")
        placed_id = await office.ask(order_id, "follow_up")

        async def put_off() -> bool:
            return (await of_order(office.database, order_id))[0].due_at.timestamp() > office.here.core.clock()

        await until(put_off, what="the call put off until the morning")
        headers = {"Authorization": f"Bearer {ADMIN}"}
        base = office.here.settings.effective_public_url
        async with httpx.AsyncClient(base_url=base, headers=headers, trust_env=False, timeout=20) as http:
            assert "待拨打" in (await http.get(f"/orders/{order_id}")).text
            stopped = await http.post(f"/orders/{order_id}/calls/{placed_id}/withdraw")
            assert (stopped.status_code, stopped.headers["location"]) == (303, f"/orders/{order_id}?done=call_withdrawn")
            done = (await of_order(office.database, order_id))[0]
            assert (done.result, office.legs()) == ("withdrawn", [])
            again = await http.post(f"/orders/{order_id}/calls/follow_up", data={"reason": "再问一次"})
            assert (again.status_code, again.headers["location"]) == (303, f"/orders/{order_id}?done=call_asked")
        another = await office.order("registered", unit="市教育局")
        with pytest.raises(placing.AskRefused, match="duty number"):
            await office.ask(another, "urgent")
        with pytest.raises(placing.AskRefused, match="replied"):
            await office.ask(another, "follow_up")


async def test_whoever_dies_while_placing_loses_nothing_and_nobody_is_rung_twice(settings: Settings, redis: Redis) -> None:
    """A worker that claimed a try and died; two who want the same; a cloud whose answer is lost; an order that is registered."""
    async with office_in(settings, urgent_tries=3) as office:
        here = office.here
        assert here.parts is not None
        here.cloud.callees[DUTY] = CONFIRMS
        order_id = await office.order("registered")
        at = here.core.clock() + 1000  # later than the working cron comes to it
        placed = await placing.ask(office.database, order_id, "urgent", at, actor="op")
        claims = await asyncio.gather(
            *(placing.claim(office.database, here.settings, placed.id, at) for _ in range(4))
        )
        (claim,) = [one for one in claims if one]
        assert claim.number == DUTY
        # It died here. Its time is up: the try counts as missed, and the next one begins.
        carrier = CloudPlacing(here.parts.exchange)
        later = at + 1000
        lapsed = await placing.lapsed(office.database, placed.id, later)
        assert lapsed is not None
        assert await carrier.is_over(lapsed.leg), "the cloud has never heard of it"
        await placing.missed(office.database, here.settings, placed.id, lapsed.leg, "no_word", here.core.clock() - 60)
        # The working worker places the second try; the cloud carries it out and its answer is lost.
        here.cloud.troubles.add(Trouble(r"POST .*/Calls\.json$", "after"))
        done = await office.over(order_id)
        assert (done.result, done.tries) == ("confirmed", 2)
        assert len(office.legs()) == 1
        assert (await office.row(order_id)).status == "signed", "delivered to the unit, and signed"


async def test_an_api_that_dies_between_webhooks_is_made_up_for_by_the_next(
    settings: Settings, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of the conversation is in the process: dropped after the question, replaced before the key. Rung by the job."""
    async with away_town(settings, **QUICK, ask_timeout_s=100.0) as (here, port):
        here.cloud.callees[DUTY] = Callee(answer_after_s=1, script=(When("请按一", press="2"), When("请按一", press="1", after_s=40)))
        office = Office(here)
        order_id = await office.order()
        monkeypatch.setattr(placed_calls, "load_settings", lambda: here.settings)
        async with serving(create_app(here.settings, build(here.settings)), port):
            placed_id = await office.ask(order_id, "urgent")
            assert await asyncio.to_thread(placed_calls.place_call, placed_id) == "rung"
            (leg,) = office.legs()
            asked = said("urgent_choose")
            await until(lambda: "".join(leg.texts).count(asked) == 2, 30.0, "the question, twice")
        async with serving(create_app(here.settings, build(here.settings)), port):
            assert (await office.over(order_id)).result == "confirmed"


async def test_the_books_away_for_a_moment_lose_no_answer(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first turn fails, the person hears an apology, and it goes on."""
    here = office.here
    here.cloud.callees[DUTY] = CONFIRMS
    order_id = await office.order()
    failures = iter((True,))
    whole = placed_talk.answered

    async def answered(*of: Any) -> Any:
        if next(failures, False):
            raise DatabaseUnavailable("away")
        return await whole(*of)

    monkeypatch.setattr(placed_talk, "answered", answered)
    await office.ask(order_id, "urgent")
    assert (await office.over(order_id)).result == "confirmed"
    (leg,) = office.legs()
    assert said("one_moment") in leg.texts[0]
