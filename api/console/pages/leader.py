"""The leader's desk `/leader`: who is on the line, what they want, what came before; answer, done, pause, next. Made for one
finger, and to be read from a metre away."""

from functools import partial
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from api.console.desk import DeskNow
from api.console.live import Live
from api.console.looks import find_call, what_came_before
from api.console.visit import PageRoute, Visit, visit
from api.problems import Problem
from api.streams import Frame, LineFeed
from api.texts import Identifier
from sessions.model import Seat, Session
from telephony.asterisk.web_phone import handset_of
from workorders import forms, notes

router = APIRouter(route_class=PageRoute, prefix="/leader", include_in_schema=False)
#: Sessions in which a leader has something to do, the most pressing first.
STATES = ("open", "closing", "planned", "postponed")
#: What is said when a leader pauses, by key of the catalogue.
PAUSES = ("consult", "break", "urgent", "other")
LISTED = 40

Leading = Annotated[Visit, Depends(visit("lead"))]
Place = tuple[Session, Seat]


@router.get("")
async def leader_page(seen: Leading, seat: Annotated[str, Query(max_length=64)] = "") -> Response:
    """The desk of one's seat; who has several chooses."""
    places = await _places(seen)
    if not places:
        return seen.show("leader_none.html")
    session, mine = _chosen(places, seat)
    frame = await _feed(seen).refresh()
    is_browser = handset_of(mine.line_asterisk, seen.parts.core.settings) is not None
    return seen.show(
        "leader.html", session=session, places=places, pauses=PAUSES, is_browser=is_browser,
        **_values(mine.id, frame), mine=mine,
    )  # fmt: skip


@router.get("/stream/{seat_id}")
async def follow_seat(seat_id: Identifier, seen: Leading) -> Response:
    """The live part of a seat's desk. Raises seat_not_found for other units' seats."""
    await _seat(seen, seat_id)
    return await Live(_feed(seen), "leader_live.html", partial(_values, seat_id), about=seat_id).answer(seen)


@router.get("/seat/{seat_id}/caller")
async def show_caller(seat_id: Identifier, seen: Leading) -> Response:
    """Who is on this seat's line, what they want, what came before; the look is recorded."""
    await _seat(seen, seat_id)
    now = await seen.parts.core.seats.state(seat_id)
    if now.state not in ("ringing", "talking"):
        return seen.show("leader_caller.html", call=None)
    call = await find_call(seen, now.call_id)
    database = seen.parts.core.database
    return seen.show(
        "leader_caller.html", call=call, before=await what_came_before(seen, call),
        form=(await forms.form_of(database, call.id)).form, notes=await notes.notes_of(database, call.id),
    )  # fmt: skip


async def _places(seen: Visit) -> list[Place]:
    """Seats of one's unit in the sessions that are held or come."""
    found = await seen.parts.calendar.find(*STATES, limit=LISTED)  # type: ignore[arg-type]
    found.sort(key=lambda session: (STATES.index(session.state), session.opens_at))
    return [(session, seat) for session in found for seat in session.seats if seen.who.reaches(seat.unit)]


def _chosen(places: list[Place], seat_id: str) -> Place:
    if not seat_id:
        return places[0]
    for session, seat in places:
        if seat.id == seat_id:
            return session, seat
    raise Problem("seat_not_found")


async def _seat(seen: Visit, seat_id: str) -> None:
    _chosen(await _places(seen), seat_id)


def _values(seat_id: str, frame: Frame) -> dict[str, Any]:
    desk = msgspec.json.decode(frame.body, type=DeskNow)
    return {"desk": desk, "seat": desk.seat(seat_id)}


def _feed(seen: Visit) -> LineFeed:
    feed: LineFeed = seen.request.app.state.desk_feed
    return feed
