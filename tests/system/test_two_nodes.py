"""Grown: every part a process on a Redis Cluster of three nodes, the job queue on a server of its own. Two Asterisk nodes, a
bridge each, one line: callers of both in the order of joining; the leader's telephone is behind one of them, and the other
reaches it over the trunk between the two, where both hear each other. And the cloud phone on the same Cluster."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from config.secrets import secret
from telephony.demo.scenarios import Citizen, Leader
from telephony.twilio.exchange import call_id_of
from tests.cloud import Callee, Cloud, When
from tests.cloud.mischief import Repeat, Rule
from tests.integration.growth.servers import cluster
from tests.integration.twilio.town import ACCOUNT, LEADER, NUMBER, SPEED, TOKEN
from tests.phones.baresip import Phone
from tests.servers import free_port, redis_server
from tests.stories.calls import STORIES
from tests.system.both import subscribed
from tests.system.callers import WatchedLeader, checked, line_of, until_closed
from tests.system.crowd import citizens
from tests.system.installation import Installation
from tests.system.joining import say_yes
from tests.system.watch import BRISK, accounted, kinds, order_of, reaches, seat_is, session
from tests.waiting import until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

WAITS = ((1.0, "1"),)
#: What follows in the ledger for who kept the place, and talks.
CALLED_BACK = ("offered", "called_back", "callback_answered", "connected", "talked", "callback_ended")
#: The leader's telephones at the node that reaches them.
BRANCH, DESK = "801", "802"
CITIZEN_HZ, LEADER_HZ = 500.0, 900.0


@dataclass
class Town:
    """`east` has everything, the cloud too; `west` is a node that shares Redis and database with it, and has the leader's
    telephones: one that takes every call by itself, and one that a test answers."""

    east: Installation
    west: Installation
    leader: WatchedLeader
    cloud: Cloud
    desk: Phone


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory, shared: Path) -> AsyncIterator[Town]:
    folder = tmp_path_factory.mktemp("town")
    leader = WatchedLeader(folder / "leader", Leader(ring_s=0.2, talk_s=6.0))
    async with AsyncExitStack() as stack:
        desk = await stack.enter_async_context(Phone(folder / "desk", "desk", tone_hz=LEADER_HZ))
        redis = stack.enter_context(cluster(folder / "cluster"))
        queue = stack.enter_context(redis_server(folder / "queue"))
        cloud = await stack.enter_async_context(Cloud(account_sid=ACCOUNT, auth_token=TOKEN, speed=SPEED))
        grown = {
            **BRISK,
            "HOTLINE_REDIS_URL": f"redis+cluster://{','.join(f'127.0.0.1:{node.port}' for node in redis)}",
            "HOTLINE_JOBS_REDIS_URL": queue.url,
        }
        east = await stack.enter_async_context(Installation(folder / "east", shared, {**grown, **subscribed(cloud, free_port())}))
        both = {
            **grown,
            "HOTLINE_DATABASE_URL": east.settings.effective_database_url,
            "HOTLINE_DATA_KEY": secret(east.settings, "data_key"),
            "HOTLINE_PBX_NODE": "pbx2",
            "HOTLINE_RING_S": "3",  # gives up before the node that rings it
            "HOTLINE_BRANCH_LINES": f"{BRANCH}={leader.address},{DESK}={desk.address}",
        }
        west = await stack.enter_async_context(Installation(folder / "west", shared, both, parts=("bridge",)))
        yield Town(east, west, leader, cloud, desk)


async def test_given_callers_on_two_nodes_when_the_leader_sits_at_one_then_all_are_put_through_in_the_order_of_joining(
    town: Town, tmp_path: Path
) -> None:
    line = f"sip:{BRANCH}@{town.west.target}"
    session_id, seat_id = await town.east.open_session(line, sign_in=False)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(town.leader.phone)
        for n, house in enumerate((town.east, town.west, town.east, town.west)):
            caller = Citizen(callers=((f"1381234560{n}", ""),), keys=WAITS, stay_s=90)
            await stack.enter_async_context(citizens(house, tmp_path / f"caller{n}", caller, 1))
            await line_of(town.east, seat_id, n + 1)
        waiting = [call_id for call_id, _ in await line_of(town.east, seat_id, 4)]
        assert [call_id.split("-")[1] for call_id in waiting] == ["pbx1", "pbx2", "pbx1", "pbx2"]
        await town.east.post(f"/api/seats/{seat_id}/open")
        assert await until_closed(town.east, session_id, 4, 100) == {"talked": 4}
    report = await town.east.get(f"/api/sessions/{session_id}/report")
    assert report["served_order"] == waiting
    assert report["deviations"] == []
    await until(lambda: has_worker(town.east), 30, "the worker known")
    orders = await until(lambda: dispatched(town.east, session_id, 4), 60, "the orders at their unit")
    assert {order["call_id"] for order in orders} == set(waiting)
    check = await until(lambda: compared(town.east, session_id, 4), 60, "the records of both nodes")
    assert (check["complete"], check["calls"], check["asterisk"]) == (True, 4, "ok")
    assert (check["nodes"], check["silent_nodes"]) == (["pbx1", "pbx2"], [])
    await town.east.post(f"/api/sessions/{session_id}/close")


async def test_given_a_citizen_at_one_node_and_the_leader_at_the_other_when_they_talk_then_both_hear_each_other(
    town: Town, tmp_path: Path
) -> None:
    """At first nobody answers, and the trunk tells it as that. Measured in what both phones recorded."""
    east, desk = town.east, town.desk
    async with (
        Phone(tmp_path / "citizen", "13812345699", tone_hz=CITIZEN_HZ) as citizen,
        session(east, f"sip:{DESK}@{town.west.target}") as (session_id, seat_id),
    ):
        call_id = await say_yes(east, citizen)
        await seat_is(east, seat_id, "paused")
        await east.post(f"/api/seats/{seat_id}/resume")
        await until(lambda: [event.get("type") for event in desk.events].count("CALL_INCOMING") == 2, 20, "the desk's phone")
        await desk.answer()
        await seat_is(east, seat_id, "talking")
        await citizen.hears_tone(LEADER_HZ)
        await desk.hears_tone(CITIZEN_HZ)
        await desk.hang_up()
        assert await accounted(east, session_id, 1) == {"talked": 1}
    events = (await east.get(f"/api/calls/{call_id}"))["events"]
    assert [event["data"]["reason"] for event in events if event["kind"] == "missed"] == ["no_answer"]


async def test_given_the_cloud_when_callers_wait_decline_and_keep_a_place_then_all_is_as_on_one_redis(town: Town) -> None:
    """Every webhook comes twice, so what is said again is remembered there, too."""
    house, cloud, citizen = town.east, town.cloud, "+8613812345678"
    session_id, seat_id = await house.open_session("sip:nobody@127.0.0.1:9", sign_in=False, cloud_line=LEADER)
    cloud.mischief.add(Rule(r"/twilio/", Repeat()))
    cloud.calls_per_second = 1000.0
    cloud.callees[citizen] = Callee(answer_after_s=2, script=(When("请按一", press="1"),))
    cloud.callees[LEADER] = Callee(answer_after_s=1, script=(When("", press="1"),), talk_s=20)

    def calls(number: str, *does: When) -> str:
        return call_id_of(cloud.place_call(number, NUMBER, script=does).sid)

    waits = calls("+8613812340001", When("请按一", press="1"))
    await line_of(house, seat_id, 1)
    keeps = calls(citizen, When("请按一", press="1"), When("请按三", press="3", after_s=40))
    declines = calls("+8613812340002", When("请按二", press="2"), When("提示音", speak_s=9))
    await reaches(house, keeps, "kept")
    await line_of(house, seat_id, 2)
    await house.post(f"/api/seats/{seat_id}/open")
    ends = {"talked": 1, "callback": 1, "work_order": 1}
    assert await until_closed(house, session_id, 3) == ends
    sources = {call_id: (await order_of(house, call_id))["source"] for call_id in (waits, keeps, declines)}
    assert sources == {waits: "talked", keeps: "talked", declines: "declined"}
    as_told = {story.name: story.kinds for story in STORIES}
    assert await told(house, declines) == as_told["declines"]
    assert await told(house, waits) == as_told["waits and talks"]
    at_last = (*as_told["asks to be called back"], *CALLED_BACK)
    await until(lambda: tells(house, keeps, at_last), 20, "the ledger of who was called back")
    report = await house.get(f"/api/sessions/{session_id}/report")
    assert (report["served_order"], report["deviations"]) == ([waits, keeps], [])
    check = await until(lambda: checked(house, session_id), 60, "the check")
    assert (check["calls"], check["missing"], check["cloud"]) == (3, [], "ok")
    cloud.assert_faultless()
    assert [log for log in logs(town) if b"CROSSSLOT" in log.read_bytes()] == []


async def told(house: Installation, call_id: str) -> tuple[str, ...]:
    """What the ledger tells of a call, as in a story."""
    return tuple(kind for kind in kinds(await house.get(f"/api/calls/{call_id}")) if kind != "closed")


async def tells(house: Installation, call_id: str, expected: tuple[str, ...]) -> bool:
    return await told(house, call_id) == expected


def logs(town: Town) -> list[Path]:
    """Of every process of both nodes."""
    found = [log for house in (town.east, town.west) for log in house.folder.glob("*.log")]
    assert {log.stem for log in found} >= {"api", "bridge", "worker", "cron"}
    return found


async def compared(house: Installation, session_id: str, count: int) -> dict[str, Any]:
    """The check, when the other node's bridge has reported what its Asterisk wrote."""
    check: dict[str, Any] = await house.get("/api/ledger/check", session_id=session_id)
    return check if check["asterisk_records"] == count else {}


async def has_worker(house: Installation) -> bool:
    return bool((await house.http.get("/readyz")).json()["worker"] == "ok")


async def dispatched(house: Installation, session_id: str, count: int) -> list[Any]:
    orders = await house.orders(session_id=session_id)
    return orders if [order["status"] for order in orders] == ["dispatched"] * count else []
