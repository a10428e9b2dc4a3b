"""First paint of the console's pages in a real Chromium with an empty cache, against a page without anything."""

from dataclasses import dataclass
from pathlib import Path
from statistics import median

from playwright.async_api import Browser, async_playwright

from bench.fanout import bare_pages
from bench.figures import ratio
from bench.progress import say
from bench.report import Chapter, Row, ms, times
from bench.sizes import Sizes
from config.changes import channel
from config.secrets import secret
from tests.chromium import FLAGS, find_chromium
from tests.system.installation import Installation

MOST_S = 1.0
PAGES = (
    "/", "/sign-in", "/screen", "/board", "/desk", "/leader", "/phone", "/phone/operators", "/sessions", "/sessions/{session}",
    "/report/{session}", "/orders", "/prompts", "/audit", "/accounts",
)  # fmt: skip
#: As soon as the browser has painted anything of the page.
_PAINT = (
    "() => new Promise(done => new PerformanceObserver(list => done(list.getEntriesByName('first-contentful-paint')[0].startTime))"
    ".observe({ type: 'paint', buffered: true }))"
)


@dataclass(frozen=True, slots=True)
class Paints:
    """Seconds to the first paint, by page; `bare`: of the page without anything."""

    pages: dict[str, list[float]]
    bare: list[float]


async def measure(folder: Path, shared: Path, sizes: Sizes) -> Paints:
    async with Installation(folder / "hotline", shared, parts=("api",)) as house, async_playwright() as playwright:
        session, _ = await house.open_session("sip:leader@127.0.0.1:9")
        browser = await playwright.chromium.launch(executable_path=find_chromium(), args=list(FLAGS))
        token = {"Authorization": f"Bearer {secret(house.settings, 'admin_token')}"}
        own = f"http://127.0.0.1:{house.settings.http_port}"
        say("  first paint")
        await _paint(browser, f"{own}/", token, 1)  # the browser's own start
        pages = {path: await _paint(browser, own + path.format(session=session), token, sizes.paints) for path in PAGES}
        redis, changes = house.redis.url, channel(house.settings.redis_prefix)
        async with bare_pages(folder, redis, changes, 0) as (port, _):
            bare = await _paint(browser, f"http://127.0.0.1:{port}/", {}, sizes.paints)
        await browser.close()
    return Paints(pages, bare)


async def _paint(browser: Browser, url: str, headers: dict[str, str], count: int) -> list[float]:
    found = []
    for _ in range(count):
        profile = await browser.new_context(extra_http_headers=headers)
        page = await profile.new_page()
        answer = await page.goto(url, wait_until="commit")
        if answer is None or not answer.ok:
            raise RuntimeError(f"{url} cannot be seen: {answer and answer.status}")
        found.append(await page.evaluate(_PAINT) / 1000)
        await profile.close()
    return found


def chapter(found: Paints) -> Chapter:
    bare = median(found.bare)
    rows = tuple(
        Row(
            f"{path}: first paint, median and slowest", f"{ms(median(paints))}, {ms(max(paints))}", ms(bare),
            times(ratio(median(paints), bare)), f"under {ms(MOST_S)}", max(paints) < MOST_S,
        )
        for path, paints in found.pages.items()
    )  # fmt: skip
    note = "A fresh profile for every page: nothing is in the browser's cache. The page beside holds one heading."
    return Chapter("First paint", rows, beside="bare page", notes=(note,))
