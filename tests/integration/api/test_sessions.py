"""Sessions and seats over the API: plan, open, postpone, cancel, close; sign in, pause, resume, sign out."""

from datetime import UTC, datetime, timedelta

import pytest

from sessions.calendar import Calendar
from sessions.plan import Plan, PlannedSeat, PlanRefused, session_of
from tests.integration.api.conftest import Instance, plan
from tests.integration.api.test_problems import check


async def test_a_session_whose_time_has_come_opens_at_once(instance: Instance) -> None:
    session = await instance.open_session()
    assert set(session) == {"id", "state", "opens_at", "closes_at", "theme", "seats"}
    assert session["state"] == "open"
    assert set(session["seats"][0]) == {"id", "unit", "leader", "state", "line"}
    assert session["seats"][0]["line"] == {"asterisk": "sip:leader@127.0.0.1:6060", "twilio": "client:l0"}
    assert session["opens_at"].endswith("+08:00")
    assert (await instance.http.get("/api/line")).json()["session"]["id"] == session["id"]


async def test_a_planned_session_waits_and_is_opened_by_hand(instance: Instance) -> None:
    session = await instance.open_session(opens_in_s=3600, seats=2)
    assert session["state"] == "planned"
    assert (await instance.http.get("/api/line")).json()["session"] is None
    path = f"/api/sessions/{session['id']}"
    assert (await instance.http.post(f"{path}/open")).json()["state"] == "open"
    assert (await instance.http.post(f"{path}/open")).json()["state"] == "open"
    assert (await instance.http.get(path)).json()["state"] == "open"
    assert [item["id"] for item in (await instance.http.get("/api/sessions")).json()["items"]] == [session["id"]]


async def test_a_time_without_an_offset_is_read_in_the_services_zone(instance: Instance) -> None:
    body = plan() | {"opens_at": "2031-03-05T09:00:00", "closes_at": "2031-03-05T11:00:00"}
    session = (await instance.http.post("/api/sessions", json=body)).json()
    assert session["opens_at"] == "2031-03-05T09:00:00+08:00"


async def test_a_session_that_closes_before_it_opens_is_refused(instance: Instance) -> None:
    body = plan()
    body["opens_at"], body["closes_at"] = body["closes_at"], body["opens_at"]
    check(await instance.http.post("/api/sessions", json=body), "invalid_request")


@pytest.mark.parametrize(
    "line",
    [
        {"asterisk": "+8613900000001"},
        {"asterisk": "sip:leader@10.0.0.5:5060,+8613900000001", "twilio": "+8613900000001,client:leader_1"},
        {"twilio": "sip:leader@sip.example.gov.cn"},
        {"twilio": "client:leader_1"},
    ],
    ids="_".join,
)
async def test_a_seat_has_whatever_line_the_documents_name(instance: Instance, line: dict[str, str]) -> None:
    body = plan() | {"seats": [{"unit": "x", "leader": "y", "line": line}]}
    [seat] = (await instance.http.post("/api/sessions", json=body)).json()["seats"]
    assert {carrier: one for carrier, one in seat["line"].items() if one} == line


async def test_a_seat_without_a_line_is_refused(instance: Instance) -> None:
    body = plan() | {"seats": [{"unit": "x", "leader": "y", "line": {}}]}
    check(await instance.http.post("/api/sessions", json=body), "invalid_line")


async def test_postponed_without_a_time_is_a_week_later_and_who_signed_in_or_out_does_so_again(
    instance: Instance,
) -> None:
    """Else callers would hear on the new day that the leader has left, or be put through to one who has not come."""
    session = await instance.open_session(opens_in_s=3600, seats=2)
    seats = [seat["id"] for seat in session["seats"]]
    for seat_id, acts in zip(seats, (("open",), ("open", "close")), strict=True):
        for act in acts:
            await instance.http.post(f"/api/seats/{seat_id}/{act}")
    after = (await instance.http.post(f"/api/sessions/{session['id']}/postpone")).json()
    assert after["state"] == "postponed"
    assert [seat["state"] for seat in after["seats"]] == ["closed", "closed"]
    kept = (await Calendar(instance.core.database).get(session["id"])).seats
    assert not any(seat.signed_in_at or seat.signed_out_at for seat in kept)
    moved = datetime.fromisoformat(after["opens_at"]) - datetime.fromisoformat(session["opens_at"])
    assert moved == timedelta(days=7)


async def test_an_open_session_is_postponed_who_waits_is_told_and_the_first_date_is_kept(instance: Instance) -> None:
    session, core = await instance.open_session(), instance.core
    path = f"/api/sessions/{session['id']}"
    check(await instance.http.post(f"{path}/cancel", json={}), "state_conflict")
    await instance.call_in("a-pbx1-1-1")
    over = await instance.http.post("/api/sessions", json=plan())
    check(over, "session_overlaps")
    other = {"session_id": session["id"], "state": "open"} | {name: session[name] for name in ("opens_at", "closes_at")}
    assert over.json() | other == over.json()
    past = {"opens_at": "2020-01-01T09:00:00Z", "reason": "台风"}
    check(await instance.http.post(f"{path}/postpone", json=past), "invalid_request")
    answer = await instance.http.post(f"{path}/postpone", json={"reason": "台风"})
    later = answer.json()
    assert (answer.status_code, later["state"], later["id"] == session["id"]) == (200, "postponed", False), answer.text
    assert [seat["leader"] for seat in later["seats"]] == [seat["leader"] for seat in session["seats"]]
    kept = await Calendar(core.database).get(later["id"])
    assert (kept.original_opens_at, kept.reason) == (datetime.fromisoformat(session["opens_at"]), "台风")
    turn = await core.turns.present("a-pbx1-1-1")
    assert (turn.call.node, turn.verbs[0].prompts[0].key) == ("message", "message_session_postponed")
    await core.outbox.idle()
    assert (await instance.http.get("/api/line")).json()["depth"] == 0
    assert (await instance.http.get(path)).json()["state"] in ("closing", "closed")
    acts = [(one[2], one[4]) for one in (await instance.http.get(f"{path}/report")).json()["acts"]]
    assert acts == [("postpone (refused)", "台风"), ("postpone", "台风")]
    check(await instance.http.post(f"{path}/postpone", json={}), "state_conflict")


async def test_a_session_has_as_many_seats_as_callers_can_pick_by_a_key(instance: Instance) -> None:
    refused = await instance.http.post("/api/sessions", json=plan(seats=10))
    check(refused, "invalid_request")
    assert "at most 9 items" in refused.text
    assert len((await instance.open_session(seats=9))["seats"]) == 9
    opens = datetime.now(UTC)
    many = (PlannedSeat(unit="u", leader="l"),) * 10
    with pytest.raises(PlanRefused, match="1 to 9 seats: callers pick one by a key"):
        session_of(Plan(opens_at=opens, closes_at=opens + timedelta(hours=2), seats=many), 0.0)


async def test_a_cancelled_session_does_not_open(instance: Instance) -> None:
    session = await instance.open_session(opens_in_s=3600)
    path = f"/api/sessions/{session['id']}"
    assert (await instance.http.post(f"/api/seats/{session['seats'][0]['id']}/open")).json()["state"] == "free"
    cancelled = (await instance.http.post(f"{path}/cancel", json={"reason": "暴雨"})).json()
    assert (cancelled["state"], cancelled["seats"][0]["state"]) == ("cancelled", "closed")
    check(await instance.http.post(f"{path}/open"), "state_conflict")


async def test_closing_turns_everyone_who_waits_into_a_work_order(instance: Instance) -> None:
    session = await instance.open_session()
    for n in range(3):
        await instance.call_in(f"a-pbx1-1-{n}", number=f"+8613812345{n:03d}")
    after = (await instance.http.post(f"/api/sessions/{session['id']}/close")).json()
    await instance.core.outbox.idle()
    assert after["state"] in ("closing", "closed")
    line = (await instance.http.get("/api/line")).json()
    assert line["session"] is None
    for n in range(3):
        assert (await instance.http.get(f"/api/calls/a-pbx1-1-{n}")).json()["node"] == "message"


async def test_a_seats_life(instance: Instance) -> None:
    session = await instance.open_session()
    seat = f"/api/seats/{session['seats'][0]['id']}"
    check(await instance.http.post(f"{seat}/pause"), "state_conflict")
    check(await instance.http.post(f"{seat}/resume"), "state_conflict")
    assert (await instance.http.post(f"{seat}/open")).json()["state"] == "free"
    assert (await instance.http.post(f"{seat}/open")).json()["state"] == "free"
    assert (await instance.http.post(f"{seat}/pause", json={"reason": "喝水"})).json()["state"] == "paused"
    assert (await instance.http.post(f"{seat}/resume")).json()["state"] == "free"
    assert (await instance.http.post(f"{seat}/close")).json()["state"] == "closed"
    shown = (await instance.http.get(f"/api/sessions/{session['id']}")).json()["seats"][0]
    assert shown["state"] == "closed"


async def test_nobody_signs_in_to_a_session_that_is_over(instance: Instance) -> None:
    session = await instance.open_session(opens_in_s=3600)
    await instance.http.post(f"/api/sessions/{session['id']}/cancel")
    check(await instance.http.post(f"/api/seats/{session['seats'][0]['id']}/open"), "state_conflict")
