"""A town with a cloud phone: one api process in this one, the cloud double, a session with one leader. Used by every test."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from pydantic import SecretStr
from sqlalchemy import select

from api.app import create_app
from api.cloud import Cloud as CloudParts
from calls.assembly import Core, build
from calls.opening import Opening
from config.settings import Settings
from ivr.call import Call, Language
from ivr.verbs import Prompt
from ivr.wording import render
from sessions.calendar import Calendar
from sessions.plan import Plan, PlannedSeat
from telephony.twilio.connection import CloudRecording
from telephony.twilio.exchange import call_id_of
from tests.cloud import Callee, Cloud, When
from tests.cloud.leg import Leg
from tests.cloud.signature import sign
from tests.performed import performed
from tests.servers import free_port
from tests.tables import bring_up
from tests.waiting import until
from workorders.model import Recording, WorkOrder
from workorders.register import Wanted, find, of_call

ACCOUNT = "AC" + "1" * 32
TOKEN = "cloud-token"
ADMIN = "a-token-for-tests"
NUMBER = "+867348812345"
LEADER = "+8613900000001"
#: Virtual seconds in a real one.
SPEED = 20.0
#: A leader who takes the call by pressing 1.
WILLING = Callee(answer_after_s=2, script=(When("", press="1"),))


def said(key: str, language: Language = "zh-Hans", **values: str | int) -> str:
    """The sentence of the wording."""
    return render(Prompt(key, dict(values)), language)


def cloud_settings(settings: Settings, port: int, api_url: str, public_url: str = "", speed: float = SPEED) -> Settings:
    """An instance without Asterisk, with the cloud phone at the double; quick where a person would only wait. The number of an
    order is waited for as long as in life: making one takes as long as ever, however fast the cloud's time runs."""
    return settings.model_copy(
        update={
            "asterisk": "off",
            "http_port": port,
            "public_url": public_url or f"http://127.0.0.1:{port}",
            "twilio_account_sid": ACCOUNT,
            "twilio_auth_token": SecretStr(TOKEN),
            "twilio_number": NUMBER,
            "twilio_api_url": api_url,
            "admin_token": SecretStr(ADMIN),
            "wrap_up_s": 0.0,
            "order_timeout_s": settings.order_timeout_s * speed,
        }
    )


@dataclass
class Town:
    """What a test works with. `seat_id` is the leader's seat, signed in."""

    settings: Settings
    core: Core
    cloud: Cloud
    opening: Opening
    parts: CloudParts | None = None
    session_id: str = ""
    seat_id: str = ""
    _numbers: int = field(default=0)
    _http: httpx.AsyncClient = field(default_factory=lambda: httpx.AsyncClient(trust_env=False, timeout=20))

    async def open_session(
        self, line: str = LEADER, *, sign_in: bool = True, several: bool = False, more: Sequence[str] = ()
    ) -> tuple[str, ...]:
        """A session of two hours with one leader; `several`: that of another unit, whose seat is paused, comes first; `more`:
        lines of leaders who come after, signed in. All seats."""
        now = datetime.now(UTC)
        seat = PlannedSeat(unit="市水务局", leader="王局长", line_asterisk="", line_twilio=line)
        seats = (PlannedSeat(unit="市教育局", leader="李局长", line_twilio=line), seat) if several else (seat,)
        others = tuple(PlannedSeat(unit=f"市{n}局", leader="张局长", line_twilio=one) for n, one in enumerate(more, 1))
        plan = Plan(
            opens_at=now - timedelta(minutes=1), closes_at=now + timedelta(hours=2), theme="供水", seats=(*seats, *others)
        )
        session = await Calendar(self.core.database, self.core.clock).plan(plan)
        await self.opening.open(session.id)
        self.session_id, self.seat_id = session.id, session.seats[len(seats) - 1].id
        for away in session.seats[: len(seats) - 1]:
            await self.opening.sign_in(away.id)
            await self.core.seats.pause(away.id, "away")
        for present in session.seats[len(seats) - 1 if sign_in else len(seats) :]:
            await self.opening.sign_in(present.id)
        return tuple(one.id for one in session.seats)

    def call(self, *script: When, number: str = "") -> Leg:
        """A citizen calls; each has a number of their own."""
        self._numbers += 1
        return self.cloud.place_call(number or f"+86138{self._numbers:08}", NUMBER, script=script)

    async def saved(self, leg: Leg) -> Call:
        """The call in Redis."""
        call = await self.core.calls.get(call_id_of(leg.sid))
        assert call is not None
        return call

    async def at(self, leg: Leg, node: str, deadline: float = 15.0) -> Call:
        """Wait until the call is at a node; `talking`: and until the cloud has put the two together, a moment later."""

        async def there() -> Any:
            call = await self.core.calls.get(call_id_of(leg.sid))
            return call if call is not None and call.node == node else None

        found: Call = await until(there, deadline, f"{leg} at {node}")
        if node == "talking":
            talking = self.cloud.calls.get(found.leg, leg)  # who kept a place talks on the leg that called back
            await until(lambda: any(one.kind == "bridged" for one in talking.transcript), deadline, f"{talking} put through")
        return found

    async def outcome(self, leg: Leg, deadline: float = 15.0) -> str:
        """Wait for the one outcome of a call."""

        async def look() -> Any:
            return await self.core.ledger.outcome(call_id_of(leg.sid))

        return str(await until(look, deadline, f"the outcome of {leg}"))

    async def order(self, leg: Leg, deadline: float = 10.0) -> WorkOrder:
        """Wait for the work order of a call."""

        async def look() -> Any:
            return await of_call(self.core.database, call_id_of(leg.sid))

        found: WorkOrder = await until(look, deadline, f"the order of {leg}")
        return found

    async def orders(self, expected: int = 0) -> tuple[WorkOrder, ...]:
        """All work orders, once every call has what it asked for and there are as many as are expected: they come a moment
        after the outcome."""
        await performed(self.core)

        async def look() -> Any:
            items = (await find(self.core.database, Wanted(), limit=200)).items
            return (items,) if len(items) >= expected else None

        (items,) = await until(look, 10.0, f"{expected} orders")
        found: tuple[WorkOrder, ...] = items
        return found

    async def cloud_recordings(self, leg: Leg) -> list[CloudRecording]:
        """What the cloud still has of a call."""
        assert self.parts is not None
        return await self.parts.exchange.connection.recordings_of(leg.sid)

    async def recordings(self, leg: Leg) -> list[str]:
        """Names of the recordings that the order of a call has or waits for."""
        async with self.core.database.read() as session:
            rows = await session.scalars(select(Recording.name).where(Recording.call_id == call_id_of(leg.sid)))
            return sorted(rows)

    async def kinds(self, leg: Leg) -> list[str]:
        """What the ledger tells of a call, in order; once all that was said of any call is in it."""
        await performed(self.core)
        return [entry.kind for entry in await self.core.ledger.events(call_id_of(leg.sid))]

    async def close(self) -> None:
        """The connection of `post`."""
        await self._http.aclose()

    def spool_files(self) -> list[Path]:
        """What the fallback kept."""
        return sorted((self.settings.state_dir / "spool" / "cloud").glob("CA*.json"))

    def assert_addresses(self) -> None:
        """Every webhook's URL that the cloud was given holds seq, and none a number; sounds have signed addresses instead."""
        for url in self.cloud.given:
            assert re.search(r"/twilio/prompts/|/twilio/[a-z-]+\?(.*&)?seq=[0-9]+(&|#|$)", url), url
            assert not re.search(r"(?<![0-9A-Za-z])(86)?1[0-9]{10}(?![0-9A-Za-z])", url), url

    async def post(self, path: str, form: dict[str, str], signature: str | None = None) -> httpx.Response:
        """A webhook by hand, signed unless a signature is given."""
        url = f"{self.settings.effective_public_url}{path}"
        signed = sign(TOKEN, url, form) if signature is None else signature
        return await self._http.post(url, data=form, headers={"X-Twilio-Signature": signed})

    async def ended(self, legs: Sequence[Leg], deadline: float = 30.0) -> list[str]:
        """Wait until all are over; their outcomes."""
        for leg in legs:
            await leg.ended(deadline)
        return [await self.outcome(leg, deadline) for leg in legs]


@asynccontextmanager
async def town(settings: Settings, speed: float = SPEED, **more: Any) -> AsyncIterator[Town]:
    """Everything started; stopped at the end. `more`: settings."""
    port = free_port()
    async with Cloud(account_sid=ACCOUNT, auth_token=TOKEN, speed=speed) as cloud:
        base = f"http://127.0.0.1:{port}/twilio"
        cloud.own(NUMBER, voice_url=f"{base}/voice", status_url=f"{base}/status", fallback_url=f"{base}/fallback")
        mine = cloud_settings(settings, port, cloud.api_url, speed=speed).model_copy(update=more)
        core = build(mine)
        await bring_up(core.database)
        app = create_app(mine, core)
        async with serving(app, port):
            calendar = Calendar(core.database, core.clock)
            opening = Opening(mine, core.redis, calendar, core.seats, core.line, core.turns)
            running = Town(mine, core, cloud, opening, app.state.cloud)
            try:
                yield running
                running.assert_addresses()
            finally:
                await running.close()
            await cloud.close()


@asynccontextmanager
async def away_town(settings: Settings, speed: float = SPEED, **more: Any) -> AsyncIterator[tuple[Town, int]]:
    """The same without an api process: whoever serves at the port that is given out is the caller's business."""
    port = free_port()
    async with Cloud(account_sid=ACCOUNT, auth_token=TOKEN, speed=speed) as cloud:
        base = f"http://127.0.0.1:{port}/twilio"
        cloud.own(NUMBER, voice_url=f"{base}/voice", status_url=f"{base}/status", fallback_url=f"{base}/fallback")
        mine = cloud_settings(settings, port, cloud.api_url, speed=speed).model_copy(update=more)
        core = build(mine)
        await bring_up(core.database)
        opening = Opening(mine, core.redis, Calendar(core.database, core.clock), core.seats, core.line, core.turns)
        running = Town(mine, core, cloud, opening)
        try:
            yield running, port
            running.assert_addresses()
        finally:
            await running.close()
            await cloud.close()
            await core.close()


@asynccontextmanager
async def serving(app: Any, port: int) -> AsyncIterator[None]:
    """uvicorn in this loop, as `hotline api` runs it."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    config = uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=2)
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    task = asyncio.create_task(server.serve([listener]))
    try:
        await until(lambda: server.started or task.done(), 15.0, "the api")
        yield
    finally:
        server.should_exit = True
        await asyncio.wait_for(task, 15)
        listener.close()
