"""The ledger's check and the session's report over HTTP."""

from typing import Any

import pytest
from sqlalchemy import text

from calls.entries import Entry
from calls.lanes import Lanes
from calls.seals import Seals, keep_head, kept_head
from config.columns import from_unix
from ivr.call import Call
from ivr.commands import MakeOrder
from jobs.cron import Cron
from sessions.plan import Plan, PlannedSeat
from telephony.asterisk.cdr import calls, parse
from telephony.asterisk.node_records import NodeRecords
from tests.integration.api.conftest import Instance
from tests.servers import free_port
from workorders.intake import NewOrder, make_order


async def hold(instance: Instance) -> str:
    """A session whose ledger tells of three callers: talked, gave up, and one that nobody saw to the end."""
    core = instance.core
    now = core.clock()
    plan = Plan(
        opens_at=from_unix(now - 3600),
        closes_at=from_unix(now + 3600),
        theme="=住房",
        seats=(PlannedSeat(unit="市住建局", leader="张三", line_asterisk="sip:l@127.0.0.1:5070"),),
    )
    from sessions.calendar import Calendar

    session = await Calendar(core.database, core.clock).plan(plan)
    seat_id = session.seats[0].id
    story = {
        "a-pbx1-1-1": ["arrived", "willing", "offered", "connected", "talked"],
        "a-pbx1-1-2": ["arrived", "willing", "left_line"],
        "a-pbx1-1-3": ["arrived"],
    }
    for n, (call_id, kinds) in enumerate(story.items()):
        for step, kind in enumerate(kinds):
            at = now - 3000 + n * 10 + step * 60
            data = {"seat_id": seat_id, "joined_at": now - 3000 + n * 10, "chance": 0.75, "reason": "abandoned"}
            await core.ledger.note(f"{call_id}-{step}", call_id, kind, at, data, session_id=session.id)
    await core.ledger.close("x1", "a-pbx1-1-1", "talked", now, session_id=session.id)
    await core.ledger.close("x2", "a-pbx1-1-2", "abandoned", now, session_id=session.id)
    for call_id in ("a-pbx1-1-1", "a-pbx1-1-2"):
        await make_order(core.database, NewOrder(command_id=call_id, call_id=call_id, at=now, source="talked"))
    return str(session.id)


async def test_the_check_names_who_is_unaccounted_for_and_what_is_known(instance: Instance) -> None:
    session_id = await hold(instance)
    found = (await instance.http.get("/api/ledger/check", params={"session_id": session_id})).json()
    assert not found["complete"]
    assert [(one["call_id"], one["last_kind"]) for one in found["unaccounted"]] == [("a-pbx1-1-3", "arrived")]
    assert (found["asterisk"], found["cloud"], found["missing"]) == ("off", "off", [])
    await instance.core.ledger.close("x3", "a-pbx1-1-3", "abandoned", 0, session_id=session_id)
    whole = (await instance.http.get("/api/ledger/check", params={"session_id": session_id})).json()
    assert whole["complete"]
    assert whole["calls"] == sum(whole["outcomes"].values()) == 3


async def test_the_check_names_who_was_promised_a_call_and_got_neither_a_talk_nor_an_order(instance: Instance) -> None:
    core, session_id = instance.core, await hold(instance)
    at, query = core.clock() - 60, {"session_id": session_id}
    await core.ledger.close("x3", "a-pbx1-1-3", "abandoned", at, session_id=session_id)
    for name in ("talked", "ordered", "replaced", "kept", "forgotten"):
        await core.ledger.close(f"{name}-1", f"a-{name}", "callback", at, session_id=session_id)
    await core.ledger.note("talked-2", "a-talked", "connected", at, session_id=session_id)
    replaced = {"reason": "replaced", "to_call": "a-pbx1-1-1"}  # which talked
    await core.ledger.note("replaced-2", "a-replaced", "left_line", at, replaced, session_id=session_id)
    await make_order(core.database, NewOrder(command_id="o-1", call_id="a-ordered", at=at, source="callback"))
    await core.calls.create(Call("a-kept", "asterisk", at, node="kept"))
    found = (await instance.http.get("/api/ledger/check", params=query)).json()
    assert ([one["call_id"] for one in found["forgotten"]], found["complete"]) == (["a-forgotten"], False)
    await make_order(core.database, NewOrder(command_id="o-2", call_id="a-forgotten", at=at, source="callback"))
    assert (await instance.http.get("/api/ledger/check", params=query)).json()["complete"]
    await core.ledger.close("left-1", "a-left", "work_order", at, session_id=session_id)
    found = (await instance.http.get("/api/ledger/check", params=query)).json()
    assert ([one["call_id"] for one in found["without_order"]], found["forgotten"]) == (["a-left"], [])
    assert (found["without_order"][0]["last_kind"], found["complete"]) == ("work_order", False)
    await make_order(core.database, NewOrder(command_id="o-3", call_id="a-left", at=at, source="declined"))
    order = MakeOrder(source="declined", recording="", contact="", at=at)  # of a call that nobody knows: it can only fail
    for name, held_in in (("here", session_id), ("elsewhere", "another")):
        entry = Entry(f"{name}-1-0", f"a-{name}", 1, at, order, held_in)
        await Lanes(core.redis, core.settings, core.clock).add("stuck", entry)
    found = (await instance.http.get("/api/ledger/check", params=query)).json()
    assert ([(one["call_id"], one["command"]) for one in found["stuck"]], found["complete"]) == ([("a-here", "MakeOrder")], False)
    assert len((await instance.http.get("/api/ledger/check")).json()["stuck"]) == 2
    assert 'hotline_outbox{state="stuck"} 2.0' in (await instance.http.get("/metrics")).text


async def test_a_call_that_only_asterisk_knows_is_missed(instance: Instance) -> None:
    """Also in a session that was opened by hand before its time."""
    session_id = await hold(instance)
    later = text("UPDATE sessions SET opened_at = :opened, opens_at = :opens, closes_at = :closes")
    moments = {
        name: from_unix(instance.core.clock() + after).strftime("%Y-%m-%d %H:%M:%S.%f")
        for name, after in (("opened", -3600), ("opens", 1800), ("closes", 9000))
    }
    async with instance.core.database.begin() as session:
        await session.execute(later, moments)
    records = instance.core.settings.state_dir / "asterisk" / "log" / "cdr-custom"
    records.mkdir(parents=True)
    at = instance.core.clock() - 1800
    row = ["pbx1-9.9", "pbx1-9.9", "1", "PJSIP/x", "", "13800000000", "12345", "hotline", f"{at}", "0", f"{at + 5}"]
    line = ",".join(f'"{cell}"' for cell in (*row, "NO ANSWER", "arriving", "a-pbx1-9-9"))
    (records / "hotline.csv").write_text(line + "\n")
    found = (await instance.http.get("/api/ledger/check", params={"session_id": session_id})).json()
    assert (found["asterisk"], found["asterisk_records"]) == ("ok", 1)
    assert [(one["call_id"], one["last_kind"], one["seconds"]) for one in found["missing"]] == [("a-pbx1-9-9", "", 5.0)]


async def test_a_call_that_only_another_node_knows_is_missed_and_a_silent_node_leaves_nothing_proven(
    instance: Instance,
) -> None:
    session_id = await hold(instance)
    core = instance.core
    await core.ledger.close("x3", "a-pbx1-1-3", "abandoned", core.clock(), session_id=session_id)
    now, nodes = core.clock(), NodeRecords(core.redis, core.settings.redis_prefix, days=90)
    cells = ["pbx2-9.9", "pbx2-9.9", "1", "PJSIP/x", "", "13800000000", "12345", "hotline", f"{now - 1800}", "0"]
    rows = [
        ",".join(f'"{cell}"' for cell in (*cells, f"{now - 1800 + ends}", "NO ANSWER", stage, call_id)) + "\n"
        for ends, stage, call_id in ((5, "arriving", "a-pbx2-9-9"), (9, "ringing", "a-pbx2-9-9"), (9, "talk:4", "a-pbx1-1-1"))
    ]
    for row in rows:  # the rows of a call may come one by one, and again
        await nodes.report("pbx2", calls(parse([row])), now)
    query = {"session_id": session_id}
    found = (await instance.http.get("/api/ledger/check", params=query)).json()
    assert (found["asterisk"], found["asterisk_records"], found["nodes"]) == ("ok", 2, ["pbx2"])
    assert [(one["call_id"], one["seconds"], one["told"]) for one in found["missing"]] == [
        ("a-pbx2-9-9", 9.0, "ringing NO ANSWER")
    ]
    await core.ledger.close("x4", "a-pbx2-9-9", "abandoned", now, session_id=session_id)
    assert (await instance.http.get("/api/ledger/check", params=query)).json()["complete"]
    kept: Any = await core.redis.zrange(f"{core.settings.redis_prefix}cdr_of:pbx2", 0, -1)
    assert "13800000000" not in "".join(kept)
    await nodes.report("pbx3", {}, now - 600)  # and nothing since
    found = (await instance.http.get("/api/ledger/check", params=query)).json()
    assert (found["complete"], found["asterisk"], found["silent_nodes"]) == (False, "away", ["pbx3"])


async def test_a_changed_fact_and_a_seal_cut_off_the_end_show(instance: Instance) -> None:
    await hold(instance)
    core = instance.core
    seals = Seals(core.database, core.settings, core.clock)
    await seals.seal()
    await keep_head(core.redis, core.settings.redis_prefix, *await seals.head())
    assert (await instance.http.get("/api/ledger/check")).json()["broken_seals"] == []
    async with core.database.begin() as session:
        await session.execute(text("DROP TRIGGER ledger_refuses_update"))
        await session.execute(text("UPDATE ledger SET outcome = 'talked' WHERE outcome = 'abandoned'"))
    found = (await instance.http.get("/api/ledger/check")).json()
    assert [one["fault"] for one in found["broken_seals"]] == ["changed"]
    async with core.database.begin() as session:
        await session.execute(text("DROP TRIGGER ledger_seals_refuses_delete"))
        await session.execute(text("DELETE FROM ledger_seals"))
    found = (await instance.http.get("/api/ledger/check")).json()
    assert [one["fault"] for one in found["broken_seals"]] == ["cut_off"]


async def test_the_report_tells_waits_promises_and_order(instance: Instance) -> None:
    session_id = await hold(instance)
    report = (await instance.http.get(f"/api/sessions/{session_id}/report")).json()
    assert (report["calls"], report["joined"], report["served"], report["abandoned_waiting"]) == (3, 2, 1, 1)
    assert report["unaccounted"] == ["a-pbx1-1-3"]
    assert report["waits_served"]["median_s"] == 120.0
    assert report["promises"][7] == {"least": 0.7, "told": 2, "stayed": 1, "served": 1}
    assert report["served_order"] == ["a-pbx1-1-1"]
    assert max(depth for _, depth in report["depth"]) == 2


async def test_the_report_as_table_and_as_page(instance: Instance) -> None:
    session_id = await hold(instance)
    table = await instance.http.get(f"/api/sessions/{session_id}/report", params={"format": "csv"})
    assert table.headers["content-type"].startswith("text/csv")
    assert "calls,领导接听 talked,1" in table.text
    page = await instance.http.get(f"/api/sessions/{session_id}/report", params={"format": "html"})
    assert page.headers["content-type"].startswith("text/html")
    assert "热线问政场次报告" in page.text
    unknown = await instance.http.get("/api/sessions/nothing/report")
    assert unknown.json()["code"] == "session_not_found"


@pytest.mark.parametrize("cut", ["WHERE number = (SELECT max(number) FROM ledger_seals)", ""])
async def test_a_ledger_that_is_sealed_anew_after_tampering_still_shows_it(instance: Instance, cut: str) -> None:
    """Whoever has the database alone takes seals away, changes a fact and lets cron seal again: the chain is whole, and is not
    the one that Redis knows."""
    session_id = await hold(instance)
    core = instance.core
    cron = Cron(core)
    assert await cron.seal()
    await core.ledger.close("x3", "a-pbx1-1-3", "abandoned", core.clock(), session_id=session_id)
    assert await cron.seal()
    kept = await kept_head(core.redis, core.settings.redis_prefix)
    query = {"session_id": session_id}
    assert (await instance.http.get("/api/ledger/check", params=query)).json()["complete"]
    assert "hotline_ledger_broken 0.0" in (await instance.http.get("/metrics")).text
    async with core.database.begin() as session:
        for trigger in ("ledger_refuses_update", "ledger_seals_refuses_delete"):
            await session.execute(text(f"DROP TRIGGER {trigger}"))
        await session.execute(text(f"DELETE FROM ledger_seals {cut}"))
        await session.execute(text("UPDATE ledger SET outcome = 'talked' WHERE command_id = 'x3'"))
    for _ in range(2):
        await cron.seal()
        await core.ledger.note(f"later-{core.clock()}", "a-pbx1-1-9", "arrived", core.clock())
        found = (await instance.http.get("/api/ledger/check", params=query)).json()
        assert not found["complete"]
        assert [one["number"] for one in found["broken_seals"]] == [kept[0]]
        assert found["broken_seals"][0]["fault"] in ("cut_off", "replaced")
        assert (await Seals(core.database, core.settings, core.clock).verify()).broken == ()
    assert await kept_head(core.redis, core.settings.redis_prefix) == kept
    assert "hotline_ledger_broken 1.0" in (await instance.http.get("/metrics")).text


async def test_while_a_carrier_does_not_answer_nothing_is_proven(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = await hold(instance)
    query = {"session_id": session_id}
    await instance.core.ledger.close("x3", "a-pbx1-1-3", "abandoned", 0, session_id=session_id)
    for wanted in ("auto", "external"):  # an Asterisk of which there is no record at all
        with monkeypatch.context() as patch:
            patch.setattr(instance.core.settings, "asterisk", wanted)
            found = (await instance.http.get("/api/ledger/check", params=query)).json()
        assert (found["asterisk"], found["missing"], found["complete"]) == ("away", [], False)
    for name, value in {
        "twilio_account_sid": "AC" + "1" * 32,
        "twilio_number": "+867348812345",
        "twilio_api_url": f"http://127.0.0.1:{free_port()}",
    }.items():
        monkeypatch.setattr(instance.core.settings, name, value)
    found = (await instance.http.get("/api/ledger/check", params=query)).json()
    assert (found["cloud"], found["unaccounted"], found["missing"], found["complete"]) == ("away", [], [], False)
