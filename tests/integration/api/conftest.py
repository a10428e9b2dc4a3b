"""The API over a real Redis and a real SQLite file: in this process, and as a process of its own."""

import os
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from redis.asyncio import Redis

from api.app import create_app
from api.auth import FixedTokens, Principal
from calls.assembly import Core, build
from config.settings import Settings
from ivr.call import Call
from ivr.events import Arrived, Keyed
from tests.parts import Part, run_part, start_part
from tests.servers import free_port
from tests.tables import bring_up
from tests.waiting import until, until_now

TOKEN = "a-token-for-tests"
NUMBER = "+8613812345678"
MASKED = "138****5678"
#: Python needs long to import everything on a machine that is busy.
STARTS_WITHIN_S = 90.0


@dataclass(frozen=True, slots=True)
class Instance:
    """The app in this process, its parts, and a client that holds the administrator's token."""

    app: FastAPI
    core: Core
    http: httpx.AsyncClient

    def allow(self, **scopes: str) -> None:
        """Tokens by name, each with scopes separated by blanks."""
        known = {
            name: Principal(name, frozenset(words.split())) for name, words in scopes.items()  # type: ignore[arg-type]
        }
        self.app.state.tokens = FixedTokens(known)

    async def open_session(self, opens_in_s: float = -60.0, seats: int = 1) -> dict[str, Any]:
        """A session of two hours, planned over the API."""
        answer = await self.http.post("/api/sessions", json=plan(opens_in_s, seats))
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def call_in(self, call_id: str, number: str = NUMBER, keys: str = "1") -> Call:
        """A call that arrives and presses keys."""
        await self.core.calls.create(
            Call(id=call_id, carrier="asterisk", started_at=time.time() - 60, number=number, host="pbx1")
        )
        await self.core.turns.take_turn(call_id, lambda facts: Arrived(facts=facts))
        for key in keys:
            await self.core.turns.take_turn(call_id, lambda facts, key=key: Keyed(facts=facts, key=key))  # type: ignore[misc]
        await self.core.outbox.idle()
        call = await self.core.calls.get(call_id)
        assert call is not None
        return call


def plan(opens_in_s: float = -60.0, seats: int = 1) -> dict[str, Any]:
    """The body that plans a session."""
    opens = datetime.now(UTC) + timedelta(seconds=opens_in_s)
    return {
        "opens_at": opens.isoformat(),
        "closes_at": (opens + timedelta(hours=2)).isoformat(),
        "theme": "供水",
        "seats": [
            {"unit": f"单位{n}", "leader": f"领导{n}", "line": {"asterisk": f"sip:leader@127.0.0.1:{6060 + n}", "twilio": f"client:l{n}"}}
            for n in range(seats)
        ],
    }


@pytest.fixture
def api_settings(settings: Settings) -> Settings:
    """An instance without Asterisk whose token is known."""
    return settings.model_copy(update={"asterisk": "off", "admin_token": SecretStr(TOKEN)})


@pytest.fixture
async def instance(api_settings: Settings, redis: Redis) -> AsyncIterator[Instance]:
    core = build(api_settings)
    await bring_up(core.database)
    app = create_app(api_settings, core)
    transport = httpx.ASGITransport(app=app)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://api", headers=headers) as http,
    ):
        # Cancelled while it connects, a subscription takes redis-py five seconds to end.
        channel = f"{api_settings.redis_prefix}changes"

        async def is_subscribed() -> bool:
            return bool((await redis.pubsub_numsub(channel))[0][1])

        await until(is_subscribed, what="the subscription")
        yield Instance(app, core, http)


@dataclass(frozen=True, slots=True)
class Process:
    """`hotline api` as it runs in production."""

    url: str
    part: Part
    environment: dict[str, str]


@pytest.fixture
def process(api_settings: Settings, redis: Redis) -> Iterator[Process]:
    port = free_port()
    environment = {
        **os.environ,
        "HOTLINE_STATE_DIR": str(api_settings.state_dir),
        "HOTLINE_REDIS_URL": api_settings.redis_url,
        "HOTLINE_HTTP_PORT": str(port),
        "HOTLINE_ADMIN_TOKEN": TOKEN,
        "HOTLINE_ASTERISK": "off",
    }
    run_part("migrate", environment=environment)
    running = start_part("api", environment=environment)
    try:
        _wait_until_it_answers(f"http://127.0.0.1:{port}", running)
        yield Process(f"http://127.0.0.1:{port}", running, environment)
    finally:
        running.terminate()
        running.wait(15)


def _wait_until_it_answers(url: str, running: Part) -> None:
    def answers() -> bool:
        assert running.poll() is None, "the API ended"
        try:
            return httpx.get(f"{url}/healthz", trust_env=False).is_success
        except httpx.TransportError:
            return False

    until_now(answers, STARTS_WITHIN_S, "the API")
