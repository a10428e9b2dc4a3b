"""The front page for everybody, the language, and the files of the pages."""

from typing import Annotated

from fastapi import APIRouter, Request
from fastapi import Path as InPath
from starlette.responses import Response

from api.console.catalogue import LANGUAGES
from api.console.visit import LANGUAGE_COOKIE, Anybody, PageRoute, Studio, our_path
from api.problems import Problem
from sessions.board import read_board

router = APIRouter(route_class=PageRoute, include_in_schema=False)
_YEAR_S = 31_536_000


@router.get("/")
async def front_page(seen: Anybody) -> Response:
    """Who answers now or next, and how to call (RA.3)."""
    core = seen.parts.core
    board = await read_board(core.redis, core.settings.redis_prefix)
    return seen.show("front.html", held=board.open, coming=board.next)


@router.get("/language/{language}")
async def choose_language(language: str, seen: Anybody, back: str = "/") -> Response:
    """Kept in a cookie for a year."""
    going = seen.go(our_path(back))
    if language in LANGUAGES:
        secure = seen.studio.is_secure
        going.set_cookie(LANGUAGE_COOKIE, language, max_age=_YEAR_S, httponly=True, secure=secure, samesite="lax")
    return going


@router.get("/static/{name}")
async def fetch_asset(name: Annotated[str, InPath(max_length=100)], request: Request) -> Response:
    """A file under a name that never means another content."""
    studio: Studio = request.app.state.studio
    asset = studio.assets.find(name)
    if asset is None:
        raise Problem("not_found")
    headers = {"Cache-Control": f"public, max-age={_YEAR_S}, immutable", "Vary": "Accept-Encoding"}
    if asset.packed and "gzip" in request.headers.get("accept-encoding", ""):
        return Response(asset.packed, headers={**headers, "Content-Encoding": "gzip"}, media_type=asset.media_type)
    return Response(asset.body, headers=headers, media_type=asset.media_type)
