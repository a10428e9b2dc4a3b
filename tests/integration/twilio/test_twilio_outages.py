"""Redis away, the database away, all of it away: callers hear an apology or go on, and nobody is lost."""

import asyncio
import itertools
import re
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from config.settings import Settings
from telephony.twilio import webhooks
from telephony.twilio.exchange import call_id_of
from telephony.twilio.spool import Message, sweep
from tests.cloud import Callee, When
from tests.cloud.document import read
from tests.cloud.leg import Leg
from tests.cloud.mischief import Drop, Echo, Repeat, Rule
from tests.integration.twilio.town import ACCOUNT, LEADER, WILLING, Town, said, town
from tests.performed import performed
from tests.servers import RedisServer, redis_server
from tests.waiting import until

#: Seconds of the cloud in one of ours.
SPEED = 5


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[RedisServer]:
    """A Redis of this test alone: it will be killed."""
    with redis_server(tmp_path) as server:
        yield server


@pytest.fixture
async def here(server: RedisServer, tmp_path: Path) -> AsyncIterator[Town]:
    mine = Settings(redis_url=server.url, state_dir=tmp_path / "state", _env_file=None)
    async with town(mine, speed=float(SPEED), twilio_silence_s=5.0, twilio_hold_s=5.0) as running:
        yield running


#: As long as the clause says, in real time.
AWAY_S = 20.0


async def _away(here: Town, server: RedisServer, seconds: float) -> None:
    """Redis is killed and comes back with everything it had; meanwhile readiness says so."""
    back_at = asyncio.get_running_loop().time() + seconds
    server.kill()
    await _unready(here, "redis")
    await asyncio.sleep(max(0.0, back_at - asyncio.get_running_loop().time()))
    server.start()


async def _unready(here: Town, part: str) -> None:
    """Wait until /readyz names the part that is away, and nothing else of these two."""
    async with httpx.AsyncClient(trust_env=False, timeout=15) as client:

        async def told() -> bool:
            answer = await client.get(f"{here.settings.effective_public_url}/readyz")
            away = {name for name in ("redis", "database") if answer.json()[name] != "ok"}
            return answer.status_code == 503 and away == {part}

        await until(told, 15.0, f"/readyz without {part}")


#: Their phone rings, and they hear the whisper, when Redis goes.
RINGING, WHISPERED = "+8613900000002", "+8613900000003"


async def test_redis_away_in_every_state_of_a_call_and_nobody_is_lost(
    here: Town, server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As long as in life, like the outage: so many pauses as a leader is asked to be patient for are longer than 20 s.
    monkeypatch.setattr(webhooks, "PAUSE_S", webhooks.PAUSE_S * SPEED)
    takes_again = (When(said("one_moment")), When(said("whisper_confirm"), press="1"))
    here.cloud.callees |= {
        LEADER: WILLING,
        RINGING: Callee(answer_after_s=15, script=takes_again),
        WHISPERED: Callee(answer_after_s=1, script=takes_again),
    }
    seats = await here.open_session(more=(RINGING, WHISPERED))
    talking = here.call(When("请按一", press="1"))
    await here.at(talking, "talking")
    waiting = here.call(When("请按一", press="1"))
    await here.at(waiting, "waiting")
    deciding = here.call(When(said("one_moment")), When("请按星号", press="*"), When("提示音", speak_s=9))
    await deciding.heard("您好")
    speaking = here.call(When("请按星号", press="*"), When("提示音", speak_s=30))
    await here.at(speaking, "message")
    whispered = here.call(When("请按三", press="3"))
    ringing = here.call(When("请按二", press="2"))
    leaders = [await here.cloud.leg_to(RINGING), await here.cloud.leg_to(WHISPERED)]
    await leaders[1].heard(said("whisper_confirm"))

    await _away(here, server, AWAY_S)
    arriving = here.call(When("请按星号", press="*"), When("提示音", speak_s=9))
    for leg, leader in zip((ringing, whispered), leaders, strict=True):
        assert (await here.at(leg, "talking", 30.0)).missed == 0, "our troubles are not a miss of the leader's"
        assert leg.dialed == [leader]
        assert any(said("one_moment") in one for one in leader.texts)

    async def talk() -> bool:
        return [(await here.core.seats.state(seat)).state for seat in seats] == ["talking"] * 3

    await until(talk, 20.0, "every seat talks")
    for leader in (*talking.dialed, *leaders):
        leader.hang_up()
    outcomes = await here.ended([talking, ringing, whispered, deciding, speaking, arriving], 60.0)
    assert outcomes == ["talked"] * 3 + ["work_order"] * 3
    await here.at(waiting, "talking", 30.0)
    waiting.hang_up()
    assert await here.outcome(waiting, 30.0) == "talked"
    assert any(said("one_moment") in one for leg in (deciding, waiting, speaking) for one in leg.texts)
    assert len(await here.orders(7)) == 7
    here.cloud.assert_faultless()


async def _lock(here: Town) -> sqlite3.Connection:
    """The database is away until ROLLBACK. What is being written just now comes first."""
    locker = sqlite3.connect(here.settings.state_dir / "hotline.db", isolation_level=None, timeout=0)

    def locked() -> bool:
        try:
            locker.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError:
            return False
        return True

    await until(locked, 30.0, "the lock")
    return locker


async def test_the_database_away_and_nobody_is_lost(here: Town) -> None:
    here.cloud.callees[LEADER] = WILLING
    await here.open_session()
    talking = here.call(When(said("choose_free"), press="1"))
    await here.at(talking, "talking")
    locker = await _lock(here)
    back_at = asyncio.get_running_loop().time() + AWAY_S
    declines = here.call(When("请按二", press="2"), When("提示音", speak_s=9))
    gives_up = here.call(When("请按一", press="1"), When("不想再等", hang_up=True, after_s=2))
    waiting = here.call(When("请按一", press="1"))
    await here.at(waiting, "waiting")
    await _unready(here, "database")
    await declines.ended(60.0)
    await gives_up.ended(60.0)
    assert any(said("goodbye_order_recorded") in one for one in declines.texts)
    await asyncio.sleep(max(0.0, back_at - asyncio.get_running_loop().time()))
    assert (await here.saved(talking)).node == "talking"
    talking.dialed[0].hang_up()
    await here.at(waiting, "talking", 30.0)  # the line goes on without the books
    locker.execute("ROLLBACK")
    locker.close()
    waiting.hang_up()
    outcomes = [await here.outcome(leg, 60.0) for leg in (declines, gives_up, talking, waiting)]
    assert outcomes == ["work_order", "abandoned", "talked", "talked"]
    assert sorted(order.source for order in await here.orders(4)) == ["abandoned", "declined", "talked", "talked"]
    here.cloud.assert_faultless()


async def test_without_redis_for_long_a_caller_leaves_a_message_that_becomes_an_order(
    here: Town, server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("telephony.twilio.webhooks.RETRIES_MAX", 1)
    await here.open_session()
    server.kill()
    leg = here.call(When(said("fallback_sorry"), speak_s=11))
    await leg.ended(60.0)
    assert any(said("goodbye_order_recorded") in one for one in leg.texts)
    (kept,) = here.spool_files()
    assert kept.stat().st_mode & 0o777 == 0o600
    assert leg.parties.from_.removeprefix("+86") not in kept.read_text()
    called_back = {"CallSid": "CA" + "9" * 32, "AccountSid": ACCOUNT, "CallStatus": "in-progress"}
    answer = await here.post(f"/twilio/hold?scene=4&seq=4&of={leg.sid}&retries=1", called_back)
    (record,) = (node for node in read(answer.content) if node.name == "Record")
    action = record.attributes["action"].partition("/twilio/")[2].partition("#")[0]
    answer = await here.post(f"/twilio/{action}", {**called_back, "RecordingUrl": "https://x/RE" + "5" * 32})
    assert said("goodbye_order_recorded") in answer.text, "also on a leg that went on with that call"
    (other,) = {*here.spool_files()} - {kept}
    assert '"RE555' in other.read_text()
    other.unlink()
    message = kept.read_bytes()
    poison = kept.with_name("CA" + "0" * 32 + ".json")  # comes first, and can never be taken up
    poison.write_text(kept.read_text().replace(leg.sid, "nonsense"))
    server.start()
    assert await here.outcome(leg, 60.0) == "fallback"
    order = await here.order(leg)
    assert order.source == "fallback"
    await until(lambda: here.spool_files() == [poison], 20.0, "the spool has been taken up")
    assert await here.kinds(leg)
    kept.write_bytes(message)  # once more, by a webhook that is repeated when all is done
    await until(lambda: here.spool_files() == [poison], 20.0, "the spool has been taken up again")
    assert len(await here.recordings(leg)) == 1


async def test_the_fallback_url_takes_a_message_without_redis_and_database_that_becomes_an_order(
    here: Town, server: RedisServer
) -> None:
    """The voice URL does not answer: the cloud itself goes on at the fallback URL that is configured for the number."""
    await here.open_session()
    here.cloud.mischief.add(Rule(r"/twilio/voice", Drop()))
    server.kill()
    locker = await _lock(here)
    leg = here.call(When(said("fallback_sorry"), speak_s=11))
    await leg.ended(60.0)
    locker.execute("ROLLBACK")
    locker.close()
    server.start()
    steps = [re.sub(r".*/twilio/|\?.*", "", sent.request.url) for sent in here.cloud.sent if sent.request.kind == "document"]
    assert [step for step, _ in itertools.groupby(steps)] == ["voice", "fallback", "fallback-recorded"]
    assert any(said("goodbye_order_recorded") in one for one in leg.texts)
    assert (await here.outcome(leg, 60.0), (await here.order(leg, 30.0)).source) == ("fallback", "fallback")
    await until(lambda: not here.spool_files(), 20.0, "the spool is empty")
    assert {error.code for error in here.cloud.errors} == {11205}, "what was dropped, and no fault of ours"


async def test_who_was_taken_out_of_the_apology_into_a_talk_goes_on_talking(
    here: Town, server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the fallback kept of them ends neither the talk nor frees the seat: withdrawn as the call goes on, left alone by the
    sweep where another process kept it, and put into the order when the talk is over."""
    monkeypatch.setattr("telephony.twilio.webhooks.RETRIES_MAX", 1)
    monkeypatch.setattr("telephony.twilio.bridge.SWEEP_EVERY_S", 0.2)
    here.cloud.callees[LEADER] = WILLING
    await here.open_session()
    await here.core.seats.pause(here.seat_id, "away")
    leg = here.call(When("请按一", press="1"), When(said("fallback_sorry"), speak_s=600))
    await here.at(leg, "waiting")
    server.kill()
    await until(here.spool_files, 30.0, "what is kept of the caller")
    server.start()
    await here.core.seats.resume(here.seat_id)
    await here.at(leg, "talking", 30.0)
    await until(lambda: not here.spool_files(), 20.0, "the file is withdrawn")

    assert here.parts is not None
    exchange, spool = here.parts.exchange, here.parts.webhooks.spool
    spool.keep(Message(leg.sid, 1.0), leg.parties.from_)
    await until(lambda: not here.spool_files(), 20.0, "the sweep has looked at it")
    spool.keep(Message(leg.sid, 2.0, recorded_s=5, recording_sid="RE" + "5" * 32, done=True), leg.parties.from_)
    assert await sweep(exchange, spool) == 0
    assert (await here.saved(leg)).node == "talking"
    assert (await here.core.seats.state(here.seat_id)).state == "talking"

    leg.hang_up()
    assert (await here.outcome(leg, 30.0), (await here.order(leg)).source) == ("talked", "talked")
    await until(lambda: not here.spool_files(), 20.0, "the spool is empty")
    assert [name.rpartition("-")[2] for name in await here.recordings(leg) if "-m" in name] == ["m0"]


CITIZEN = "+8613812345678"


async def _keeps_a_place(here: Town, *answers: Callee) -> Leg:
    """A caller who hung up to be called back, and takes our calls so, one after the other. The voice URL of the first does not
    answer, however often it is tried."""
    here.cloud.calls_per_second = 1000.0
    here.cloud.callees.update({LEADER: WILLING, CITIZEN: answers})
    for nth in (1, 2, 3):
        here.cloud.mischief.add(Rule(r"/twilio/voice.*leg=", Drop(), nth))
    await here.open_session()
    await here.core.seats.pause(here.seat_id, "away")
    first = here.call(When("请按一", press="1"), When("请按三", press="3", after_s=10), number=CITIZEN)
    await here.at(first, "kept", 30.0)
    return first


async def _one_call(here: Town, first: Leg) -> list[str]:
    """The ledger knows one call, whatever legs it had; where its order comes from."""
    await performed(here.core)
    summary = await here.core.ledger.summary(here.session_id)
    assert (summary.calls, summary.outcomes, summary.unaccounted) == (1, {"callback": 1}, ())
    assert {order.call_id for order in await here.orders()} <= {call_id_of(first.sid)}
    assert {error.code for error in here.cloud.errors} <= {11205}, "what was dropped, and no fault of ours"
    return [order.source for order in await here.orders()]


async def test_a_leg_of_ours_that_comes_to_the_fallback_url_goes_on_as_the_call_it_is_for(here: Town) -> None:
    first = await _keeps_a_place(here, Callee(answer_after_s=2, script=(When("请按一", press="1"),)))
    await here.core.seats.resume(here.seat_id)
    await here.at(first, "talking", 30.0)
    (back,) = [leg for leg in here.cloud.calls.values() if leg.parties.to == CITIZEN]
    back.hang_up()
    await here.at(first, "ended", 30.0)
    assert await _one_call(here, first) == ["talked"]


async def test_the_same_without_redis_a_message_becomes_the_order_of_that_call(here: Town, server: RedisServer) -> None:
    first = await _keeps_a_place(here, Callee(answer_after_s=10, script=(When(said("fallback_sorry"), speak_s=11),)))
    here.cloud.mischief.add(Rule(r"/twilio/(fallback|status)", Repeat(2)), Rule(r"/twilio/fallback", Echo(past=1)))
    back = await _rung(here)
    server.kill()
    await back.ended(60.0)
    assert any(said("goodbye_order_recorded") in one for one in back.texts)
    server.start()
    await here.at(first, "ended", 60.0)
    await until(lambda: not here.spool_files(), 20.0, "the spool is empty")
    assert await here.core.line.depth(here.seat_id) == 0
    assert await _one_call(here, first) == ["fallback"]


async def test_who_only_hears_the_apology_keeps_the_place_and_is_called_again(here: Town, server: RedisServer) -> None:
    apology = Callee(answer_after_s=10, script=(When(said("fallback_sorry"), hang_up=True),))
    first = await _keeps_a_place(here, apology, Callee(answer_after_s=2, script=(When("请按一", press="1"),)))
    back = await _rung(here)
    server.kill()
    await back.ended(60.0)
    server.start()
    assert (await here.at(first, "talking", 60.0)).leg not in ("", back.sid)
    assert await _one_call(here, first) == []


async def _rung(here: Town) -> Leg:
    """The leader is free: the caller's phone rings."""
    await here.core.seats.resume(here.seat_id)
    back = await here.cloud.leg_to(CITIZEN, 30.0)
    await back.until("ringing", 30.0)
    return back
