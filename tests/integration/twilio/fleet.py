"""Two `hotline api` processes behind a small balancer, which can kill the one that serves a webhook, or that asks the cloud."""

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
    """One `hotline api`, which reaches the cloud through the balancer, by its number."""

    def __init__(self, settings: Settings, number: int) -> None:
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
            "HOTLINE_TWILIO_API_URL": f"{settings.public_url}/cloud/{number}",
            "HOTLINE_CLAIM_LEASE_S": str(settings.claim_lease_s),
            "HOTLINE_RING_S": str(settings.ring_s),
            "HOTLINE_ORDER_TIMEOUT_S": str(settings.order_timeout_s),
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

    def __init__(self, processes: list[ApiProcess], cloud_url: str) -> None:
        self.processes, self._cloud_url = processes, cloud_url
        self._turn = 0
        #: Asked for every webhook: when is its process to be killed?
        self.kill: Callable[[str], Moment | None] = lambda path: None
        #: Asked for every request to the cloud ("POST /..."): is the process that makes it to be killed, before or after it is
        #: carried out?
        self.kill_asking: Callable[[str], Moment | None] = lambda request: None
        both = ["GET", "POST"]
        cloud = Route("/cloud/{number:int}/{path:path}", self._ask_cloud, methods=both)
        self.app = Starlette(routes=[cloud, Route("/{path:path}", self._pass_on, methods=both)])

    async def _ask_cloud(self, request: Request) -> Response:
        process, path = self.processes[request.path_params["number"]], f"/{request.path_params['path']}"
        moment = self.kill_asking(f"{request.method} {path}")
        if moment == "before":
            process.kill()
            process.start()
            return Response("gone", 502)
        target = f"{self._cloud_url}{path}" + (f"?{request.url.query}" if request.url.query else "")
        answer = await self._forward(request, target, await request.body())
        if moment == "after":
            process.kill()
            process.start()
        return Response(answer.content, answer.status_code, media_type=answer.headers.get("content-type"))

    async def _pass_on(self, request: Request) -> Response:
        body = await request.body()
        target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        moment = self.kill(target) if _WEBHOOK.match(request.url.path) else None
        for _ in range(400):
            (process,) = await until(self._next_that_listens, 30.0, "an api process")
            try:
                answer = await self._forward(request, process.url + target, body)
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

    @staticmethod
    async def _forward(request: Request, url: str, body: bytes) -> httpx.Response:
        headers = {name: value for name, value in request.headers.items() if name not in ("host", "connection")}
        async with httpx.AsyncClient(trust_env=False, timeout=20) as client:
            return await client.request(request.method, url, content=body, headers=headers)


@asynccontextmanager
async def fleet(settings: Settings, port: int) -> AsyncIterator[Balancer]:
    """Both processes up, the balancer at the public URL."""
    processes = [ApiProcess(settings, number) for number in range(2)]
    balancer = Balancer(processes, settings.twilio_api_url)
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
