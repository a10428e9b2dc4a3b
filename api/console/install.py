"""Puts the pages into the application."""

from fastapi import FastAPI

from api.console.board import BoardReader
from api.console.pages import board, front, sign_in
from api.console.visit import Studio
from api.streams import LineFeed
from calls.assembly import Core

#: Every page; the menu shows those that are here.
PAGES = (front, sign_in, board)


def add_pages(app: FastAPI, core: Core, first_number: int) -> LineFeed:
    """Adds every page; the feed of the board is to be started and closed with the app."""
    feed = LineFeed(core.redis, core.settings.redis_prefix, BoardReader(core).read_for_stream, first_number)
    app.state.studio = Studio(is_secure=core.settings.effective_public_url.startswith("https:"))
    app.state.board_feed = feed
    app.state.rendered = {}
    for page in PAGES:
        app.include_router(page.router)
    app.state.pages = {str(getattr(route, "path", "")) for page in PAGES for route in page.router.routes}
    return feed
