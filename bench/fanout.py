"""Streams of the console: how soon a change of the line is on every page, and what it costs; against a bare server that passes on
a ready-made text."""

import asyncio
import re
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from playwright.async_api import Page, async_playwright

from bench.figures import quantile, ratio
from bench.progress import say
from bench.report import Chapter, Row, ms, times
from bench.sizes import Sizes
from bench.usage import usage_of
from config.changes import channel
from config.secrets import secret
from tests.chromium import FLAGS, find_chromium
from tests.servers import free_port
from tests.system.installation import Installation
from tests.waiting import until

PER_S, P95_MOST_S = 20.0, 0.3
#: With so many streams the delay has a target; with so many it is told.
FEW, MANY = 200, 500
#: After the last change, every stream has it by then.
ARRIVES_WITHIN_S = 10.0
#: A page tells when its depth changed: [depth, Unix milliseconds].
_WATCH = """(place) => {
  window.seen = [];
  const look = () => window.seen.push([Number(document.getElementById('depth')?.textContent), Date.now()]);
  new MutationObserver(look).observe(document.getElementById(place), { subtree: true, childList: true, characterData: true });
}"""


@dataclass(frozen=True, slots=True)
class Watched:
    """A page that follows the line: its path, the element that changes, and where a piece of it says the depth."""

    path: str
    place: str
    depth: re.Pattern[bytes]
    what: str


BOARD = Watched("/board", "board", re.compile(rb'data-depth="(\d+)"'), "streams")
#: With every caller of the line in it, up to what the desk lists.
DESK = Watched("/desk", "line", re.compile(rb'id="depth" class="chip">(\d+)<'), "desks")
#: What is read again with the next bytes: a depth may be cut in two.
_LONGEST_MARK = 48


@dataclass(frozen=True, slots=True)
class Fanned:
    """Seconds from a change to a stream, of all changes and streams; percent of a core of the server."""

    streams: int
    changes: int
    delays: list[float]
    missed: int
    percent: float
    #: Bytes of a piece.
    size: int = 0
    page: Watched = BOARD
    #: The same as it is seen in one Chromium that looks on; empty for the bare server, which has no page.
    painted: tuple[float, ...] = ()

    @property
    def p95(self) -> float:
        return quantile(self.delays, 0.95) if self.delays else float("inf")

    @property
    def median(self) -> float:
        return quantile(self.delays, 0.5) if self.delays else float("inf")


@dataclass
class Crowd:
    """When each change was made, by the depth it led to; and when the streams heard of it."""

    made: dict[int, float] = field(default_factory=dict)
    delays: list[float] = field(default_factory=list)


class Stream(asyncio.Protocol):
    """One page that looks on. Reads nothing but the depth."""

    def __init__(self, crowd: Crowd, request: bytes, depth: re.Pattern[bytes]) -> None:
        self._crowd, self._request, self._mark, self._rest = crowd, request, depth, b""
        self.depth, self.size, self.pieces = -1, 0, 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        now = asyncio.get_running_loop().time()
        text = self._rest + data
        self._rest = text[-_LONGEST_MARK:]
        self.size += len(data)
        for found in self._mark.finditer(text):
            depth = int(found[1])
            if depth <= self.depth:
                continue
            self.pieces += 1
            for reached in range(self.depth + 1, depth + 1):
                if reached in self._crowd.made:
                    self._crowd.delays.append(now - self._crowd.made[reached])
            self.depth = depth


async def measure(folder: Path, shared: Path, sizes: Sizes) -> list[tuple[Fanned, Fanned]]:
    """Ours and the bare server's: FEW and MANY boards, FEW desks."""
    found = []
    for page, count in ((BOARD, FEW), (BOARD, MANY), (DESK, FEW)):
        place = folder / f"{page.place}-{count}"
        async with Installation(place, shared, parts=("api",)) as house:
            _, seat_id = await house.open_session("sip:leader@127.0.0.1:9")
            await house.post(f"/api/seats/{seat_id}/pause", {"reason": "bench"})
            token = secret(house.settings, "admin_token")
            say(f"  hotline: {count} {page.what}")
            pid = house.processes["api"].pid
            ours = await _fan(house, seat_id, house.settings.http_port, pid, count, sizes, page, token)
        bare = folder / f"{page.place}-bare-{count}"
        async with Installation(bare, shared, parts=()) as house, _bare(bare, house, ours.size) as (port, pid):
            say(f"  bare: {count} {page.what}")
            found.append((ours, await _fan(house, "bench", port, pid, count, sizes, BOARD)))
    return found


async def _fan(
    house: Installation, seat_id: str, port: int, pid: int, count: int, sizes: Sizes, page: Watched, token: str = ""
) -> Fanned:
    crowd = Crowd()
    head = f"GET {page.path}/stream HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: text/event-stream\r\n"
    request = f"{head}Authorization: Bearer {token}\r\n\r\n".encode()
    async with _onlooker(port, token, page) as onlooker:
        return await _change(house, seat_id, port, pid, count, sizes, crowd, request, page, onlooker)


async def _change(
    house: Installation, seat_id: str, port: int, pid: int, count: int, sizes: Sizes, crowd: Crowd, request: bytes,
    page: Watched, onlooker: Page | None,
) -> Fanned:  # fmt: skip
    loop = asyncio.get_running_loop()
    streams = [
        (await loop.create_connection(lambda: Stream(crowd, request, page.depth), "127.0.0.1", port))[1] for _ in range(count)
    ]
    await until(lambda: _all_at(streams, 0), 60.0, f"{count} streams")
    changes = round(PER_S * sizes.fanout_s)
    before, begun = usage_of([pid]).cpu_s, loop.time()
    for n in range(1, changes + 1):
        await asyncio.sleep(max(0.0, begun + n / PER_S - loop.time()))
        crowd.made[n] = loop.time()
        await house.core.line.join(seat_id, f"a-bench-{n}", house.core.clock(), 1)
    spent = usage_of([pid]).cpu_s - before
    took = loop.time() - begun
    try:
        await until(lambda: _all_at(streams, changes), ARRIVES_WITHIN_S, "the last change")
    except AssertionError:
        say("  not every stream has heard of every change")
    for stream in streams:
        stream.transport.abort()
    painted = await _painted(onlooker, crowd, changes) if onlooker else ()
    size = streams[0].size // max(1, streams[0].pieces)
    missed = count * changes - len(crowd.delays)
    return Fanned(count, changes, crowd.delays, missed, 100 * spent / took, size, page, painted)


@asynccontextmanager
async def _onlooker(port: int, token: str, watched: Watched) -> AsyncIterator[Page | None]:
    """One page in Chromium, beside the streams."""
    if not token:
        yield None
        return
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_chromium(), args=list(FLAGS))
        page = await browser.new_page(extra_http_headers={"Authorization": f"Bearer {token}"})
        await page.goto(f"http://127.0.0.1:{port}{watched.path}")
        await page.evaluate(_WATCH, watched.place)
        yield page
        await browser.close()


async def _painted(page: Page, crowd: Crowd, changes: int) -> tuple[float, ...]:
    """Seconds from each change to the page's new text."""
    await page.wait_for_function(f"document.getElementById('depth').textContent === '{changes}'")
    skew = time.time() - asyncio.get_running_loop().time()
    delays: list[float] = []
    reached = 0
    for depth, at in await page.evaluate("window.seen"):
        delays += [at / 1000 - skew - crowd.made[n] for n in range(reached + 1, depth + 1)]
        reached = max(reached, depth)
    return tuple(delays)


async def _all_at(streams: list[Stream], depth: int) -> bool:
    return all(stream.depth >= depth for stream in streams)


@asynccontextmanager
async def _bare(folder: Path, house: Installation, size: int) -> AsyncIterator[tuple[int, int]]:
    """Port and process of the bare server."""
    async with bare_pages(folder, house.redis.url, channel(house.settings.redis_prefix), size) as server:
        yield server


@asynccontextmanager
async def bare_pages(folder: Path, redis_url: str, changes: str, size: int) -> AsyncIterator[tuple[int, int]]:
    """The server that ours is held against: its port and process."""
    port = free_port()
    with (folder / f"bare-{port}.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bench.bare_pages", str(port), redis_url, changes, str(size), stdout=log, stderr=log
        )
    try:
        async with httpx.AsyncClient(trust_env=False) as client:
            await until(lambda: _answers(client, port), 30.0, "the bare server")
        yield port, process.pid
    finally:
        process.kill()
        await process.wait()


async def _answers(client: httpx.AsyncClient, port: int) -> bool:
    try:
        return (await client.get(f"http://127.0.0.1:{port}/healthz")).is_success
    except httpx.TransportError:
        return False


def chapter(found: list[tuple[Fanned, Fanned]]) -> Chapter:
    rows = [row for ours, bare in found for row in _rows(ours, bare)]
    note = (
        "From the join in Redis to the new piece of the board or the operators' desk at every stream: the change is heard, line and "
        "ledger are read, the piece is rendered once and sent to all; changes that come close together are told as one. The piece of "
        "the desk has a row for each caller, up to 120. The bare server does nothing but pass on a ready-made text of the same size at "
        "every change. Streams, changes and server share this machine."
    )
    return Chapter("Fan-out", tuple(rows), beside="bare server", notes=(note,))


def _rows(ours: Fanned, bare: Fanned) -> list[Row]:
    what = f"{ours.streams} {ours.page.what} of {ours.size / 1000:.0f} kB, {PER_S:.0f} changes/s"
    has_target = ours.streams == FEW
    painted = quantile(ours.painted, 0.95) if ours.painted else float("inf")
    return [
        Row(
            f"{what}: change to page, p95", ms(ours.p95), ms(bare.p95), times(ratio(ours.p95, bare.p95)),
            f"under {ms(P95_MOST_S)}" if has_target else "", ours.p95 < P95_MOST_S if has_target else None,
        ),
        Row(
            "the same: to the text on a page in Chromium, p95", ms(painted), "", "",
            f"under {ms(P95_MOST_S)}" if has_target else "", painted < P95_MOST_S if has_target else None,
        ),
        Row("the same: median", ms(ours.median), ms(bare.median), times(ratio(ours.median, bare.median))),
        Row("the same: changes that a stream never heard of", str(ours.missed), str(bare.missed), "", "none", not ours.missed),
        Row(
            "the same: processor of the api", f"{ours.percent:.0f} % of a core", f"{bare.percent:.0f} %",
            times(ratio(ours.percent, bare.percent)),
        ),
    ]  # fmt: skip
