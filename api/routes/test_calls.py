"""Test calls before a session opens: every seat's line is rung for real, hears a sentence and is recorded."""

from datetime import datetime
from typing import Annotated

import structlog
from fastapi import APIRouter, Depends
from msgspec.structs import replace
from pydantic import Field

from api.auth import Principal, Reader, require
from api.documents import problems
from api.parts import Behind, Parts
from api.problems import Problem
from api.schemas.sessions import ReasonIn
from api.schemas.shape import Shape
from api.texts import Identifier
from config.ids import new_id
from sessions.calendar import UnknownSession
from sessions.model import Session
from telephony.test_calls import TAKES_S, Result, TestCall, TestCalls

router = APIRouter(prefix="/api/sessions", tags=["sessions"])
_log = structlog.get_logger("api.test_calls")
_ACT = problems(
    "unauthenticated", "forbidden", "session_not_found", "state_conflict", "database_unavailable", "redis_unavailable",
)  # fmt: skip
#: Whose leaders' phones ring for no citizen yet.
BEFORE = ("planned", "postponed")


class TestCallOut(Shape):
    seat_id: str
    leader: str
    line: str
    asked_at: datetime
    result: Result = Field(
        description="Empty while it goes on. `answered`: spoken, heard and recorded; `silent`: no sound from the phone"
    )
    ring_s: float = Field(description="Seconds until it was answered or given up")
    recorded_s: float


class TestCallsOut(Shape):
    session_id: str
    items: list[TestCallOut]


@router.post("/{session_id}/test-calls", responses=_ACT)
async def place_test_calls(
    session_id: Identifier,
    parts: Behind,
    who: Annotated[Principal, Depends(require("test_calls"))],
    _: ReasonIn | None = None,
) -> TestCallsOut:
    """Ring every line of every seat at once. Not for a session that is open: leaders' phones belong to citizens then."""
    session = await _find(parts, session_id)
    if session.state not in BEFORE:
        raise Problem("state_conflict", "Only the phones of a session that is still to come are tried.")
    if any(not call.result for call in await found(parts, session_id)):
        raise Problem("state_conflict", "Test calls are under way.")
    await _records(parts).ask(session_id, _planned(session, parts.core.clock()))
    _log.info("test calls are placed", session_id=session_id, who=who.name)
    return await show_test_calls(session_id, parts, who)


@router.get("/{session_id}/test-calls", responses=_ACT)
async def show_test_calls(session_id: Identifier, parts: Behind, _: Reader) -> TestCallsOut:
    """What came of the test calls placed last."""
    await _find(parts, session_id)
    items = [
        TestCallOut(
            seat_id=call.seat_id, leader=call.leader, line=call.line, asked_at=parts.moment(call.asked_at),
            result=call.result, ring_s=call.ring_s, recorded_s=call.recorded_s,
        )
        for call in await found(parts, session_id)
    ]  # fmt: skip
    return TestCallsOut(session_id=session_id, items=items)


async def found(parts: Parts, session_id: str) -> list[TestCall]:
    """As they are; what nobody took up in time has failed."""
    late = parts.core.clock() - TAKES_S - 10
    return [
        replace(call, result="no_bridge") if not call.result and call.asked_at < late else call
        for call in await _records(parts).of_session(session_id)
    ]


def _planned(session: Session, at: float) -> list[TestCall]:
    """One for each line. Ids sort as the seats do."""
    calls: list[TestCall] = []
    for seat in session.seats:
        lines = [line for line in seat.line_asterisk.split(",") if line]
        for line in lines or [seat.line_twilio]:
            call = TestCall(f"{len(calls):03d}{new_id()}", session.id, seat.id, seat.leader, line, at)
            calls.append(call if lines else replace(call, result="unchecked"))
    return calls


async def _find(parts: Parts, session_id: str) -> Session:
    try:
        return await parts.calendar.get(session_id)
    except UnknownSession as error:
        raise Problem("session_not_found") from error


def _records(parts: Parts) -> TestCalls:
    return TestCalls(parts.core.redis, parts.core.settings.redis_prefix)
