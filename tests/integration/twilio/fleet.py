"""Two `hotline api` processes behind a small balancer, which can kill the one that serves a webhook."""

import asyncio
import os
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Literal

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from config.settings import Settings
from tests.integration.twilio.town import ACCOUNT, ADMIN, NUMBER, TOKEN, serving
from tests.parts import Part, start_part
from tests.servers import free_port
from tests.waiting import until

#: Kill the serving process after its answer was passed on, or before.
Moment = Literal["after", "before"]
_WEBHOOK = re.compile(r"/twilio/(?!prompts)")


class ApiProcess:
    """One `hotline api`."""

    def __init__(self, settings: Settings) -> None:
        self.port = free_port()
        self._environment = {
            **os.environ,
            "HOTLINE_STATE_DIR": str(settings.state_dir),
            "HOTLINE_REDIS_URL": settings.redis_url,
            "HOTLINE_HTTP_PORT": str(self.port),
            "HOTLINE_PUBLIC_URL": settings.public_url,
            "HOTLINE_ADMIN_TOKEN": ADMIN,
            "HOTLINE_ASTERISK": "off",
            "HOTLINE_WRAP_UP_S": "0",
            "HOTLINE_TWILIO_ACCOUNT_SID": ACCOUNT,
            "HOTLINE_TWILIO_AUTH_TOKEN": TOKEN,
            "HOTLINE_TWILIO_NUMBER": NUMBER,
            "HOTLINE_TWILIO_API_URL": settings.twilio_api_url,
            "HOTLINE_LOG_LEVEL": "error",
        }
        self._process: Part | None = None
        self.kills = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self._process = start_part("api", environment=self._environment)

    def kill(self) -> None:
        """kill -9."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self.kills += 1

    async def answers(self) -> bool:
        try:
            async with httpx.AsyncClient(trust_env=False, timeout=2) as client:
                return (await client.get(f"{self.url}/healthz")).is_success
        except httpx.TransportError:
            return False


class Balancer:
    """Passes requests on in turn; a process that does not answer is left out, as any balancer does."""

    def __init__(self, processes: list[ApiProcess]) -> None:
        self.processes = processes
        self._turn = 0
        #: Asked for every webhook: when is its process to be killed?
        self.kill: Callable[[str], Moment | None] = lambda path: None
        self.app = Starlette(routes=[Route("/{path:path}", self._pass_on, methods=["GET", "POST"])])

    async def _pass_on(self, request: Request) -> Response:
        body = await request.body()
        target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        moment = self.kill(target) if _WEBHOOK.match(request.url.path) else None
        for _ in range(400):
            (process,) = await until(self._next_that_listens, 30.0, "an api process")
            try:
                answer = await self._send(process, request, target, body)
            except httpx.ConnectError:
                continue
            except httpx.TransportError:
                return Response("gone", 502)
            if moment is not None:
                process.kill()
                process.start()
            if moment == "before":
                return Response("gone", 502)
            return Response(answer.content, answer.status_code, media_type=answer.headers.get("content-type"))
        return Response("nobody there", 502)

    async def _next_that_listens(self) -> list[ApiProcess]:
        """Each in turn; empty when that one takes no connections now."""
        self._turn += 1
        process = self.processes[self._turn % len(self.processes)]
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", process.port)
        except OSError:
            return []
        writer.close()
        return [process]

    async def _send(self, process: ApiProcess, request: Request, target: str, body: bytes) -> httpx.Response:
        headers = {name: value for name, value in request.headers.items() if name not in ("host", "connection")}
        async with httpx.AsyncClient(trust_env=False, timeout=20) as client:
            return await client.request(request.method, process.url + target, content=body, headers=headers)


@asynccontextmanager
async def fleet(settings: Settings, port: int) -> AsyncIterator[Balancer]:
    """Both processes up, the balancer at the public URL."""
    processes = [ApiProcess(settings), ApiProcess(settings)]
    balancer = Balancer(processes)
    try:
        for process in processes:
            process.start()
        for process in processes:
            await until(process.answers, 30.0, "an api process")
        async with serving(balancer.app, port):
            yield balancer
    finally:
        for process in processes:
            process.kill()
