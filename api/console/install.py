"""Puts the pages into the application."""

from fastapi import FastAPI
from starlette.exceptions import HTTPException

from api.console.board import BoardReader
from api.console.pages import accounts, audit, board, front, orders, phone, prompts, report, sessions, sign_in
from api.console.visit import Studio, show_missing
from api.streams import LineFeed
from calls.assembly import Core

#: Every page; the menu shows those that are here.
PAGES = (front, sign_in, board, sessions, report, orders, prompts, audit, accounts)


def add_pages(app: FastAPI, core: Core, first_number: int) -> LineFeed:
    """Adds every page; the feed of the board is to be started and closed with the app."""
    feed = LineFeed(core.redis, core.settings.redis_prefix, BoardReader(core).read_for_stream, first_number)
    app.state.studio = Studio(is_secure=core.settings.effective_public_url.startswith("https:"))
    app.state.board_feed = feed
    app.state.rendered = {}
    routers = [page.router for page in (*PAGES, phone)]
    if core.settings.has_demo_phone:
        routers.append(phone.for_citizens)
    for router in routers:
        app.include_router(router)
    app.add_exception_handler(HTTPException, show_missing)
    app.state.pages = {str(getattr(route, "path", "")) for router in routers for route in router.routes}
    return feed
