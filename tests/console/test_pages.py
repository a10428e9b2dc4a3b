"""Every page in every language, three widths, light and dark: nothing serious for axe, no script error, a picture kept."""

import math
import re
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from queueing.keys import line_keys
from tests.console.conftest import Console, enter, faults_of, pretty, script_of
from tests.integration.api.conftest import plan
from workorders.intake import NewOrder, make_order

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
    "/desk?call=a-pbx1-3": "sup",
    "/leader": "lead",
    "/phone": "",
    "/sessions": "sup",
    "/sessions/{session}": "sup",
    "/sessions/{coming}": "sup",
    "/report/{session}": "sup",
    "/orders": "op",
    "/orders/{order}": "op",
    "/prompts?q=wait": "sup",
    "/audit": "sup",
    "/accounts": "root",
    "/account": "lead",
    "/nothing/here": "op",
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
    claim = await console.core.line.claim_next(session["seats"][0]["id"], "test", 300)
    assert claim is not None
    await console.core.line.take(claim.seat_id, claim.token, console.core.clock() - 125)
    for seat in session["seats"]:
        key = line_keys(console.settings.redis_prefix, seat["id"]).depths
        rows = [f"[{console.core.clock() - 1700 + 20 * n},{int(4 + n / 12 + 3 * math.sin(n / 7))}]" for n in range(84)]
        await console.core.redis.rpush(key, *rows)
    return session


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_is_for_everybody(console: Console, browser: Browser, path: str, town: dict[str, Any]) -> None:
    address = path.format(session=town["id"], coming=town["coming"], order=town["order"])
    for language in ("zh-Hans", "zh-Hant", "en"):
        page = await enter(browser, console, PAGES[path], viewport={"width": 1440, "height": 900})
        await page.context.add_cookies([{"name": "hotline-language", "value": language, "url": console.url}])
        for scheme in ("light", "dark"):
            await page.emulate_media(color_scheme=scheme)
            await page.goto(address, wait_until="load")
            await _is_accessible(page, f"{path} {language} {scheme}")
            for width, height in WIDTHS.items():
                await page.set_viewport_size({"width": width, "height": height})
                wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
                assert wide <= 0, f"{path} scrolls sideways at {width} px ({language})"
                plain = re.sub(r"[^a-z]+", "-", path).strip("-") or "front"
                name = f"{plain}.{language}.{scheme}.{width}.png"
                await page.screenshot(path=PICTURES / name, full_page=True)
        assert [fault for fault in faults_of(page) if "the server responded with a status of 4" not in fault] == []
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
