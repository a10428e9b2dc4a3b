"""The board `/board`, and the big screen of the hall `/screen`, which needs no sign-in and shows no personal data."""

from functools import partial
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends
from starlette.responses import Response

from api.console.board import BoardNow
from api.console.live import PUBLIC_STREAMS, STREAMS, Live
from api.console.visit import Anybody, PageRoute, Visit, visit
from api.streams import Frame, LineFeed

router = APIRouter(route_class=PageRoute, include_in_schema=False)

OfStaff = Annotated[Visit, Depends(visit("board"))]


@router.get("/board")
async def show_board(seen: OfStaff) -> Response:
    """Depth, waits, counts, seats; follows the line by itself."""
    return await _page(seen, "board.html")


@router.get("/screen")
async def show_screen(seen: Anybody) -> Response:
    """The same for the hall's wall."""
    return await _page(seen, "screen.html")


@router.get("/board/stream")
async def follow_board(seen: OfStaff) -> Response:
    """The live part of the board as server-sent events, in the visitor's language."""
    return await _stream(seen, "board_live.html", STREAMS)


@router.get("/screen/stream")
async def follow_screen(seen: Anybody) -> Response:
    """The live part of the big screen."""
    return await _stream(seen, "screen_live.html", PUBLIC_STREAMS)


async def _page(seen: Visit, template: str) -> Response:
    return seen.show(template, **_values(seen, await _feed(seen).refresh()))


async def _stream(seen: Visit, template: str, most: int) -> Response:
    return await Live(_feed(seen), template, partial(_values, seen), most=most).answer(seen)


def _values(seen: Visit, frame: Frame) -> dict[str, Any]:
    board = msgspec.json.decode(frame.body, type=BoardNow)
    settings = seen.parts.core.settings
    waited = seen.parts.core.clock() - board.longest_since if board.longest_since else 0.0
    alerts = [
        name
        for name, passed in (
            ("depth", board.depth >= settings.alert_depth),
            ("wait", waited >= settings.alert_wait_s),
            ("abandon", board.calls >= 5 and board.abandon_rate >= settings.alert_abandon),
        )
        if passed
    ]
    return {
        "board": board, "waited": waited, "alerts": alerts, "alert_wait_s": settings.alert_wait_s,
        "series": msgspec.json.encode(board.series).decode(),
    }  # fmt: skip


def _feed(seen: Visit) -> LineFeed:
    feed: LineFeed = seen.request.app.state.board_feed
    return feed
