"""What the double does to webhooks on demand, and what it does when they fail by themselves."""

from typing import get_args

import httpx
import pytest
from twilio.request_validator import RequestValidator

from tests.cloud import Cloud, When
from tests.cloud.mischief import Drop, Forge, Forgery, Hold, Latency, LoseAnswer, Repeat, Rule
from tests.cloud.webhooks import Answer
from tests.unit.cloud.conftest import CALLER, NUMBER, Application

KEYED = '<Gather numDigits="1" action="/keyed"><Say>press</Say></Gather>'


async def test_a_repeated_request_is_the_same_again(cloud: Cloud, application: Application) -> None:
    application.pages["/voice"] = "<Say>hello</Say>"
    cloud.mischief.add(Rule("/voice", Repeat(2)))
    await cloud.place_call(CALLER, NUMBER).ended()
    first, *others = application.asked("/voice")
    assert others == [first, first]
    tokens = {headers["i-twilio-idempotency-token"] for headers in application.headers[:3]}
    assert len(tokens) == 1
    assert [again == sent.answer for sent, again in cloud.webhooks.copies] == [True, True]


async def test_a_lost_answer_is_asked_for_again_with_the_same_token(cloud: Cloud, application: Application) -> None:
    application.pages["/voice"] = "<Say>hello</Say>"
    cloud.mischief.add(Rule("/voice", LoseAnswer(), nth=1))
    call = cloud.place_call(CALLER, NUMBER)
    await call.ended()
    assert call.texts == ["hello"]
    assert len(application.asked("/voice")) == 2
    assert application.headers[0]["i-twilio-idempotency-token"] == application.headers[1]["i-twilio-idempotency-token"]


async def test_a_callback_held_back_comes_after_the_next_webhook(cloud: Cloud, application: Application) -> None:
    application.pages["/voice"] = '<Record recordingStatusCallback="/kept" action="/recorded" timeout="1"/>'
    application.pages["/recorded"] = '<Pause length="20"/><Redirect>/next</Redirect>'
    cloud.mischief.add(Rule("/kept", Hold(past=2)))  # whether or not it is due before /recorded is answered
    cloud.recordings.processing_s = 5
    await cloud.place_call(CALLER, NUMBER, script=[When("", speak_s=1)]).ended()
    await cloud.quiet()
    order = [path for path, _ in application.requests]
    assert order.index("/kept") > order.index("/next")


async def test_the_last_callback_comes_even_when_nothing_follows(cloud: Cloud, application: Application) -> None:
    cloud.mischief.add(Rule("/status", Hold(past=5)))
    await cloud.place_call(CALLER, NUMBER).ended()
    await cloud.quiet()
    assert len(application.asked("/status")) == 1


async def test_a_dropped_document_is_tried_once_more(cloud: Cloud, application: Application) -> None:
    application.pages["/voice"] = "<Say>hello</Say>"
    cloud.mischief.add(Rule("/voice", Drop(), nth=1), Rule("/voice", Latency(0.01)))
    call = cloud.place_call(CALLER, NUMBER)
    await call.ended()
    assert call.texts == ["hello"]
    cloud.assert_faultless()


async def test_a_dropped_callback_never_comes(cloud: Cloud, application: Application) -> None:
    cloud.mischief.add(Rule("/status", Drop()))
    await cloud.place_call(CALLER, NUMBER).ended()
    await cloud.quiet()
    assert application.asked("/status") == []
    cloud.assert_faultless()


@pytest.mark.parametrize("how", get_args(Forgery))
async def test_forgeries_do_not_validate(cloud: Cloud, application: Application, how: Forgery) -> None:
    cloud.mischief.add(Rule("/voice", Forge(how)))
    await cloud.place_call(CALLER, NUMBER).ended()
    validator, url = RequestValidator("secret"), f"{application.url}/voice"
    forged, real = application.asked("/voice")
    assert not validator.validate(url, forged, application.headers[0].get("x-twilio-signature", ""))
    assert validator.validate(url, real, application.headers[1]["x-twilio-signature"])
    assert len(cloud.webhooks.forgeries) == 1


async def test_an_application_that_is_away_leads_to_an_apology(cloud: Cloud) -> None:
    cloud.own("+8610", voice_url="http://127.0.0.1:9/voice")
    call = cloud.place_call(CALLER, "+8610")
    await call.ended()
    assert [error.code for error in cloud.errors] == [11205]
    assert (call.ended_by, call.transcript[-1].kind) == ("error", "error")
    assert [sent.attempt for sent in cloud.sent] == [0, 1]


async def test_an_error_goes_to_the_fallback_url(cloud: Cloud, application: Application) -> None:
    cloud.own("+8610", voice_url=f"{application.url}/broken", fallback_url=f"{application.url}/fallback")
    application.statuses["/broken"] = 500
    application.pages["/fallback"] = "<Say>sorry</Say>"
    call = cloud.place_call(CALLER, "+8610")
    await call.ended()
    assert call.texts == ["sorry"]
    (asked,) = application.asked("/fallback")
    assert (asked["ErrorCode"], asked["ErrorUrl"]) == ("11200", f"{application.url}/broken")
    assert len(application.asked("/broken")) == 1, "an error status is not tried again by default"


async def test_a_document_in_mid_call_that_is_wrong_goes_to_the_fallback_url(
    cloud: Cloud, application: Application
) -> None:
    cloud.own("+8610", voice_url=f"{application.url}/voice", fallback_url=f"{application.url}/fallback")
    application.pages |= {"/voice": KEYED, "/keyed": "<Speak/>", "/fallback": "<Say>sorry</Say>"}
    call = cloud.place_call(CALLER, "+8610", script=[When("", press="1")])
    await call.ended()
    assert call.texts == ["press", "sorry"]
    assert [error.code for error in cloud.errors] == [12200]


async def test_a_slow_application_is_not_waited_for(cloud: Cloud, application: Application) -> None:
    cloud.timeouts.total = 0.05
    cloud.mischief.add(Rule("/voice", Latency(0.01)))
    cloud.own("+8610", voice_url="http://10.255.255.1/voice#ct=100&rc=0")
    await cloud.place_call(CALLER, "+8610").ended()
    assert len(cloud.errors) == 1


async def test_retries_can_be_asked_for_in_the_url(cloud: Cloud, application: Application) -> None:
    application.statuses["/broken"] = 503
    cloud.own("+8610", voice_url=f"{application.url}/broken#rc=3&rp=5xx")
    await cloud.place_call(CALLER, "+8610").ended()
    assert len(application.asked("/broken")) == 4


async def test_an_application_that_hangs_is_tried_again_only_while_the_time_for_all_attempts_lasts(
    cloud: Cloud, application: Application
) -> None:
    """The time to read is by itself as long as that for all attempts: one attempt uses it up, unless the URL says less."""
    cloud.timeouts.read = cloud.timeouts.total = 1.0
    application.pages["/voice"] = "<Say>hello</Say>"
    heard = []
    for wish in ("rc=2&rp=rt", "rc=2&rp=rt&rt=200"):
        application.hangs.append("/voice")
        cloud.own("+8610", voice_url=f"{application.url}/voice#{wish}")
        call = cloud.place_call(CALLER, "+8610")
        await call.ended()
        heard.append(call.texts)
    assert heard == [[], ["hello"]]


async def test_a_json_hook_carries_the_hash_of_its_body(cloud: Cloud, application: Application) -> None:
    answer = await cloud.post_json(f"{application.url}/events?a=1", {"type": "call"})
    assert isinstance(answer, Answer)
    assert httpx.codes.is_success(answer.status)
    assert application.headers[-1]["content-type"] == "application/json"


async def test_a_lost_callback_answer_brings_the_callback_again(cloud: Cloud, application: Application) -> None:
    cloud.mischief.add(Rule("/status", LoseAnswer()))
    await cloud.place_call(CALLER, NUMBER).ended()
    await cloud.quiet()
    first, again = application.asked("/status")
    assert first == again
    cloud.assert_faultless()


async def test_hostile_parameters_are_sent_as_they_are(cloud: Cloud, application: Application) -> None:
    hostile = "<&>\"' \x01 \N{GRINNING FACE} " + "长" * 3000
    cloud.extra_params["CallerName"] = hostile
    await cloud.place_call(CALLER, NUMBER).ended()
    assert application.asked("/voice")[0]["CallerName"] == hostile


async def test_an_answer_that_comes_too_late_is_looked_at_all_the_same(cloud: Cloud, application: Application) -> None:
    application.pages["/voice"] = KEYED
    application.statuses["/keyed"] = 500
    cloud.mischief.add(Rule("/keyed", Latency(0.3)))
    call = cloud.place_call(CALLER, NUMBER, script=[When("", press="1"), When("", hang_up=True)])
    await call.ended()
    await cloud.quiet()
    assert call.ended_by == "caller"
    assert [error.code for error in cloud.errors] == [11200]
