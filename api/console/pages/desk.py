"""The operator's desk `/desk`: the line as it is, one caller at a time with every act on them, notes and the order's form."""

from functools import partial
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from api.accounts.acts import Act
from api.console.desk import DeskNow
from api.console.live import Live
from api.console.looks import find_call, what_came_before
from api.console.visit import PageRoute, Visit, visit
from api.looks import look_at_call
from api.parts import Parts
from api.routes.line import RELEASABLE
from api.streams import Frame, LineFeed
from api.texts import Identifier
from calls.acts import MOVABLE
from config.settings import Settings
from ivr.call import Call
from ivr.notices import NOTICES
from telephony.asterisk.phone_address import PhoneRefused, read_phone
from telephony.supervision import Supervision, Supervisions
from workorders import forms, notes, register

router = APIRouter(route_class=PageRoute, prefix="/desk", include_in_schema=False)
#: Rows of the line that are shown; who is further back comes up by and by.
LISTED = 120
#: Ways into a talk: last word of the API's address, the act it needs, the key.
WATCHES = (("listen", "listen", "i"), ("whisper", "whisper", "h"), ("barge", "barge", "g"), ("three-way", "three_way", "3"))
_MORE: tuple[Act, ...] = ("seats", "sessions")

AtDesk = Annotated[Visit, Depends(visit("desk"))]


@router.get("")
async def desk_page(seen: AtDesk, call: Annotated[str, Query(max_length=64)] = "") -> Response:
    """The whole desk; `call`: who is looked at."""
    frame = await _feed(seen).refresh()
    is_there = call and await seen.parts.core.calls.get_readable(call) is not None
    shown: dict[str, Any] = await _known(seen, call) if is_there else {"call": None}
    return seen.show("desk.html", **_values(seen, frame), **shown, has_phone=seen.parts.core.settings.has_desk_phones, notices=NOTICES)


@router.get("/stream")
async def follow_desk(seen: AtDesk) -> Response:
    """The live part: seats and line."""
    return await desk_piece(seen).answer(seen)


def desk_piece(seen: Visit) -> Live:
    """Seats and line as this person sees them: supervisors find more acts."""
    about = " ".join(act for act in _MORE if seen.who.may(act))
    return Live(_feed(seen), "desk_live.html", partial(_values, seen), about=about)


@router.get("/calls/{call_id}")
async def show_caller(call_id: Identifier, seen: AtDesk) -> Response:
    """One caller: facts, acts, notes, what came before, the order's form. The look at what came before is recorded."""
    return seen.show("desk_call.html", **await _known(seen, call_id))


@router.get("/calls/{call_id}/now")
async def show_now(call_id: Identifier, seen: AtDesk) -> Response:
    """What changes by itself: facts, acts that are possible, notes."""
    return seen.show("desk_now.html", **await _now(seen, call_id))


async def _known(seen: Visit, call_id: str) -> dict[str, Any]:
    facts = await _now(seen, call_id)
    kept = await forms.form_of(seen.parts.core.database, call_id)
    return {**facts, "before": await what_came_before(seen, facts["call"]), "kept": kept, "kinds": forms.KINDS}


async def _now(seen: Visit, call_id: str) -> dict[str, Any]:
    call = await find_call(seen, call_id)
    await look_at_call(seen.request, seen.who, call_id, call)
    parts = seen.parts
    seats = await parts.core.seats.all([call.seat_id] if call.seat_id else [])
    return {
        "call": call,
        "at_seat": seats[0] if seats else None,
        "position": await parts.core.line.position(call.seat_id, call.id) if call.seat_id else 0,
        "order": await register.of_call(parts.core.database, call.id),
        "notes": await notes.notes_of(parts.core.database, call.id),
        "watching": await _watching(parts, call),
        "watches": WATCHES,
        "rung": _rung(parts.core.settings),
        "movable": call.node in MOVABLE and bool(call.seat_id),
        "releasable": call.node in RELEASABLE,
    }


def _rung(settings: Settings) -> str:
    """Where one is rung who listens to a talk: at one's own desk, at the operators' line, or empty: nowhere."""
    if settings.has_desk_phones:
        return "desk"
    try:
        return "line" if read_phone(settings.operators_line, settings) else ""
    except PhoneRefused:
        return ""


async def _watching(parts: Parts, call: Call) -> list[Supervision]:
    """Who is in this call's talk besides."""
    if call.node != "talking" or not call.seat_id:
        return []
    found = await Supervisions(parts.core.redis, parts.core.settings.redis_prefix).of_seat(call.seat_id)
    return [one for one in found if one.call_id == call.id and one.state != "ended"]


def _values(seen: Visit, frame: Frame) -> dict[str, Any]:
    desk = msgspec.json.decode(frame.body, type=DeskNow)
    return {"desk": desk, "listed": LISTED, "alert_wait_s": seen.parts.core.settings.alert_wait_s}


def _feed(seen: Visit) -> LineFeed:
    feed: LineFeed = seen.request.app.state.desk_feed
    return feed
