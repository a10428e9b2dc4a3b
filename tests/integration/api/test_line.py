"""The line over the API: shape, masking, move, release, and what the ledger keeps of it."""

import time

import pytest

from api.console.desk import DeskReader
from api.snapshot import LineReader
from calls.shards import call_key
from tests.integration.api.conftest import MASKED, NUMBER, Instance
from tests.integration.api.test_problems import check


async def test_without_a_session_the_line_is_empty(instance: Instance) -> None:
    line = (await instance.http.get("/api/line")).json()
    assert line.pop("at")
    assert line == {"session": None, "depth": 0, "longest_wait_s": 0.0, "seats": [], "callers": []}


async def test_who_waits_is_shown_in_order_with_masked_numbers(instance: Instance) -> None:
    session = await instance.open_session()
    seat = session["seats"][0]["id"]
    for n in range(3):
        await instance.call_in(f"a-pbx1-1-{n}", number=f"+8613812345{n:03d}")
    answer = await instance.http.get("/api/line")
    line = answer.json()
    assert line["session"]["id"] == session["id"]
    assert line["session"]["state"] == "open"
    assert line["depth"] == 3
    (shown,) = line["seats"]
    assert shown.items() >= {"id": seat, "unit": "单位0", "leader": "领导0", "state": "closed", "depth": 3}.items()
    assert 0 <= shown["chance"] <= 1
    assert shown["wait_s"] > 0
    assert [caller["call_id"] for caller in line["callers"]] == [f"a-pbx1-1-{n}" for n in range(3)]
    first = line["callers"][0]
    assert set(first) >= {"call_id", "carrier", "number", "seat_id", "position", "joined_at", "waited_s", "state"}
    assert (first | {"joined_at": "", "waited_s": 0}).items() >= {
        "call_id": "a-pbx1-1-0", "carrier": "asterisk", "number": "138****5000", "seat_id": seat, "position": 1,
        "joined_at": "", "waited_s": 0, "state": "waiting",
    }.items()  # fmt: skip
    assert "13812345" not in answer.text


async def test_one_damaged_record_hides_nobody_from_line_and_desk(instance: Instance) -> None:
    """Nothing may come to repair it for a long time: the next turn of one who keeps a place is when the seat is ready."""
    await instance.open_session()
    for n in range(2):
        await instance.call_in(f"a-pbx1-1-{n}", number=f"+8613812345{n:03d}")
    await instance.core.redis.hset(call_key(instance.core.settings.redis_prefix, "a-pbx1-1-0"), "call", "{broken")
    shown = [("a-pbx1-1-0", ""), ("a-pbx1-1-1", "138****5001")]
    callers = (await instance.http.get("/api/line")).json()["callers"]
    assert [(caller["call_id"], caller["number"]) for caller in callers] == shown
    desk = await DeskReader(instance.core, LineReader(instance.core)).read()
    assert [(caller.call_id, caller.number) for caller in desk.callers] == shown
    assert (await instance.http.get("/api/calls/a-pbx1-1-0")).json()["events"]


async def test_a_caller_is_moved_and_the_others_close_up(instance: Instance) -> None:
    await instance.open_session()
    for n in range(4):
        await instance.call_in(f"a-pbx1-1-{n}", number=f"+8613812345{n:03d}")
    answer = await instance.http.post("/api/line/a-pbx1-1-3/move", json={"position": 2, "reason": "老人"})
    assert answer.json()["position"] == 2
    order = [caller["call_id"][-1] for caller in (await instance.http.get("/api/line")).json()["callers"]]
    assert order == ["0", "3", "1", "2"]
    answer = await instance.http.post("/api/line/a-pbx1-1-0/move", json={"position": 99, "reason": "误操作"})
    assert answer.json()["position"] == 4
    await instance.call_in("a-pbx1-1-4", number="+8613812345004")
    order = [caller["call_id"][-1] for caller in (await instance.http.get("/api/line")).json()["callers"]]
    assert order == ["3", "1", "2", "0", "4"]
    events = (await instance.http.get("/api/calls/a-pbx1-1-3")).json()["events"]
    acts = [event["data"] for event in events if event["kind"] == "operator_act"]
    assert acts == [{"act": "move", "who": "admin", "reason": "老人", "position": 2, "from_position": 4}]


async def test_who_does_not_wait_cannot_be_moved(instance: Instance) -> None:
    await instance.open_session()
    await instance.call_in("a-pbx1-1-1", keys="")
    body = {"position": 1, "reason": "x"}
    check(await instance.http.post("/api/line/a-pbx1-1-1/move", json=body), "caller_not_waiting")
    check(await instance.http.post("/api/line/nobody/move", json=body), "call_not_found")
    check(await instance.http.post("/api/line/nobody/move", json={"position": 0, "reason": "x"}), "invalid_request")
    check(await instance.http.post("/api/line/nobody/move", json={"position": 1}), "invalid_request")


async def test_who_is_offered_to_the_leader_cannot_be_moved(instance: Instance) -> None:
    session = await instance.open_session()
    seat = session["seats"][0]["id"]
    await instance.call_in("a-pbx1-1-1")
    await instance.http.post(f"/api/seats/{seat}/open")
    assert await instance.core.line.claim_next(seat, "test", 30) is not None
    line = (await instance.http.get("/api/line")).json()
    assert line["callers"][0]["state"] == "offered"
    assert line["seats"][0]["state"] == "ringing"
    body = {"position": 1, "reason": "x"}
    check(await instance.http.post("/api/line/a-pbx1-1-1/move", json=body), "caller_not_waiting")


async def test_a_released_caller_leaves_the_line_and_the_ledger_says_who_did_it(instance: Instance) -> None:
    await instance.open_session()
    await instance.call_in("a-pbx1-1-1")
    answer = await instance.http.post("/api/line/a-pbx1-1-1/release", json={"to": "work_order", "reason": "超出范围"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["position"] == 0
    assert answer.json()["node"] == "message"
    await instance.core.outbox.idle()
    assert (await instance.http.get("/api/line")).json()["depth"] == 0
    kinds = [event["kind"] for event in (await instance.http.get("/api/calls/a-pbx1-1-1")).json()["events"]]
    assert "operator_act" in kinds
    acts = [event["data"] for event in (await instance.http.get("/api/calls/a-pbx1-1-1")).json()["events"]]
    assert {"act": "release", "who": "admin", "reason": "超出范围", "to": "work_order"} in acts
    await instance.call_in("a-pbx1-1-2", number="+8613812345679")
    assert (await instance.http.post("/api/line/a-pbx1-1-2/release", json={"to": "operator"})).status_code == 200
    acts = [event["data"] for event in (await instance.http.get("/api/calls/a-pbx1-1-2")).json()["events"]]
    assert {"act": "release", "who": "admin", "reason": "not stated", "to": "operator"} in acts
    check(await instance.http.post("/api/line/a-pbx1-1-1/release", json={"to": "callback"}), "caller_not_waiting")
    check(await instance.http.post("/api/line/a-pbx1-1-1/release", json={"to": "moon"}), "invalid_request")


@pytest.mark.parametrize(("to", "node"), [("operator", "operator"), ("callback", "callback")])
async def test_a_caller_is_released_to_whoever_the_operator_says(instance: Instance, to: str, node: str) -> None:
    instance.core.settings.operators_line = "sip:operators@127.0.0.1:5070"
    await instance.open_session()
    await instance.call_in("a-pbx1-1-1")
    answer = await instance.http.post("/api/line/a-pbx1-1-1/release", json={"to": to, "reason": "不归本场"})
    assert (answer.status_code, answer.json()["node"], answer.json()["position"]) == (200, node, 0), answer.text
    await instance.core.outbox.idle()
    assert (await instance.http.get("/api/line")).json()["depth"] == 0
    orders = (await instance.http.get("/api/work-orders")).json()["items"]
    assert [order["source"] for order in orders] == (["callback"] if to == "callback" else [])
    acts = [event["data"] for event in (await instance.http.get("/api/calls/a-pbx1-1-1")).json()["events"]]
    assert {"act": "release", "who": "admin", "reason": "不归本场", "to": to} in acts


async def test_all_who_wait_are_counted_and_the_first_thousand_shown_in_the_order_they_joined(instance: Instance) -> None:
    session = await instance.open_session()
    seat = session["seats"][0]["id"]
    for n in range(1001):
        await instance.core.line.join(seat, f"a-pbx1-2-{n}", time.time(), 1)
    line = (await instance.http.get("/api/line")).json()
    assert (line["depth"], line["seats"][0]["depth"]) == (1001, 1001)
    assert [caller["call_id"] for caller in line["callers"]] == [f"a-pbx1-2-{n}" for n in range(1000)]


async def test_no_answer_holds_a_full_number(instance: Instance) -> None:
    await instance.open_session()
    await instance.call_in("a-pbx1-1-1", number=NUMBER)
    for path in ("/api/line", "/api/calls/a-pbx1-1-1", "/api/work-orders", "/metrics"):
        text = (await instance.http.get(path)).text
        assert NUMBER not in text
        assert NUMBER.removeprefix("+86") not in text
    assert (await instance.http.get("/api/calls/a-pbx1-1-1")).json()["number"] == MASKED
