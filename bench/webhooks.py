"""The cloud phone: webhook in, TwiML out, with signature check and a real turn; against a route that only checks and answers."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from bench.cloud_callers import CloudCaller, CloudCallers
from bench.figures import Summary, ratio, summarise
from bench.http_client import as_fast_as_possible, at_rate, post
from bench.progress import say
from bench.report import Chapter, Row, ms, times
from bench.sizes import Sizes
from bench.usage import usage_of
from telephony.twilio.signature import Form, Signatures
from tests.servers import free_port
from tests.system.installation import Installation
from tests.waiting import until

SID, TOKEN, NUMBER = "AC" + "0" * 32, "bench-token", "+8673412345"
PATH = "/twilio/voice"
PER_S, P99_MOST_S, THROUGHPUT_LEAST = 200.0, 0.05, 0.5
#: Nothing can be faster; so many requests are made beforehand for each second.
MOST_PER_S = 4000
LOOP_S = 30.0
#: Requests under way at once, at full throughput: as many callers press a key when everybody calls. And few, where each
#: waits for Redis with hardly anybody to share a round trip with.
AT_ONCE, FEW_AT_ONCE = 200, 8
#: The throughput of both sides is measured by turns, so that what else runs on the machine meets both.
TURNS = 8
#: After a turn: the books are put down behind the answers.
SETTLES_S = 0.3
NOBODY = "http://127.0.0.1:9"


@dataclass(frozen=True, slots=True)
class WebhookFigures:
    """Seconds at PER_S requests a second, and answers a second, of ours and of the bare route."""

    ours: Summary
    bare: Summary
    ours_per_s: float
    bare_per_s: float
    #: The same with FEW_AT_ONCE.
    few_ours_per_s: float
    few_bare_per_s: float
    refused: int
    #: Processor microseconds for each webhook at full throughput: of the api, of Redis, of the bare route, of the client.
    api_us: float = 0.0
    redis_us: float = 0.0
    bare_us: float = 0.0
    client_us: float = 0.0
    #: Callers on hold, and percent of a core that they take of the api and of Redis.
    on_hold: int = 0
    api_percent: float = 0.0
    redis_percent: float = 0.0


async def measure(folder: Path, shared: Path, sizes: Sizes) -> WebhookFigures:
    """Both sides up in turn for the rate, together for the throughput: by turns, so that both find the same machine."""
    steady, most = round(PER_S * sizes.webhook_s), round(MOST_PER_S * sizes.throughput_s)
    async with bare(folder) as (bare_port, bare_pid), _hotline(folder / "rates", shared) as house:
        say("  at a fixed rate")
        port = house.settings.http_port
        plain = await at_rate(bare_port, _requests(bare_port, steady), PER_S)
        requests = _requests(port, steady + 2 * most)
        await as_fast_as_possible(port, requests[-50:], 5.0, FEW_AT_ONCE)  # what any first call imports and caches
        ours = await at_rate(port, requests[:steady], PER_S)
        pids, paces = (house.processes["api"].pid, house.redis.pid), []
        for at_once, some in zip((AT_ONCE, FEW_AT_ONCE), _parts(requests[steady:-50], 2), strict=True):
            say(f"  as fast as possible, {at_once} at once")
            us, them = Pace(pids, at_once), Pace((bare_pid,), at_once)
            for part in _parts(some, TURNS):
                await them.go(bare_port, _requests(bare_port, most // TURNS), sizes.throughput_s / TURNS)
                await us.go(port, part, sizes.throughput_s / TURNS)
            paces += [us, them]
        us, them, few_us, few_them = paces
    async with _hotline(folder / "holding", shared) as house:
        joined, api_percent, redis_percent = await _hold(house, sizes)
    return WebhookFigures(
        summarise(ours.taken), summarise(plain.taken), us.per_s, them.per_s, few_us.per_s, few_them.per_s,
        ours.refused,
        us.cpu_us(0), us.cpu_us(1), them.cpu_us(0), us.client_us, joined, api_percent, redis_percent,
    )  # fmt: skip


class Pace:
    """Answers a second, and what they cost, over several short times."""

    def __init__(self, pids: tuple[int, ...], at_once: int) -> None:
        self._pids, self._at_once = pids, at_once
        self._answers, self._seconds, self._client_s, self._cpu_s = 0.0, 0.0, 0.0, [0.0] * len(pids)

    async def go(self, port: int, requests: list[bytes], seconds: float) -> None:
        before, mine = [usage_of([pid]).cpu_s for pid in self._pids], time.process_time()
        per_s = await as_fast_as_possible(port, requests, seconds, self._at_once)
        self._client_s += time.process_time() - mine
        await asyncio.sleep(SETTLES_S)
        for n, pid in enumerate(self._pids):
            self._cpu_s[n] += usage_of([pid]).cpu_s - before[n]
        self._answers, self._seconds = self._answers + per_s * seconds, self._seconds + seconds

    @property
    def per_s(self) -> float:
        return self._answers / self._seconds

    @property
    def client_us(self) -> float:
        return 1e6 * self._client_s / self._answers

    def cpu_us(self, n: int) -> float:
        """Of the nth process, for each answer."""
        return 1e6 * self._cpu_s[n] / self._answers


def _parts(requests: list[bytes], count: int) -> list[list[bytes]]:
    size = len(requests) // count
    return [requests[n * size : (n + 1) * size] for n in range(count)]


@asynccontextmanager
async def _hotline(folder: Path, shared: Path) -> AsyncIterator[Installation]:
    """An api with a session whose leader takes nobody."""
    port = free_port()
    extra = {
        "HOTLINE_HTTP_PORT": str(port),
        "HOTLINE_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "HOTLINE_TWILIO_ACCOUNT_SID": SID,
        "HOTLINE_TWILIO_AUTH_TOKEN": TOKEN,
        "HOTLINE_TWILIO_NUMBER": NUMBER,
        "HOTLINE_TWILIO_API_URL": NOBODY,
    }
    async with Installation(folder, shared, extra, parts=("api",)) as house:
        _, seat_id = await house.open_session("sip:leader@127.0.0.1:9")
        await house.post(f"/api/seats/{seat_id}/pause", {"reason": "bench"})
        yield house


async def _hold(house: Installation, sizes: Sizes) -> tuple[int, float, float]:
    """Callers on hold, and what they cost api and Redis, in percent of a core."""
    port = house.settings.http_port
    signatures = Signatures(SID, TOKEN, f"http://127.0.0.1:{port}")
    crowd = CloudCallers(signatures, [CloudCaller(_form(n)) for n in range(sizes.cloud_callers)], port)
    joined = await crowd.join()
    say(f"  hotline: {joined} callers of the cloud on hold")
    pids = {"api": house.processes["api"].pid, "redis": house.redis.pid}
    before = {name: usage_of([pid]).cpu_s for name, pid in pids.items()}
    await crowd.hold(sizes.hold_s, LOOP_S)
    spent = {name: usage_of([pid]).cpu_s - before[name] for name, pid in pids.items()}
    return joined, 100 * spent["api"] / sizes.hold_s, 100 * spent["redis"] / sizes.hold_s


@asynccontextmanager
async def bare(folder: Path) -> AsyncIterator[tuple[int, int]]:
    """The route ours is held against, in a process of its own: its port and its id."""
    port = free_port()
    with (folder / "bare.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bench.bare", str(port), SID, TOKEN, stdout=log, stderr=log
        )
    try:
        async with httpx.AsyncClient(trust_env=False) as client:
            await until(lambda: _answers(client, port), 20.0, "the bare route")
        yield port, process.pid
    finally:
        process.kill()
        await process.wait()


async def _answers(client: httpx.AsyncClient, port: int) -> bool:
    try:
        return (await client.get(f"http://127.0.0.1:{port}/healthz")).is_success
    except httpx.TransportError:
        return False


def _requests(port: int, count: int) -> list[bytes]:
    signatures = Signatures(SID, TOKEN, f"http://127.0.0.1:{port}")
    return [_request(signatures, n) for n in range(count)]


def _request(signatures: Signatures, n: int) -> bytes:
    form = _form(n)
    return post(PATH, form, signatures.sign(PATH, Form(form)), token=f"00000000-0000-4000-8000-{n:012x}")


def _form(n: int) -> list[tuple[str, str]]:
    """A call that arrives, as the cloud tells of it."""
    number = f"+86139{n:08d}"
    return [
        ("CallSid", f"CA{n:032x}"), ("AccountSid", SID), ("From", number), ("To", NUMBER), ("Caller", number),
        ("Called", NUMBER), ("CallStatus", "ringing"), ("Direction", "inbound"), ("ApiVersion", "2010-04-01"),
        ("FromCountry", "CN"), ("ToCountry", "CN"), ("FromCity", ""), ("ToCity", ""), ("FromState", ""), ("ToState", ""),
    ]  # fmt: skip


def chapter(figures: WebhookFigures) -> Chapter:
    share = ratio(figures.ours_per_s, figures.bare_per_s)
    rows = (
        Row(
            f"webhook -> TwiML at {PER_S:.0f} requests/s: p99", ms(figures.ours.p99), ms(figures.bare.p99),
            times(ratio(figures.ours.p99, figures.bare.p99)), f"under {ms(P99_MOST_S)}",
            not figures.refused and 0 < figures.ours.p99 < P99_MOST_S,
        ),
        Row("the same: median", ms(figures.ours.median), ms(figures.bare.median), times(ratio(figures.ours.median, figures.bare.median))),
        Row(
            f"throughput of /twilio/voice, {AT_ONCE} at once",
            f"{figures.ours_per_s:,.0f} /s", f"{figures.bare_per_s:,.0f} /s", times(share),
            f"at least {THROUGHPUT_LEAST} x", share >= THROUGHPUT_LEAST,
        ),
        Row(
            "the same, processor per webhook: api, Redis, client",
            f"{figures.api_us:.0f}, {figures.redis_us:.0f}, {figures.client_us:.0f} us", f"api {figures.bare_us:.0f} us",
            times(ratio(figures.api_us, figures.bare_us)),
        ),
        Row(
            f"throughput, {FEW_AT_ONCE} at once", f"{figures.few_ours_per_s:,.0f} /s", f"{figures.few_bare_per_s:,.0f} /s",
            times(ratio(figures.few_ours_per_s, figures.few_bare_per_s)),
        ),
        Row(
            f"{figures.on_hold} callers on hold, a webhook every {LOOP_S:.0f} s each: processor",
            f"api {figures.api_percent:.0f} %, Redis {figures.redis_percent:.0f} % of a core",
        ),
    )  # fmt: skip
    note = (
        "Every webhook is a new call: signature, number, a record in Redis (on disk), a turn, the line's facts, TwiML, and the "
        "ledger in SQLite behind it. The bare route: the same server and signature check, constant TwiML. Sounds are not fetched: "
        "prompts and hold music stay in the cloud's media caches for a day."
    )
    return Chapter("Cloud phone", rows, beside="bare FastAPI", notes=(note,))
