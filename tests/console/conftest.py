"""The console as people use it: a real Chromium, a real api process, Redis and SQLite of its own."""

import asyncio
import json
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect
from sqlalchemy import update

from api.accounts.model import Account
from api.accounts.passwords import hash_password
from api.gate import Gate, assemble_gate
from calls.assembly import Core, build
from config.settings import Settings
from ivr.call import Call
from ivr.events import Arrived, Keyed
from tests.chromium import FLAGS, find_chromium
from tests.integration.api.conftest import plan
from tests.parts import Part, start_part
from tests.phones.browser import Chromiums
from tests.servers import RedisServer, free_port, redis_server
from tests.tables import bring_up
from tests.waiting import patient, until

TOKEN = "a-token-for-the-console"
PASSWORD = "correct horse battery"
STARTS_WITHIN_S = 60.0
#: What a page is to show may take that long on a machine that is busy.
expect.set_options(timeout=patient(10) * 1000)
#: login -> role and unit
PEOPLE = {
    "op": ("operator", ""),
    "lead": ("leader", "单位0"),
    "unit": ("handler", "单位0"),
    "sup": ("supervisor", ""),
    "root": ("administrator", ""),
}


#: Of PASSWORD; slow on purpose, so it is made once for all accounts of a run.
_hashed: list[str] = []


@dataclass
class Console:
    """One api process and what stands behind it; `start` and `stop` are the test's to use."""

    settings: Settings
    core: Core
    gate: Gate
    redis: RedisServer
    environment: dict[str, str]
    process: Part | None = None
    links: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.settings.http_port}"

    async def start(self) -> None:
        self.process = start_part("api", environment=self.environment)
        await until(self._answers, STARTS_WITHIN_S, "the api")

    async def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        if self.process is not None and self.process.poll() is None:
            os.kill(self.process.pid, how)
            await asyncio.to_thread(self.process.wait)

    async def _answers(self) -> bool:
        async with httpx.AsyncClient(trust_env=False) as http:
            try:
                return (await http.get(f"{self.url}/healthz")).is_success
            except httpx.TransportError:
                return False

    def client(self, token: str = TOKEN) -> httpx.AsyncClient:
        """A program with a token; empty = without."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.AsyncClient(base_url=self.url, headers=headers, trust_env=False, timeout=20)

    async def signed_in(self, login: str) -> httpx.AsyncClient:
        """A person's cookie without a browser; `X-CSRF-Token` is set."""
        account = await self.gate.accounts.find(login)
        value = await self.gate.logins.begin(
            account.id, account.login, account.name, account.role, account.unit, "password"
        )  # fmt: skip
        known = await self.gate.logins.find(value)
        assert known is not None
        return httpx.AsyncClient(
            base_url=self.url, cookies={self.gate.cookie: value}, headers={"X-CSRF-Token": known.csrf},
            trust_env=False, timeout=20,
        )  # fmt: skip

    async def call_in(self, call_id: str, number: str = "+8613812345678", keys: str = "1", ago: float = 60) -> Call:
        """A call that arrives and presses keys."""
        await self.core.calls.create(
            Call(id=call_id, carrier="asterisk", started_at=time.time() - ago, number=number, host="pbx1")
        )
        await self.core.turns.take_turn(call_id, lambda facts: Arrived(facts=facts))
        for key in keys:
            await self.core.turns.take_turn(call_id, lambda facts, key=key: Keyed(facts=facts, key=key))  # type: ignore[misc]
        await self.core.outbox.idle()
        call = await self.core.calls.get(call_id)
        assert call is not None
        return call

    async def close_sessions(self) -> None:
        """Nothing is open after this."""
        async with self.client() as http:
            for session in (await http.get("/api/sessions")).json()["items"]:
                await http.post(f"/api/sessions/{session['id']}/close")

    async def open_session(self, seats: int = 2, opens_in_s: float = -1800.0) -> dict[str, Any]:
        async with self.client() as http:
            answer = await http.post("/api/sessions", json=plan(opens_in_s, seats))
            assert answer.status_code == 201, answer.text
            found: dict[str, Any] = answer.json()
            return found


@pytest.fixture(scope="module")
def console_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def console(tmp_path_factory: pytest.TempPathFactory, console_redis: RedisServer) -> AsyncIterator[Console]:
    """One for all tests of a module, with an account for each role."""
    async with running_console(tmp_path_factory.mktemp("console"), console_redis) as made:
        yield made


class running_console:  # noqa: N801 - used as a word: `async with running_console(...)`
    """A console with accounts; settings by `extra`, as in the environment."""

    def __init__(self, folder: Path, redis: RedisServer, **extra: str) -> None:
        self._folder, self._redis, self._extra = folder, redis, extra

    async def __aenter__(self) -> Console:
        environment = {
            "HOTLINE_STATE_DIR": str(self._folder),
            "HOTLINE_REDIS_URL": self._redis.url,
            "HOTLINE_HTTP_PORT": str(free_port()),
            "HOTLINE_ADMIN_TOKEN": TOKEN,
            "HOTLINE_ASTERISK": "off",
            **self._extra,
        }
        settings = Settings.model_validate(
            {name.removeprefix("HOTLINE_").lower(): value for name, value in environment.items()}
        )
        core = build(settings)
        await bring_up(core.database)
        self.console = Console(settings, core, assemble_gate(core), self._redis, {**os.environ, **environment})
        for login, (role, unit) in PEOPLE.items():
            await self.console.gate.accounts.create(login, role, name=login, unit=unit)
        if not _hashed:
            _hashed.append(await hash_password(PASSWORD))
        async with core.database.begin() as rows:
            await rows.execute(update(Account).values(password_hash=_hashed[0]))
        await self.console.start()
        return self.console

    async def __aexit__(self, *_: object) -> None:
        await self.console.stop()
        await self.console.core.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=find_chromium(), args=list(FLAGS))
        yield running
        await running.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromiums(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Chromiums]:
    """Browsers with a microphone, for all tests of a module."""
    async with Chromiums(tmp_path_factory.mktemp("tones")) as running:
        yield running


async def enter(browser: Browser, console: Console, login: str = "", **context: Any) -> Page:
    """A page of a fresh browser profile in which `login` is signed in; what goes wrong on it is collected."""
    profile = await browser.new_context(base_url=console.url, **context)
    if login:
        async with await console.signed_in(login) as http:
            value = http.cookies[console.gate.cookie]
        await profile.add_cookies([{"name": console.gate.cookie, "value": value, "url": console.url}])
    return await watched(profile)


async def watched(profile: BrowserContext) -> Page:
    """A page whose script errors and refused styles or scripts fail the test that asks `faults_of`."""
    page = await profile.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.faults = faults  # type: ignore[attr-defined]
    return page


def faults_of(page: Page) -> list[str]:
    found: list[str] = page.faults  # type: ignore[attr-defined]
    return found


def script_of(name: str) -> str:
    """A script of npm's packages."""
    return (Path(__file__).parents[2] / "node_modules" / name).read_text(encoding="utf-8")


def pretty(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1)
