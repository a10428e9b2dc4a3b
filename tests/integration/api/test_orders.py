"""Work orders over the API: find by tag in either script, page by page, one with its history, step by step."""

from tests.integration.api.conftest import MASKED, NUMBER, Instance
from tests.integration.api.test_problems import check
from workorders.intake import NewOrder, OrderRef, make_order


async def order(instance: Instance, n: int, session_id: str = "s1") -> OrderRef:
    new = NewOrder(
        command_id=f"c-{n}", at=instance.core.clock(), source="declined", call_id=f"a-pbx1-1-{n}", session_id=session_id,
        number=NUMBER,
    )  # fmt: skip
    return await make_order(instance.core.database, new)


async def test_the_tag_is_found_in_either_script(instance: Instance) -> None:
    made = await order(instance, 1)
    await order(instance, 2, session_id="")
    for tag in ("熱線問政", "热线问政", "#热线问政"):
        found = (await instance.http.get("/api/work-orders", params={"tag": tag})).json()
        assert [item["id"] for item in found["items"]] == [made.id]
        assert found["next"] is None
    item = (await instance.http.get("/api/work-orders")).json()["items"][1]
    assert {"id", "number", "tags", "source", "call_id", "status"} <= set(item)
    assert (item["tags"], item["source"], item["call_id"], item["status"]) == (
        ["熱線問政"], "declined", "a-pbx1-1-1", "registered",
    )  # fmt: skip
    assert (await instance.http.get("/api/work-orders", params={"tag": "供水"})).json()["items"] == []


async def test_pages_hold_every_order_once(instance: Instance) -> None:
    made = {(await order(instance, n)).id for n in range(7)}
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = (await instance.http.get("/api/work-orders", params={"limit": 3, "cursor": cursor} if cursor else {"limit": 3})).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next"]
    assert len(seen) == 7
    assert set(seen) == made


async def test_orders_are_found_by_call_by_number_and_by_status(instance: Instance) -> None:
    made = await order(instance, 1)
    await order(instance, 2)
    for query in ({"call_id": "a-pbx1-1-1"}, {"number": made.number}, {"call_id": "a-pbx1-1-1", "status": "registered"}):
        assert [o["id"] for o in (await instance.http.get("/api/work-orders", params=query)).json()["items"]] == [made.id]
    assert (await instance.http.get("/api/work-orders", params={"status": "closed"})).json()["items"] == []


async def test_an_order_goes_its_way_and_every_step_is_kept(instance: Instance) -> None:
    path = f"/api/work-orders/{(await order(instance, 1)).id}"
    assert (await instance.http.post(f"{path}/dispatch", json={"unit": "水务局"})).json()["status"] == "dispatched"
    check(await instance.http.post(f"{path}/close"), "state_conflict")
    assert (await instance.http.post(f"{path}/sign")).json()["transitions"]
    shown = (await instance.http.get(path)).json()
    assert (shown["status"], shown["unit"], shown["petitioner"]) == ("signed", "水务局", MASKED)
    assert shown["due_at"]
    assert [(event["kind"], event["actor"]) for event in shown["events"]][-1] == ("sign", "admin")
    check(await instance.http.post(f"{path}/sign", json={"colour": "red"}), "invalid_request")


async def test_the_petitioners_number_is_shown_with_a_reason_and_recorded(instance: Instance) -> None:
    path = f"/api/work-orders/{(await order(instance, 1)).id}"
    assert NUMBER not in (await instance.http.get(path)).text
    shown = (await instance.http.get(path, params={"reason": "回访"})).json()
    assert shown["petitioner"] == NUMBER
    assert [event["kind"] for event in shown["events"]][-1] == "number_shown"
