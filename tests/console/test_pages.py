"""Every page in every language, three widths, light and dark: nothing serious for axe, no script error, a picture kept."""

import math
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from queueing.keys import line_keys
from tests.console.conftest import Console, enter, faults_of, pretty, running_console, script_of
from tests.integration.api.conftest import plan
from tests.servers import RedisServer
from workorders.forms import Form, save_form
from workorders.intake import NewOrder, make_order
from workorders.notes import add_note

pytestmark = pytest.mark.asyncio(loop_scope="module")
PICTURES = Path(__file__).parent / "pictures"
WIDTHS = {1440: 900, 1024: 768, 390: 844}
#: path -> who looks
PAGES = {
    "/": "",
    "/sign-in": "",
    "/sign-in/link/none": "",
    "/screen": "",
    "/board": "op",
    "/desk": "op",
    "/desk?call=a-pbx1-3": "sup",
    "/leader": "lead",
    "/phone": "",
    "/phone/operators": "op",
    "/phone/seat/{seat}": "lead",
    "/sessions": "sup",
    "/sessions/{session}": "sup",
    "/sessions/{coming}": "sup",
    "/report/{session}": "sup",
    "/orders": "op",
    "/orders/{order}": "op",
    "/prompts?q=nobody_waits": "sup",
    "/audit": "sup",
    "/accounts": "root",
    "/account": "lead",
    "/nothing/here": "op",
}
_RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]},
    "resultTypes": ["violations"],
}

#: A picture is taken of every width, of the dark colours once, and of the language with the longest words where it is narrow.
LOOKED_AT = {("zh-Hans", "light", width) for width in WIDTHS} | {("zh-Hans", "dark", 1440), ("en", "light", 390)}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def console(tmp_path_factory: pytest.TempPathFactory, console_redis: RedisServer) -> AsyncIterator[Console]:
    """One that thinks there is an Asterisk: with browser phones."""
    extra = {"HOTLINE_ASTERISK": "external", "HOTLINE_OPERATORS_LINE": "sip:web-9@browser"}
    async with running_console(tmp_path_factory.mktemp("pages"), console_redis, **extra) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module", autouse=True)
async def town(console: Console) -> dict[str, Any]:
    """A session with two seats in which some wait, one talks, one left a matter and one gave up."""
    wanted = plan(-1800.0, 2)
    wanted["seats"][0]["line"] = {"asterisk": "sip:web-1@browser"}
    async with console.client() as http:
        session: dict[str, Any] = (await http.post("/api/sessions", json=wanted)).json()
        for seat in session["seats"]:
            await http.post(f"/api/seats/{seat['id']}/open")
    for n in range(6):
        await console.call_in(f"a-pbx1-{n}", f"+861381234567{n}", "1", ago=60 + 200 * n)
    await console.call_in("a-pbx1-90", "+8613900000001", "2")
    made = await make_order(
        console.core.database,
        NewOrder(
            command_id="x-1", at=console.core.clock(), source="declined", call_id="a-pbx1-91", session_id=session["id"],
            unit="单位0", number="+8613900000002",
        ),
    )  # fmt: skip
    async with console.client() as http:
        answer = await http.post("/api/sessions", json=plan(86_400, 2))
    session["coming"], session["order"] = answer.json()["id"], made.id
    await _written(console, ("a-pbx1-0", "a-pbx1-3"))
    claim = await console.core.line.claim_next(session["seats"][0]["id"], "test", 300)
    assert claim is not None
    await console.core.line.take(claim.seat_id, claim.token, console.core.clock() - 125)
    for seat in session["seats"]:
        key = line_keys(console.settings.redis_prefix, seat["id"]).depths
        rows = [f"[{console.core.clock() - 1700 + 20 * n},{int(4 + n / 12 + 3 * math.sin(n / 7))}]" for n in range(84)]
        await console.core.redis.rpush(key, *rows)
    return session


async def _written(console: Console, call_ids: tuple[str, ...]) -> None:
    """What came before, and what was written down about these callers."""
    database, now = console.core.database, console.core.clock()
    form = Form(kind="complaint", unit="单位0", place="蒸湘区红湘路 18 号", content="小区自来水停了三天，物业和水厂互相推诿。", urgent=True)
    for n, call_id in enumerate(call_ids):
        call = await console.core.calls.get(call_id)
        assert call is not None
        for k, text in enumerate(("路灯坏了半年没人修。", "反映医保报销比例。")):
            old = NewOrder(
                command_id=f"b-{n}-{k}", at=now - 86_400 * (k + 2), source="declined", call_id=f"a-b-{n}-{k}",
                unit="单位0", number=call.number, content=text,
            )  # fmt: skip
            await make_order(database, old)
        await save_form(database, call_id, form, 0, "op", now)
        for text in ("来电人住在五楼，家里有老人。", "领导答应今天下午派人到现场。"):
            await add_note(database, call_id, "op", text, now)


class Visitors:
    """One browser profile for each who looks: signed in once, with axe on every page."""

    def __init__(self, browser: Browser, console: Console) -> None:
        self._browser, self._console = browser, console
        self._pages: dict[str, Page] = {}

    async def page_of(self, login: str) -> Page:
        if login not in self._pages:
            page = await enter(self._browser, self._console, login, reduced_motion="reduce")
            await page.context.add_init_script(script_of("axe-core/axe.min.js"))
            self._pages[login] = page
        faults_of(self._pages[login]).clear()
        return self._pages[login]

    async def speaks(self, page: Page, language: str) -> None:
        await page.context.add_cookies([{"name": "hotline-language", "value": language, "url": self._console.url}])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def visitors(browser: Browser, console: Console) -> Visitors:
    return Visitors(browser, console)


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_is_for_everybody(visitors: Visitors, path: str, town: dict[str, Any]) -> None:
    address = path.format(session=town["id"], coming=town["coming"], order=town["order"], seat=town["seats"][0]["id"])
    page = await visitors.page_of(PAGES[path])
    for language in ("zh-Hans", "zh-Hant", "en"):
        await visitors.speaks(page, language)
        await page.emulate_media(color_scheme="light")
        await page.set_viewport_size({"width": 1440, "height": 900})
        await page.goto(address, wait_until="load")
        for scheme in ("light", "dark") if language == "zh-Hans" else ("light",):  # words differ by language, colours do not
            await page.emulate_media(color_scheme=scheme)
            await page.set_viewport_size({"width": 1440, "height": 900})
            await _is_accessible(page, f"{path} {language} {scheme}")
            for width, height in WIDTHS.items():
                await page.set_viewport_size({"width": width, "height": height})
                wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
                assert wide <= 0, f"{path} scrolls sideways at {width} px ({language})"
                if (language, scheme, width) in LOOKED_AT:
                    plain = re.sub(r"[^a-z]+", "-", path).strip("-") or "front"
                    await page.screenshot(path=PICTURES / f"{plain}.{language}.{scheme}.{width}.png", full_page=True)
            if (language, scheme) == ("zh-Hans", "light"):  # at the smallest width
                await _is_accessible(page, f"{path} at 390 px")
                await _goes_through_by_tab(page, path)
    assert [fault for fault in faults_of(page) if "the server responded with a status of 4" not in fault] == []


async def _goes_through_by_tab(page: Page, where: str) -> None:
    """Every link, field and button that is there is come to by Tab, is seen to have the focus, and is left again."""
    await page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    missed: list[str] = await page.evaluate(_FOLLOW)
    assert missed, where
    for _ in range(8):  # dates and players are come to in their parts
        for _ in range(max(len(missed), 10) + 3):
            await page.keyboard.press("Tab")
        missed, unseen = await page.evaluate("[missed(), unseen]")
        assert unseen == [], f"{where}: without an outline"
        if not missed:
            return
    raise AssertionError(f"{where}: never come to {missed[:3]}")


#: What can have the focus is marked until it has had it; of radio buttons of a group, the arrows do the rest.
_FOLLOW = """() => {
  const groups = new Set();
  for (const one of document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex="0"]')) {
    if (one.disabled || one.type === 'hidden' || !one.checkVisibility({ visibilityProperty: true })) continue;
    if (one.type === 'radio') { if (groups.has(one.name)) continue; groups.add(one.name); }
    one.dataset.tabTo = '';
  }
  window.unseen = [];
  window.missed = () => [...document.querySelectorAll('[data-tab-to]')].map((one) => one.outerHTML.slice(0, 120));
  document.addEventListener('focusin', ({ target }) => {
    if (target.matches('audio')) return;
    const style = getComputedStyle(target);
    delete target.dataset.tabTo;
    if (target.type === 'radio') for (const other of document.getElementsByName(target.name)) delete other.dataset.tabTo;
    const isSeen = (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0) || target.matches('.skip');
    if (!isSeen) window.unseen.push(target.outerHTML.slice(0, 160));
  });
  return window.missed();
}"""


async def test_what_opens_and_what_comes_after_a_reason_is_for_everybody(
    console: Console, browser: Browser, town: dict[str, Any]
) -> None:
    """Open dialogs; an order with the full number."""
    page = await enter(browser, console, "sup", viewport={"width": 390, "height": 844})
    await page.add_init_script(script_of("axe-core/axe.min.js"))
    await page.goto("/desk?call=a-pbx1-3")
    await page.locator("#help").press("Enter")
    await _is_accessible(page, "the keys")
    await page.keyboard.press("Escape")
    await page.locator("#a-move").press("Enter")
    await _is_accessible(page, "the question for a reason")
    await page.goto(f"/orders/{town['order']}")
    await page.locator("summary").filter(has_text="查看完整号码").press("Enter")
    await page.locator("#why").fill("回访")
    await page.locator("#why").press("Enter")
    await page.get_by_text("13900000002").wait_for()
    await _is_accessible(page, "an order with the full number")
    await page.context.close()
    leader = await enter(browser, console, "lead", viewport={"width": 390, "height": 844}, has_touch=True)
    await leader.add_init_script(script_of("axe-core/axe.min.js"))
    await leader.goto("/leader")
    huge = leader.locator("#lead .huge:visible")
    for n in range(await huge.count()):
        box = await huge.nth(n).bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 44
        assert float((await huge.nth(n).evaluate("one => getComputedStyle(one).fontSize")).removesuffix("px")) >= 20
    await leader.get_by_role("button", name="暂停").first.tap()
    await leader.locator("#pause[open]").wait_for()
    await _is_accessible(leader, "why one pauses")
    await leader.locator("#pause [data-close]").tap()
    await leader.locator("#pause").wait_for(state="hidden")
    await leader.context.close()


async def _is_accessible(page: Page, where: str) -> None:
    found = await page.evaluate("rules => axe.run(document, rules)", _RULES)
    faults = [
        {"rule": one["id"], "impact": one["impact"], "where": [node["html"][:160] for node in one["nodes"][:3]]}
        for one in found["violations"]
        if one["impact"] in ("serious", "critical", "moderate")
    ]
    assert faults == [], f"{where}: {pretty(faults)}"
