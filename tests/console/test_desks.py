"""The desks in a real Chromium, without a mouse: what they show is what Redis has, and what is typed there is kept."""

import re
import time
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from playwright.async_api import Browser, expect

from tests.console.conftest import Console, enter, faults_of
from tests.console.in_session import (
    WITHIN_MS,
    confirm,
    hang_up,
    held,
    order_of,
    rows_say_what_is_known,
    shows_the_line,
    state_is,
)
from tests.waiting import until
from workorders.intake import NewOrder, make_order

pytestmark = pytest.mark.asyncio(loop_scope="module")
EVIL = '<img src=x onerror="window.struck=1"><script>window.struck=1</script>'


async def test_an_operator_acts_and_writes_by_keyboard(console: Console, browser: Browser) -> None:
    seat_id, calls = await held(console, 4)
    old = NewOrder(
        command_id="old", at=time.time() - 86_400, source="declined", call_id="a-old", number="+8613812000002",
        content="路灯不亮", unit="市城管局",
    )  # fmt: skip
    earlier = await make_order(console.core.database, old)
    page = await enter(browser, console, "op", timezone_id="America/New_York")
    await page.goto("/desk")
    assert await shows_the_line(console, page, seat_id) == calls
    await until(lambda: rows_say_what_is_known(console, page), WITHIN_MS / 1000, "number, forecast, unit, carrier")
    for _ in range(3):
        await page.keyboard.press("ArrowDown")
    await expect(page.locator(f"[data-shown='{calls[2]}']")).to_be_visible(timeout=WITHIN_MS)
    await expect(page.locator("#panel")).to_contain_text(earlier.number)
    await expect(page.locator("#panel")).to_contain_text("路灯不亮")
    looks = {look.on_what for look in await console.gate.trail.read(act="see_history", who="op")}
    assert f"call_id={calls[2]}" in looks
    assert f"call_id={calls[3]}" not in looks
    await page.keyboard.press("n")
    await expect(page.locator("#ask-title")).to_have_text("排到下一位 · 138****0002")
    await confirm(page, "年老体弱")
    assert (await shows_the_line(console, page, seat_id))[0] == calls[2]
    events = await console.core.ledger.events(calls[2])
    act = next(event.data for event in events if event.kind == "operator_act")
    assert (act["act"], act["who"], act["reason"]) == ("next", "op", "年老体弱")
    await page.keyboard.press("m")
    await page.wait_for_selector("#ask[open]")
    await page.locator("#ask-position").fill("3")
    await confirm(page, "排错席位")
    assert (await shows_the_line(console, page, seat_id))[2] == calls[2]
    await page.keyboard.press("t")
    await page.keyboard.type("家住江东")
    await page.keyboard.press("Enter")
    await expect(page.locator(".notes li")).to_contain_text("家住江东", timeout=WITHIN_MS)
    await page.keyboard.type(EVIL)
    await page.keyboard.press("Enter")
    await expect(page.locator(".notes li")).to_have_count(2, timeout=WITHIN_MS)
    await page.get_by_label("投诉").focus()
    await page.keyboard.press("Space")
    await page.locator("#form-content").fill(f"停水三天\n{EVIL}")
    await page.locator("#form-place").fill("蒸湘区红湘路 1 号")
    there = datetime.now(ZoneInfo("Asia/Shanghai"))  # the sessions' time, wherever the browser is
    hours = "|".join({f"{at:%H}" for at in (there, there + timedelta(minutes=1))})
    await expect(page.locator("#form [data-state]")).to_have_text(re.compile(f"已保存 ({hours}):"), timeout=WITHIN_MS)
    await page.locator("#form-content").fill("停水\u0007")
    await expect(page.locator("#problem")).to_be_visible(timeout=WITHIN_MS)  # refused for good: given up, one goes on
    await page.locator("#form [data-reload]").press("Enter")
    await expect(page.locator("#form-content")).to_have_value(f"停水三天\n{EVIL}", timeout=WITHIN_MS)
    await page.locator("#form-content").press("Escape")
    await page.keyboard.press("w")
    usual = page.locator("#ask[open] #reasons-release option")
    assert await page.locator("#ask-reason").get_attribute("list") == "reasons-release"
    assert "来电人要求" in [await one.get_attribute("value") for one in await usual.all()]
    await confirm(page, "来电人要求")
    assert calls[2] not in await shows_the_line(console, page, seat_id)
    released = [event.data for event in await console.core.ledger.events(calls[2]) if event.kind == "operator_act"][-1]
    assert released == {"act": "release", "who": "op", "reason": "来电人要求", "to": "work_order"}
    for key, call_id, stays in (("u", calls[3], True), ("s", calls[3], True), ("b", calls[1], False), ("o", calls[0], False)):
        await page.goto(f"/desk?call={call_id}")
        await page.keyboard.press(key)
        await confirm(page, f"按键 {key}")
        assert (call_id in await shows_the_line(console, page, seat_id)) == stays, key
    lines = await console.gate.trail.read(who="op", limit=30)
    assert {(line.act, line.reason) for line in lines if "按键" in line.reason} == {
        ("mark_caller_urgent", "按键 u"), ("put_caller_to_seat", "按键 s"), ("release_caller", "按键 b"), ("release_caller", "按键 o"),
    }  # fmt: skip
    assert await page.evaluate("window.struck") is None
    assert await page.locator("main img[src=x]").count() == 0
    assert [fault for fault in faults_of(page) if "422" not in fault] == []
    await page.context.close()
    await console.close_sessions()


async def test_the_form_becomes_the_order_whichever_is_first(console: Console, browser: Browser) -> None:
    _, calls = await held(console, 2, first=100)
    async with await console.signed_in("op") as operator, await console.signed_in("sup") as other:
        order = await _fill(console, calls, operator, other)
    database = b"".join(path.read_bytes() for path in console.settings.state_dir.glob("hotline.db*"))
    assert "红湘路".encode() not in database, "where somebody lives is encrypted"
    page = await enter(browser, console, "op")
    await page.goto(f"/orders/{order['id']}")
    await expect(page.locator(".notes")).to_contain_text("<img src=x")
    assert await page.evaluate("window.struck") is None
    await page.context.close()
    await console.close_sessions()


async def _fill(
    console: Console, calls: list[str], operator: httpx.AsyncClient, other: httpx.AsyncClient
) -> dict[str, Any]:
    """The first call's form comes before its order, the second's after; the first order."""
    form = {"kind": "help", "unit": "市水务局", "place": "", "content": "水管爆裂", "urgent": True, "confidential": True}
    path = f"/api/calls/{calls[0]}/form"
    assert (await operator.put(path, json={**form, "version": 0})).json()["version"] == 1
    late = await other.put(path, json={**form, "content": "别的", "version": 0})
    assert (late.status_code, late.json()["code"]) == (409, "form_changed")
    assert (await operator.put(path, json={**form, "content": "a\x00b", "version": 1})).status_code == 422
    assert (await operator.post(f"/api/calls/{calls[0]}/notes", json={"text": EVIL})).status_code == 201
    for call_id in calls:
        unsaid = await operator.post(f"/api/line/{call_id}/release", json={"to": "work_order"})
        assert (unsaid.status_code, unsaid.json()["code"]) == (422, "reason_required"), "a person says why"
        done = await operator.post(f"/api/line/{call_id}/release", json={"to": "work_order", "reason": "不便再等"})
        assert done.status_code == 200
    await hang_up(console, calls[0])
    order = await order_of(console, calls[0], "help")
    assert [order[name] for name in ("kind", "unit", "content", "urgent", "confidential")] == [
        "help", "市水务局", "水管爆裂", True, True,
    ]  # fmt: skip
    await hang_up(console, calls[1])
    assert (await order_of(console, calls[1]))["content"] == ""
    saved = await operator.put(f"/api/calls/{calls[1]}/form", json={**form, "place": "红湘路", "version": 0})
    assert saved.status_code == 200
    after = await order_of(console, calls[1], "help")
    assert (after["content"], after["place"]) == ("水管爆裂", "红湘路")
    assert "filled" in [event["kind"] for event in after["events"]]
    return order


async def test_a_leader_sees_the_caller_and_works_the_seat(console: Console, browser: Browser) -> None:
    seat_id, calls = await held(console, 2, first=200)
    core = console.core
    ours = NewOrder(command_id="o1", at=1.0, source="declined", call_id="a-o1", number="+8613812000200", unit="单位0")
    theirs = NewOrder(command_id="o2", at=2.0, source="declined", call_id="a-o2", number="+8613812000200", unit="单位9")
    mine, other = [await make_order(core.database, order) for order in (ours, theirs)]
    page = await enter(browser, console, "lead")
    await page.goto(f"/leader?seat={seat_id}")
    await state_is(page, "free")
    claim = await core.line.claim_next(seat_id, "test", 300)
    assert claim is not None
    await state_is(page, "ringing")
    await core.line.take(seat_id, claim.token, time.time())
    await state_is(page, "talking")
    await expect(page.locator("#now .caller")).to_contain_text("138****0200")
    await expect(page.locator("#head")).to_have_text("138****0201")  # who is next
    await expect(page.locator("#caller")).to_contain_text(mine.number)
    assert other.number not in await page.content(), "another unit's"
    async with await console.signed_in("op") as operator:
        form = {"kind": "consult", "content": f"问医保 {EVIL}", "version": 0}
        assert (await operator.put(f"/api/calls/{calls[0]}/form", json=form)).status_code == 200
        assert (await operator.post(f"/api/calls/{calls[0]}/notes", json={"text": EVIL})).status_code == 201
    await expect(page.locator("#caller .words").first).to_contain_text("问医保", timeout=WITHIN_MS)
    await expect(page.locator("#caller .notes li")).to_have_count(1, timeout=WITHIN_MS)
    assert await page.evaluate("window.struck") is None
    await page.get_by_role("button", name="暂停").focus()
    await page.keyboard.press("Enter")
    await page.get_by_role("button", name="会商").focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("#now .chip.paused")).to_contain_text("会商", timeout=WITHIN_MS)
    await core.line.free(seat_id, claim.token, True, time.time())
    await state_is(page, "paused")
    await page.get_by_role("button", name="接下一位").press("Enter")
    await state_is(page, "free")
    claim = await core.line.claim_next(seat_id, "test", 300)
    assert claim is not None
    await core.line.take(seat_id, claim.token, time.time())
    await state_is(page, "talking")
    await page.get_by_role("button", name="完成").press("Enter")
    await core.line.free(seat_id, claim.token, True, time.time())
    await state_is(page, "free")  # not in wrap-up: done means ready at once
    await page.get_by_role("button", name="离席").press("Enter")
    await page.locator("#leave [data-sure]").press("Enter")
    await state_is(page, "closed")
    await page.get_by_role("button", name="入席").press("Enter")
    await state_is(page, "free")
    assert faults_of(page) == []
    await page.context.close()
    await console.close_sessions()


async def test_a_supervisor_directs_from_the_desk_and_an_operator_cannot(console: Console, browser: Browser) -> None:
    seat_id, _ = await held(console, 1, first=400)
    page = await enter(browser, console, "sup")
    await page.goto("/desk")
    await page.get_by_text("场次操作").click()
    await page.locator("#d-admission").press("Enter")
    await confirm(page, "人数太多")
    await expect(page.get_by_text("不再接纳新的等候")).to_be_visible(timeout=WITHIN_MS)
    await page.locator("#d-announce").press("Enter")
    await page.locator("#ask-notice").select_option("leader_late")
    await confirm(page, "领导未到")
    await page.locator(f"#p-{seat_id}").press("Enter")
    await confirm(page, "会商")
    await expect(page.locator(f"#s-{seat_id}.paused")).to_contain_text("会商", timeout=WITHIN_MS)
    await page.locator(f"#r-{seat_id}").press("Enter")
    await expect(page.locator(f"#s-{seat_id}.free")).to_be_visible(timeout=WITHIN_MS)
    acts = {line.act: line.reason for line in await console.gate.trail.read(who="sup", limit=8)}
    assert (acts["set_admission"], acts["announce_to_waiting"], acts["pause_seat"]) == ("人数太多", "领导未到", "会商")
    for act, reason in (("hold", "按钮 hold"), ("resume", "按钮 resume"), ("stop", "火警")):
        await page.locator(f"#d-{act}").press("Enter")
        await confirm(page, reason)

    async def told() -> bool:  # that the act before was done is still on the page
        acts = {line.act: line.reason for line in await console.gate.trail.read(who="sup", limit=8)}
        return [acts.get(act) for act in ("hold_line", "resume_line", "stop_session")] == ["按钮 hold", "按钮 resume", "火警"]

    await until(told, 30, "the three acts in the trail")
    await page.context.close()
    await console.open_session(seats=1)
    page = await enter(browser, console, "op")
    await page.goto("/desk")
    await expect(page.locator("#seats-title + .seats li")).to_be_visible()
    assert await page.locator("#d-stop, [id^=p-], [id^=r-]:is(button)").count() == 0
    await page.context.close()
    await console.close_sessions()


async def test_the_desk_recovers_when_the_api_is_started_anew(console: Console, browser: Browser) -> None:
    """Nothing is missed, and what was typed meanwhile is kept."""
    seat_id, calls = await held(console, 3, first=300)
    page = await enter(browser, console, "op")
    await page.goto(f"/desk?call={calls[1]}")
    leader = await enter(browser, console, "lead")
    await leader.goto(f"/leader?seat={seat_id}")
    await shows_the_line(console, page, seat_id)
    await console.stop()
    await expect(page.locator("#cut")).to_be_visible(timeout=WITHIN_MS)
    await expect(leader.locator("#cut")).to_be_visible(timeout=WITHIN_MS)
    await page.locator("#form-content").fill("接口停了也要记")
    await expect(page.locator("#problem")).to_be_visible(timeout=WITHIN_MS)
    await console.core.line.leave(seat_id, calls[0], "abandoned", 99)
    await console.core.line.join(seat_id, "a-pbx1-meanwhile", time.time(), 1)
    await console.start()
    assert await shows_the_line(console, page, seat_id) == [calls[1], calls[2], "a-pbx1-meanwhile"]
    await expect(leader.locator("#depth")).to_have_text("3", timeout=WITHIN_MS)
    await expect(page.locator("#cut")).to_be_hidden(timeout=WITHIN_MS)
    await expect(page.locator("#form [data-state]")).to_contain_text("已保存", timeout=WITHIN_MS)
    async with console.client() as http:
        assert (await http.get(f"/api/calls/{calls[1]}/form")).json()["content"] == "接口停了也要记"
    await page.context.close()
    await leader.context.close()
    await console.close_sessions()
