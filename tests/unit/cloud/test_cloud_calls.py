"""One call through the double: what each verb does, what follows it, and what the application is told."""

import pytest

from tests.cloud import Callee, Cloud, When
from tests.unit.cloud.conftest import CALLER, LEADER, NUMBER, Application


async def test_a_call_says_who_calls_and_ends_with_its_document(cloud: Cloud, application: Application) -> None:
    application.pages["/voice"] = "<Say>hello</Say>"
    call = cloud.place_call(CALLER, NUMBER)
    await call.ended()
    await cloud.quiet()
    assert call.texts == ["hello"]
    assert (call.status, call.ended_by) == ("completed", "document")
    (asked,) = application.asked("/voice")
    assert asked == {
        "CallSid": call.sid, "AccountSid": cloud.account_sid, "From": CALLER, "To": NUMBER, "Caller": CALLER,
        "Called": NUMBER, "CallStatus": "ringing", "ApiVersion": "2010-04-01", "Direction": "inbound",
    }  # fmt: skip
    (told,) = application.asked("/status")
    assert told["CallStatus"] == "completed"
    assert int(told["CallDuration"]) >= 0
    cloud.assert_faultless()


async def test_a_key_during_the_prompt_ends_it_and_goes_to_the_action(cloud: Cloud, application: Application) -> None:
    application.pages["/voice"] = '<Gather numDigits="1" action="choice"><Say>press one or two</Say></Gather>'
    application.pages["/choice"] = lambda form: f"<Say>you pressed {form['Digits']}</Say>"
    call = cloud.place_call(CALLER, NUMBER, script=[When("press one", press="2")])
    await call.ended()
    assert call.texts == ["press one or two", "you pressed 2"]


async def test_silence_falls_through_to_the_next_verb(cloud: Cloud, application: Application) -> None:
    application.pages["/voice"] = '<Gather timeout="1" action="/never"/><Say>still there?</Say>'
    call = cloud.place_call(CALLER, NUMBER)
    await call.ended()
    assert call.texts == ["still there?"]
    assert application.asked("/never") == []


async def test_silence_goes_to_the_action_when_empty_results_are_wanted(cloud: Cloud, application: Application) -> None:
    application.pages["/voice"] = '<Gather timeout="1" actionOnEmptyResult="true" action="/empty"/>'
    call = cloud.place_call(CALLER, NUMBER)
    await call.ended()
    assert application.asked("/empty")[0]["Digits"] == ""


async def test_the_finish_key_ends_gathering_and_is_no_digit(cloud: Cloud, application: Application) -> None:
    application.pages["/voice"] = '<Gather action="/digits"><Say>your number</Say></Gather>'
    call = cloud.place_call(CALLER, NUMBER, script=[When("", press="123#")])
    await call.ended()
    (asked,) = application.asked("/digits")
    assert (asked["Digits"], asked["FinishedOnKey"]) == ("123", "#")


async def test_a_few_digits_and_then_silence_are_sent_after_the_timeout(cloud: Cloud, application: Application) -> None:
    application.pages["/voice"] = '<Gather numDigits="5" timeout="2" action="/digits"/>'
    call = cloud.place_call(CALLER, NUMBER, script=[When("", press="12")])
    await call.ended()
    assert application.asked("/digits")[0]["Digits"] == "12"


async def test_keys_outside_of_a_gather_are_lost(cloud: Cloud, application: Application) -> None:
    application.pages["/voice"] = "<Say>this takes a while to say, long enough</Say><Gather timeout='1'/>"
    call = cloud.place_call(CALLER, NUMBER)
    await call.heard("takes a while")
    call.press_now("1")
    await call.ended()
    assert [heard.text for heard in call.transcript if heard.kind == "lost_key"] == ["1"]
    assert len(application.asked("/voice")) == 1


@pytest.mark.parametrize(("control", "times"), [("public, max-age=60", 1), ("max-age=60", 1), ("private, max-age=60", 2)])
async def test_sounds_are_fetched_and_played(
    cloud: Cloud, application: Application, control: str, times: int
) -> None:
    application.cache_control = control
    application.pages["/voice"] = "<Play>sound.wav</Play><Play loop='2'>/sound.wav</Play>"
    call = cloud.place_call(CALLER, NUMBER)
    await call.ended()
    assert call.texts == [f"{application.url}/sound.wav"] * 2
    assert len(application.asked("/sound.wav")) == times, "the caches are shared: what is private they do not keep"
    cloud.assert_faultless()


async def test_a_sound_that_is_none_is_an_error(cloud: Cloud, application: Application) -> None:
    application.pages["/voice"] = "<Play>/page</Play>"
    await cloud.place_call(CALLER, NUMBER).ended()
    assert [error.code for error in cloud.errors] == [13420]


async def test_a_message_is_recorded_until_silence(cloud: Cloud, application: Application) -> None:
    application.pages["/voice"] = '<Record action="/recorded" maxLength="120" timeout="3"/><Say>nothing</Say>'
    call = cloud.place_call(CALLER, NUMBER, script=[When("", speak_s=20)])
    await call.ended()
    (asked,) = application.asked("/recorded")
    assert abs(int(asked["RecordingDuration"]) - 20) <= 1
    assert asked["RecordingUrl"].rpartition("/")[2] in cloud.recordings.kept
    assert "Digits" not in asked
    assert call.texts == []


async def test_silence_that_is_not_to_be_trimmed_is_a_recording(cloud: Cloud, application: Application) -> None:
    application.pages["/voice"] = '<Record action="/recorded" timeout="8" trim="do-not-trim"/>'
    for script in ((), (When("", speak_s=4),)):
        await cloud.place_call(CALLER, NUMBER, script=script).ended()
    silent, spoken = (int(asked["RecordingDuration"]) for asked in application.asked("/recorded"))
    assert silent == 8
    assert 12 <= spoken <= 14


async def test_an_empty_recording_requests_nothing_and_goes_on(cloud: Cloud, application: Application) -> None:
    application.pages["/voice"] = '<Record action="/recorded" timeout="2"/><Say>nothing</Say>'
    call = cloud.place_call(CALLER, NUMBER)
    await call.ended()
    assert application.asked("/recorded") == []
    assert call.texts == ["nothing"]


async def test_who_hangs_up_in_a_message_still_left_one(cloud: Cloud, application: Application) -> None:
    application.pages["/voice"] = '<Record action="/recorded" recordingStatusCallback="/kept"/>'
    call = cloud.place_call(CALLER, NUMBER, script=[When("", speak_s=9), When("", hang_up=True, after_s=4)])
    await call.ended()
    await cloud.quiet()
    (asked,) = application.asked("/recorded")
    assert (asked["Digits"], asked["CallStatus"]) == ("hangup", "completed")
    (kept,) = application.asked("/kept")
    assert (kept["RecordingStatus"], kept["RecordingUrl"]) == ("completed", asked["RecordingUrl"])


@pytest.mark.parametrize(("rings_on", "hears"), [("false", ["ring", "silence", "bridged"]), ("true", ["ring", "bridged"])])
async def test_a_talk_with_whisper_and_recording(
    cloud: Cloud, application: Application, rings_on: str, hears: list[str]
) -> None:
    cloud.callees[LEADER] = Callee(answer_after_s=3, talk_s=40, script=[When("press one", press="1")])
    application.pages["/voice"] = (
        '<Dial action="/talked" record="record-from-answer-dual" recordingStatusCallback="/kept" timeout="20"'
        f' answerOnBridge="{rings_on}">'
        f'<Number url="/whisper" statusCallback="/leg" statusCallbackEvent="initiated ringing answered completed">'
        f"{LEADER}</Number></Dial>"
    )
    application.pages["/whisper"] = (
        '<Gather numDigits="1" timeout="5" action="/accepted"><Say>press one</Say></Gather><Hangup/>'
    )
    application.pages["/talked"] = "<Say>goodbye</Say>"
    call = cloud.place_call(CALLER, NUMBER)
    await call.ended()
    await cloud.quiet()
    assert call.texts == ["goodbye"]
    assert [heard.kind for heard in call.transcript][:-1] == hears
    (talked,) = application.asked("/talked")
    assert (talked["DialCallStatus"], talked["DialBridged"]) == ("completed", "true")
    assert int(talked["DialCallDuration"]) == 40
    assert talked["DialCallSid"] == call.dialed[0].sid
    (kept,) = application.asked("/kept")
    assert (kept["RecordingChannels"], kept["RecordingSource"]) == ("2", "DialVerb")
    legs = sorted(application.asked("/leg"), key=lambda form: int(form["SequenceNumber"]))
    assert [leg["CallStatus"] for leg in legs] == ["initiated", "ringing", "in-progress", "completed"]
    assert {leg["ParentCallSid"] for leg in legs} == {call.sid}
    cloud.assert_faultless()


async def test_a_voicemail_that_presses_nothing_is_never_bridged(cloud: Cloud, application: Application) -> None:
    cloud.callees[LEADER] = Callee(answered_by="machine")
    application.pages["/voice"] = f'<Dial action="/talked"><Number url="/whisper">{LEADER}</Number></Dial>'
    application.pages["/whisper"] = '<Gather numDigits="1" timeout="2"><Say>press one</Say></Gather><Hangup/>'
    await cloud.place_call(CALLER, NUMBER).ended()
    (talked,) = application.asked("/talked")
    assert (talked["DialCallStatus"], talked["DialBridged"]) == ("completed", "false")
    assert "DialCallDuration" not in talked


async def test_busy_no_answer_failed_and_nobody_there(cloud: Cloud, application: Application) -> None:
    application.pages["/voice"] = f'<Dial action="/talked" timeout="5">{LEADER}</Dial>'
    cloud.callees[LEADER] = (Callee("busy"), Callee("failed"), Callee("no-answer"), Callee(answer_after_s=9))
    for _ in range(4):
        await cloud.place_call(CALLER, NUMBER).ended()
    statuses = [asked["DialCallStatus"] for asked in application.asked("/talked")]
    assert statuses == ["busy", "failed", "no-answer", "no-answer"]
    del cloud.callees[LEADER]
    await cloud.place_call(CALLER, NUMBER).ended()
    assert [error.code for error in cloud.errors] == [13224]


async def test_a_caller_who_hangs_up_while_it_rings(cloud: Cloud, application: Application) -> None:
    cloud.callees[LEADER] = Callee("no-answer")
    application.pages["/voice"] = f'<Dial action="/talked">{LEADER}</Dial>'
    call = cloud.place_call(CALLER, NUMBER, script=[When("", hang_up=True, after_s=5)])
    await call.ended()
    await cloud.quiet()
    (talked,) = application.asked("/talked")
    assert (talked["CallStatus"], talked["DialCallStatus"], talked["DialBridged"]) == ("completed", "canceled", "false")
    assert call.ended_by == "caller"


async def test_a_caller_who_hangs_up_in_the_talk(cloud: Cloud, application: Application) -> None:
    cloud.callees["sip:leader@127.0.0.1:5070"] = Callee()
    application.pages["/voice"] = '<Dial action="/talked"><Sip>sip:leader@127.0.0.1:5070</Sip></Dial>'
    call = cloud.place_call(CALLER, NUMBER)
    leader = await cloud.leg_to("sip:leader@127.0.0.1:5070")
    await cloud.watch.until(lambda: any(h.kind == "bridged" for h in leader.transcript), 5, "no talk")
    call.hang_up()
    await cloud.quiet()
    assert (leader.status, leader.ended_by) == ("completed", "caller")
    (talked,) = application.asked("/talked")
    assert (talked["CallStatus"], talked["DialCallStatus"], talked["DialBridged"]) == ("completed", "completed", "true")


async def test_a_rejected_call_is_never_answered(cloud: Cloud, application: Application) -> None:
    application.pages["/voice"] = '<Reject reason="busy"/>'
    call = cloud.place_call(CALLER, NUMBER)
    await call.until("busy")
    await cloud.quiet()
    assert application.asked("/status")[0]["CallStatus"] == "busy"


async def test_documents_that_lead_nowhere_are_stopped(cloud: Cloud, application: Application) -> None:
    application.pages["/voice"] = "<Redirect>/voice</Redirect>"
    call = cloud.place_call(CALLER, NUMBER)
    await call.ended()
    assert [error.code for error in cloud.errors] == [12400]
    assert call.ended_by == "error"
