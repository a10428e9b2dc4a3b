"""The board `/board`, and the big screen of the hall `/screen`, which needs no sign-in and shows no personal data."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends
from starlette.responses import Response, StreamingResponse

from api.console.board import BoardNow
from api.console.visit import Anybody, PageRoute, Visit, visit
from api.problems import Problem
from api.streams import HEARTBEAT_S, Frame, LineFeed

router = APIRouter(route_class=PageRoute, include_in_schema=False)
#: Streams for people who are not signed in; the rest is kept for those who work here.
PUBLIC_STREAMS = 300
STREAMS = 1000

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
    frame = await _feed(seen).refresh()
    return seen.show(template, **_values(seen, frame))


async def _stream(seen: Visit, template: str, most: int) -> Response:
    feed = _feed(seen)
    if feed.closing:
        raise Problem("shutting_down")
    if feed.streams >= most:
        raise Problem("too_many_streams", "Try again, another process may have room.")
    events = _events(seen, feed, template, await feed.refresh())
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(events, media_type="text/event-stream", headers=headers)


async def _events(seen: Visit, feed: LineFeed, template: str, snapshot: Frame) -> AsyncIterator[bytes]:
    feed.streams += 1
    try:
        yield b"retry: 1000\n" + _event(seen, template, snapshot)
        number = snapshot.number
        while not feed.closing:
            frame = await feed.wait_newer(number, HEARTBEAT_S)
            if frame is not None:
                number = frame.number
                yield _event(seen, template, frame)
            elif not feed.closing:
                yield b": still here\n\n"
    finally:
        feed.streams -= 1


def _event(seen: Visit, template: str, frame: Frame) -> bytes:
    """Rendered once for all who look at the same thing in the same language."""
    rendered: dict[tuple[str, str], tuple[int, bytes]] = seen.request.app.state.rendered
    key = (template, seen.language)
    number, event = rendered.get(key, (0, b""))
    if number != frame.number:
        html = seen.text(template, **_values(seen, frame)).encode()
        lines = b"".join(b"data: %b\n" % line for line in html.splitlines() if line.strip())
        event = b"event: board\nid: %d\n%b\n" % (frame.number, lines)
        rendered[key] = (frame.number, event)
    return event


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
