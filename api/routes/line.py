"""The waiting line: look, follow, release a caller. (Moving callers: acts.py.)"""

from fastapi import APIRouter, Request
from starlette.responses import StreamingResponse

from api.auth import LineOperator, Reader
from api.documents import problems
from api.parts import Behind, Parts
from api.presence import Presence
from api.problems import Problem
from api.schemas.line import ActOut, LineOut, ReleaseIn
from api.streams import open_stream
from api.texts import Identifier
from calls.acts import Acts, Author, NotWaiting
from ivr import anywhere
from ivr.call import Call

#: From here a caller can be taken elsewhere; whoever speaks, records or is told their number goes on.
RELEASABLE = (*anywhere.RELEASABLE, "kept", "calling")

#: In the ledger, for a release by a token that came without its reason: the public contract does not ask a program for one.
NOT_STATED = "not stated"

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
    "/api/line/{call_id}/release",
    responses=problems(
        "unauthenticated",
        "forbidden",
        "call_not_found",
        "caller_not_waiting",
        "call_ended",
        "reason_required",
        "redis_unavailable",
        "database_unavailable",
    ),
)
async def release_caller(call_id: Identifier, wanted: ReleaseIn, parts: Behind, who: LineOperator) -> ActOut:
    """Take a caller out of the line: to a work order, the operators or a call back. Kept in the ledger with who and why: a person
    who is signed in has to state the reason."""
    if not wanted.reason and who.account_id:
        raise Problem("reason_required")
    call = await find_call(parts, call_id)
    if call.node == "ended":
        raise Problem("call_ended")
    if call.node not in RELEASABLE:
        raise _not_waiting()
    try:
        after = await Acts(parts.core).release(call, wanted.to, Author(who.name, wanted.reason or NOT_STATED))
    except NotWaiting as error:
        raise _not_waiting() from error
    position = await parts.core.line.position(after.seat_id, call_id) if after.seat_id else 0
    return ActOut(call_id=call_id, seat_id=after.seat_id, position=position, node=after.node)


def _not_waiting() -> Problem:
    return Problem("caller_not_waiting", "The caller talks, records a matter or is being put through elsewhere.")


async def find_call(parts: Parts, call_id: str) -> Call:
    """The live call, or the problem that there is none."""
    call = await parts.core.calls.get(call_id)
    if call is None:
        raise Problem("call_not_found")
    return call
