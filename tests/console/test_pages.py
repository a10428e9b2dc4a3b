"""Every page in every language, three widths, light and dark: nothing serious for axe, no script error, a picture kept."""

import math
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect
from sqlalchemy import select

from api.console.catalogue import LANGUAGES, sentences
from ivr.events import Answered, Offered
from queueing.keys import line_keys
from telephony.demo.scenarios import write_tone
from tests.console.conftest import Console, enter, faults_of, running_console, script_of
from tests.console.visitors import Visitors, goes_through_by_tab, is_accessible
from tests.integration.api.conftest import plan
from tests.servers import RedisServer
from workorders.forms import Form, save_form
from workorders.intake import NewOrder, make_order
from workorders.model import Recording
from workorders.notes import add_note
from workorders.units import set_duty_number

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
    "/units": "sup",
    "/prompts?q=nobody_waits": "sup",
    "/audit": "sup",
    "/accounts": "root",
    "/account": "lead",
    "/nothing/here": "op",
}
#: What the browser says of a microphone -> what we say.
NO_MICROPHONE = {"NotFoundError": "missing", "NotReadableError": "busy", "NotAllowedError": "refused"}

#: A picture is taken of every width, of the dark colours once, and of the language with the longest words where it is narrow.
LOOKED_AT = {("zh-Hans", "light", width) for width in WIDTHS} | {("zh-Hans", "dark", 1440), ("en", "light", 390)}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def console(tmp_path_factory: pytest.TempPathFactory, console_redis: RedisServer) -> AsyncIterator[Console]:
    """One that thinks there is an Asterisk: with browser phones."""
    extra = {"HOTLINE_ASTERISK": "external", "HOTLINE_OPERATORS_LINE": "sip:web-9@browser", "HOTLINE_CALLBACK_LINE": "sip:x@127.0.0.1:9"}
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
            unit="单位0", number="+8613900000002", recording="a-pbx1-91-message",
        ),
    )  # fmt: skip
    await _recorded(console)
    await set_duty_number(console.core.database, "市水务局", "+867348115678", console.core.clock())
    async with console.client() as http:
        answer = await http.post("/api/sessions", json=plan(86_400, 2))
    session["coming"], session["order"] = answer.json()["id"], made.id
    await _written(console, ("a-pbx1-0", "a-pbx1-3"))
    claim = await console.core.line.claim_next(session["seats"][0]["id"], "test", 300)
    assert claim is not None
    await console.core.line.take(claim.seat_id, claim.token, console.core.clock() - 125)
    session["talking"] = claim.call_id
    where, token, line = claim.seat_id, claim.token, claim.line
    await console.core.turns.take_turn(
        claim.call_id, lambda facts: Offered(facts=facts, seat_id=where, token=token, line=line)
    )
    await console.core.turns.take_turn(claim.call_id, lambda facts: Answered(facts=facts))
    for seat in session["seats"]:
        key = line_keys(console.settings.redis_prefix, seat["id"]).depths
        rows = [f"[{console.core.clock() - 1700 + 20 * n},{int(4 + n / 12 + 3 * math.sin(n / 7))}]" for n in range(84)]
        await console.core.redis.rpush(key, *rows)
    return session


async def _recorded(console: Console) -> None:
    """The one recording there is can be heard."""
    folder = console.settings.recordings
    folder.mkdir(parents=True, exist_ok=True)
    async with console.core.database.begin() as rows:
        [made] = await rows.scalars(select(Recording))
        made.state = "ready"
        write_tone(folder / made.path, 440.0, 2.0)


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


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def visitors(browser: Browser, console: Console) -> Visitors:
    return Visitors(browser, console)


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_is_for_everybody(visitors: Visitors, path: str, town: dict[str, Any]) -> None:
    address = path.format(session=town["id"], coming=town["coming"], order=town["order"], seat=town["seats"][0]["id"])
    page = await visitors.page_of(PAGES[path])
    for language in LANGUAGES:
        await visitors.speaks(page, language)
        await page.emulate_media(color_scheme="light")
        await page.set_viewport_size({"width": 1440, "height": 900})
        await page.goto(address, wait_until="load")
        for scheme in ("light", "dark") if language == "zh-Hans" else ("light",):  # words differ by language, colours do not
            await page.emulate_media(color_scheme=scheme)
            await page.set_viewport_size({"width": 1440, "height": 900})
            await is_accessible(page, f"{path} {language} {scheme}")
            for width, height in WIDTHS.items():
                await page.set_viewport_size({"width": width, "height": height})
                assert "<Macro" not in await page.inner_text("body"), "a name of the template hides another"
                wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
                assert wide <= 0, f"{path} scrolls sideways at {width} px ({language})"
                if (language, scheme, width) in LOOKED_AT:
                    plain = re.sub(r"[^a-z]+", "-", path).strip("-") or "front"
                    await page.screenshot(path=PICTURES / f"{plain}.{language}.{scheme}.{width}.png", full_page=True)
            if (language, scheme) == ("zh-Hans", "light"):  # at the smallest width
                await is_accessible(page, f"{path} at 390 px")
                await goes_through_by_tab(page, path)
    assert [fault for fault in faults_of(page) if "the server responded with a status of 4" not in fault] == []


async def test_what_opens_and_what_comes_after_a_reason_is_for_everybody(
    console: Console, visitors: Visitors, town: dict[str, Any]
) -> None:
    """Open dialogs; a talk; an order with the full number; the page where a recording is heard."""
    page = await visitors.page_of("sup")
    await page.set_viewport_size({"width": 390, "height": 844})
    for language in LANGUAGES:
        await visitors.speaks(page, language)
        await page.goto(f"/desk?call={town['talking']}")
        await page.locator("#help").press("Enter")
        await is_accessible(page, f"a talk, and the keys ({language})")
        await page.goto("/desk?call=a-pbx1-3")
        await page.locator("#a-move").press("Enter")
        await is_accessible(page, f"the question for a reason ({language})")
        await page.goto(f"/orders/{town['order']}")
        await page.locator("details:has(#why) summary").press("Enter")
        await page.locator("#why").fill("回访")
        await page.locator("#why").press("Enter")
        await page.get_by_text("13900000002").wait_for()
        await is_accessible(page, f"an order with the full number ({language})")
        await page.goto(f"/orders/{town['order']}")
        await page.locator("#sound + p + form input[name=reason]").fill("核实诉求")
        await page.locator("#sound + p + form input[name=reason]").press("Enter")
        await page.wait_for_function("() => document.querySelector('audio[src^=\"/recordings/\"]')?.duration > 1")
        await is_accessible(page, f"a recording ({language})")


async def test_whoever_has_no_seat_or_comes_by_a_link_finds_a_page_for_everybody(
    console: Console, visitors: Visitors, town: dict[str, Any]
) -> None:
    account = await console.gate.accounts.create("li", "leader", unit="单位9")
    link = await console.gate.links.issue(account.id)
    for login, path in (("li", "/leader"), ("", f"/sign-in/link/{link}")):
        page = await visitors.page_of(login)
        for language in LANGUAGES:
            await visitors.speaks(page, language)
            await page.goto(path)
            await is_accessible(page, f"{path} ({language})")


async def test_the_leaders_desk_is_worked_with_one_finger(console: Console, browser: Browser, town: dict[str, Any]) -> None:
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
    await is_accessible(leader, "why one pauses")
    await leader.locator("#pause [data-close]").tap()
    await leader.locator("#pause").wait_for(state="hidden")
    await leader.context.close()


async def test_every_act_of_the_api_on_a_caller_has_a_button_and_a_key(console: Console, town: dict[str, Any]) -> None:
    """On the desk, while the caller waits or talks; each asks for the reason."""
    async with console.client() as program, await console.signed_in("sup") as http:
        api = (await program.get("/openapi.json")).json()
        pages = [(await http.get(f"/desk?call={call_id}")).text for call_id in ("a-pbx1-3", town["talking"])]
    places = {path: str(act["post"].get("requestBody", "")) for path, act in api["paths"].items() if "post" in act}
    acts = {path for path, body in places.items() if path.startswith("/api/line/{call_id}/") or "SuperviseIn" in body}
    wanted = {path.rpartition("/")[2] for path in acts} - {"release"}
    wanted |= {f"release_{to}" for to in api["components"]["schemas"]["ReleaseIn"]["properties"]["to"]["enum"]}
    buttons = re.findall(r'<button [^>]*data-act="([a-z_-]+)" data-key="(.)"([^>]*)>', "".join(pages))
    assert len(wanted) == 11
    assert {act for act, _, _ in buttons} == wanted
    assert len({key for _, key, _ in buttons}) == len(buttons)
    assert not [act for act, _, more in buttons if "data-plain" in more]


async def test_a_microphone_that_is_missing_busy_or_refused_is_said_in_a_sentence(visitors: Visitors) -> None:
    page = await visitors.page_of("")
    for language in LANGUAGES:
        await visitors.speaks(page, language)
        await page.goto("/phone")
        for error, reason in NO_MICROPHONE.items():
            await page.evaluate(
                "name => { navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', name); }; }", error
            )
            await page.locator("[data-act=dial]").press("Enter")
            said = page.locator(f"[data-problem={reason}] [data-part=problem][role=alert]")
            await expect(said).to_have_text(sentences(language)[f"phone.problem_{reason}"])
        await page.evaluate("Object.defineProperty(navigator, 'mediaDevices', { value: undefined })")
        await page.locator("[data-act=dial]").press("Enter")
        await expect(page.locator("[data-part=problem]")).to_have_text(sentences(language)["phone.problem_insecure"])
    assert faults_of(page) == []
