"""The cloud phone: webhook to TwiML at a steady rate, and its throughput beside a bare route in the same run.

Standalone: each function returns rows (name, value, unit); `python -m bench.twilio_webhooks` prints them.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import httpx

from bench.figures import ratio, summarise
from calls.assembly import Core, build
from calls.opening import Opening
from config.migrate import bring_up
from config.settings import Settings
from sessions.calendar import Calendar
from sessions.plan import Plan, PlannedSeat
from tests.cloud.signature import sign
from tests.servers import RedisServer, free_port, redis_server

ACCOUNT, TOKEN, NUMBER = "AC" + "2" * 32, "bench", "+867348812345"
RATE, SECONDS = 200, 10.0
#: Connections that send as fast as they are answered.
SENDERS = 16

BARE = """
from fastapi import FastAPI, Request, Response
from twilio.request_validator import RequestValidator
import os, uvicorn
app, check = FastAPI(), RequestValidator(os.environ["HOTLINE_TWILIO_AUTH_TOKEN"])
URL = os.environ["HOTLINE_PUBLIC_URL"] + "/twilio/voice"
TWIML = open(os.environ["BARE_TWIML"]).read()
@app.post("/twilio/voice")
async def voice(request: Request) -> Response:
    form = await request.form()
    if not check.validate(URL, dict(form), request.headers.get("x-twilio-signature", "")):
        return Response(status_code=403)
    return Response(TWIML, media_type="text/xml")
uvicorn.run(app, port=int(os.environ["HOTLINE_HTTP_PORT"]), access_log=False, log_level="error")
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One measured figure."""

    name: str
    value: float
    unit: str


@dataclass(slots=True)
class Side:
    """An api process, or the bare route."""

    url: str
    process: subprocess.Popen[bytes]
    sent: int = 0

    def webhook(self) -> tuple[str, bytes, dict[str, str]]:
        """A call that arrives: every one is another call."""
        self.sent += 1
        form = {
            "CallSid": f"CA{self.sent:032x}", "AccountSid": ACCOUNT, "From": f"+86138{self.sent % 10**8:08}", "To": NUMBER,
            "CallStatus": "ringing", "Direction": "inbound", "ApiVersion": "2010-04-01", "Caller": "+8613800000000",
            "Called": NUMBER,
        }  # fmt: skip
        url = f"{self.url}/twilio/voice"
        headers = {
            "X-Twilio-Signature": sign(TOKEN, url, form), "Content-Type": "application/x-www-form-urlencoded",
        }  # fmt: skip
        return url, urlencode(form).encode(), headers

    def cpu_s(self) -> float:
        """Processor seconds it has used."""
        return _cpu_s(self.process.pid)


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _start(arguments: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, *arguments], env=environment)


@asynccontextmanager
async def sides(folder: Path) -> AsyncIterator[tuple[Side, Side, RedisServer]]:
    """Ours with an open session, and the bare route."""
    (folder / "redis").mkdir(parents=True, exist_ok=True)
    with redis_server(folder / "redis") as redis:
        port, bare_port = free_port(), free_port()
        environment = {
            **os.environ, "HOTLINE_STATE_DIR": str(folder / "state"), "HOTLINE_REDIS_URL": redis.url,
            "HOTLINE_ASTERISK": "off", "HOTLINE_HTTP_PORT": str(port), "HOTLINE_PUBLIC_URL": f"http://127.0.0.1:{port}",
            "HOTLINE_TWILIO_ACCOUNT_SID": ACCOUNT, "HOTLINE_TWILIO_AUTH_TOKEN": TOKEN, "HOTLINE_TWILIO_NUMBER": NUMBER,
            "HOTLINE_TWILIO_API_URL": "http://127.0.0.1:9", "HOTLINE_LOG_LEVEL": "error",
        }  # fmt: skip
        settings = Settings(state_dir=folder / "state", redis_url=redis.url, asterisk="off", _env_file=None)
        core = build(settings)
        await bring_up(core.database)
        await _open_session(core)
        ours = Side(f"http://127.0.0.1:{port}", _start(["-m", "cli.main", "api"], environment))
        twiml = folder / "bare.xml"
        bare_env = {
            **environment, "HOTLINE_HTTP_PORT": str(bare_port), "HOTLINE_PUBLIC_URL": f"http://127.0.0.1:{bare_port}",
            "BARE_TWIML": str(twiml),
        }  # fmt: skip
        try:
            await _answers(f"{ours.url}/healthz")
            await asyncio.to_thread(twiml.write_bytes, await _once(ours))
            bare = Side(f"http://127.0.0.1:{bare_port}", _start(["-c", BARE], bare_env))
            try:
                await _answers(f"{bare.url}/docs")
                yield ours, bare, redis
            finally:
                bare.process.kill()
                bare.process.wait()
        finally:
            ours.process.terminate()
            ours.process.wait()
            await core.close()


async def measure_latency(side: Side, rate: int = RATE, seconds: float = SECONDS) -> list[Row]:
    """Webhook to TwiML at a steady rate, whatever came back before."""
    taken: list[float] = []
    async with httpx.AsyncClient(trust_env=False, timeout=20, limits=httpx.Limits(max_connections=64)) as client:

        async def send() -> None:
            url, body, headers = side.webhook()
            begun = time.perf_counter()
            answer = await client.post(url, content=body, headers=headers)
            assert answer.status_code == 200
            taken.append(time.perf_counter() - begun)

        begun, tasks = time.perf_counter(), []
        for number in range(int(rate * seconds)):
            await asyncio.sleep(max(0.0, begun + number / rate - time.perf_counter()))
            tasks.append(asyncio.create_task(send()))
        await asyncio.gather(*tasks)
    found = summarise([one * 1000 for one in taken])
    return [
        Row(f"webhook to TwiML at {rate}/s, median", found.median, "ms"),
        Row(f"webhook to TwiML at {rate}/s, p99", found.p99, "ms"),
    ]


async def measure_throughput(ours: Side, bare: Side, seconds: float = SECONDS) -> list[Row]:
    """Both as fast as they answer, one after the other, in turns. By processor time, because the load shares the cores."""
    rates: dict[str, list[float]] = {"ours": [], "bare": []}
    for _ in range(2):
        for name, side in (("bare", bare), ("ours", ours)):
            rates[name].append(await _rate(side, seconds / 2))
    mine, theirs = max(rates["ours"]), max(rates["bare"])
    return [
        Row("/twilio/voice with a real turn", mine, "requests per processor second"),
        Row("bare route, same signature check, constant TwiML", theirs, "requests per processor second"),
        Row("ratio", ratio(mine, theirs), "x"),
    ]


async def _rate(side: Side, seconds: float) -> float:
    count, cpu, end = 0, side.cpu_s(), time.perf_counter() + seconds
    async with httpx.AsyncClient(trust_env=False, timeout=20, limits=httpx.Limits(max_connections=SENDERS)) as client:

        async def send() -> None:
            nonlocal count
            while time.perf_counter() < end:
                url, body, headers = side.webhook()
                answer = await client.post(url, content=body, headers=headers)
                assert answer.status_code == 200
                count += 1

        await asyncio.gather(*(send() for _ in range(SENDERS)))
    return count / max(0.01, side.cpu_s() - cpu)


async def measure_waiting(side: Side, redis: RedisServer, callers: int = 1000, seconds: float = SECONDS) -> list[Row]:
    """Callers on hold, each with a sign of life every 30 s: the share of one core that the api and Redis take."""
    sids = []
    async with httpx.AsyncClient(trust_env=False, timeout=30, limits=httpx.Limits(max_connections=SENDERS)) as client:

        async def step(path: str, sid: str, **more: str) -> None:
            form = {"CallSid": sid, "AccountSid": ACCOUNT, "CallStatus": "in-progress", "From": "anonymous", **more}
            url = f"{side.url}{path}"
            answer = await client.post(url, data=form, headers={"X-Twilio-Signature": sign(TOKEN, url, form)})
            assert answer.status_code == 200

        for number in range(callers):
            sids.append(f"CA{number:016x}{'f' * 16}")
            await step("/twilio/voice", sids[-1])
            await step("/twilio/keys?scene=1&seq=1", sids[-1], Digits="1")
        await asyncio.sleep(3.0)
        api, server, begun = side.cpu_s(), _cpu_s(redis.pid), time.perf_counter()
        rate = callers / 30.0
        for number in range(int(rate * seconds)):
            await asyncio.sleep(max(0.0, begun + number / rate - time.perf_counter()))
            await step(f"/twilio/hold?scene=2&seq=2&count={number}", sids[number % callers])
        taken = time.perf_counter() - begun
    return [
        Row(f"{callers} callers on hold: api", 100 * (side.cpu_s() - api) / taken, "% of a core"),
        Row(f"{callers} callers on hold: Redis", 100 * (_cpu_s(redis.pid) - server) / taken, "% of a core"),
    ]


async def _open_session(core: Core) -> None:
    from datetime import UTC, datetime, timedelta

    now = datetime.now(UTC)
    calendar = Calendar(core.database, core.clock)
    seat = PlannedSeat(unit="市水务局", leader="王局长", line_twilio="+8613900000001")
    session = await calendar.plan(Plan(opens_at=now, closes_at=now + timedelta(hours=2), seats=(seat,)))
    opening = Opening(core.settings, core.redis, calendar, core.seats, core.line, core.turns)
    await opening.open(session.id)
    await opening.sign_in(session.seats[0].id)


async def _once(side: Side) -> bytes:
    url, body, headers = side.webhook()
    async with httpx.AsyncClient(trust_env=False, timeout=20) as client:
        return (await client.post(url, content=body, headers=headers)).content


async def _answers(url: str) -> None:
    async with httpx.AsyncClient(trust_env=False, timeout=2) as client:
        for _ in range(600):
            try:
                await client.get(url)
            except httpx.TransportError:
                await asyncio.sleep(0.05)
            else:
                return
    raise RuntimeError(f"{url} does not answer")


async def measure(folder: Path) -> Sequence[Row]:
    """Everything here, in one run."""
    async with sides(folder) as (ours, bare, redis):
        waiting = await measure_waiting(ours, redis)
        await _rate(ours, 1.0)
        await _rate(bare, 1.0)
        return [*waiting, *await measure_latency(ours), *await measure_throughput(ours, bare)]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for row in asyncio.run(measure(Path(folder))):
            print(f"{row.name:60} {row.value:10.2f} {row.unit}")


if __name__ == "__main__":
    main()
