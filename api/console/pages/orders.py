"""Work orders `/orders`: the list, one order with its history, its next steps, the full number and the recordings for who
states a reason."""

import re
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query
from fastapi import Path as InPath
from starlette.responses import FileResponse, Response

from api.auth import address_of
from api.console.visit import PageRoute, Visit, visit
from api.looks import look_at_order
from api.problems import Problem
from api.proof import read_stated
from api.recording_links import LINK_S, Link, RecordingLinks
from api.routes import orders as acts
from api.routes import placed_calls
from api.schemas.orders import TransitionIn
from api.texts import Identifier, Reason
from calls.placed_register import left_among
from calls.placing import OPEN_TO
from ivr.placed import Purpose
from workorders import notes, register
from workorders.transitions import Transition, possible

router = APIRouter(route_class=PageRoute, include_in_schema=False)
PAGE = 50
#: Nothing more is expected of an order in these states.
_OVER = ("closed", "cancelled")
#: A browser that goes on with what it began to play.
_LATER = re.compile(r"bytes=[1-9][0-9]*-[0-9]*")

Reading = Annotated[Visit, Depends(visit("read", "own_orders"))]
Handling = Annotated[Visit, Depends(visit("orders"))]
Calling = Annotated[Visit, Depends(visit("placed_calls"))]
Revealing = Annotated[Visit, Depends(visit("numbers"))]
Listening = Annotated[Visit, Depends(visit("recordings"))]


@router.get("/orders")
async def list_page(
    seen: Reading,
    status: Annotated[str, Query(max_length=20)] = "",
    unit: Annotated[str, Query(max_length=100)] = "",
    session_id: Annotated[str, Query(max_length=64)] = "",
    cursor: Annotated[str, Query(max_length=64)] = "",
) -> Response:
    """The newest first; a unit's handler finds the unit's own only."""
    wanted = register.Wanted(status=status, unit=acts.own_unit(seen.who) or unit, session_id=session_id)
    page = await register.find(seen.parts.core.database, wanted, cursor=cursor, limit=PAGE)
    left = await left_among(seen.parts.core.database, [order.id for order in page.items])
    return seen.show(
        "orders.html", left=left, page=page, chosen=status, unit=unit, session_id=session_id, now=datetime.now(UTC), over=_OVER
    )


@router.get("/orders/{order_id}")
async def order_page(order_id: Identifier, seen: Reading) -> Response:
    """With the number masked. What the citizen said is on it: the look is recorded."""
    await acts.find_order(seen.parts, order_id, seen.who)
    await look_at_order(seen.request, seen.who, order_id)
    return await _show(seen, order_id, full=False)


@router.post("/orders/{order_id}/number")
async def show_number(order_id: Identifier, reason: Annotated[Reason, Form()], seen: Revealing) -> Response:
    """With the full number, once; the look and its reason are in the audit trail before it is shown."""
    await acts.find_order(seen.parts, order_id, seen.who)
    gate = seen.request.app.state.gate
    await gate.trail.write(
        seen.who, "see_number", on_what=f"order_id={order_id}", reason=reason, result="done",
        address=address_of(seen.request),
    )  # fmt: skip
    return await _show(seen, order_id, full=True)


@router.post("/orders/{order_id}/step/{transition}")
async def move_order(order_id: Identifier, transition: Identifier, seen: Handling) -> Response:
    """One step further."""
    form = await read_stated(seen.request)
    note, unit = form.get("note", "").strip()[:500], form.get("unit", "").strip()[:100]
    await acts.move_order(
        order_id, transition, seen.parts, seen.who, TransitionIn(text=note or None, unit=unit or None)
    )  # fmt: skip
    return seen.go(f"/orders/{order_id}", "order_moved")


@router.post("/orders/{order_id}/calls/{purpose}")
async def call_about_order(order_id: Identifier, purpose: Purpose, seen: Calling) -> Response:
    """Have the unit, or the petitioner, called."""
    form = await read_stated(seen.request)
    unit, reason = form.get("unit", "").strip()[:100], form.get("reason", "").strip()[:200]
    await placed_calls.begin(seen.parts, seen.who, order_id, purpose, unit=unit, reason=reason)
    return seen.go(f"/orders/{order_id}", "call_asked")


@router.post("/orders/{order_id}/calls/{placed_id}/withdraw")
async def withdraw_call(order_id: Identifier, placed_id: Identifier, seen: Calling) -> Response:
    """A person takes over."""
    await placed_calls.withdraw_placed_call(order_id, placed_id, seen.parts, seen.who)
    return seen.go(f"/orders/{order_id}", "call_withdrawn")


@router.post("/orders/{order_id}/recordings/{recording_id}")
async def listen(
    order_id: Identifier, recording_id: Identifier, reason: Annotated[Reason, Form()], seen: Listening
) -> Response:
    """A link to the sound that works a few minutes, for this person; listening is recorded with its reason."""
    order = await acts.find_order(seen.parts, order_id, seen.who)
    found = next((one for one in order.recordings if one.id == recording_id and one.state == "ready"), None)
    if found is None:
        raise Problem("not_found")
    gate = seen.request.app.state.gate
    await gate.trail.write(
        seen.who, "listen", on_what=f"order_id={order_id} recording_id={recording_id}", reason=reason, result="done",
        address=address_of(seen.request),
    )  # fmt: skip
    link = Link(seen.who.account_id, order_id, recording_id, reason)
    token = await RecordingLinks(seen.parts.core).issue(link)
    return seen.show("listen.html", order=order, token=token, minutes=LINK_S // 60)


@router.get("/recordings/{token}")
async def fetch_recording(token: Annotated[str, InPath(max_length=64)], seen: Listening) -> Response:
    """The sound, to the person whom the link was given. Each time it is played from its beginning is a line in the audit trail."""
    links = RecordingLinks(seen.parts.core)
    link = await links.find(token, seen.who.account_id)
    path = await links.file(link) if link else None
    if link is None or path is None:
        raise Problem("not_found")
    if await links.is_first(token) or not _LATER.fullmatch(seen.request.headers.get("range", "")):
        gate = seen.request.app.state.gate
        on_what = f"order_id={link.order_id} recording_id={link.recording_id}"
        await gate.trail.write(
            seen.who, "hear_recording", on_what=on_what, reason=link.reason, result="done",
            address=address_of(seen.request),
        )  # fmt: skip
    return FileResponse(path, media_type="audio/wav", headers={"Cache-Control": "private, no-store"})


async def _show(seen: Visit, order_id: str, *, full: bool) -> Response:
    order = await acts.find_order(seen.parts, order_id, seen.who)
    detail = await acts.detail(seen.parts, order, full=full)
    steps: list[Transition] = possible(order.status) if seen.who.may("orders") else []
    written = await notes.notes_of(seen.parts.core.database, order.call_id) if order.call_id else []
    calls = (await placed_calls.list_placed_calls(order_id, seen.parts, seen.who)).items
    possible_calls = _possible_calls(seen, order.status, [call.purpose for call in calls if call.state != "done"])
    return seen.show(
        "order.html", order=detail, steps=steps, full=full, notes=written, calls=calls, possible_calls=possible_calls
    )


def _possible_calls(seen: Visit, status: str, under_way: list[Purpose]) -> list[Purpose]:
    """What may be asked for now by whoever looks."""
    if not seen.who.may("placed_calls") or not seen.parts.core.settings.places_calls_by:
        return []
    return [purpose for purpose, states in OPEN_TO.items() if status in states and purpose not in under_way]
