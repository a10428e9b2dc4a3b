"""The REST API, asked by the official client."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

import httpx
import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from tests.cloud import Callee, Cloud, When
from tests.unit.cloud.conftest import CALLER, LEADER, NUMBER, Application

T = TypeVar("T")


class Elsewhere(TwilioHttpClient):  # type: ignore[misc] # the library has no types
    """The official HTTP client, sent to another host."""

    def __init__(self, base: str) -> None:
        super().__init__(timeout=5)
        self._base = base

    def request(self, method: str, url: str, **rest: Any) -> Any:
        return super().request(method, url.replace("https://api.twilio.com", self._base), **rest)


def client(cloud: Cloud, token: str = "secret") -> Client:
    return Client(cloud.account_sid, token, http_client=Elsewhere(cloud.api_url))


async def ask(question: Callable[[], T]) -> T:
    """The official client blocks, and the cloud lives on this event loop."""
    return await asyncio.to_thread(question)


async def refused(question: Callable[[], object]) -> tuple[int, int]:
    """HTTP status and code of a refusal."""
    with pytest.raises(TwilioRestException) as refusal:
        await ask(question)
    return refusal.value.status, refusal.value.code


async def test_an_ordered_call_rings_is_answered_and_told_of(cloud: Cloud, application: Application) -> None:
    cloud.callees[LEADER] = Callee(answer_after_s=2, script=[When("press one", press="1")])
    application.pages["/out"] = '<Gather numDigits="1" action="/pressed"><Say>press one</Say></Gather>'
    api = client(cloud)
    made = await ask(
        lambda: api.calls.create(
            to=LEADER,
            from_=NUMBER,
            url=f"{application.url}/out",
            status_callback=f"{application.url}/progress",
            status_callback_event=["initiated", "ringing", "answered", "completed"],
            machine_detection="Enable",
        )
    )
    assert made.status == "queued"
    await cloud.calls[made.sid].ended()
    await cloud.quiet()
    assert application.asked("/out")[0]["AnsweredBy"] == "human"
    assert application.asked("/out")[0]["Direction"] == "outbound-api"
    progress = sorted(application.asked("/progress"), key=lambda form: int(form["SequenceNumber"]))
    assert [form["CallStatus"] for form in progress] == ["initiated", "ringing", "in-progress", "completed"]
    assert len(application.asked("/pressed")) == 1
    fetched = await ask(lambda: api.calls(made.sid).fetch())
    assert (fetched.status, fetched.answered_by, fetched.direction) == ("completed", "human", "outbound-api")
    cloud.assert_faultless()


async def test_who_answered_is_detected(cloud: Cloud, application: Application) -> None:
    cloud.calls_per_second = 1000.0
    api = client(cloud)
    for who in ("machine", "fax", "unknown"):
        cloud.callees[LEADER] = Callee(answered_by=who)
        await ask(
            lambda: api.calls.create(to=LEADER, from_=NUMBER, url=f"{application.url}/out", machine_detection="Enable")
        )
        await cloud.quiet()
    assert [form["AnsweredBy"] for form in application.asked("/out")] == ["machine_start", "fax", "unknown"]


@pytest.mark.parametrize("outcome", ["busy", "no-answer", "failed"])
async def test_an_ordered_call_that_reaches_nobody(cloud: Cloud, outcome: Any) -> None:
    cloud.callees[LEADER] = Callee(outcome)
    made = await ask(lambda: client(cloud).calls.create(to=LEADER, from_=NUMBER, twiml="<Response/>", timeout=5))
    await cloud.calls[made.sid].until(outcome)


async def test_an_update_overtakes_the_request_under_way(cloud: Cloud, application: Application) -> None:
    application.pages["/voice"] = '<Gather timeout="50" action="/late"><Say>please hold</Say></Gather>'
    application.pages["/now"] = "<Say>it is your turn</Say><Redirect>/broken</Redirect>"
    application.pages["/sorry"] = "<Say>sorry</Say>"
    application.statuses["/broken"] = 500
    call = cloud.place_call(CALLER, NUMBER)
    await call.heard("please hold")
    api = client(cloud)
    await ask(
        lambda: api.calls(call.sid).update(url=f"{application.url}/now", fallback_url=f"{application.url}/sorry")
    )
    await call.ended()
    assert call.texts == ["please hold", "it is your turn", "sorry"]
    assert application.asked("/late") == []
    assert await refused(lambda: api.calls(call.sid).update(twiml="<Response/>")) == (400, 21220)


async def test_a_live_call_is_ended(cloud: Cloud, application: Application) -> None:
    application.pages["/voice"] = "<Pause length='500'/>"
    call = cloud.place_call(CALLER, NUMBER)
    await call.until("in-progress")
    await ask(lambda: client(cloud).calls(call.sid).update(status="completed"))
    await call.ended()
    assert (call.status, call.ended_by) == ("completed", "rest")


async def test_calls_are_listed(cloud: Cloud) -> None:
    for _ in range(3):
        await cloud.place_call(CALLER, NUMBER).ended()
    listed = await ask(lambda: client(cloud).calls.list(to=NUMBER, page_size=2))
    assert [call.sid for call in listed] == list(reversed(cloud.calls))


async def test_a_recording_is_there_after_a_while_and_gone_when_deleted(cloud: Cloud, application: Application) -> None:
    application.pages["/voice"] = '<Record action="/recorded" timeout="2"/>'
    cloud.recordings.processing_s = 10_000
    await cloud.place_call(CALLER, NUMBER, script=[When("", speak_s=5)]).ended()
    (asked,) = application.asked("/recorded")
    async with httpx.AsyncClient(auth=(cloud.account_sid, "secret")) as web:
        assert (await web.get(asked["RecordingUrl"] + ".wav")).status_code == 404
        sid = asked["RecordingUrl"].rpartition("/")[2]
        cloud.recordings.kept[sid].state = "completed"
        sound = await web.get(asked["RecordingUrl"] + ".wav")
        assert sound.content.startswith(b"RIFF")
        assert (await web.get(asked["RecordingUrl"], auth=("AC", "wrong"))).status_code == 401
    api = client(cloud)
    (listed,) = await ask(lambda: api.recordings.list(call_sid=asked["CallSid"]))
    assert (listed.sid, listed.status, listed.source) == (sid, "completed", "RecordVerb")
    assert await ask(lambda: api.recordings(listed.sid).delete())
    assert await refused(lambda: api.recordings(listed.sid).fetch()) == (404, 20404)


async def test_a_number_is_found_and_set_up(cloud: Cloud) -> None:
    api = client(cloud)
    (number,) = await ask(lambda: api.incoming_phone_numbers.list(phone_number=NUMBER))
    changed = await ask(
        lambda: api.incoming_phone_numbers(number.sid).update(voice_url="https://a.example/twilio/voice")
    )
    assert changed.voice_url == "https://a.example/twilio/voice"
    assert await refused(lambda: api.incoming_phone_numbers(number.sid).update(voice_url="a.example")) == (400, 21402)


async def test_refusals(cloud: Cloud, application: Application) -> None:
    api, url = client(cloud), f"{application.url}/out"
    cloud.callees[LEADER] = Callee("busy")
    assert await refused(client(cloud, "wrong").calls("CA" + "0" * 32).fetch) == (401, 20003)
    assert await refused(lambda: api.calls("CA" + "0" * 32).fetch()) == (404, 20404)
    assert await refused(lambda: api.calls.create(to="13800138000", from_=NUMBER, url=url)) == (400, 21211)
    assert await refused(lambda: api.calls.create(to=LEADER, from_="+8610000000", url=url)) == (400, 21210)
    assert await refused(lambda: api.calls.create(to=LEADER, from_=NUMBER)) == (400, 21205)
    assert await refused(lambda: api.calls.create(to=LEADER, from_=NUMBER, url="/out")) == (400, 21205)
    assert await refused(lambda: api.calls.create(to=LEADER, from_=NUMBER, url=url, call_token="x")) == (400, 20001)
    assert await refused(api.queues("QU" + "0" * 32).fetch) == (404, 20404)


async def test_more_calls_a_second_than_allowed_are_refused(cloud: Cloud, application: Application) -> None:
    cloud.callees[LEADER] = Callee("busy")
    cloud.calls_per_second = 0.001
    api = client(cloud)
    await ask(lambda: api.calls.create(to=LEADER, from_=NUMBER, url=f"{application.url}/out"))
    again = await refused(lambda: api.calls.create(to=LEADER, from_=NUMBER, url=f"{application.url}/out"))
    assert again == (429, 20429)
