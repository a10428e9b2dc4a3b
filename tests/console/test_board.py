"""The board in a real Chromium: what it shows is what Redis has, soon, and again after every cut."""

import time
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from ivr.call import Outcome
from tests.console.conftest import Console, enter, faults_of
from tests.integration.api.conftest import plan
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")
#: A page on a machine that does many things at once.
SHOWN_WITHIN_MS = 20_000


async def _shows(page: Page, depth: int) -> None:
    await expect(page.locator("#depth")).to_have_text(str(depth), timeout=SHOWN_WITHIN_MS)


async def test_the_board_follows_the_line(console: Console, browser: Browser) -> None:
    session = await console.open_session(seats=1)
    seat_id = session["seats"][0]["id"]
    async with console.client() as http:
        await http.post(f"/api/seats/{seat_id}/open")
    page = await enter(browser, console, "op")
    await page.clock.install()
    await page.goto("/board")
    for n in range(3):
        await console.call_in(f"a-pbx1-1{n}", f"+861391234560{n}")
        await _shows(page, await console.core.line.depth(seat_id))
    before = await console.core.line.depth(seat_id)
    assert before >= 2
    last = (await console.core.line.callers(seat_id))[-1].call_id
    async with console.client() as http:
        released = await http.post(f"/api/line/{last}/release", json={"to": "work_order"})
        assert released.status_code == 200, released.text
    await _shows(page, before - 1)
    assert await console.core.line.depth(seat_id) == before - 1
    await page.clock.fast_forward("00:11")  # what it came to is said in the end, however fast it changed
    await expect(page.locator("#live")).to_contain_text(f"现在有 {before - 1} 人", timeout=SHOWN_WITHIN_MS)
    assert faults_of(page) == []
    await page.context.close()


async def test_the_alert_is_seen_heard_and_in_the_title(console: Console, browser: Browser) -> None:
    seat_id = await _seat(console)
    page = await enter(browser, console, "op")
    await page.goto("/board")
    await page.get_by_role("button", name="声音提醒").click()
    await page.evaluate(
        "() => { window.tones = 0; const real = AudioContext.prototype.createOscillator;"
        "AudioContext.prototype.createOscillator = function () { window.tones++; return real.call(this); } }"
    )
    for n in range(20):
        await console.core.line.join(seat_id, f"a-pbx1-3{n:02}", time.time(), 1)
    await expect(page.locator(".figures .alert dt").first).to_have_text("等候人数", timeout=SHOWN_WITHIN_MS)
    await page.wait_for_function("document.title.startsWith('⚠') && window.tones > 0", timeout=SHOWN_WITHIN_MS)
    await expect(page.get_by_role("alert").filter(has_text="等候人数超过警戒值")).to_be_visible()
    await page.context.close()


async def test_the_big_screen_needs_no_sign_in_and_shows_nobody(console: Console, browser: Browser) -> None:
    page = await enter(browser, console)
    await page.goto("/screen")
    text = await page.content()
    for secret in ("138", "****", "a-pbx1"):
        assert secret not in text
    assert await page.locator(".figures dd").first.inner_text() == str(
        await console.core.line.depth(await _seat(console))
    )
    await page.context.close()


async def test_a_name_with_a_script_in_it_is_text(console: Console, browser: Browser) -> None:
    """Stored XSS through what people type: theme, unit, leader, account name, a note."""
    evil = '<img src=x onerror="window.struck=1"><script>window.struck=1</script>'
    async with console.client() as http:
        seats = [{"unit": evil, "leader": evil[:60], "line": {"asterisk": "sip:l@127.0.0.1:6060"}}]
        body: dict[str, Any] = {**plan(10 * 86_400), "theme": evil[:200], "seats": seats}
        made = (await http.post("/api/sessions", json=body)).json()
        await console.close_sessions()
        held = (await http.post("/api/sessions", json={**body, **plan(-60), "theme": evil[:200], "seats": seats})).json()
        await http.post(f"/api/seats/{held['seats'][0]['id']}/open")
        await console.call_in("a-pbx1-evil")
    await console.gate.accounts.create("mallory", "administrator", name=evil[:60])
    await console.gate.accounts.create("mallet", "leader", name=evil[:60], unit=evil)
    for login, paths in (
        ("mallory", ("/sessions", f"/sessions/{made['id']}", f"/report/{held['id']}", "/audit", "/", "/account", "/accounts")),
        ("mallory", ("/board", "/screen", "/desk", "/desk?call=a-pbx1-evil")),
        ("mallet", ("/leader",)),
    ):
        page = await enter(browser, console, login)
        for path in paths:
            await page.goto(path)
            await expect(page.locator("body")).to_contain_text("<img src=x")
            assert await page.evaluate("window.struck") is None, path
            assert await page.locator("img[src=x]").count() == 0
        assert faults_of(page) == []
        await page.context.close()


async def test_every_figure_of_the_board_is_what_happened(console: Console, browser: Browser) -> None:
    """Six calls with known ends, two that wait, one of them for longer than the limit."""
    async with console.client() as http:
        await console.close_sessions()
        session = (await http.post("/api/sessions", json=plan(-3000, 2))).json()
        first, second = [seat["id"] for seat in session["seats"]]
        await http.post(f"/api/seats/{first}/open")
        await http.post(f"/api/seats/{second}/open")
        await http.post(f"/api/seats/{second}/pause", json={"reason": "break"})
    ledger, now = console.core.ledger, console.core.clock()
    ends: tuple[Outcome, ...] = ("talked", "talked", "work_order", "work_order", "callback", "abandoned")
    for n, outcome in enumerate(ends):
        about = {"session_id": session["id"], "carrier": "asterisk", "host": "pbx1"}
        await ledger.note(f"figure-{n}", f"a-figure-{n}", "arrived", now, {}, **about)
        await ledger.close(f"figure-{n}-end", f"a-figure-{n}", outcome, now, **about)
    for n, waited in enumerate((1300, 200)):
        await console.core.line.join(first, f"a-figure-waits-{n}", now - waited, 1)
    page = await enter(browser, console, "op")
    await page.goto("/board")
    figures = page.locator(".figures dd")
    await expect(figures.nth(0)).to_have_text("2", timeout=SHOWN_WITHIN_MS)
    shown = [await figures.nth(n).inner_text() for n in range(6)]
    assert (shown[0], shown[2], shown[3], shown[5]) == ("2", "2", "3", "17%")
    minutes, _, _ = shown[1].partition(":")
    assert minutes in ("21", "22")
    async with console.client() as http:
        line = (await http.get("/api/line")).json()
        chances = [one["chance"] for one in line["callers"]]
    assert 0 <= int(shown[4].removesuffix("%")) <= round(100 * max(chances)), "a newcomer's is no better than theirs"
    assert await page.locator(".seats li.free").count() == 1
    await expect(page.locator(".seats .paused .chip")).to_contain_text("暂停")
    await expect(page.locator(".figures .alert dt")).to_have_text("最长等候")
    await expect(page.get_by_role("alert").filter(has_text="有人等候过久")).to_be_visible()
    await page.context.close()


async def test_every_page_works_without_a_mouse(console: Console, browser: Browser) -> None:
    page = await enter(browser, console)
    await page.goto("/sign-in")
    await page.wait_for_function("document.activeElement.id === 'login'")
    await page.keyboard.type("sup")
    await page.keyboard.press("Tab")
    await page.keyboard.type("correct horse battery")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/sessions")
    await page.keyboard.press("Tab")
    assert await page.evaluate("document.activeElement.className") == "skip"
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    assert await page.evaluate("document.getElementById('main').contains(document.activeElement)")
    await page.context.close()


async def test_the_page_recovers_when_the_api_is_started_anew(console: Console, browser: Browser) -> None:
    page = await enter(browser, console, "op")
    await page.goto("/board")
    seat_id = await _seat(console)
    await _shows(page, await console.core.line.depth(seat_id))
    await console.stop()
    await expect(page.locator("#cut")).to_be_visible(timeout=SHOWN_WITHIN_MS)
    await console.core.line.join(seat_id, "a-pbx1-meanwhile", time.time(), 1)
    await console.start()
    await _shows(page, await console.core.line.depth(seat_id))
    await expect(page.locator("#cut")).to_be_hidden(timeout=SHOWN_WITHIN_MS)
    await page.context.close()


async def _seat(console: Console) -> str:
    async with console.client() as http:

        async def found() -> str:
            seats = (await http.get("/api/line")).json()["seats"]
            return str(seats[0]["id"]) if seats else ""

        seat_id: str = await until(found, what="an open session")
        return seat_id
