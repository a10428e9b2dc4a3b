"""What tests of the desks do and look at: a session with callers in its line, the rows that are shown, an act's reason."""

import re
from typing import Any

from playwright.async_api import Page, expect

from ivr.events import HungUp
from tests.console.conftest import Console
from tests.waiting import until

#: A page on a machine that does many things at once.
WITHIN_MS = 30_000


async def held(console: Console, callers: int, first: int = 0) -> tuple[str, list[str]]:
    """A session with one seat and so many callers in its line; (seat id, call ids)."""
    session = await console.open_session(seats=1)
    seat_id = session["seats"][0]["id"]
    async with console.client() as http:
        await http.post(f"/api/seats/{seat_id}/open")
    calls = [f"a-pbx1-{first + n}" for n in range(callers)]
    for n, call_id in enumerate(calls):
        await console.call_in(call_id, f"+8613812{first + n:06d}", ago=600 - 60 * n)
    return seat_id, calls


async def shown(page: Page) -> list[str]:
    found: list[str] = await page.locator("#rows [data-call]").evaluate_all("all => all.map(one => one.dataset.call)")
    return found


async def shows_the_line(console: Console, page: Page, seat_id: str) -> list[str]:
    """The page's order is that of Redis at the same moment."""

    async def same() -> bool:
        return await shown(page) == [one.call_id for one in await console.core.line.callers(seat_id)]

    await until(same, WITHIN_MS / 1000, "the line as in Redis")
    return await shown(page)


async def rows_say_what_is_known(console: Console, page: Page) -> bool:
    """Position, masked number, chance and wait of the API's forecast, unit and carrier of each."""
    async with console.client() as http:
        line = (await http.get("/api/line")).json()
    rows = [await row.locator("td").all_inner_texts() for row in await page.locator("#rows tr").all()]
    units = {seat["id"]: seat["unit"] for seat in line["seats"]}
    wanted = [
        [f"{n}", one["number"], f"{100 * one['chance']:.0f}% · {one['wait_s'] / 60:.0f} 分钟", units[one["seat_id"]], "电话网"]
        for n, one in enumerate(line["callers"], 1)
    ]
    waits = all(re.fullmatch(r"[\d:]+:\d\d", row[2]) for row in rows)
    return waits and [[row[n] for n in (0, 1, 3, 4, 5)] for row in rows] == wanted


async def confirm(page: Page, reason: str) -> None:
    await page.wait_for_selector("#ask[open]")
    await page.locator("#ask-reason").focus()
    await page.keyboard.type(reason)
    await page.keyboard.press("Enter")
    await expect(page.locator("#told")).to_be_visible(timeout=WITHIN_MS)


async def hang_up(console: Console, call_id: str) -> None:
    await console.core.turns.take_turn(call_id, lambda facts: HungUp(facts=facts))
    await console.core.outbox.idle()


async def order_of(console: Console, call_id: str, kind: str = "") -> dict[str, Any]:
    """The order of a call, of the kind that its form says: that is put in a moment after it is made."""
    async with console.client() as http:

        async def made() -> Any:
            items = (await http.get("/api/work-orders", params={"call_id": call_id})).json()["items"]
            found = (await http.get(f"/api/work-orders/{items[0]['id']}")).json() if items else {}
            return found if found.get("kind") == kind else None

        order: dict[str, Any] = await until(made, 30, "the order with its form")
        return order


async def state_is(page: Page, state: str) -> None:
    await expect(page.locator(f"#now[data-state={state}]")).to_be_visible(timeout=WITHIN_MS)
