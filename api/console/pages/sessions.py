"""Session control `/sessions`: plan, look, and every act on a session and its seats. The acts are those of the API."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import ValidationError
from starlette.responses import Response

from api.console.checks import calls_made, inspect
from api.console.visit import PageRoute, Visit, visit
from api.problems import Problem
from api.proof import read_stated
from api.routes import directions, test_calls
from api.routes import seats as seat_acts
from api.routes import sessions as session_acts
from api.schemas.sessions import PostponeIn, ReasonIn, SessionIn
from api.texts import Identifier
from ivr.notices import NOTICES
from sessions.calendar import UnknownSession
from sessions.model import Session

router = APIRouter(route_class=PageRoute, prefix="/sessions", include_in_schema=False)
#: Seats of the form; more come over the API.
FORM_SEATS = 6
LISTED = 60

Reading = Annotated[Visit, Depends(visit("read"))]
Planning = Annotated[Visit, Depends(visit("sessions"))]
Seating = Annotated[Visit, Depends(visit("seats"))]
Form = Mapping[str, str]


@router.get("")
async def list_page(seen: Reading) -> Response:
    """All sessions, the newest first, and the form that plans one."""
    found = await seen.parts.calendar.find(newest_first=True, limit=LISTED)
    return seen.show("sessions.html", sessions=found, seats=FORM_SEATS)


@router.post("")
async def plan_session(seen: Planning) -> Response:
    """Plan one from the form."""
    form = await read_stated(seen.request)
    made = await session_acts.create_session(_checked(SessionIn, _plan(form)), seen.parts, seen.who)
    return seen.go(f"/sessions/{made.id}", "session_planned")


@router.get("/{session_id}")
async def session_page(session_id: Identifier, seen: Reading, check: bool = False) -> Response:
    """One session: acts, seats and lines, the check-list before it opens."""
    session = await _find(seen, session_id)
    now = await seen.parts.core.seats.all([seat.id for seat in session.seats])
    checks = (
        await inspect(seen.parts, session, seen.words) if check or session.state in ("planned", "postponed") else []
    )
    checks += calls_made(await test_calls.found(seen.parts, session_id), seen.words) if checks else []
    return seen.show(
        "session.html",
        session=session,
        states={seat.id: seat for seat in now},
        checks=checks,
        acts=_possible(session),
        notices=NOTICES,
    )


@router.post("/{session_id}/test-calls")
async def ring_every_seat(session_id: Identifier, seen: Annotated[Visit, Depends(visit("test_calls"))]) -> Response:
    """Test calls; the check-list shows what comes of them."""
    await test_calls.place_test_calls(session_id, seen.parts, seen.who)
    return seen.go(f"/sessions/{session_id}", "session_test_calls")


@router.post("/{session_id}/{act}")
async def act_on_session(session_id: Identifier, act: str, seen: Planning) -> Response:
    """Open, close, postpone, cancel and what the API has besides."""
    if act not in ACTS:
        raise Problem("not_found")
    await ACTS[act](seen, session_id, await read_stated(seen.request))
    return seen.go(f"/sessions/{session_id}", f"session_{act}")


@router.post("/{session_id}/seats/{seat_id}/{act}")
async def act_on_seat(session_id: Identifier, seat_id: Identifier, act: str, seen: Seating) -> Response:
    """A leader takes or leaves a seat; pause and resume."""
    steps: dict[str, Callable[..., Awaitable[object]]] = {
        "open": seat_acts.open_seat,
        "pause": seat_acts.pause_seat,
        "resume": seat_acts.resume_seat,
        "close": seat_acts.close_seat,
    }
    if act not in steps:
        raise Problem("not_found")
    form = await read_stated(seen.request)
    await steps[act](seat_id, seen.parts, seen.who, ReasonIn(reason=form.get("reason") or None))
    return seen.go(f"/sessions/{session_id}", f"seat_{act}")


async def _open(seen: Visit, session_id: str, _: Form) -> None:
    await session_acts.open_session(session_id, seen.parts, seen.who)


async def _close(seen: Visit, session_id: str, form: Form) -> None:
    await session_acts.close_session_now(session_id, seen.parts, seen.who, _checked(ReasonIn, _given(form, "reason")))


async def _postpone(seen: Visit, session_id: str, form: Form) -> None:
    wanted = _checked(PostponeIn, _given(form, "reason", "opens_at"))
    await session_acts.postpone_session(session_id, seen.parts, seen.who, wanted)


async def _cancel(seen: Visit, session_id: str, form: Form) -> None:
    await session_acts.cancel_session(session_id, seen.parts, seen.who, _checked(ReasonIn, _given(form, "reason")))


async def _extend(seen: Visit, session_id: str, form: Form) -> None:
    wanted = _checked(directions.ExtendIn, _given(form, "reason", "closes_at"))
    await directions.extend_session(session_id, wanted, seen.parts, seen.who)


async def _announce(seen: Visit, session_id: str, form: Form) -> None:
    wanted = _checked(directions.AnnounceIn, _given(form, "reason", "notice"))
    await directions.announce_to_waiting(session_id, wanted, seen.parts, seen.who)


async def _hold(seen: Visit, session_id: str, form: Form) -> None:
    await directions.hold_line(session_id, _because(form), seen.parts, seen.who)


async def _resume(seen: Visit, session_id: str, form: Form) -> None:
    await directions.resume_line(session_id, _because(form), seen.parts, seen.who)


async def _stop(seen: Visit, session_id: str, form: Form) -> None:
    await directions.stop_session(session_id, _because(form), seen.parts, seen.who)


async def _admit(seen: Visit, session_id: str, form: Form) -> None:
    wanted = _checked(directions.AdmissionIn, {**_given(form, "reason"), "open": True})
    await directions.set_admission(session_id, wanted, seen.parts, seen.who)


async def _refuse(seen: Visit, session_id: str, form: Form) -> None:
    wanted = _checked(directions.AdmissionIn, {**_given(form, "reason"), "open": False})
    await directions.set_admission(session_id, wanted, seen.parts, seen.who)


def _because(form: Form) -> directions.DirectIn:
    found: directions.DirectIn = _checked(directions.DirectIn, _given(form, "reason"))
    return found


ACTS: dict[str, Callable[[Visit, str, Form], Awaitable[None]]] = {
    "open": _open,
    "close": _close,
    "postpone": _postpone,
    "cancel": _cancel,
    "extend": _extend,
    "announce": _announce,
    "hold": _hold,
    "resume": _resume,
    "refuse": _refuse,
    "admit": _admit,
    "stop": _stop,
}
_COMING = ("open", "postpone", "cancel")
_BY_STATE: dict[str, tuple[str, ...]] = {
    "planned": _COMING,
    "postponed": _COMING,
    "open": ("extend", "announce", "hold", "resume", "refuse", "admit", "postpone", "close", "stop"),
}


def _possible(session: Session) -> list[str]:
    return [act for act in _BY_STATE.get(session.state, ()) if act in ACTS]


def _plan(form: Form) -> dict[str, Any]:
    seats = []
    for n in range(1, FORM_SEATS + 1):
        unit, leader, line = (form.get(f"{name}_{n}", "").strip() for name in ("unit", "leader", "line"))
        if unit or leader or line:
            kind = "asterisk" if line.startswith("sip") else "twilio"
            seats.append({"unit": unit, "leader": leader, "line": {kind: line} if line else {}})
    times = {name: form.get(name, "") for name in ("opens_at", "closes_at")}
    return {**times, "theme": form.get("theme", ""), "seats": seats}


def _given(form: Form, *names: str) -> dict[str, str]:
    return {name: form[name].strip() for name in names if form.get(name, "").strip()}


def _checked(shape: type[Any], values: Mapping[str, Any]) -> Any:
    """The shape that the API would have read. Raises Problem."""
    try:
        return shape.model_validate(values)
    except ValidationError as error:
        kinds = {str(fault["type"]) for fault in error.errors()}
        code = next((one for one in ("control_character", "invalid_line") if one in kinds), "invalid_request")
        raise Problem(code) from error


async def _find(seen: Visit, session_id: str) -> Session:
    try:
        return await seen.parts.calendar.get(session_id)
    except UnknownSession as error:
        raise Problem("session_not_found") from error
