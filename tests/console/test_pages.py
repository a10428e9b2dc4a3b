"""Every page in every language, three widths, light and dark: nothing serious for axe, no script error, a picture kept."""

from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.console.conftest import Console, enter, faults_of, pretty, script_of

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600)]
PICTURES = Path(__file__).parent / "pictures"
WIDTHS = {1440: 900, 1024: 768, 390: 844}
#: path -> who looks
PAGES = {
    "/": "",
    "/sign-in": "",
    "/sign-in/link/none": "",
    "/screen": "",
    "/board": "op",
}
_RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}}


@pytest_asyncio.fixture(scope="module", loop_scope="module", autouse=True)
async def town(console: Console) -> dict[str, Any]:
    """A session with two seats in which some wait, one talks, one left a matter and one gave up."""
    session = await console.open_session(seats=2)
    async with console.client() as http:
        for seat in session["seats"]:
            await http.post(f"/api/seats/{seat['id']}/open")
    for n in range(6):
        await console.call_in(f"a-pbx1-{n}", f"+861381234567{n}", "1", ago=60 + 200 * n)
    await console.call_in("a-pbx1-90", "+8613900000001", "2")
    claim = await console.core.line.claim_next(session["seats"][0]["id"], "test", 300)
    assert claim is not None
    await console.core.line.take(claim.seat_id, claim.token, claim.joined_at + 400)
    for _ in range(3):
        for seat in session["seats"]:
            await console.core.depths.sample(seat["id"])
    return session


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_is_for_everybody(console: Console, browser: Browser, path: str, town: dict[str, Any]) -> None:
    address = path.replace("{session}", town["id"])
    for language in ("zh-Hans", "zh-Hant", "en"):
        page = await enter(browser, console, PAGES[path], viewport={"width": 1440, "height": 900})
        await page.context.add_cookies([{"name": "hotline-language", "value": language, "url": console.url}])
        for scheme in ("light", "dark"):
            await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            await page.goto(address, wait_until="load")
            await _is_accessible(page, f"{path} {language} {scheme}")
            for width, height in WIDTHS.items():
                await page.set_viewport_size({"width": width, "height": height})
                wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
                assert wide <= 0, f"{path} scrolls sideways at {width} px ({language})"
                name = f"{path.strip('/').replace('/', '-') or 'front'}.{language}.{scheme}.{width}.png"
                await page.screenshot(path=PICTURES / name, full_page=True)
        assert [fault for fault in faults_of(page) if "410" not in fault] == []
        await page.context.close()


async def _is_accessible(page: Any, where: str) -> None:
    await page.evaluate(script_of("axe-core/axe.min.js"))
    found = await page.evaluate("rules => axe.run(document, rules)", _RULES)
    faults = [
        {"rule": one["id"], "impact": one["impact"], "where": [node["html"][:160] for node in one["nodes"][:3]]}
        for one in found["violations"]
        if one["impact"] in ("serious", "critical", "moderate")
    ]
    assert faults == [], f"{where}: {pretty(faults)}"
