"""What every request passes on its way in: the body's limit, and a last answer when something of ours fails."""

from http import HTTPStatus

import structlog
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import answer

#: The largest body that any operation needs is a few kilobytes, but for a recorded prompt.
BODY_MAX = 1_000_000
LARGER = {"/prompts/replace": 5_100_000}
#: Headers of every answer, unless a route says otherwise.
ADDED = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
)

_log = structlog.get_logger("api")


class BodyTooLarge(HTTPException):
    """The body grew past the limit while it was read. FastAPI lets only its own kind of exception through while it reads."""

    def __init__(self) -> None:
        super().__init__(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)


class Doorway:
    """ASGI middleware. Refuses large bodies by their stated length or while reading, adds the headers that keep answers
    out of caches and sniffers, and answers `internal_error` without a trace when a route raises something unforeseen."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def send_guarded(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = message.setdefault("headers", [])
                given = {name for name, _ in headers}
                headers.extend(header for header in ADDED if header[0] not in given)
            await send(message)

        most = LARGER.get(scope["path"], BODY_MAX)
        if _stated_length(scope, most) > most:
            await answer("body_too_large", headers={"Connection": "close"})(scope, receive, send_guarded)
            return
        try:
            await self._app(scope, _limited(receive, most), send_guarded)
        except BodyTooLarge:
            await answer("body_too_large", headers={"Connection": "close"})(scope, receive, send_guarded)
        except Exception as error:
            _log.exception("a request failed", path=_route(scope), error=type(error).__name__)
            if started:
                raise
            await answer("internal_error")(scope, receive, send_guarded)


def _stated_length(scope: Scope, most: int) -> int:
    stated = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    return int(stated) if stated.isdigit() and len(stated) < 19 else most + 1


def _limited(receive: Receive, most: int) -> Receive:
    taken = 0

    async def receive_limited() -> Message:
        nonlocal taken
        message = await receive()
        if message["type"] == "http.request":
            taken += len(message.get("body", b""))
            if taken > most:
                raise BodyTooLarge
        return message

    return receive_limited


def _route(scope: Scope) -> str:
    """The pattern of the route, never the path itself: it could hold anything."""
    return str(getattr(scope.get("route"), "path", "unknown"))
