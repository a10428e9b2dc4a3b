"""People at phones: what a script does when, and what waiting says when nothing comes."""

import pytest

from tests.cloud import Callee, Cloud, When
from tests.unit.cloud.conftest import CALLER, LEADER, NUMBER, Application

MENU = '<Gather numDigits="1" timeout="3" action="/{next}"><Say>{text}</Say></Gather><Say>no key</Say>'


async def test_steps_are_done_one_after_the_other(cloud: Cloud, application: Application) -> None:
    application.pages["/voice"] = MENU.format(next="second", text="first menu")
    application.pages["/second"] = MENU.format(next="third", text="second menu")
    application.pages["/third"] = '<Record action="/recorded" finishOnKey="#"/>'
    script = [When("first", press="1"), When("second", press="2"), When("", speak_s=4), When("", press="#", after_s=5)]
    await cloud.place_call(CALLER, NUMBER, script=script).ended()
    assert [application.asked(f"/{page}")[0]["Digits"] for page in ("second", "third", "recorded")] == ["1", "2", "#"]


async def test_who_hesitates_too_long_is_not_heard(cloud: Cloud, application: Application) -> None:
    application.pages["/voice"] = MENU.format(next="never", text="menu")
    call = cloud.place_call(CALLER, NUMBER, script=[When("menu", press="1", after_s=60)])
    await call.ended()
    assert call.texts == ["menu", "no key"]
    assert application.asked("/never") == []


async def test_a_leader_can_be_played_by_the_test(cloud: Cloud, application: Application) -> None:
    cloud.callees[LEADER] = Callee(answer_after_s=1)
    application.pages["/voice"] = f'<Dial action="/talked"><Number url="/whisper">{LEADER}</Number></Dial>'
    application.pages["/whisper"] = '<Gather numDigits="1" timeout="200" action="/take"/><Hangup/>'
    call = cloud.place_call(CALLER, NUMBER)
    leader = await cloud.leg_to(LEADER)
    await leader.press("1")
    await cloud.watch.until(lambda: leader.listening == "talk", 5, "no talk")
    leader.hang_up()
    await call.ended()
    assert application.asked("/take")[0]["Digits"] == "1"
    assert application.asked("/talked")[0]["DialBridged"] == "true"


async def test_the_first_of_several_phones_gets_the_call(cloud: Cloud, application: Application) -> None:
    cloud.callees |= {LEADER: Callee(answer_after_s=9), "client:deputy": Callee(answer_after_s=2, talk_s=5)}
    application.pages["/voice"] = f'<Dial action="/talked"><Number>{LEADER}</Number><Client>deputy</Client></Dial>'
    call = cloud.place_call(CALLER, NUMBER)
    await call.ended()
    assert [leg.status for leg in call.dialed] == ["canceled", "completed"]
    assert application.asked("/talked")[0]["DialCallSid"] == call.dialed[1].sid


async def test_one_after_the_other_when_sequential(cloud: Cloud, application: Application) -> None:
    cloud.callees |= {LEADER: Callee("busy"), "client:deputy": Callee(talk_s=5)}
    application.pages["/voice"] = f'<Dial sequential="true"><Number>{LEADER}</Number><Client>deputy</Client></Dial>'
    call = cloud.place_call(CALLER, NUMBER)
    await call.ended()
    assert [leg.status for leg in call.dialed] == ["busy", "completed"]


async def test_a_star_ends_the_talk_where_that_is_allowed(cloud: Cloud, application: Application) -> None:
    cloud.callees[LEADER] = Callee(answer_after_s=1)
    application.pages["/voice"] = f'<Dial hangupOnStar="true">{LEADER}</Dial><Say>goodbye</Say>'
    call = cloud.place_call(CALLER, NUMBER)
    await cloud.watch.until(lambda: any(heard.kind == "bridged" for heard in call.transcript), 5, "no talk")
    call.press_now("1*")
    await call.ended()
    assert call.texts == ["goodbye"]


async def test_a_talk_ends_at_its_time_limit(cloud: Cloud, application: Application) -> None:
    cloud.callees[LEADER] = Callee(answer_after_s=1)
    application.pages["/voice"] = f'<Dial timeLimit="20">{LEADER}</Dial><Say>goodbye</Say>'
    call = cloud.place_call(CALLER, NUMBER)
    await call.ended()
    assert call.texts == ["goodbye"]


async def test_a_called_leg_may_not_dial(cloud: Cloud, application: Application) -> None:
    cloud.callees[LEADER] = Callee(answer_after_s=1)
    application.pages["/voice"] = f'<Dial action="/talked"><Number url="/whisper">{LEADER}</Number></Dial>'
    application.pages["/whisper"] = f"<Dial>{LEADER}</Dial>"
    await cloud.place_call(CALLER, NUMBER).ended()
    assert [error.code for error in cloud.errors] == [13201]
    assert application.asked("/talked")[0]["DialBridged"] == "false"


async def test_waiting_for_what_never_comes_says_what_was_awaited(cloud: Cloud, application: Application) -> None:
    application.pages["/voice"] = "<Say>hello</Say><Pause length='1000'/>"
    call = cloud.place_call(CALLER, NUMBER)
    with pytest.raises(TimeoutError, match="never heard 'goodbye'"):
        await call.heard("goodbye", timeout_s=0.1)


async def test_two_hundred_callers_at_once(cloud: Cloud, application: Application) -> None:
    application.pages["/voice"] = MENU.format(next="second", text="menu")
    calls = [cloud.place_call(f"+86138{n:08}", NUMBER, script=[When("menu", press="1")]) for n in range(200)]
    for call in calls:
        await call.ended(30)
    await cloud.quiet()
    assert len(application.asked("/second")) == 200
    assert len(application.asked("/status")) == 200
    cloud.assert_faultless()
