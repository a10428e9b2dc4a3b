"""One person looks at one page: who they are, in which language, and the page rendered for them."""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Annotated, Any
from urllib.parse import quote, urlsplit

from fastapi import Depends, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import HTMLResponse, RedirectResponse, Response

from api.accounts.acts import Act
from api.accounts.logins import Login
from api.accounts.principal import CITIZEN, Principal
from api.auth import require
from api.console.assets import HERE, Assets
from api.console.catalogue import LANGUAGES, NAMES, Words
from api.console.formats import Formats
from api.console.navigation import entries
from api.parts import Parts
from api.problems import Problem, answer, on_http
from config.database import DatabaseUnavailable
from config.privacy import mask
from config.settings import Language

LANGUAGE_COOKIE = "hotline-language"
#: Scripts and styles are files of ours; nothing is inline, nothing comes from elsewhere, nobody may frame us.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "media-src 'self' blob:; font-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)


class Studio:
    """Templates and assets of one process."""

    def __init__(self, *, is_secure: bool) -> None:
        self.assets = Assets()
        self.is_secure = is_secure
        self.templates = Environment(
            loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined,
            trim_blocks=True, lstrip_blocks=True,
        )  # fmt: skip

        self.templates.filters["masked"] = mask

    def headers(self) -> dict[str, str]:
        """What every page says to the browser."""
        found = {
            "Content-Security-Policy": POLICY,
            "X-Frame-Options": "DENY",
            # With `no-referrer` a browser hides the origin of a form, too, and the check for foreign pages would refuse it.
            "Referrer-Policy": "same-origin",
            "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
            "Cross-Origin-Opener-Policy": "same-origin",
        }
        return {**found, "Strict-Transport-Security": "max-age=31536000"} if self.is_secure else found


class Visit:
    """A request for a page."""

    def __init__(self, request: Request, who: Principal) -> None:
        self.request, self.who = request, who
        self.parts: Parts = request.app.state.parts
        self.studio: Studio = request.app.state.studio
        self.language = language_of(request, self.parts)
        self.words = Words(self.language)
        self.formats = Formats(self.language, self.parts.zone)
        self.login: Login | None = getattr(request.state, "login", None)

    def text(self, template: str, **values: object) -> str:
        """A template, or a piece of one."""
        return self.studio.templates.get_template(template).render(**self._known(), **values)

    def show(self, template: str, status: int = 200, **values: object) -> HTMLResponse:
        """A page."""
        return HTMLResponse(self.text(template, **values), status, self.studio.headers())

    def go(self, path: str, done: str = "") -> RedirectResponse:
        """On to another page of ours, which tells what was done."""
        told = f"{path}{'&' if '?' in path else '?'}done={quote(done)}" if done else path
        return RedirectResponse(told, 303, self.studio.headers())

    def _known(self) -> dict[str, Any]:
        done = self.request.query_params.get("done", "")
        settings = self.parts.core.settings
        return {
            "t": self.words, "f": self.formats, "language": self.language, "languages": NAMES,
            "asset": self.studio.assets.url, "who": self.who, "is_citizen": self.who is CITIZEN,
            "csrf": self.login.csrf if self.login else "", "path": self.request.url.path,
            "back": quote(self.request.url.path), "number": settings.service_number, "city": settings.city,
            "entries": entries(self.request, self.who), "zone": settings.timezone, "clock": self.parts.core.clock(),
            "done": f"done.{done}" if self.words.knows(f"done.{done}") else "",
        }  # fmt: skip


def visit(*acts: Act) -> Callable[..., Awaitable[Visit]]:
    """A dependency: a visit by somebody who may do one of `acts`."""
    check = require(*acts)

    async def look(request: Request, who: Annotated[Principal, Depends(check)]) -> Visit:
        return Visit(request, who)

    return look


async def anybody(request: Request) -> Visit:
    """A dependency: a visit by whomever; signed in or not."""
    login = await request.app.state.gate.login_of(request)
    request.state.login = login
    return Visit(request, login.principal if login else CITIZEN)


Anybody = Annotated[Visit, Depends(anybody)]


def language_of(request: Request, parts: Parts) -> Language:
    """The language that was chosen, else that of the settings."""
    chosen = request.cookies.get(LANGUAGE_COOKIE, "")
    return chosen if chosen in LANGUAGES else parts.core.settings.language


def our_path(raw: str) -> str:
    """`raw` when it is a path of ours, else the front page: nobody is sent elsewhere."""
    parsed = urlsplit(raw)
    plain = raw.startswith("/") and not raw.startswith(("//", "/\\")) and not parsed.scheme and not parsed.netloc
    return raw if plain and raw.isprintable() else "/"


class PageRoute(APIRoute):
    """Problems become pages that say what to do; who is not signed in is asked to, and comes back."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_page(request: Request) -> Response:
            try:
                return await handle(request)
            except Problem as problem:
                return await _page_of(request, problem)
            except RequestValidationError:
                return await _page_of(request, Problem("invalid_request"))
            except RedisError:
                return await _page_of(request, Problem("redis_unavailable"))
            except (SQLAlchemyError, DatabaseUnavailable):
                return await _page_of(request, Problem("database_unavailable"))

        return handle_page


async def show_missing(request: Request, error: Exception) -> Response:
    """What is nowhere: a page for browsers, a problem for programs."""
    status = getattr(error, "status_code", 404)
    if "text/html" in request.headers.get("accept", "") and status == 404:
        return await _page_of(request, Problem("not_found"))
    return on_http(request, error)


async def _page_of(request: Request, problem: Problem) -> Response:
    if "text/event-stream" in request.headers.get("accept", ""):
        return answer(problem.code, problem.detail)
    try:
        seen = await anybody(request)
    except RedisError:
        seen = Visit(request, CITIZEN)
    if problem.code == "unauthenticated" and request.method == "GET":
        return seen.go(f"/sign-in?next={quote(request.url.path)}")
    return seen.show("problem.html", problem.status, problem=problem)
