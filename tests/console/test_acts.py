"""What people do on the pages, done in a real Chromium: plan a session and hold it, replace a prompt, listen to a recording."""

import array
import math
import re
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from api.console.catalogue import LANGUAGES
from ivr.verbs import Prompt
from ivr.wording import render
from telephony.sound import write_wav
from tests.console.conftest import Console, enter, faults_of
from tests.phones import hearing
from tests.phones.browser import Chromiums
from workorders.intake import NewOrder, make_order
from workorders.model import Recording
from workorders.units import all_units

pytestmark = pytest.mark.asyncio(loop_scope="module")
PICTURES = Path(__file__).parent / "pictures"


def _tone(path: Path) -> Path:
    write_wav(path, array.array("h", (round(9000 * math.sin(n / 4)) for n in range(16000))))
    return path


async def test_a_session_is_planned_opened_extended_and_closed(console: Console, browser: Browser) -> None:
    page = await enter(browser, console, "sup")
    await page.goto("/sessions")
    day, much_later = datetime.now(UTC) + timedelta(days=10), datetime.now(UTC) + timedelta(days=4000)
    await page.get_by_label("开始时间").fill(f"{day:%Y-%m-%d}T09:00")
    await page.get_by_label("结束时间").fill(f"{much_later:%Y-%m-%d}T11:00")
    await page.get_by_label("主题").fill("供水")
    await page.get_by_label("单位", exact=True).first.fill("市住建局")
    await page.get_by_label("接听领导").first.fill("张三")
    await page.get_by_label("线路（SIP 或电话）").first.fill("sip:leader@127.0.0.1:6060")
    await page.get_by_role("button", name="安排新场次").click()
    await expect(page.get_by_role("alert")).to_have_text("填写有误，请检查。")
    await page.go_back()
    await page.get_by_label("结束时间").fill(f"{day:%Y-%m-%d}T11:00")
    await page.get_by_role("button", name="安排新场次").click()
    await expect(page.get_by_role("status").first).to_have_text("场次已安排。")
    await expect(page.get_by_role("heading", name="开场前检查")).to_be_visible()
    await page.get_by_role("button", name="试呼").click()
    await expect(page.get_by_role("status").first).to_contain_text("正在试呼")
    await page.get_by_role("button", name="入席 张三").click()
    await expect(page.locator(".chip.free")).to_have_text("空闲")
    await page.get_by_role("button", name="现在开始").click()
    await expect(page.locator("h1 .chip")).to_have_text("进行中")
    for n, (act, told) in enumerate(
        (
            ("延长…", "场次已延长"), ("向等候者广播…", "广播已播给等候的人"),
            ("暂停接听…", "已暂停接听"), ("恢复接听…", "已恢复接听"), ("停止接纳新等候…", "不再接纳"), ("重新接纳等候…", "重新接纳等候。"),
        )
    ):  # fmt: skip
        await page.get_by_text(act).click()
        await page.locator("details[open] input[name=reason]").fill(f"原因{n}")
        await page.locator("details[open]").get_by_role("button", name="确认").click()
        await expect(page.get_by_role("status").first).to_contain_text(told)
    await page.get_by_text("现在结束…").click()
    await page.locator("#r-close").fill("测试")
    await page.locator("details[open]").get_by_role("button", name="确认").click()
    await expect(page.get_by_role("status").first).to_contain_text("场次正在结束")
    assert [fault for fault in faults_of(page) if "422" not in fault] == []
    line = (await console.gate.trail.read(act="act_on_session", limit=1))[0]
    assert (line.who, line.reason) == ("sup", "测试")
    made = [(await console.open_session(seats=1, opens_in_s=86_400 * (n + 2)))["id"] for n in range(2)]
    async with await console.signed_in("sup") as http:
        form = {"opens_at": f"{datetime.now(UTC) + timedelta(days=3):%Y-%m-%dT%H:%M}Z", "reason": "台风"}
        refused = await http.post(f"/sessions/{made[0]}/postpone", data=form)
        assert refused.status_code == 409
        assert all(one in refused.text for one in ("这个时段已有别的场次", f'href="/sessions/{made[1]}"', "待开始的场次：20"))
    for session_id, act, told in ((made[0], "改期…", "场次已改期"), (made[1], "取消场次…", "场次已取消")):
        await page.goto(f"/sessions/{session_id}")
        await page.get_by_text(act).click()
        if act == "改期…":
            await page.locator("#p-opens").fill(f"{day:%Y-%m-%d}T15:00")
        await page.locator("details[open] input[name=reason]").fill("台风")
        await page.locator("details[open]").get_by_role("button", name="确认").click()
        await expect(page.get_by_role("status").first).to_contain_text(told)
    held = await console.open_session(seats=1, opens_in_s=-60)
    await _put_off(console, page, held["id"], day)
    held = await console.open_session(seats=1, opens_in_s=-60)
    await page.goto(f"/sessions/{held['id']}")
    await page.get_by_text("紧急停止…").click()
    await page.locator("#r-stop").fill("火警")
    await page.locator("details[open]").get_by_role("button", name="确认").click()
    await expect(page.get_by_role("status").first).to_contain_text("已紧急停止")
    await page.context.close()


async def _put_off(console: Console, page: Page, session_id: str, day: datetime) -> None:
    """A session that is held now, by keyboard: it ends, and another one is planned with its seats and first date."""
    async with console.client() as http:
        known = {one["id"] for one in (await http.get("/api/sessions")).json()["items"]}
        await page.goto(f"/sessions/{session_id}")
        await page.get_by_text("改期…").focus()
        await page.keyboard.press("Enter")
        await page.locator("#p-opens").fill(f"{day:%Y-%m-%d}T18:00")
        await page.locator("#r-postpone").focus()
        await page.keyboard.type("领导临时有事")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("status").first).to_contain_text("场次已改期")
        later = [one for one in (await http.get("/api/sessions")).json()["items"] if one["id"] not in known]
        held = (await http.get(f"/api/sessions/{session_id}")).json()
    assert held["state"] in ("closing", "closed")
    assert [(one["state"], [seat["unit"] for seat in one["seats"]]) for one in later] == [
        ("postponed", [seat["unit"] for seat in held["seats"]])
    ]
    (line,) = await console.gate.trail.read(act="act_on_session", limit=1)
    assert (line.who, line.reason) == ("sup", "领导临时有事")


async def test_a_units_duty_number_is_set_and_taken_away_and_never_shown_in_full(console: Console, browser: Browser) -> None:
    unit = "市<b>水务</b>局 & 中心"
    page = await enter(browser, console, "sup")
    await page.goto("/units")
    other = page.get_by_role("region", name="添加单位")
    await other.get_by_label("单位", exact=True).fill(unit)
    await other.get_by_label("值班电话").fill("110")
    await other.get_by_role("button", name="保存").click()
    await expect(page.get_by_role("alert")).to_have_text(f"{unit}: 这不是有效的电话号码。")
    await other.get_by_label("单位", exact=True).fill(unit)
    await other.get_by_label("值班电话").fill("0734-811 5678")
    await other.get_by_role("button", name="保存").click()
    await expect(page.get_by_role("status").first).to_have_text("值班电话已保存。")
    row = page.get_by_role("row").filter(has_text=unit)
    await expect(row.locator("code")).to_contain_text("***")
    assert "8115678" not in await page.content()
    known = {one.name: one.duty_number for one in await all_units(console.core.database)}
    assert known[unit] == "+867348115678"
    await page.get_by_label(f"值班电话 {unit}").fill("13800005678")
    await page.get_by_role("button", name=f"保存 {unit}").click()
    await expect(row.locator("code")).to_contain_text("5678")
    await page.get_by_role("button", name=f"删除 {unit}").click()
    await expect(row).to_contain_text("未设置")
    assert {one.name: one.duty_number for one in await all_units(console.core.database)}[unit] is None
    assert len(faults_of(page)) == 1  # the number that was refused
    await page.context.close()


async def test_a_prompt_is_replaced_and_restored(console: Console, browser: Browser, tmp_path: Path) -> None:
    """In each language by itself, with its own text beside it."""
    page = await enter(browser, console, "sup")
    bad, good = tmp_path / "bad.wav", _tone(tmp_path / "good.wav")
    bad.write_bytes(b"RIFF no sound")
    recorded = console.settings.state_dir / "prompts" / "recorded"
    for voice in LANGUAGES:
        for path, told in ((bad, "这个文件不能播放"), (good, "提示音已替换")):
            await page.goto(f"/prompts?q=fallback_sorry&voice={voice}")
            await expect(page.locator(f".sentence p[lang={voice}]")).to_have_text(render(Prompt("fallback_sorry"), voice))
            await page.get_by_text("替换…").first.click()
            await page.locator("input[type=file]").first.set_input_files(path)
            await page.get_by_role("button", name="保存").first.click()
            await expect(page.locator(".notice")).to_contain_text(told)
        kept = recorded / voice / "fallback_sorry.wav"
        assert kept.stat().st_size > 8000
        answer = await page.request.get(f"/prompts/sound?key=fallback_sorry&voice={voice}")
        (tmp_path / "heard.wav").write_bytes(await answer.body())
        assert hearing.tone_share(hearing.read(tmp_path / "heard.wav"), 8000 / (8 * math.pi)) > 0.8
        assert [one.parent.name for one in recorded.rglob("*.wav")] == [voice], "no other language's"
        await page.get_by_text("替换…").first.click()
        await page.get_by_role("button", name="恢复合成语音").click()
        await expect(page.locator(".notice")).to_contain_text("已恢复")
        assert not kept.exists()
    await page.context.close()


async def test_a_prompt_is_recorded_by_microphone(console: Console, chromiums: Chromiums, tmp_path: Path) -> None:
    async with await console.signed_in("sup") as http:
        cookie = (console.gate.cookie, http.cookies[console.gate.cookie])
    async with chromiums.phone(console.url, 700.0, cookie=cookie) as person:
        page = person.page
        await page.goto(f"{console.url}/prompts?q=fallback_sorry")
        await page.get_by_text("替换…").first.click()
        await page.get_by_role("button", name="录制").first.click()
        await page.get_by_text(re.compile("正在录音…… ([2-9]|[1-9][0-9]) s")).wait_for()
        await page.get_by_role("button", name="停止").first.click()
        await page.get_by_text("录好了").wait_for()
        assert await page.evaluate("document.querySelector('[data-heard]').src.startsWith('blob:')")
        await page.get_by_role("button", name="保存").first.click()
        await expect(page.locator(".notice")).to_contain_text("提示音已替换")
        answer = await page.request.get(f"{console.url}/prompts/sound?key=fallback_sorry")
        (tmp_path / "kept.wav").write_bytes(await answer.body())
        assert person.complaints == []
    kept = hearing.read(tmp_path / "kept.wav")
    assert kept.size > hearing.RATE
    assert hearing.tone_share(kept, 700.0) > 0.8


async def test_the_report_is_printed(console: Console, browser: Browser) -> None:
    """Black on white whatever the screen looks like, without what can only be clicked."""
    session = await console.open_session(seats=2)
    for n in range(40):
        new = NewOrder(
            command_id=f"p-{n}", at=console.core.clock(), source="declined", call_id=f"a-p{n}", session_id=session["id"]
        )
        await make_order(console.core.database, new)
    page = await enter(browser, console, "sup", color_scheme="dark")
    await page.goto(f"/report/{session['id']}")
    await expect(page.get_by_role("button", name="打印")).to_be_visible()
    await page.emulate_media(media="print", color_scheme="dark")
    look = "one => [getComputedStyle(one).backgroundColor, getComputedStyle(one).color]"
    assert await page.locator(".card").first.evaluate(look) == ["rgb(255, 255, 255)", "rgb(0, 0, 0)"]
    for gone in (".top", ".foot", "#print"):
        await expect(page.locator(gone)).to_be_hidden()
    PICTURES.mkdir(exist_ok=True)
    await page.set_viewport_size({"width": 690, "height": 1000})
    await page.screenshot(path=PICTURES / "report.print.png", full_page=True)
    printed = await page.pdf(path=PICTURES / "report.pdf", format="A4")
    assert printed.startswith(b"%PDF")
    assert printed.count(b"/Type /Page\n") in (2, 3)
    await page.context.close()


async def test_a_recording_is_heard_by_who_gives_a_reason_and_by_nobody_else(console: Console, tmp_path: Path) -> None:
    order = await make_order(
        console.core.database,
        NewOrder(command_id="r", at=console.core.clock(), source="declined", call_id="a-r", recording="a-r-message"),
    )
    folder = console.settings.recordings
    folder.mkdir(parents=True, exist_ok=True)
    async with console.core.database.begin() as session:
        made = await session.get_one(Recording, (await _recording_of(console, order.id)))
        made.state = "ready"
        shutil.copy(_tone(tmp_path / "r.wav"), folder / made.path)
        recording_id = made.id
    operator, supervisor = await console.signed_in("op"), await console.signed_in("sup")
    path = f"/orders/{order.id}/recordings/{recording_id}"
    assert (await operator.post(path, data={"reason": ""})).status_code == 422
    page = await operator.post(path, data={"reason": "核实诉求"})
    link = page.text.partition('src="/recordings/')[2].partition('"')[0]
    assert (await operator.get(f"/recordings/{link}")).content[:4] == b"RIFF"
    assert (await supervisor.get(f"/recordings/{link}")).status_code == 404, "the link is for one person"
    assert (await operator.get("/recordings/..%2f..%2fhotline.db")).status_code == 404
    for played, heard in (("bytes=0-", 2), ("bytes=100-", 2), ("bytes=-9999999", 3)):
        await operator.get(f"/recordings/{link}", headers={"Range": played})
        assert len(await console.gate.trail.read(act="hear_recording")) == heard, "each from its beginning"
    for act in ("listen", "hear_recording"):
        line = (await console.gate.trail.read(act=act, limit=1))[0]
        assert (line.who, line.reason, recording_id in line.on_what) == ("op", "核实诉求", True)
    await _is_nobody_elses(console, order.id, recording_id)
    async for key in console.core.redis.scan_iter(f"{console.settings.redis_prefix}listen:*"):
        assert 0 < await console.core.redis.ttl(key) <= 300
        await console.core.redis.delete(key)
    assert (await operator.get(f"/recordings/{link}")).status_code == 404, "it ends"
    await operator.aclose()
    await supervisor.aclose()


async def _is_nobody_elses(console: Console, order_id: str, recording_id: str) -> None:
    """Not by way of another order, nor to another unit's leader and handler, although the recording is there."""
    other = await make_order(
        console.core.database,
        NewOrder(command_id="r2", at=console.core.clock(), source="declined", call_id="a-r2", unit="单位0"),
    )
    for login, through in (("op", other.id), ("unit", other.id), ("unit", order_id), ("lead", order_id), ("lead", other.id)):
        async with await console.signed_in(login) as http:
            refused = await http.post(f"/orders/{through}/recordings/{recording_id}", data={"reason": "试试"})
            assert refused.status_code in (403, 404), (login, through)
            assert 'src="/recordings/' not in refused.text


async def _recording_of(console: Console, order_id: str) -> str:
    from workorders import register

    [found] = (await register.get(console.core.database, order_id)).recordings
    return found.id
