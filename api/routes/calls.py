"""One call: its outcome and everything that happened to it. And the ledger, the proof over all of them."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query

from api.auth import Reader
from api.documents import problems
from api.parts import Behind, Parts
from api.problems import Problem
from api.reveal import Look, Looking
from api.schemas.calls import CallOut, LedgerEvent
from api.schemas.ledger import LedgerOut
from api.texts import Identifier
from calls.ledger import Entry, Unaccounted
from config.ids import new_id
from config.privacy import mask
from ivr.call import Call
from workorders.register import of_call

#: Ids of unaccounted calls that an answer holds.
UNACCOUNTED_MAX = 1000

router = APIRouter(tags=["calls"])


@router.get(
    "/api/calls/{call_id}",
    responses=problems(
        "unauthenticated", "forbidden", "call_not_found", "database_unavailable", "redis_unavailable"
    ),
)
async def show_call(call_id: Identifier, parts: Behind, _: Reader, look: Looking) -> CallOut:
    """Outcome and events of a call, live or over. With a reason and the scope `numbers`: the full number, while the call
    is in Redis; the look itself is put into the ledger."""
    call, events = await asyncio.gather(parts.core.calls.get_readable(call_id), parts.core.ledger.events(call_id))
    if call is None and not events:
        raise Problem("call_not_found")
    if look.reason:
        await _note_look(parts, call_id, call, look)
    order = await of_call(parts.core.database, call_id)
    return _shape(parts, call_id, call, events, order.number if order else "", full=bool(look.reason))


@router.get(
    "/api/ledger",
    responses=problems("unauthenticated", "forbidden", "database_unavailable", "redis_unavailable"),
)
async def show_ledger(
    parts: Behind, _: Reader, session_id: Annotated[Identifier | None, Query()] = None
) -> LedgerOut:
    """Calls and outcomes, of one session or of all time. Complete when calls = sum of outcomes + live."""
    summary = await parts.core.ledger.summary(session_id)
    live = await _live(parts, summary.unaccounted)
    lost = [known.call_id for known in summary.unaccounted if known.call_id not in live]
    return LedgerOut(
        session_id=session_id,
        calls=summary.calls,
        outcomes=summary.outcomes,
        unaccounted=len(lost),
        unaccounted_calls=lost[:UNACCOUNTED_MAX],
        live=len(live),
    )


async def _live(parts: Parts, candidates: tuple[Unaccounted, ...]) -> set[str]:
    """Those that go on: Redis still drives them."""
    if not candidates:
        return set()
    going_on = set(await parts.core.calls.live())
    return {one.call_id for one in candidates if one.call_id in going_on}


async def _note_look(parts: Parts, call_id: str, call: Call | None, look: Look) -> None:
    await parts.core.ledger.note(
        f"look-{new_id()}", call_id, "number_shown", parts.core.clock(), {"who": look.who.name, "reason": look.reason},
        session_id=call.session_id if call else "",
    )  # fmt: skip


def _shape(
    parts: Parts, call_id: str, call: Call | None, events: list[Entry], order_number: str, *, full: bool
) -> CallOut:
    number = call.number if call else ""
    closing = next((event for event in events if event.outcome), None)
    first = call.started_at if call else events[0].at
    ended = closing.at if closing else (call.ended_at if call else 0.0)
    return CallOut(
        call_id=call_id,
        carrier=call.carrier if call else next((event.carrier for event in events if event.carrier), ""),
        number=number if full else mask(number),
        node=call.node if call else "ended",
        outcome=closing.outcome if closing else (call.outcome if call and call.node == "ended" else None),
        started_at=parts.moment(first),
        ended_at=parts.moment(ended) if ended else None,
        session_id=(call.session_id if call else "")
        or next((event.session_id for event in events if event.session_id), ""),
        seat_id=call.seat_id if call else "",
        order_number=order_number,
        events=[
            LedgerEvent(at=parts.moment(event.at), kind=event.kind, data=dict(event.data)) for event in events
        ],
    )
