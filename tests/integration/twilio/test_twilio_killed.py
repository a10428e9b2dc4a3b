"""kill -9 of the api around every webhook, with two processes behind a balancer: nothing is lost, nothing happens twice."""

import asyncio
import re
from collections import Counter
from collections.abc import Iterator
from itertools import count, cycle

import httpx
import pytest
from redis.asyncio import Redis

from config.settings import Settings
from tests.cloud import Callee, When
from tests.cloud.signature import sign
from tests.integration.twilio.cloud_phone import CloudPhone
from tests.integration.twilio.fleet import Moment, fleet
from tests.integration.twilio.town import ACCOUNT, LEADER, TOKEN, Town, away_town
from tests.stories.calls import STORIES
from tests.waiting import until

CITIZEN = "+8613812345678"
#: A ring is twenty times as short as it is to people; who died between claim and ring is waited for no longer than need be.
QUICK = {"claim_lease_s": 12.0, "ring_s": 8.0}
#: So often a process is killed around webhooks that differ by their count only.
SAME_STATE = 2
#: Of the cloud's REST API.
PLACES = re.compile(r"/Calls\.json$")


async def _say_again(here: Town, url: str) -> bytes:
    """What a process answers to a webhook that another one has answered: the same, to the byte."""
    keys = [sent for sent in here.cloud.sent if "/twilio/keys" in sent.request.url and sent.answer is not None][-1]
    request, answer = keys.request, keys.answer
    signature = sign(TOKEN, request.url, dict(request.params))
    headers = {"X-Twilio-Signature": signature, "I-Twilio-Idempotency-Token": request.token}
    target = url + request.url.removeprefix(here.settings.effective_public_url)
    async with httpx.AsyncClient(trust_env=False, timeout=20) as client:
        again = await client.post(target, data=dict(request.params), headers=headers)
    assert answer is not None
    assert again.content == answer.body
    return again.content


@pytest.mark.parametrize(
    ("name", "moment"),
    [
        ("waits and talks", "after"),
        ("waits and talks", "before"),
        ("declines and listens to the end", "after"),
        ("declines and listens to the end", "before"),
        ("asks to be called back", "after"),
        ("asks to be called back", "before"),
        ("is not taken by the leader", "after"),
        ("waits until the session closes", "before"),
    ],
)
async def test_killed_around_every_webhook(name: str, moment: Moment, settings: Settings, redis: Redis) -> None:
    """`before`: every other webhook is served and its answer lost with the process; the cloud goes to the fallback URL. Music that
    goes on is one webhook after the other in the same state: the first two are enough, else nobody lives to serve the line."""
    story = next(story for story in STORIES if story.name == name)
    async with (
        away_town(settings, twilio_silence_s=4.0, **QUICK) as (here, port), fleet(here.settings, port) as balancer,
    ):  # fmt: skip
        served, again = count(), Counter[str]()

        def kill(path: str) -> Moment | None:
            state = re.sub(r"count=[0-9]+", "", path)
            again[state] += 1
            if again[state] > SAME_STATE:
                return None
            return moment if moment == "after" or next(served) % 2 == 0 else None

        balancer.kill = kill
        told = await CloudPhone(here).play(story, deadline=150)
        orders = await here.orders(1 if story.source else 0)
        rung = len([leg for leg in here.cloud.calls.values() if leg.parties.parent is not None])
        kills = sum(process.kills for process in balancer.processes)
        for process in balancer.processes:
            await until(process.answers, 30.0, "both api processes again")
        said = {await _say_again(here, process.url) for process in balancer.processes} if moment == "after" else set()
    assert len(said) == (1 if moment == "after" else 0)
    assert (told.outcome, told.source, told.kinds) == (story.outcome, story.source, story.kinds)
    assert len(orders) == (1 if story.source else 0)
    assert rung == (1 if story.leader in ("takes", "no_answer") else 0)
    assert kills >= 3


async def test_killed_while_who_keeps_a_place_is_called_back(settings: Settings, redis: Redis) -> None:
    """The process that places the call dies before the cloud carries it out, then (the next try) after it, then around every
    webhook of the leg: the caller's phone rings once, the leader's once, and they talk."""
    moments: Iterator[Moment] = iter(("before", "after"))
    around: Iterator[Moment] = cycle(("after", "before"))
    async with (
        away_town(settings, **QUICK) as (here, port), fleet(here.settings, port) as balancer,
    ):  # fmt: skip
        here.cloud.calls_per_second = 1000.0
        here.cloud.callees[CITIZEN] = Callee(answer_after_s=2, script=(When("请按一", press="1"),))
        here.cloud.callees[LEADER] = Callee(answer_after_s=1, script=(When("", press="1"),), talk_s=30)
        await here.open_session()
        await here.core.seats.pause(here.seat_id, "away")
        leg = here.call(When("请按一", press="1"), When("请按三", press="3", after_s=40), number=CITIZEN)
        await here.at(leg, "kept", 30.0)
        balancer.kill_asking = lambda request: next(moments, None) if request.startswith("POST") and PLACES.search(request) else None
        balancer.kill = lambda path: next(around) if "leg=" in path else None
        await here.core.seats.resume(here.seat_id)
        await here.at(leg, "ended", 90.0)
        assert await here.outcome(leg) == "callback"
        assert [order.source for order in await here.orders(1)] == ["talked"]
        kinds = [kind for kind in await here.kinds(leg) if kind in ("called_back", "callback_missed", "connected", "talked")]
        rung = [one.parties.to for one in here.cloud.calls.values() if one is not leg]
        kills = sum(process.kills for process in balancer.processes)
    assert rung == [CITIZEN, LEADER]
    assert kinds == ["called_back", "called_back", "connected", "talked"], "the first try rang nobody"
    assert kills >= 5
    assert next(moments, None) is None, "killed before, and after"


async def test_two_processes_that_are_told_of_a_call_at_the_same_moment_say_the_same(
    settings: Settings, redis: Redis
) -> None:
    async with away_town(settings) as (here, port), fleet(here.settings, port) as balancer:
        for n in range(5):
            form = {"CallSid": f"CA{n:032x}", "AccountSid": ACCOUNT, "From": f"+86138{n:08}", "CallStatus": "ringing"}
            told = await asyncio.gather(*(_tell(here, process.url, form) for process in balancer.processes * 2))
            assert len(set(told)) == 1
        assert len(await here.core.calls.live()) == 5
        await until(lambda: _known(here, 5), 20.0, "the ledger")
        for n in range(5):
            kinds = [entry.kind for entry in await here.core.ledger.events(f"t-CA{n:032x}")]
            assert kinds == ["arrived"]


async def _tell(here: Town, url: str, form: dict[str, str]) -> bytes:
    signature = sign(TOKEN, f"{here.settings.effective_public_url}/twilio/voice", form)
    headers = {"X-Twilio-Signature": signature, "I-Twilio-Idempotency-Token": form["CallSid"]}
    async with httpx.AsyncClient(trust_env=False, timeout=20) as client:
        answer = await client.post(f"{url}/twilio/voice", data=form, headers=headers)
    assert answer.status_code == 200
    return answer.content


async def _known(here: Town, count: int) -> bool:
    return not await here.core.ledger.unknown_calls([f"t-CA{n:032x}" for n in range(count)])
