"""Board and desks with real calls on a real Asterisk: what they show is what Redis has, also after a cut; citizen, leader and
operator in three browsers."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from telephony.demo.scenarios import Citizen
from tests.cable import Cable
from tests.phones.browser import BrowserPhone, Chromiums
from tests.phones.hall import (
    BROWSER_LINE,
    CITIZEN_HZ,
    LEADER,
    LEADER_HZ,
    OPERATOR_HZ,
    UNIT,
    Hall,
    gate_of,
    origin_of,
    sign_in,
)
from tests.phones.hearing import tone_share
from tests.system.callers import end_all
from tests.system.conftest import brisk, shared
from tests.system.crowd import citizens, numbers
from tests.system.installation import Installation
from tests.system.watch import accounted, call_from, ended, order_of, reaches, seat_is, session
from tests.waiting import until

__all__ = ["shared"]

pytestmark = pytest.mark.asyncio(loop_scope="module")
CALLERS = 20
#: The display name of their phones, as it would come to a page, a record or a log if anybody kept it.
STRIKES = "<img src=x onerror=window.struck=1><script>window.struck=1</script>"
#: A machine that does many things at once.
WITHIN_S = 60.0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory, shared: Path) -> AsyncIterator[Installation]:
    extra = {"HOTLINE_OPERATORS_LINE": "sip:desk@browser", "HOTLINE_WRAP_UP_S": "60", "HOTLINE_RING_S": "30", "HOTLINE_CLAIM_LEASE_S": "45"}
    async with brisk(tmp_path_factory.mktemp("desks"), shared, **extra) as installation:
        accounts = gate_of(installation).accounts
        await accounts.create(LEADER, "leader", unit=UNIT)
        await accounts.create("op", "operator")
        await accounts.create("sup", "supervisor")
        yield installation


async def _page(house: Installation, browser: Browser, path: str, port: int = 0) -> Page:
    """A page of the operator."""
    origin = f"http://127.0.0.1:{port or house.settings.http_port}"
    profile = await browser.new_context(base_url=origin)
    name, value = await sign_in(house, "op")
    await profile.add_cookies([{"name": name, "value": value, "url": origin}])
    page = await profile.new_page()
    await page.goto(path)
    return page


async def test_board_and_desk_show_twenty_callers_as_redis_has_them(
    house: Installation, browser: Browser, tmp_path: Path
) -> None:
    """And nothing of what they call themselves (stored XSS by display name): it is not kept, wherever one looks."""
    caller = Citizen(numbers(1000, CALLERS, STRIKES), keys=((1.5, "1"),), stay_s=300)
    async with session(house) as (session_id, seat_id), Cable(house.settings.http_port) as cable:
        await house.post(f"/api/seats/{seat_id}/pause", {"reason": "test"})
        board = await _page(house, browser, "/board", cable.port)
        desk = await _page(house, browser, "/desk", cable.port)

        async def same(count: int) -> list[str]:
            """Both pages at once say what Redis says, with so many callers."""
            line: list[str] = []

            async def so() -> bool:
                shown = await desk.locator("#rows [data-call]").evaluate_all("all => all.map(one => one.dataset.call)")
                depths = [await page.locator("#depth").inner_text() for page in (board, desk)]
                line[:] = [one.call_id for one in await house.core.line.callers(seat_id)]
                return shown == line and depths == [str(count)] * 2 and len(line) == count

            await until(so, WITHIN_S, f"{count} callers on both pages as in Redis")
            return line

        async with citizens(house, tmp_path, caller, CALLERS, rate=4):
            line = await same(CALLERS)
            await desk.locator(f"#c-{line[0]}").press("Enter")
            await expect(desk.locator(f"[data-shown='{line[0]}'] #call-title")).to_contain_text("139****10")
            await house.post(f"/api/line/{line[-1]}/move", {"position": 1, "reason": "test"})
            moved = await same(CALLERS)
            assert moved[:3] == [line[-1], *line[:2]]
            await cable.cut()
            for page in (board, desk):
                await expect(page.locator("#cut")).to_be_visible(timeout=WITHIN_S * 1000)
            for call_id in moved[:4]:
                await house.post(f"/api/line/{call_id}/release", {"to": "work_order"})
            await cable.mend()
            assert await same(CALLERS - 4) == moved[4:]
            await house.kill("api")
            await _hang_up(house, 3)
            await house.start("api")
            await until(house.api_answers, WITHIN_S, "the api")

            async def fewer() -> bool:
                return await house.core.line.depth(seat_id) < CALLERS - 4

            await until(fewer, WITHIN_S, "callers who hung up are out of the line")
            await end_all(house)
            await same(0)
            assert sum((await accounted(house, session_id, CALLERS, WITHIN_S)).values()) == CALLERS
        for page in (board, desk):
            assert await page.evaluate("window.struck") is None
            assert "onerror" not in await page.content()
            await expect(page.locator("#cut")).to_be_hidden(timeout=WITHIN_S * 1000)
            await page.context.close()
    # Redis' file of every write, database, logs, Asterisk's records: what is in none of them comes to no page.
    files = [path for path in house.folder.rglob("*") if path.is_file() and not path.is_symlink()]
    assert any(b"139000010" in path.read_bytes() for path in files if path.suffix == ".aof"), "all writes are looked at"
    assert [path.name for path in files if b"onerror" in path.read_bytes()] == []


async def _hang_up(house: Installation, count: int) -> None:
    """Some callers hang up."""
    rows = (await house.asterisk.command("core show channels concise")).splitlines()
    for name in [row.split("!")[0] for row in rows if row.startswith("PJSIP/")][-count:]:
        await house.asterisk.command(f"channel request hangup {name}")


async def test_citizen_leader_and_operator_in_three_browsers(
    house: Installation, chromiums: Chromiums, tmp_path: Path
) -> None:
    """Dialled, asked, put through, heard; operator and director go into the talk, each with the phone at the own desk; written
    down while they talk; done: the desk shows the order."""
    async with AsyncExitStack() as stack:
        hall = Hall(house, tmp_path, stack, chromiums)
        operator, director = await hall.operator("op"), await hall.operator("sup")
        async with session(house, BROWSER_LINE) as (session_id, seat_id):
            leader, citizen = await hall.desk(seat_id), await hall.citizen()
            await citizen.act("dial")
            await citizen.until("talking")
            call_id = await call_from(house, "+86" + (await citizen.says())["number"], WITHIN_S)
            await citizen.press("1")
            await leader.until("ringing", WITHIN_S)
            await leader.page.get_by_role("button", name="接听", exact=True).first.click()
            await seat_is(house, seat_id, "talking")
            await _hear_each_other(citizen, leader)
            desk = operator.page
            await desk.locator(f"#c-{call_id}").click()
            await director.page.locator(f"#c-{call_id}").click()
            await _joins(operator, "listen", "i")
            assert (await operator.says())["state"] == "通话中"
            for kind, key in (("whisper", "h"), ("barge", "g"), ("three-way", "3")):
                await _joins(director, kind, key)
                await _leaves(director, "sup", kind)
            await _leaves(operator, "op", "listen")
            watched = (await house.get(f"/api/seats/{seat_id}/supervisions"))["items"]
            rung = {(one["who"], one["phone"]) for one in watched}
            assert len(rung) == len({phone for _, phone in rung}) == 2, "each at the own desk"
            await desk.get_by_label("求助").check()
            await desk.locator("#form-content").fill("小区停水三天")
            await desk.locator("#note-text").fill("领导答应今天派人")
            await desk.locator("#note-text").press("Enter")
            await expect(leader.page.locator("#caller .words").first).to_have_text("小区停水三天", timeout=WITHIN_S * 1000)
            await expect(leader.page.locator("#caller .notes")).to_contain_text("领导答应今天派人", timeout=WITHIN_S * 1000)
            await leader.page.get_by_role("button", name="完成").click()
            await citizen.until("ready", WITHIN_S)
            await expect(leader.page.locator("#now[data-state=free]")).to_be_visible(timeout=WITHIN_S * 1000)
            await desk.locator("#made-order").wait_for(timeout=WITHIN_S * 1000)
            assert await accounted(house, session_id, 1, WITHIN_S) == {"talked": 1}
            order = await order_of(house, await _id_of(house, call_id))
            assert await desk.locator("#made-order").inner_text() == order["number"]
            assert (order["kind"], order["unit"]) == ("help", UNIT)
            await desk.locator("#made-order").click()
            await expect(desk.locator("main")).to_contain_text("小区停水三天")
            await expect(desk.locator(".notes")).to_contain_text("领导答应今天派人")
            await desk.goto(f"{origin_of(house)}/desk")
            assert not leader.complaints
        await expect(leader.page.locator("#now[data-state=none]")).to_be_visible(timeout=WITHIN_S * 1000)
        await _rings_whoever_is_at_a_desk(house, citizen, operator, director)
        assert not citizen.complaints + operator.complaints + director.complaints


async def _rings_whoever_is_at_a_desk(
    house: Installation, citizen: BrowserPhone, operator: BrowserPhone, director: BrowserPhone
) -> None:
    """No session is open: 0 reaches the operators, all of them, until one answers."""
    await operator.until("ready", WITHIN_S)
    await citizen.act("dial")
    await citizen.until("talking", WITHIN_S)
    call_id = await call_from(house, "+86" + (await citizen.says())["number"], WITHIN_S)
    await reaches(house, call_id, "closed", WITHIN_S)
    await citizen.press("0")
    for one in (operator, director):
        await one.until("ringing", WITHIN_S)
    await operator.act("answer")
    await director.until("ready", WITHIN_S)

    async def hear() -> bool:
        return tone_share(await citizen.listen(0.5), OPERATOR_HZ) > 0.8

    await until(hear, 30, "the citizen hears the operator")
    await operator.act("hang-up")
    await citizen.until("ready", WITHIN_S)
    assert (await ended(house, call_id))["outcome"] == "transferred"


async def _joins(who: BrowserPhone, kind: str, key: str) -> None:
    """By key, with a reason; the own handset rings, and hears both."""
    desk = who.page
    button = desk.locator(f"#a-{kind}")
    await expect(button).to_be_enabled(timeout=WITHIN_S * 1000)
    await desk.keyboard.press(key)
    await desk.wait_for_selector("#ask[open]")
    await desk.keyboard.type("听取诉求")
    await desk.keyboard.press("Enter")
    await who.until("ringing", WITHIN_S)
    await who.act("answer")
    await desk.locator("[data-phone]").evaluate("one => one.blur()")

    async def hears_both() -> bool:
        heard = await who.listen(0.5)
        return min(tone_share(heard, hz) for hz in (CITIZEN_HZ, LEADER_HZ)) > 0.2

    await who.until("talking", WITHIN_S)
    await until(hears_both, 30, "who joined hears both")
    await expect(button).to_be_disabled(timeout=WITHIN_S * 1000)


async def _leaves(who: BrowserPhone, login: str, kind: str) -> None:
    """Out of it by button, the own one: others' may be there, too."""
    word = {"listen": "监听", "whisper": "耳语", "barge": "强插", "three-way": "三方通话"}[kind]
    mine = who.page.locator("#call-now p.row").filter(has_text=f"{word} · 进行中").filter(has_text=login)
    await mine.get_by_role("button", name="退出").click(timeout=WITHIN_S * 1000)
    await who.until("ready", WITHIN_S)


async def _id_of(house: Installation, call_id: str) -> str:
    return str((await ended(house, call_id))["call_id"])


async def _hear_each_other(citizen: BrowserPhone, leader: BrowserPhone) -> None:
    async def hear() -> bool:
        by_citizen = tone_share(await citizen.listen(1.0), LEADER_HZ)
        by_leader = tone_share(await leader.listen(1.0), CITIZEN_HZ)
        return min(by_citizen, by_leader) > 0.8

    await until(hear, 30, "both hear each other")
