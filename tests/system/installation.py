"""One installation on free ports, each part a process of its own that a test may kill and start again."""

import asyncio
import os
import signal
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from calls.assembly import Core, build
from config.secrets import secret
from config.settings import Settings
from telephony.asterisk.install import find_asterisk
from telephony.asterisk.pbx_config import PbxFiles, render
from telephony.asterisk.server import AsteriskServer
from telephony.sounds import prepare, prepare_first
from tests.parts import Part, start_part
from tests.phones.ports import free_block
from tests.servers import RedisServer, free_port
from tests.tables import upgrade
from tests.waiting import until

STARTS_WITHIN_S = 30.0
#: What a whole installation runs besides Redis and Asterisk.
PARTS = ("api", "bridge", "worker", "cron")


@dataclass
class Installation:
    """`async with Installation(folder, shared) as house:` runs the parts named in `parts`; settings by `extra`.

    `shared`: a folder whose prompts and music were made once for all tests.
    """

    folder: Path
    shared: Path
    extra: dict[str, str] = field(default_factory=dict)
    parts: tuple[str, ...] = PARTS
    settings: Settings = field(init=False)
    core: Core = field(init=False)
    redis: RedisServer = field(init=False)
    asterisk: AsteriskServer = field(init=False)
    files: PbxFiles = field(init=False)
    http: httpx.AsyncClient = field(init=False)
    processes: dict[str, Part] = field(default_factory=dict)
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def __aenter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        for name in ("prompts", "moh"):
            (self.folder / name).symlink_to(self.shared / name)
        (self.folder / "redis").mkdir()
        self.redis = RedisServer(self.folder / "redis")
        sip, rtp = free_block(2), 33000 + free_block(2) % 700 * 40
        self._environment = {
            "HOTLINE_STATE_DIR": str(self.folder),
            "HOTLINE_HTTP_PORT": str(free_port()),
            "HOTLINE_REDIS_URL": self.redis.url,
            "HOTLINE_SIP_PORT": str(sip),
            "HOTLINE_AMI_PORT": str(free_port()),
            "HOTLINE_SIP_WS_PORT": str(free_port()),
            "HOTLINE_RTP_PORT_FIRST": str(rtp),
            "HOTLINE_RTP_PORT_COUNT": "2000",
            "HOTLINE_WRAP_UP_S": "0",
            **self.extra,
        }
        self.settings = Settings.model_validate(
            {name.removeprefix("HOTLINE_").lower(): value for name, value in self._environment.items()}
        )
        self.core = build(self.settings)
        try:
            self.redis.start()
            self._stack.callback(self.redis.kill)
            await asyncio.to_thread(upgrade, self.settings.effective_database_url)
            await self.start_asterisk()
            for part in self.parts:
                await self.start(part)
            await self._connect()
        except BaseException:
            await self.__aexit__(None, None, None)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name in list(self.processes):
            await self.kill(name)
        if hasattr(self, "asterisk"):
            await self.asterisk.stop()
        await self.core.close()
        if hasattr(self, "http"):
            await self.http.aclose()
        await self._stack.aclose()

    # -- parts --------------------------------------------------------------------------------------------------------
    async def start(self, part: str, name: str = "", **extra: str) -> None:
        """Start `hotline <part>`; `name` tells several of one part apart. Its output goes to `<name>.log`."""
        name = name or part
        environment = {**self.environment(), **extra}
        self.processes[name] = start_part(part, environment=environment, log=self.folder / f"{name}.log")

    def environment(self) -> dict[str, str]:
        """For a process that belongs to this installation, `hotline ledger` for one."""
        return {**os.environ, **self._environment}

    async def kill(self, name: str) -> None:
        """kill -9 of one part, with everything it started."""
        process = self.processes.pop(name)
        process.kill()
        await asyncio.to_thread(process.wait)

    async def start_asterisk(self) -> None:
        program = find_asterisk(self.settings)
        if program is None:
            raise RuntimeError("Asterisk is missing: run `make setup`")
        self.files = render(self.settings, self.settings.state_dir / "asterisk", program)
        await prepare_first(self.settings)
        self.asterisk = AsteriskServer(program, self.files)
        await self.asterisk.start()

    async def kill_asterisk(self) -> None:
        """kill -9: every call it carries ends."""
        os.kill(self.asterisk.pid, signal.SIGKILL)
        await self.asterisk.wait()

    async def until_driven(self) -> None:
        """A bridge drives this Asterisk."""

        async def driven() -> bool:
            state = await self.core.redis.get(f"{self.settings.redis_prefix}health:bridge:{self.settings.pbx_node}")
            return state is not None and '"ok"' in state

        await until(driven, STARTS_WITHIN_S)

    async def _connect(self) -> None:
        if "api" in self.parts:
            token = secret(self.settings, "admin_token")
            self.http = httpx.AsyncClient(
                base_url=f"http://127.0.0.1:{self.settings.http_port}",
                headers={"Authorization": f"Bearer {token}"},
                trust_env=False,
                timeout=30,
            )
            await until(self.api_answers, STARTS_WITHIN_S)
        if "bridge" in self.parts:
            await self.until_driven()

    async def api_answers(self) -> bool:
        try:
            return (await self.http.get("/healthz")).status_code == 200
        except httpx.TransportError:
            return False

    # -- what tests ask and do ----------------------------------------------------------------------------------------
    @property
    def service(self) -> str:
        """What a citizen's phone dials."""
        return f"sip:{self.settings.service_number}@127.0.0.1:{self.settings.sip_port}"

    @property
    def target(self) -> str:
        """host:port for a load generator."""
        return f"127.0.0.1:{self.settings.sip_port}"

    async def open_session(
        self, leader_line: str, minutes: float = 120.0, *, sign_in: bool = True, cloud_line: str = "", several: bool = False
    ) -> tuple[str, str]:
        """A session that is open now, with one seat, reached at one line from each carrier; (session id, seat id). `several`: the
        seat of another unit, which is paused, comes first."""
        line = {"asterisk": leader_line, **({"twilio": cloud_line} if cloud_line else {})}
        start = datetime.now(UTC) - timedelta(seconds=1)
        body = {
            "opens_at": start.isoformat(),
            "closes_at": (start + timedelta(minutes=minutes)).isoformat(),
            "theme": "住房",
            "seats": [
                *([{"unit": "市教育局", "leader": "李四", "line": line}] if several else []),
                {"unit": "市住建局", "leader": "张三", "line": line},
            ],
        }
        session = await self.post("/api/sessions", body)
        *away, seat_id = [seat["id"] for seat in session["seats"]]
        for paused in away:
            await self.post(f"/api/seats/{paused}/open")
            await self.post(f"/api/seats/{paused}/pause", {"reason": "away"})
        if sign_in:
            await self.post(f"/api/seats/{seat_id}/open")
        return session["id"], seat_id

    async def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        response = await self.http.post(path, json=body) if body is not None else await self.http.post(path)
        response.raise_for_status()
        return response.json()

    async def get(self, path: str, **query: str) -> Any:
        response = await self.http.get(path, params=query)
        response.raise_for_status()
        return response.json()

    async def line(self) -> Any:
        return await self.get("/api/line")

    async def ledger(self, **query: str) -> Any:
        return await self.get("/api/ledger", **query)

    async def orders(self, **query: str) -> list[Any]:
        items: list[Any] = (await self.get("/api/work-orders", **query))["items"]
        return items


async def prepare_shared(folder: Path) -> Path:
    """Prompts and hold music for all installations, kept by content from one test run to the next."""
    await prepare(Settings(state_dir=folder, _env_file=None))
    return folder
