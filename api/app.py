"""The application: puts the parts together. What each route does is in `routes/`."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import PackageNotFoundError, version
from zoneinfo import ZoneInfo

from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from api.auth import ALL_SCOPES, FixedTokens, Principal, TokensInTurn
from api.cloud import assemble_cloud
from api.console.install import add_pages
from api.gate import assemble_gate
from api.limits import Doorway
from api.metrics import Counting, Metrics
from api.parts import Parts
from api.problems import add_problem_answers
from api.routes import (
    acts,
    calls,
    directions,
    line,
    orders,
    phone_socket,
    phones,
    placed_calls,
    proof,
    records,
    seats,
    sessions,
    status,
    supervision,
    test_calls,
    twilio,
    units,
)
from api.schemas.health import ProblemOut
from api.snapshot import LineReader
from api.streams import Feeds, LineFeed
from api.webhook_door import WebhookDoor
from calls.assembly import Core, build
from calls.opening import Opening
from config.secrets import secret
from config.settings import Settings
from sessions.calendar import Calendar

DESCRIPTION = "12345 熱線問政: the waiting line, sessions, calls, the ledger and work orders. Errors are problem+json with a stable `code`."


class Hotline(FastAPI):
    """The application, with a door of its own for webhooks."""

    door: WebhookDoor | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.door is not None and self.door.is_for(scope):
            await self.door.answer(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def create_app(settings: Settings, core: Core | None = None) -> FastAPI:
    """The API of these settings. Connections are opened when they are first needed and closed with the app."""
    behind = core or build(settings)
    parts = _assemble(behind)
    cloud = assemble_cloud(behind, parts.metrics)

    @asynccontextmanager
    async def live(_: FastAPI) -> AsyncIterator[None]:
        feeds.start()
        if cloud is not None:
            cloud.start()
        try:
            yield
        finally:
            if cloud is not None:
                await cloud.close()
            await feeds.close()
            await behind.close()

    app = Hotline(
        title="Hotline", version=_version(), description=DESCRIPTION, lifespan=live,
        redoc_url=None, docs_url=None, generate_unique_id_function=lambda route: route.name,
    )  # fmt: skip
    app.state.parts, app.state.cloud = parts, cloud
    app.state.gate = gate = assemble_gate(behind)
    fixed = FixedTokens({secret(settings, "admin_token"): Principal("admin", ALL_SCOPES)})
    app.state.tokens = TokensInTurn(fixed, gate.tokens)
    add_problem_answers(app)
    for routes in (
        status, line, acts, directions, sessions, seats, supervision, test_calls, calls, records, proof, orders, placed_calls, units,
        twilio, phones, phone_socket,
    ):  # fmt: skip
        app.include_router(routes.router)
    page_feeds = add_pages(app, behind, parts.line, int(time.time() * 1000))
    app.state.feeds = feeds = Feeds(behind.redis, settings.redis_prefix, (parts.feed, *page_feeds))
    if cloud is not None:
        app.door = WebhookDoor(cloud, parts.metrics)
    app.add_middleware(Doorway)
    app.add_middleware(Counting, metrics=parts.metrics)
    _document_problems(app)
    return app


def _assemble(core: Core) -> Parts:
    reader = LineReader(core)
    # Numbers of stream events go on growing over a restart, so that a Last-Event-ID never looks newer than we are.
    feed = LineFeed(reader.read_for_stream, int(time.time() * 1000))
    calendar = Calendar(core.database, core.clock)
    opening = Opening(core.settings, core.redis, calendar, core.seats, core.line, core.turns)
    return Parts(
        core=core, calendar=calendar, opening=opening, line=reader, feed=feed, metrics=Metrics(),
        zone=ZoneInfo(core.settings.timezone),
    )  # fmt: skip


def _document_problems(app: FastAPI) -> None:
    """Put the problem's schema into /openapi.json, and problem+json in place of FastAPI's own validation errors."""
    generate = app.openapi

    def openapi() -> dict[str, object]:
        document = generate()
        schemas = document["components"]["schemas"]
        schemas["ProblemOut"] = ProblemOut.model_json_schema()
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend the document


def _version() -> str:
    try:
        return version("hotline")
    except PackageNotFoundError:
        return "0"
