"""Puts the pages into the application."""

from fastapi import FastAPI
from starlette.exceptions import HTTPException

from api.console.board import BoardReader
from api.console.desk import DeskReader
from api.console.pages import (
    accounts,
    audit,
    board,
    desk,
    front,
    leader,
    orders,
    phone,
    prompts,
    report,
    sessions,
    sign_in,
    units,
)
from api.console.visit import Studio, show_missing
from api.snapshot import LineReader
from api.streams import LineFeed
from calls.assembly import Core

#: Every page; the menu shows those that are here.
PAGES = (front, sign_in, board, desk, leader, sessions, report, orders, units, prompts, audit, accounts)


def add_pages(app: FastAPI, core: Core, line: LineReader, first_number: int) -> tuple[LineFeed, ...]:
    """Adds every page; the feeds of board and desks, which are to be started and closed with the app."""
    app.state.board_feed = LineFeed(BoardReader(core).read_for_stream, first_number)
    app.state.desk_feed = LineFeed(DeskReader(core, line).read_for_stream, first_number)
    app.state.studio = Studio(is_secure=core.settings.effective_public_url.startswith("https:"))
    app.state.rendered = {}
    routers = [page.router for page in (*PAGES, phone)]
    if core.settings.has_demo_phone:
        routers.append(phone.for_citizens)
    for router in routers:
        app.include_router(router)
    app.add_exception_handler(HTTPException, show_missing)
    app.state.pages = {str(getattr(route, "path", "")) for router in routers for route in router.routes}
    return app.state.board_feed, app.state.desk_feed
