"""A cloud, and an application of a few lines for it to call."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.cloud import Cloud
from tests.cloud.audio import recorded
from tests.cloud.server import Server
from tests.waiting import until

Reply = str | Callable[[dict[str, str]], str]
NUMBER = "+867341234567"
CALLER = "+8613800138000"
LEADER = "+8613900000001"


@dataclass
class Application:
    """What answers under which path: TwiML (without `<Response>`), or a function of the form's parameters."""

    url: str = ""
    pages: dict[str, Reply] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    #: Of the sound.
    cache_control: str = "max-age=60"
    #: Paths of which the next request is not answered, one each.
    hangs: list[str] = field(default_factory=list)

    async def answer(self, request: Request) -> Response:
        """One webhook."""
        path = request.url.path
        form = {name: str(value) for name, value in (await request.form()).items()}
        self.requests.append((path, form))
        self.headers.append(dict(request.headers))
        if path == "/sound.wav":
            return Response(recorded(3, 1), media_type="audio/wav", headers={"Cache-Control": self.cache_control})
        if path in self.hangs:
            self.hangs.remove(path)
            await until(request.is_disconnected, 30, "the cloud gone")
        page = self.pages.get(path, "")
        text = page if isinstance(page, str) else page(form)
        body = text if text.startswith("<?") else f"<Response>{text}</Response>"
        return Response(body, self.statuses.get(path, 200), media_type="application/xml")

    def asked(self, path: str) -> list[dict[str, str]]:
        """The parameters of every request for a path."""
        return [form for requested, form in self.requests if requested == path]


@pytest.fixture
async def application() -> AsyncIterator[Application]:
    """An application on a port of its own."""
    app = Application()
    server = Server(Starlette(routes=[Route("/{path:path}", app.answer, methods=["GET", "POST"])]), "127.0.0.1", 0)
    app.url = server.url
    await server.start()
    yield app
    await server.stop()


@pytest.fixture
async def cloud(application: Application) -> AsyncIterator[Cloud]:
    """A cloud with one number, a hundred times as fast as time, in which nothing takes longer than it says."""
    async with Cloud("AC" + "0" * 32, "secret", speed=100, exact=True) as cloud:
        cloud.own(NUMBER, voice_url=f"{application.url}/voice", status_url=f"{application.url}/status")
        yield cloud
