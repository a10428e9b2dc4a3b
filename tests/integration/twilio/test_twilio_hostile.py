"""Forged, foreign, huge and hostile webhooks, in every parameter; through proxies; and the OpenAPI document fuzzed."""

import asyncio
import json
import re
from collections.abc import Iterator
from urllib.parse import urlencode

import httpx
import pytest
import structlog
from redis.asyncio import Redis

from calls.placed_register import of_order
from config.settings import Settings
from telephony.twilio.addresses import Step
from telephony.twilio.callbacks import leg_of_try
from tests.cloud import Callee, When
from tests.cloud.document import read_response
from tests.cloud.leg import Leg
from tests.cloud.mischief import Forge, Rule
from tests.cloud.signature import sign, with_body_hash
from tests.integration.twilio.office import DUTY, office_in
from tests.integration.twilio.town import ACCOUNT, LEADER, NUMBER, TOKEN, WILLING, Town, said, town
from tests.waiting import until

HOSTILE = (
    "&<>\"'", "]]><Dial>+1900</Dial>", "<!DOCTYPE x [<!ENTITY y SYSTEM 'file:///etc/passwd'>]>&y;", "\x00\r\n\x1b[31m\u2028",
    "熱線問政 🙈🙉", "x" * 10_240, "-1", "1e999", "true", "' OR 1=1 --", "{{7*7}}", "../../etc/passwd", "",
)  # fmt: skip
PARAMETERS = (
    "From", "To", "CallStatus", "Digits", "RecordingDuration", "RecordingSid", "RecordingStatus", "DialCallStatus",
    "DialCallDuration", "DialBridged", "Direction", "AnsweredBy", "ErrorCode", "CallerName", "ParentCallSid",
    "RecordingUrl", "Caller", "Called", "ForwardedFrom", "SpeechResult", "FromCity",
)  # fmt: skip
OURS = ("scene", "seq", "count", "typed", "tries", "retries", "several", "waits", "of", "leg", "placed", "name", "bodySHA256")
STEPS: tuple[Step, ...] = (
    "voice", "present", "keys", "silence", "hold", "awaited", "recorded", "dialled", "whisper", "confirm", "joined", "leg",
    "recording", "status", "fallback", "fallback-recorded",
)  # fmt: skip


def _form(**more: str) -> dict[str, str]:
    return {
        "CallSid": "CA" + "b" * 32, "AccountSid": ACCOUNT, "From": "+8613812345678", "To": NUMBER,
        "CallStatus": "in-progress", **more,
    }  # fmt: skip


def _attacks(turn: int) -> Iterator[dict[str, str]]:
    """Each value in all parameters at once, and each parameter alone with a value; over all steps every such pair comes."""
    for value in HOSTILE:
        yield dict.fromkeys(PARAMETERS, value[:2000])  # more in all would be too large a body
    for name in PARAMETERS:
        yield {name: "x" * 10_240}
    for number, name in enumerate(PARAMETERS):
        yield {name: HOSTILE[(turn + number) % len(HOSTILE)]}


@pytest.mark.parametrize("step", STEPS)
async def test_hostile_values_in_every_parameter_are_answered_with_harmless_twiml(here: Town, step: Step) -> None:
    await here.open_session()
    for hostile in _attacks(STEPS.index(step)):
        answer = await here.post(f"/twilio/{step}?scene=1&seq=1&retries=1", _form(**hostile))
        assert answer.status_code == 200, hostile
        read_response(answer.headers["content-type"], answer.content)  # as strictly as the cloud
        assert "1900" not in answer.text
        assert "ENTITY" not in answer.text
        assert "+8613812345678" not in answer.text
    turn, before = STEPS.index(step), await here.core.calls.live()
    for call_sid in HOSTILE[turn % 3 :: 3]:
        answer = await here.post(f"/twilio/{step}?scene=1&seq=1", _form(CallSid=call_sid))
        assert answer.status_code == 200, call_sid
        assert "<Response" in answer.text
    for body in ({name: HOSTILE[turn % len(HOSTILE)] for name in (*PARAMETERS, "CallSid")}, [*HOSTILE], None, 1e308):
        told = await here.cloud.post_json(f"{here.settings.effective_public_url}/twilio/{step}?scene=1&seq=1", body)
        assert told.status < 500, body
    assert await here.core.calls.live() == before, "what is no call begins none"


async def test_hostile_values_in_our_own_addresses_change_nothing_for_a_caller_who_waits(here: Town) -> None:
    """Signed, as if somebody could have had such an address signed."""
    await here.open_session()
    await here.core.seats.pause(here.seat_id, "away")
    leg = here.call(When(said("choose_line"), press="1"))
    before = await here.at(leg, "waiting")
    for number, step in enumerate(STEPS):
        for at, name in enumerate(OURS):
            value = HOSTILE[(number + at) % len(HOSTILE)][:1000]
            query = urlencode({"scene": before.scene + 1, "seq": before.seq, name: value})
            if step in ("voice", "status", "fallback", "fallback-recorded"):
                query = urlencode({name: value})
            if step in ("fallback", "fallback-recorded"):
                continue  # a caller who comes there has left the others
            answer = await here.post(f"/twilio/{step}?{query}", {**_form(Digits="2"), "CallSid": leg.sid})
            assert answer.status_code == 200, (step, name, value)
            read_response(answer.headers["content-type"], answer.content)
            assert "1900" not in answer.text
    after = await here.saved(leg)
    assert (after.node, after.joined_at, after.outcome) == ("waiting", before.joined_at, before.outcome)
    leg.hang_up()
    assert await here.outcome(leg) == "abandoned"


#: Of a leg of ours, these would be an event of the scene that it is in: they are sent for another one.
EVENTS = ("silence", "recorded", "dialled")
ADMISSIONS = ("fallback", "fallback-recorded")


async def _attack(here: Town, leg: Leg, scene: int, about: dict[str, str]) -> None:
    """Every step of a leg of ours, with its real address and hostile parameters, and with everything of ours hostile in the
    address of every third step. Nothing is pressed."""
    form = {**_form(), "CallSid": leg.sid, "Direction": "outbound-api", "From": NUMBER, "To": leg.parties.to}
    for number, step in enumerate(STEPS):
        if step in ADMISSIONS and "placed" not in about:
            continue  # who comes there has left the others
        address = {"scene": str(scene + (step in EVENTS)), "seq": "1", **about}
        spoilt = [(address, {**form, **dict.fromkeys(PARAMETERS, value[:2000])}) for value in HOSTILE[number % 4 :: 4]]
        for at, name in enumerate(OURS[number % 3 :: 3] if step not in ADMISSIONS else ()):
            value = HOSTILE[(number + at) % len(HOSTILE)][:1000]
            spoilt.append(({**address, "scene": str(scene + 1), name: value}, form))
        for query, told in spoilt:
            answer = await here.post(f"/twilio/{step}?{urlencode(query)}", told)
            assert answer.status_code == 200, (step, query)
            read_response(answer.headers["content-type"], answer.content)
            assert not re.search("1900|ENTITY|8613812345678", answer.text)


async def test_hostile_webhooks_of_a_call_about_an_order_change_nothing_for_who_is_on_the_phone(
    settings: Settings, redis: Redis
) -> None:
    async with office_in(settings, ask_timeout_s=2000.0) as office:
        office.here.cloud.callees[DUTY] = Callee(answer_after_s=1)
        order_id = await office.order()
        placed_id = await office.ask(order_id, "urgent")
        await until(office.legs, 15.0, "the duty phone rings")
        (leg,) = office.legs()
        await leg.heard(said("urgent_choose"), 15.0)
        row = (await of_order(office.database, order_id))[0]
        before, kinds = row.talk, await office.kinds(order_id)
        await _attack(office.here, leg, 0, {"leg": row.leg, "placed": placed_id})
        now = (await of_order(office.database, order_id))[0]
        assert (now.talk, now.state, await office.kinds(order_id)) == (before, "talking", kinds)
        await leg.press("1")
        assert (await office.over(order_id)).result == "confirmed"
        assert await office.here.core.calls.live() == []
        assert office.here.spool_files() == []


async def test_hostile_webhooks_of_a_leg_that_calls_back_change_nothing_for_who_is_on_the_phone(
    settings: Settings, redis: Redis
) -> None:
    async with town(settings, ask_timeout_s=2000.0) as here:
        here.cloud.calls_per_second = 1000.0
        here.cloud.callees |= {"+8613812345678": Callee(answer_after_s=1), LEADER: WILLING}
        await here.open_session()
        await here.core.seats.pause(here.seat_id, "away")
        first = here.call(When("请按一", press="1"), When("请按三", press="3", after_s=40), number="+8613812345678")
        await here.at(first, "kept")
        await here.core.seats.resume(here.seat_id)
        before = await here.at(first, "screening")
        back = here.cloud.calls[before.leg]
        await _attack(here, back, before.scene, {"leg": leg_of_try(before), "of": first.sid})
        after = await here.saved(first)
        assert (after.node, after.scene, after.leg, after.token) == (before.node, before.scene, before.leg, before.token)
        await back.press("1")
        await here.at(first, "talking")
        back.hang_up()
        await here.at(first, "ended")
        assert await here.core.calls.live() == []
        assert here.spool_files() == []
        here.cloud.assert_faultless()


@pytest.mark.parametrize("value", HOSTILE)
async def test_a_call_sid_that_is_none_is_hung_up(here: Town, value: str) -> None:
    answer = await here.post("/twilio/voice", _form(CallSid=value))
    assert answer.status_code == 200
    assert "<Hangup" in answer.text or "<Record" in answer.text
    assert await here.core.calls.live() == []


async def test_forged_missing_and_foreign_signatures_are_refused_and_counted(here: Town) -> None:
    url = f"{here.settings.effective_public_url}/twilio/voice"
    foreign = {**_form(), "AccountSid": "AC" + "9" * 32}
    foreign_body = json.dumps(foreign).encode()
    foreign_url = with_body_hash(url, foreign_body)
    with structlog.testing.capture_logs() as logs:
        refused = await _refused(here, url, foreign)
        async with httpx.AsyncClient(trust_env=False) as client:
            headers = {"Content-Type": "application/json", "X-Twilio-Signature": sign(TOKEN, foreign_url, {})}
            refused.append(await client.post(foreign_url, content=foreign_body, headers=headers))
    told = [one for one in logs if one["event"] == "a webhook was refused"]
    assert len(told) == len(refused)
    assert "1381234" not in repr(logs)
    assert "9" * 32 not in repr(logs)
    assert {answer.status_code for answer in refused} == {403}
    assert {answer.json()["code"] for answer in refused} == {"signature_invalid"}
    async with httpx.AsyncClient(trust_env=False) as client:
        metrics = (await client.get(f"{here.settings.effective_public_url}/metrics")).text
    assert 'hotline_cloud_refused_total{step="voice"} 7.0' in metrics
    assert "13812345678" not in metrics
    assert await here.core.calls.live() == []


async def test_what_fails_at_the_door_is_told_counted_and_answered_without_a_trace(here: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    assert here.parts is not None

    async def breaks(*_: object) -> str:
        raise KeyError("13812345678")

    monkeypatch.setattr(here.parts.webhooks, "answer", breaks)
    with structlog.testing.capture_logs() as logs:
        answer = await here.post("/twilio/voice", _form())
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert [(one["event"], one["error"]) for one in logs if one["log_level"] == "error"] == [("a request failed", "KeyError")]
    assert "13812345678" not in answer.text
    async with httpx.AsyncClient(trust_env=False) as client:
        metrics = (await client.get(f"{here.settings.effective_public_url}/metrics")).text
    assert 'hotline_http_requests_total{method="POST",route="/twilio/{step}",status="500"} 1.0' in metrics


async def _refused(here: Town, url: str, foreign: dict[str, str]) -> list[httpx.Response]:
    return [
        await here.post("/twilio/voice", _form(), signature=""),
        await here.post("/twilio/voice", _form(), signature="nonsense"),
        await here.post("/twilio/voice", _form(), signature="A" * 5000),
        await here.post("/twilio/voice", _form(), signature=sign("another token", url, _form())),
        await here.post("/twilio/voice", _form(), signature=sign(TOKEN, url + "?x=1", _form())),
        await here.post("/twilio/voice", foreign, signature=sign(TOKEN, url, foreign)),
    ]


@pytest.mark.parametrize("how", ["signature", "missing", "account", "tampered"])
async def test_forged_copies_in_the_middle_of_a_call_change_nothing(here: Town, how: str) -> None:
    await here.open_session()
    await here.core.seats.pause(here.seat_id, "away")
    here.cloud.mischief.add(Rule(r"/twilio/", Forge(how)))  # type: ignore[arg-type]
    leg = here.call(
        When(said("choose_line"), press="2"), When("提示音", speak_s=9), When(said("order_repeat"), hang_up=True)
    )
    assert await here.outcome(leg) == "work_order"
    assert len(await here.orders(1)) == 1


async def test_a_signed_json_body_is_taken_and_a_changed_one_refused(here: Town) -> None:
    url = f"{here.settings.effective_public_url}/twilio/voice"
    body = json.dumps(_form()).encode()
    signed = with_body_hash(url, body)
    headers = {"Content-Type": "application/json", "X-Twilio-Signature": sign(TOKEN, signed, {})}
    async with httpx.AsyncClient(trust_env=False) as client:
        good = await client.post(signed, content=body, headers=headers)
        changed = await client.post(signed, content=body.replace(b"b", b"c"), headers=headers)
        bare = await client.post(url, content=body, headers={**headers, "X-Twilio-Signature": sign(TOKEN, url, {})})
    assert (good.status_code, changed.status_code, bare.status_code) == (200, 403, 403)


async def _status_of(port: int, head: str, chunk: bytes, chunks: int) -> str:
    """Send until the answer comes; its status line."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = asyncio.create_task(reader.readline())
    writer.write(f"POST /twilio/voice HTTP/1.1\r\nHost: x\r\n{head}\r\n\r\n".encode())
    try:
        for _ in range(chunks):
            writer.write(chunk)
            await asyncio.wait_for(writer.drain(), 5)
            if answer.done():
                break
    except (ConnectionError, TimeoutError):
        await asyncio.wait({answer}, timeout=5)
    line = (await asyncio.wait_for(answer, 10)).decode()
    writer.close()
    return line


@pytest.mark.parametrize(
    ("head", "chunk"),
    [
        ("Content-Length: 10000000", b"x" * 65_536),
        ("Transfer-Encoding: chunked", b"10000\r\n" + b"x" * 65_536 + b"\r\n"),
    ],
    ids=["stated", "chunked"],
)
async def test_a_body_of_ten_megabytes_is_refused(here: Town, head: str, chunk: bytes) -> None:
    # One connection more than the server reads to its end: it hangs up when it has refused.
    assert " 413 " in await _status_of(here.settings.http_port, head, chunk, 160)


async def test_no_url_holds_a_number_or_a_word_and_all_hold_scene_and_seq(here: Town) -> None:
    await here.open_session()
    await here.core.seats.pause(here.seat_id, "away")
    leg = here.call(
        When(said("choose_line"), press="2"), When("提示音", speak_s=9), When("联系电话", press="13987654321#"),
        When(said("order_repeat"), hang_up=True), number="anonymous",
    )  # fmt: skip
    assert await here.outcome(leg) == "work_order"
    urls = [sent.request.url for sent in here.cloud.sent]
    assert not any("139" in url.partition("?")[2] and "13987654321" in url for url in urls)
    ours = [url for url in urls if not re.search(r"/twilio/(voice|status)$", url)]
    assert ours
    assert all("scene=" in url and "seq=" in url for url in ours)  # the town looks at what the cloud was given
