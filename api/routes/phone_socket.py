"""The websocket `/ws` of browser phones: SIP to Asterisk for whoever shows a ticket, from our own pages, while they may."""

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import structlog
from fastapi import APIRouter, WebSocket
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from api.accounts.principal import CITIZEN, Principal
from api.gate import Gate
from api.parts import Parts
from api.phone.permission import stamp_of, still_holds
from api.phone.relay import SUBPROTOCOL, relay
from api.phone.tickets import Ticket, Tickets
from config.database import DatabaseUnavailable

router = APIRouter()
#: The ticket comes as a second subprotocol: an address would end up in logs.
_TICKET = "ticket."
#: Connections of one process.
MOST = 300
_log = structlog.get_logger("api.phone")


@router.websocket("/ws")
async def connect_phone(browser: WebSocket) -> None:
    """Refused with 403 before it begins: a foreign page, no ticket, a used or expired one, another person's."""
    parts: Parts = browser.app.state.parts
    ticket = await _admit(browser, parts)
    stamp = stamp_of(parts, ticket) if ticket else None
    if ticket is None or stamp is None:
        _log.warning("a browser phone was not let in")
        await browser.close(1008)
        return
    place = ("127.0.0.1", parts.core.settings.effective_sip_ws_port)
    browser.app.state.phones = getattr(browser.app.state, "phones", 0) + 1
    try:
        await relay(browser, place, stamp, _still(browser, parts, ticket))
    finally:
        browser.app.state.phones -= 1


async def _admit(browser: WebSocket, parts: Parts) -> Ticket | None:
    """The ticket that is shown, by whom it was given to. It is used up by looking."""
    shown = [name.removeprefix(_TICKET) for name in browser.scope["subprotocols"] if name.startswith(_TICKET)]
    has_room = getattr(browser.app.state, "phones", 0) < MOST
    if not _is_ours(browser) or SUBPROTOCOL not in browser.scope["subprotocols"] or len(shown) != 1 or not has_room:
        return None
    try:
        ticket = await Tickets(parts.core.redis, parts.core.settings).use(shown[0])
        who = await _who(browser)
    except RedisError:
        return None
    if ticket is None or (ticket.account_id and ticket.account_id != who.account_id):
        return None
    return ticket


def _is_ours(browser: WebSocket) -> bool:
    """Browsers always say which page opens a websocket; what says nothing is no browser."""
    gate: Gate = browser.app.state.gate
    origin = urlsplit(browser.headers.get("origin", ""))
    ours = {urlsplit(gate.settings.effective_public_url).netloc, browser.headers.get("host", "")}
    return bool(origin.netloc) and origin.netloc in ours


async def _who(browser: WebSocket) -> Principal:
    gate: Gate = browser.app.state.gate
    value = browser.cookies.get(gate.cookie, "")
    login = await gate.logins.find(value) if value else None
    return login.principal if login else CITIZEN


def _still(browser: WebSocket, parts: Parts, ticket: Ticket) -> Callable[[], Awaitable[bool]]:
    async def still() -> bool:
        """A talk is not cut because Redis or the database does not answer for a while."""
        try:
            who = await _who(browser)
            is_theirs = not ticket.account_id or who.account_id == ticket.account_id
            return is_theirs and await still_holds(parts, who, ticket)
        except (RedisError, SQLAlchemyError, DatabaseUnavailable):
            return True

    return still
