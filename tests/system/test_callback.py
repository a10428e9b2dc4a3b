"""A caller keeps the place, hangs up, and is called back on a real phone: screened with 1, put through, or made an order."""

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.exceptions import RedisError

from ivr.verbs import Prompt
from telephony.asterisk import cdr
from tests.phones.baresip import Phone
from tests.stories import called_back
from tests.system.callers import checked, line_of, order, until_order
from tests.system.conftest import brisk
from tests.system.installation import Installation
from tests.system.joining import hang_up_and_keep_the_place
from tests.system.sip_phone import MUSIC_INSTEAD
from tests.system.watch import ended, hears, kinds, order_of, reaches, seat_is, session
from tests.waiting import until
from workorders.intake import NewOrder, make_order

CITIZEN_HZ, LEADER_HZ = 500.0, 900.0


@pytest.fixture
async def citizen(tmp_path: Path) -> AsyncIterator[Phone]:
    async with Phone(tmp_path / "citizen", "13812345678", tone_hz=CITIZEN_HZ) as phone:
        yield phone


@pytest.fixture
async def house(citizen: Phone, tmp_path: Path, shared: Path) -> AsyncIterator[Installation]:
    """An installation that calls numbers back at the citizen's phone."""
    async with brisk(
        tmp_path, shared, HOTLINE_CALLBACK_LINE=citizen.address, HOTLINE_CALLBACK_RING_S="6", HOTLINE_PLACED_RING_S="8",
        HOTLINE_FOLLOW_UP_HOURS="00:00-23:59:59.999999", HOTLINE_FOLLOW_UP_PAUSE_S="1",
        HOTLINE_ASK_TIMEOUT_S="8", HOTLINE_CHANNEL_LEASE_S="60",
    ) as installation:  # fmt: skip
        yield installation


async def test_given_a_kept_place_when_the_leader_is_free_then_the_caller_is_rung_and_put_through(
    house: Installation, citizen: Phone, tmp_path: Path
) -> None:
    async with (
        Phone(tmp_path / "leader", "leader", tone_hz=LEADER_HZ) as leader,
        session(house, leader.address, sign_in=False) as (session_id, seat_id),
    ):
        call_id = await hang_up_and_keep_the_place(house, citizen)
        line = await house.get("/api/line")
        assert [(caller["call_id"], caller["state"]) for caller in line["callers"]] == [(call_id, "callback")]
        assert (await ended(house, call_id))["outcome"] == "callback"
        await house.post(f"/api/seats/{seat_id}/open")
        await citizen.until("CALL_INCOMING", 20)
        before = citizen.heard_file
        await citizen.answer()
        await until(lambda: citizen.heard_file != before, 20, "the sound of the second leg")
        asked = called_back.HEARS.index("choose_callback") + 1
        at = await hears(house, citizen, *_sentences(house, called_back.HEARS[:asked]))
        await citizen.press("1")
        await leader.until("CALL_INCOMING")
        await leader.answer()
        await seat_is(house, seat_id, "talking")
        await citizen.hears_tone(LEADER_HZ, 2.0)
        await leader.hang_up()
        await hears(house, citizen, *_sentences(house, called_back.HEARS[asked:]), after_s=at)
        await citizen.until("CALL_CLOSED", 30)
        order = await order_of(house, call_id)
        assert order["source"] == "talked"
        ledger = await house.ledger(session_id=session_id)
        assert (ledger["calls"], ledger["outcomes"]) == (1, {"callback": 1})
        await until(lambda: is_told(house, call_id, called_back.TALKED), 20, "the facts of the whole story")


async def is_told(house: Installation, call_id: str, facts: tuple[str, ...]) -> bool:
    """The ledger has these facts of the call and no others, and that it was closed once."""
    told = kinds(await house.get(f"/api/calls/{call_id}"))
    return tuple(kind for kind in told if kind != "closed") == facts and told.count("closed") == 1


def _sentences(house: Installation, keys: tuple[str, ...]) -> tuple[Prompt, ...]:
    """Those that are spoken on Asterisk."""
    city = house.settings.city
    return tuple(Prompt(key, {"city": city} if key == "greeting" else {}) for key in keys if key not in MUSIC_INSTEAD)


async def test_given_nobody_answers_twice_then_the_place_becomes_a_work_order(
    house: Installation, citizen: Phone
) -> None:
    async with session(house, sign_in=False) as (_, seat_id):
        call_id = await hang_up_and_keep_the_place(house, citizen)
        await house.post(f"/api/seats/{seat_id}/open")
        await citizen.until("CALL_INCOMING", 20)
        await citizen.hang_up()
        await reaches(house, call_id, "ended", 40)
        order = await order_of(house, call_id)
        assert order["source"] == "callback"
        await until_order(house, seat_id, [])
        await until(lambda: is_told(house, call_id, called_back.MISSED), 20, "the facts of the whole story")


async def test_given_redis_loses_the_place_and_the_bridge_dies_while_the_phone_rings_then_the_caller_is_not_lost(
    house: Installation, citizen: Phone, tmp_path: Path
) -> None:
    async with (
        Phone(tmp_path / "leader", "leader", tone_hz=LEADER_HZ) as leader,
        session(house, leader.address, sign_in=False) as (session_id, seat_id),
    ):
        call_id = await hang_up_and_keep_the_place(house, citizen)
        await ended(house, call_id)
        place = await line_of(house, seat_id, 1)
        citizen.events.clear()
        await redis_comes_back_empty(house)
        await until(lambda: stands_again(house, seat_id, place), 40, "the place as it was")
        await house.post(f"/api/seats/{seat_id}/open")
        await citizen.until("CALL_INCOMING", 40)
        await house.kill("bridge")
        await house.start("bridge")
        await citizen.answer()
        await reaches(house, call_id, "screening", 40)
        await citizen.press("1")
        await leader.until("CALL_INCOMING", 20)
        await leader.answer()
        await seat_is(house, seat_id, "talking")
        await citizen.hears_tone(LEADER_HZ, 2.0)
        await leader.hang_up()
        await citizen.until("CALL_CLOSED", 30)
        assert (await order_of(house, call_id))["source"] == "talked"
        check = await until(lambda: checked(house, session_id), 60, "the check against Asterisk's records")
        assert (check["calls"], check["missing"], check["asterisk"]) == (1, [], "ok")


async def redis_comes_back_empty(house: Installation) -> None:
    """Killed, its files gone, started anew."""
    house.redis.kill()
    shutil.rmtree(house.folder / "redis")
    (house.folder / "redis").mkdir()
    await asyncio.to_thread(house.redis.start)


async def stands_again(house: Installation, seat_id: str, place: list[tuple[str, float]]) -> bool:
    """Asked while Redis has just come back."""
    with contextlib.suppress(RedisError, OSError):
        return await order(house, seat_id) == place
    return False


async def test_given_an_order_then_its_unit_and_its_petitioner_are_called_and_nobody_counts_them(
    house: Installation, citizen: Phone
) -> None:
    """Urgent assignment (電話交辦) and follow-up (電話回訪): asked for at the API, rung by the worker, spoken by the bridge; a bridge that
    dies in mid-sentence is made up for by the next one."""
    new = NewOrder(command_id="c", at=house.core.clock(), source="declined", number="+8613812345678", unit="市水务局")
    order = (await make_order(house.core.database, new)).id
    path = f"/api/work-orders/{order}"
    duty = await house.http.put("/api/units/duty-number", json={"unit": "市水务局", "number": "0734-8880000"})
    assert duty.json()["duty_number"] == "734****0000"

    async def result(wanted: str) -> bool:
        return bool((await house.get(f"{path}/calls"))["items"][0]["result"] == wanted)

    await house.post(f"{path}/calls/urgent")
    await citizen.until("CALL_INCOMING", 30)
    await citizen.answer()
    greeting = Prompt("placed_greeting", {"city": house.settings.city})
    await hears(house, citizen, greeting, within_s=40)
    await citizen.press("1")
    await until(lambda: result("confirmed"), 20, "the confirmation")
    await citizen.until("CALL_CLOSED", 40)
    assert ((await house.get(path))["status"], (await house.get(path))["urgent"]) == ("signed", True)

    citizen.events.clear()
    await house.post(f"{path}/handle")
    await house.post(f"{path}/reply")
    await house.post(f"{path}/calls/follow-up")
    await citizen.until("CALL_INCOMING", 30)
    citizen.events.clear()
    await citizen.hang_up()  # not now: rung again
    await citizen.until("CALL_INCOMING", 40)
    await citizen.answer()
    at = await hears(house, citizen, greeting, within_s=40)
    await house.kill("bridge")
    await house.start("bridge")
    await hears(house, citizen, greeting, within_s=40, after_s=at + 2)  # the next bridge says it once more
    await citizen.press("2")
    await until(lambda: result("unsatisfied"), 20, "the answer")
    await citizen.until("CALL_CLOSED", 40)

    async def told() -> bool:
        events = [event["kind"] for event in (await house.get(path))["events"]]
        return events[-4:] == ["follow_up_missed", "follow_up_unsatisfied", "redo", "supervision_asked"]

    await until(told, 20, "what became of the order")
    assert (await house.ledger())["calls"] == 0
    assert cdr.calls(cdr.read(house.files.cdr)[0]) == {}, "nor in Asterisk's own records of calls"
