"""One place a number over the API: who redials has it back, a newer call has it, and it ends with the session as an order."""

from typing import Any

from msgspec.structs import replace

from ivr.events import HungUp, Keyed
from tests.integration.api.conftest import Instance
from tests.integration.api.in_line import WHY, heard, order, talk, wait_in_line


async def test_a_redial_takes_the_place_back_and_the_order_is_withdrawn_once_a_number(instance: Instance) -> None:
    session = await instance.open_session()
    seat = session["seats"][0]["id"]
    core = instance.core
    names = await wait_in_line(instance, 1, 2)
    await core.turns.take_turn(names[0], lambda facts: HungUp(facts=facts))
    await core.outbox.idle()
    (abandoned,) = (await instance.http.get("/api/work-orders")).json()["items"]
    assert abandoned["source"] == "abandoned"
    await instance.call_in("t-CA00", number="+8613812345001")
    assert [caller.call_id for caller in await core.line.callers(seat)] == ["t-CA00", names[1]]
    assert await status_of(instance, abandoned) == "cancelled"
    await core.turns.take_turn("t-CA00", lambda facts: HungUp(facts=facts))
    await core.outbox.idle()
    (again,) = (await instance.http.get("/api/work-orders")).json()["items"]
    assert (again["id"], again["status"]) == (abandoned["id"], "registered")


async def status_of(instance: Instance, order: dict[str, Any]) -> str:
    return str((await instance.http.get(f"/api/work-orders/{order['id']}")).json()["status"])


async def test_a_redial_goes_on_where_an_operator_had_put_the_caller_and_the_proof_says_why(instance: Instance) -> None:
    session = await instance.open_session()
    seat, core = session["seats"][0]["id"], instance.core
    await instance.http.post(f"/api/seats/{seat}/open")
    await instance.http.post(f"/api/seats/{seat}/pause", json=WHY)
    names = await wait_in_line(instance, 1, 2, 3, 4)
    await instance.http.post(f"/api/line/{names[3]}/urgent", json={"reason": "危房"})
    await instance.http.post(f"/api/line/{names[0]}/move", json={"position": 4, **WHY})
    assert await order(instance, seat) == ["4", "2", "3", "1"]
    await core.turns.take_turn(names[3], lambda facts: HungUp(facts=facts))
    await core.outbox.idle()
    await instance.call_in("t-CA0d", number="+8613812345004")  # cut off, and back
    await instance.call_in("t-CA0a", number="+8613812345001")  # while the older call still waits
    assert await order(instance, seat) == ["d", "2", "3", "a"]
    assert [(await talk(instance, seat))[-1] for _ in range(3)] == ["d", "2", "3"]
    fair = (await instance.http.get(f"/api/sessions/{session['id']}/fairness")).json()
    assert (fair["served"], fair["unexplained"]) == (3, 0)
    assert [one["reasons"] for one in fair["deviations"]] == [
        ["urgent: 危房 (admin)", "move: 停水三天 (admin)"], ["move: 停水三天 (admin)"], ["move: 停水三天 (admin)"]
    ]  # fmt: skip


async def test_one_place_a_number_the_newer_call_has_it(instance: Instance) -> None:
    session = await instance.open_session()
    seat = session["seats"][0]["id"]
    names = await wait_in_line(instance, 1, 2)
    await instance.call_in("t-CA01", number="+8613812345001")
    assert [caller.call_id for caller in await instance.core.line.callers(seat)] == ["t-CA01", names[1]]
    assert any("另一个来电" in sentence for sentence in await heard(instance, names[0]))


async def test_numbers_are_nowhere_in_the_places(instance: Instance) -> None:
    await instance.open_session()
    await wait_in_line(instance, 1)
    keys = [key async for key in instance.core.redis.scan_iter("*number:*")]
    assert keys
    assert not [key for key in keys if "13812345001" in key]


async def test_a_kept_place_ends_with_the_session_as_an_order(instance: Instance) -> None:
    instance.core.settings.callback_line = "sip:{number}@127.0.0.1:9"
    session = await instance.open_session()
    (name,) = await wait_in_line(instance, 1)
    core = instance.core
    await core.turns.take_turn(name, lambda facts: Keyed(facts=replace(facts, now=facts.now + 5), key="3"))
    await core.turns.take_turn(name, lambda facts: HungUp(facts=facts))
    await core.outbox.idle()
    line = (await instance.http.get("/api/line")).json()
    assert [caller["state"] for caller in line["callers"]] == ["callback"]
    ledger = (await instance.http.get("/api/ledger", params={"session_id": session["id"]})).json()
    assert (ledger["calls"], ledger["outcomes"], ledger["unaccounted"]) == (1, {"callback": 1}, 0)
    assert (await instance.http.post(f"/api/sessions/{session['id']}/close")).json()["state"] == "closed"
    await core.outbox.idle()
    (order,) = (await instance.http.get("/api/work-orders")).json()["items"]
    assert (order["call_id"], order["source"]) == (name, "callback")
    assert (await instance.http.get("/api/ledger")).json()["outcomes"] == {"callback": 1}
