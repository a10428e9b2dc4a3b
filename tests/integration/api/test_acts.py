"""Operators' acts over the API: each does what it says, is kept with who and why, and the order stays provably fair."""

from datetime import UTC, datetime, timedelta

import pytest

from calls.directed import as_directed
from ivr.events import Answered, Offered
from ivr.notices import NOTICES
from ivr.verbs import Prompt
from ivr.wording import render
from tests.integration.api.conftest import Instance
from tests.integration.api.in_line import WHY, heard, order, talk, wait_in_line
from tests.integration.api.test_problems import check


async def test_next_and_urgent_are_served_first_and_the_proof_says_why(instance: Instance) -> None:
    session = await instance.open_session()
    seat = session["seats"][0]["id"]
    await instance.http.post(f"/api/seats/{seat}/open")
    names = await wait_in_line(instance, 1, 2, 3, 4)
    answer = await instance.http.post(f"/api/line/{names[2]}/urgent", json=WHY)
    assert answer.json()["position"] == 1, answer.text
    calls = [await instance.core.calls.get(name) for name in names]
    assert [call.overtaken for call in calls if call] == [True, True, False, False]
    answer = await instance.http.post(f"/api/line/{names[3]}/next", json={"reason": "老人"})
    assert await order(instance, seat) == ["4", "3", "1", "2"]
    assert [await talk(instance, seat) for _ in range(3)] == [names[3], names[2], names[0]]
    fair = (await instance.http.get(f"/api/sessions/{session['id']}/fairness")).json()
    assert (fair["served"], fair["unexplained"]) == (3, 0)
    assert [(one["call_id"], one["overtook"]) for one in fair["deviations"]] == [
        (names[3], [names[0], names[1], names[2]]), (names[2], [names[0], names[1]])
    ]  # fmt: skip
    assert fair["deviations"][1]["reasons"] == ["urgent: 停水三天 (admin)"]
    page = await instance.http.get(f"/api/sessions/{session['id']}/report", params={"format": "html"})
    assert "紧急 urgent: 停水三天 (admin)" in page.text
    check(await instance.http.post(f"/api/line/{names[1]}/next", json={}), "invalid_request")
    check(await instance.http.post("/api/line/nobody/next", json=WHY), "call_not_found")
    check(await instance.http.post(f"/api/line/{names[0]}/next", json=WHY), "caller_not_waiting")


async def test_who_is_moved_hears_the_new_place_at_once(instance: Instance) -> None:
    await instance.open_session()
    names = await wait_in_line(instance, 1, 2, 3)
    answer = await instance.http.post(f"/api/line/{names[0]}/move", json={"position": 3, **WHY})
    assert answer.json()["position"] == 3
    told = await heard(instance, names[0])
    assert "前面还有两位。" in told
    assert "下一位就是您。" not in told


async def test_nobody_is_put_ahead_of_who_is_being_offered(instance: Instance) -> None:
    session = await instance.open_session()
    seat = session["seats"][0]["id"]
    await instance.http.post(f"/api/seats/{seat}/open")
    names = await wait_in_line(instance, 1, 2, 3)
    assert await instance.core.line.claim_next(seat, "test", 60) is not None
    answer = await instance.http.post(f"/api/line/{names[2]}/next", json=WHY)
    assert answer.json()["position"] == 2
    assert await order(instance, seat) == ["1", "3", "2"]


async def test_a_caller_is_put_to_another_seat_by_the_first_joining_time(instance: Instance) -> None:
    session = await instance.open_session(seats=2)
    first, second = (seat["id"] for seat in session["seats"])
    (old,) = await wait_in_line(instance, 1, keys="1")
    (new,) = await wait_in_line(instance, 2, keys="2")
    assert await order(instance, second) == ["2"]
    answer = await instance.http.post(f"/api/line/{old}/seat", json={"seat_id": second, "reason": "归住建管"})
    assert answer.json() | {"node": ""} == {"call_id": old, "seat_id": second, "position": 1, "node": ""}
    assert (await order(instance, first), await order(instance, second)) == ([], ["1", "2"])
    assert (await instance.core.calls.get(new)).told_position  # type: ignore[union-attr]
    check(await instance.http.post(f"/api/line/{old}/seat", json={"seat_id": "other", **WHY}), "seat_not_found")
    await instance.http.post(f"/api/seats/{first}/close")
    check(await instance.http.post(f"/api/line/{old}/seat", json={"seat_id": first, **WHY}), "seat_not_found")


async def test_who_waits_is_told_and_every_act_on_the_session_is_in_ledger_and_report(instance: Instance) -> None:
    session = await instance.open_session()
    (name,) = await wait_in_line(instance, 1)
    path = f"/api/sessions/{session['id']}"
    assert {"leader_late", "postponed", "ended"} <= set(NOTICES)
    for notice in NOTICES:
        if notice == "leader_back":
            await instance.http.post(f"/api/seats/{session['seats'][0]['id']}/open")
            again = await instance.http.post(f"{path}/announce", json={"notice": "leader_late", "reason": "告知"})
            assert again.json()["told"] == 0  # the leader is there: nobody hears otherwise
        answer = await instance.http.post(f"{path}/announce", json={"notice": notice, "reason": "告知"})
        assert answer.json() == {"session_id": session["id"], "told": 1}
        assert render(Prompt(f"waiting_{notice}"), "zh-Hans") in await heard(instance, name)
    for act, body, words in (("hold", {}, "接听暂停"), ("resume", {}, "继续"), ("admission", {"open": False}, "")):
        await instance.http.post(f"{path}/{act}", json={**body, **WHY})
        assert any(words in sentence for sentence in await heard(instance, name))
    check(await instance.http.post("/api/sessions/nothing/hold", json=WHY), "session_not_found")
    acts = (await instance.http.get(f"{path}/report")).json()["acts"]
    assert [(call_id, what, who, why) for _, call_id, what, who, why in acts] == [
        *(("", f"announce {notice}", "admin", "告知") for notice in (NOTICES[0], NOTICES[0], *NOTICES[1:])),
        ("", "hold", "admin", WHY["reason"]),
        ("", "resume", "admin", WHY["reason"]),
        ("", "admission closed", "admin", WHY["reason"]),
    ]
    ledger = (await instance.http.get("/api/ledger", params={"session_id": session["id"]})).json()
    assert (ledger["calls"], ledger["live"], ledger["unaccounted"]) == (1, 1, 0)


async def test_a_held_line_serves_nobody_until_it_is_resumed(instance: Instance) -> None:
    session = await instance.open_session()
    seat = session["seats"][0]["id"]
    await instance.http.post(f"/api/seats/{seat}/open")
    await wait_in_line(instance, 1)
    await instance.http.post(f"/api/sessions/{session['id']}/hold", json=WHY)
    assert await instance.core.line.claim_next(seat, "test", 60) is None
    await instance.http.post(f"/api/sessions/{session['id']}/resume", json=WHY)
    assert await instance.core.line.claim_next(seat, "test", 60) is not None


async def test_a_hold_ends_by_whoever_holds_and_by_nothing_else(instance: Instance) -> None:
    session = await instance.open_session(seats=2)
    core, (late, missing) = instance.core, [seat["id"] for seat in session["seats"]]
    await instance.http.post(f"/api/seats/{missing}/open")
    await wait_in_line(instance, 1, 2)
    claim = await core.line.claim_next(missing, "test", 60)
    assert claim is not None
    held = f"/api/sessions/{session['id']}/hold"
    assert (await instance.http.post(held, json=WHY)).json()["told"] == 2
    assert (await core.seats.state(late)).state == "closed"
    # A leader who comes meanwhile, one who does not answer, and one who says that they are ready.
    assert (await instance.http.post(f"/api/seats/{late}/open")).json()["state"] == "paused"
    await wait_in_line(instance, 3, keys="1")
    await core.line.return_to_head(missing, claim.token, "no_answer", pause=True)
    for seat in (late, missing):
        assert (await instance.http.post(f"/api/seats/{seat}/resume")).json()["state"] == "paused"
        assert await core.line.claim_next(seat, "test", 60) is None
    assert (await core.seats.state(late)).reason == "held"
    # It goes on, but not for who pauses for another reason.
    await instance.http.post(f"/api/seats/{missing}/pause", json={"reason": "喝水"})
    await instance.http.post(f"/api/sessions/{session['id']}/resume", json=WHY)
    assert [(seat.state, seat.reason) for seat in await core.seats.all((late, missing))] == [
        ("free", ""), ("paused", "喝水")
    ]  # fmt: skip
    assert await core.line.claim_next(missing, "test", 60) is None
    assert await core.line.claim_next(late, "test", 60) is not None


async def test_closed_admission_offers_an_order_and_keeps_who_waits(instance: Instance) -> None:
    session = await instance.open_session()
    seat = session["seats"][0]["id"]
    await wait_in_line(instance, 1)
    await instance.http.post(f"/api/sessions/{session['id']}/admission", json={"open": False, **WHY})
    (late,) = await wait_in_line(instance, 2, keys="")
    assert (await instance.core.calls.get(late)).node == "question"  # type: ignore[union-attr]
    assert any("排不上" in sentence for sentence in await heard(instance, late))
    assert await order(instance, seat) == ["1"]
    await instance.http.post(f"/api/sessions/{session['id']}/admission", json={"open": True, **WHY})
    await wait_in_line(instance, 3)
    assert await order(instance, seat) == ["1", "3"]


async def test_a_session_is_extended_and_callers_are_told(instance: Instance) -> None:
    session = await instance.open_session()
    (name,) = await wait_in_line(instance, 1)
    later = datetime.now(UTC) + timedelta(hours=4)
    answer = await instance.http.post(
        f"/api/sessions/{session['id']}/extend", json={"closes_at": later.isoformat(), **WHY}
    )
    assert datetime.fromisoformat(answer.json()["closes_at"]) == later
    assert any("延长" in sentence for sentence in await heard(instance, name))
    call = await instance.core.calls.get(name)
    assert call is not None
    assert call.closes_at == pytest.approx(later.timestamp())
    soon = {"closes_at": (datetime.now(UTC) + timedelta(minutes=30)).isoformat(), **WHY}
    await instance.http.post(f"/api/sessions/{session['id']}/extend", json=soon)
    assert any("早结束" in sentence for sentence in await heard(instance, name))
    assert not any("延长" in sentence for sentence in await heard(instance, name))
    assert as_directed(await instance.core.ledger.of_session(session["id"])).directions.notice == "shortened"
    past = {"closes_at": "2020-01-01T00:00:00Z", **WHY}
    await instance.http.post(f"/api/sessions/{session['id']}/announce", json={"notice": "leader_late", **WHY})
    check(await instance.http.post(f"/api/sessions/{session['id']}/extend", json=past), "invalid_request")
    facts = await instance.core.ledger.of_session(session["id"])
    assert [fact.data["act"] for fact in facts if fact.kind == "act_refused"] == ["extend"]
    assert as_directed(facts).directions.notice == "leader_late"  # not that it was extended to a time long ago
    acts = (await instance.http.get(f"/api/sessions/{session['id']}/report")).json()["acts"]
    assert [act[2].endswith("(refused)") for act in acts] == [False, False, False, True]


async def test_an_emergency_stop_tells_everybody_and_ends_the_talk(instance: Instance) -> None:
    session = await instance.open_session()
    seat = session["seats"][0]["id"]
    await instance.http.post(f"/api/seats/{seat}/open")
    names = await wait_in_line(instance, 1, 2)
    core = instance.core
    claim = await core.line.claim_next(seat, "test", 60)
    assert claim is not None
    offered = {"seat_id": seat, "token": claim.token, "line": claim.line}
    await core.turns.take_turn(names[0], lambda facts: Offered(facts=facts, **offered))
    await core.turns.take_turn(names[0], lambda facts: Answered(facts=facts))
    answer = await instance.http.post(f"/api/sessions/{session['id']}/stop", json=WHY)
    assert answer.json()["state"] == "closing", answer.text
    assert any("紧急停止" in sentence for sentence in await heard(instance, names[0]))
    assert any("因故提前结束" in sentence for sentence in await heard(instance, names[1]))
    check(await instance.http.post(f"/api/sessions/{session['id']}/hold", json=WHY), "state_conflict")
    assert not as_directed(await core.ledger.of_session(session["id"])).held


async def test_an_act_that_could_not_be_done_is_refused_and_the_ledger_says_so(instance: Instance) -> None:
    session = await instance.open_session(seats=2)
    core, (first, second) = instance.core, [seat["id"] for seat in session["seats"]]
    await instance.http.post(f"/api/seats/{first}/open")
    await instance.http.post(f"/api/seats/{second}/open")
    (rung,) = await wait_in_line(instance, 1, keys="1")
    claim = await core.line.claim_next(first, "test", 60)
    assert claim is not None
    await core.turns.take_turn(rung, lambda facts: Offered(facts=facts, seat_id=first, token=claim.token, line=claim.line))
    check(await instance.http.post(f"/api/line/{rung}/seat", json={"seat_id": second, **WHY}), "caller_not_waiting")
    (promised,) = await wait_in_line(instance, 2, keys="2")
    released = f"/api/line/{promised}/release"
    assert (await instance.http.post(released, json={"to": "callback", **WHY})).json()["node"] == "callback"
    check(await instance.http.post(released, json={"to": "operator", **WHY}), "caller_not_waiting")
    check(await instance.http.post(f"/api/line/{promised}/next", json=WHY), "caller_not_waiting")
    for call_id, acts in ((rung, ["seat"]), (promised, ["release", "release"])):
        told = await core.ledger.events(call_id)
        done = [fact for fact in told if fact.kind == "operator_act"]
        assert [fact.data["act"] for fact in done] == acts
        refused = [fact.data["refused"] for fact in told if fact.kind == "act_refused"]
        assert refused == [done[-1].command_id], "the last one"
    shown = (await instance.http.get(f"/api/sessions/{session['id']}/report")).json()["acts"]
    assert [act[2] for act in shown] == ["seat (refused)", "release", "release (refused)"]
