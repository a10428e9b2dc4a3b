"""One call and the ledger over the API; a full number only with scope and reason, and the look is recorded."""

from tests.integration.api.conftest import MASKED, NUMBER, Instance
from tests.integration.api.test_problems import check


async def finish(instance: Instance, call_id: str) -> None:
    from ivr.events import HungUp

    await instance.core.turns.take_turn(call_id, lambda facts: HungUp(facts=facts))
    await instance.core.outbox.idle()


async def test_a_call_shows_outcome_and_every_event(instance: Instance) -> None:
    session = await instance.open_session()
    await instance.call_in("a-pbx1-1-1")
    call = (await instance.http.get("/api/calls/a-pbx1-1-1")).json()
    assert (call["node"], call["outcome"], call["number"]) == ("waiting", None, MASKED)
    await finish(instance, "a-pbx1-1-1")
    call = (await instance.http.get("/api/calls/a-pbx1-1-1")).json()
    assert (call["node"], call["outcome"], call["session_id"]) == ("ended", "abandoned", session["id"])
    assert call["order_number"]
    assert call["events"]
    assert {"at", "kind", "data"} == set(call["events"][0])


async def test_the_full_number_needs_scope_and_reason_and_is_recorded(instance: Instance) -> None:
    await instance.open_session()
    await instance.call_in("a-pbx1-1-1")
    instance.allow(reader="read", auditor="read numbers")
    path, reader = "/api/calls/a-pbx1-1-1", {"Authorization": "Bearer reader"}
    assert (await instance.http.get(path, headers=reader)).json()["number"] == MASKED
    check(await instance.http.get(f"{path}?reason=x", headers=reader), "forbidden")
    auditor = {"Authorization": "Bearer auditor"}
    assert (await instance.http.get(path, headers=auditor)).json()["number"] == MASKED
    check(await instance.http.get(f"{path}?reason=a%0Ab", headers=auditor), "control_character")
    assert (await instance.http.get(f"{path}?reason=回访", headers=auditor)).json()["number"] == NUMBER
    by_header = auditor | {"X-Access-Reason": "%E5%9B%9E%E8%AE%BF"}
    answer = (await instance.http.get(path, headers=by_header)).json()
    looks = [event["data"] for event in answer["events"] if event["kind"] == "number_shown"]
    assert {"who": "auditor", "reason": "回访"} in looks


async def test_calls_are_the_sum_of_outcomes_and_of_those_that_go_on(instance: Instance) -> None:
    session = await instance.open_session()
    for n in range(4):
        await instance.call_in(f"a-pbx1-1-{n}", number=f"+8613812345{n:03d}")
    await finish(instance, "a-pbx1-1-0")
    ledger = (await instance.http.get(f"/api/ledger?session_id={session['id']}")).json()
    assert (ledger["calls"], ledger["outcomes"], ledger["unaccounted"], ledger["live"]) == (4, {"abandoned": 1}, 0, 3)
    everything = (await instance.http.get("/api/ledger")).json()
    assert everything["calls"] == 4


async def test_a_call_that_nobody_drives_any_more_is_unaccounted_for(instance: Instance) -> None:
    await instance.core.ledger.note("lost-1", "a-pbx1-9-9", "arrived", instance.core.clock())
    ledger = (await instance.http.get("/api/ledger")).json()
    assert (ledger["unaccounted"], ledger["unaccounted_calls"], ledger["live"]) == (1, ["a-pbx1-9-9"], 0)
