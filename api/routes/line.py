"""The waiting line: look, follow, move a caller, release a caller."""

from fastapi import APIRouter, Request
from starlette.responses import StreamingResponse

from api.auth import LineOperator, Principal, Reader
from api.documents import problems
from api.parts import Behind, Parts
from api.presence import Presence
from api.problems import Problem
from api.schemas import ActOut, LineOut, MoveIn, ReleaseIn
from api.streams import open_stream
from api.texts import Identifier
from config.ids import new_id
from ivr import anywhere
from ivr.call import Call
from ivr.events import Released
from queueing.moves import IsOffered, NotInLine, move

#: From here a caller can be taken elsewhere; whoever speaks, records or is told their number goes on.
RELEASABLE = (*anywhere.RELEASABLE, "kept", "calling")

router = APIRouter(tags=["line"])
_STREAM = {
    "text/event-stream": {
        "schema": {"type": "string"},
        "example": 'event: snapshot\nid: 1\ndata: {"depth":0}\n\n',
    }
}


@router.get("/api/line", responses=problems("unauthenticated", "forbidden", "redis_unavailable"))
async def show_line(parts: Behind, _: Reader) -> LineOut:
    """Who waits now, in which line, and what the seats do."""
    return await parts.line.read()


@router.get(
    "/api/line/stream",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "`snapshot` first, then `change` each time; the data is the same as /api/line",
            "content": _STREAM,
        },
        **problems("unauthenticated", "forbidden", "redis_unavailable", "too_many_streams"),
    },
)
async def follow_line(request: Request, parts: Behind, _: Reader) -> StreamingResponse:
    """The line as server-sent events. Every event holds the whole line: after a reconnect (Last-Event-ID or not) the
    snapshot makes up for whatever was missed. It ends with the login or the token."""
    events = await open_stream(parts.feed, Presence(request))
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(events, media_type="text/event-stream", headers=headers)


@router.post(
    "/api/line/{call_id}/move",
    responses=problems(
        "unauthenticated", "forbidden", "call_not_found", "caller_not_waiting", "redis_unavailable"
    ),
)
async def move_caller(call_id: Identifier, wanted: MoveIn, parts: Behind, who: LineOperator) -> ActOut:
    """Put a caller who waits at another position. Kept in the ledger with the reason."""
    call = await find_call(parts, call_id)
    try:
        position = await move(
            parts.core.redis, parts.core.settings, call.seat_id or "-", call_id, wanted.position
        )
    except (NotInLine, IsOffered) as error:
        raise Problem(
            "caller_not_waiting", "Only a caller who waits, and is not being put through, can be moved."
        ) from error
    await note_act(parts, who, call, "move", wanted.reason, position=position)
    return ActOut(call_id=call_id, seat_id=call.seat_id, position=position, node=call.node)


@router.post(
    "/api/line/{call_id}/release",
    responses=problems(
        "unauthenticated",
        "forbidden",
        "call_not_found",
        "caller_not_waiting",
        "call_ended",
        "redis_unavailable",
    ),
)
async def release_caller(call_id: Identifier, wanted: ReleaseIn, parts: Behind, who: LineOperator) -> ActOut:
    """Take a caller out of the line: to a work order, the operators or a call back. Kept in the ledger."""
    call = await find_call(parts, call_id)
    if call.node == "ended":
        raise Problem("call_ended")
    if call.node not in RELEASABLE:
        raise Problem(
            "caller_not_waiting", "The caller talks, records a matter or is being put through elsewhere."
        )
    await note_act(parts, who, call, "release", wanted.reason or "", to=wanted.to)
    turn = await parts.core.turns.take_turn(
        call_id, lambda facts: Released(facts=facts, to=wanted.to, reason="operator"), None
    )
    after = turn.call
    position = await parts.core.line.position(after.seat_id, call_id) if after.seat_id else 0
    return ActOut(call_id=call_id, seat_id=after.seat_id, position=position, node=after.node)


async def find_call(parts: Parts, call_id: str) -> Call:
    """The live call, or the problem that there is none."""
    call = await parts.core.calls.get(call_id)
    if call is None:
        raise Problem("call_not_found")
    return call


async def note_act(
    parts: Parts, who: Principal, call: Call, act: str, reason: str, **data: str | int
) -> None:
    """Put the act of an operator into the ledger: what, who, why."""
    await parts.core.ledger.note(
        f"act-{new_id()}", call.id, "operator_act", parts.core.clock(),
        {"act": act, "who": who.name, "reason": reason, **data},
        session_id=call.session_id, carrier=call.carrier, host=call.host,
    )  # fmt: skip
