"""Work orders (工單): find them, read one, take one a step further."""

from typing import Annotated, cast, get_args

import structlog
from fastapi import APIRouter, Query, Request

from api.accounts.acts import OF_ONE_UNIT
from api.auth import OrderHandler, OrderReader, Principal
from api.documents import problems
from api.looks import look_at_order
from api.parts import Behind, Parts
from api.problems import Problem
from api.reveal import Looking
from api.schemas.orders import OrderDetail, OrderEvent, OrderOut, OrdersOut, TransitionIn
from api.texts import Identifier, Word
from config.columns import from_unix
from config.privacy import mask
from workorders import register
from workorders.history import record
from workorders.model import Petitioner, WorkOrder
from workorders.progress import UnknownOrder, locked, move
from workorders.transitions import Transition, TransitionRefused, possible

router = APIRouter(prefix="/api/work-orders", tags=["work orders"])
_log = structlog.get_logger("api.orders")
_ACT = problems("unauthenticated", "forbidden", "order_not_found", "database_unavailable")


@router.get("", responses=problems("unauthenticated", "forbidden", "invalid_cursor", "database_unavailable"))
async def list_orders(
    parts: Behind,
    who: OrderReader,
    tag: Annotated[Word | None, Query(description="熱線問政 and 热线问政 are one")] = None,
    status: Annotated[Word | None, Query()] = None,
    unit: Annotated[Word | None, Query()] = None,
    call_id: Annotated[Identifier | None, Query()] = None,
    session_id: Annotated[Identifier | None, Query()] = None,
    number: Annotated[Identifier | None, Query(description="as it was spoken to the caller: 2026-1122-0007")] = None,
    cursor: Annotated[Identifier | None, Query(description="`next` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> OrdersOut:
    """Work orders, the newest first, page by page."""
    wanted = register.Wanted(
        tag=tag or "",
        status=status or "",
        unit=own_unit(who) or unit or "",
        call_id=call_id or "",
        session_id=session_id or "",
        number=number or "",
    )
    page = await register.find(parts.core.database, wanted, cursor=cursor or "", limit=limit)
    return OrdersOut(items=[_brief(parts, order) for order in page.items], next=page.next or None)


@router.get("/{order_id}", responses=_ACT)
async def show_order(order_id: Identifier, request: Request, parts: Behind, look: Looking) -> OrderDetail:
    """One order with its history; the look is recorded. With a reason and the scope `numbers`: the petitioner's full number."""
    order = await find_order(parts, order_id, look.who)
    await look_at_order(request, look.who, order_id)
    if look.reason:
        async with parts.core.database.begin() as session:
            data = {"reason": look.reason}
            at = from_unix(parts.core.clock())
            record(
                session, await locked(session, order_id), "number_shown", at, actor=look.who.name, data=data
            )
    return await detail(parts, order, full=bool(look.reason))


@router.post(
    "/{order_id}/{transition}",
    responses=problems(
        "unauthenticated",
        "forbidden",
        "order_not_found",
        "transition_unknown",
        "state_conflict",
        "database_unavailable",
    ),
)
async def move_order(
    order_id: Identifier,
    transition: Identifier,
    parts: Behind,
    who: OrderHandler,
    wanted: TransitionIn | None = None,
) -> OrderDetail:
    """Take the order a step further: dispatch, sign, handle, reply, close, redo, return, cancel."""
    if transition not in get_args(Transition):
        raise Problem("transition_unknown", f"Known: {', '.join(get_args(Transition))}.")
    asked = wanted or TransitionIn()
    await find_order(parts, order_id, who)
    try:
        order = await move(
            parts.core.database, order_id, cast(Transition, transition), parts.core.clock(),
            timezone=parts.core.settings.timezone, actor=who.name, unit=asked.unit or "",
            note=asked.text or asked.reason or "",
        )  # fmt: skip
    except UnknownOrder as error:
        raise Problem("order_not_found") from error
    except TransitionRefused as error:
        raise Problem("state_conflict", str(error)) from error
    _log.info("a work order was moved on", act=transition, order_id=order_id, who=who.name)
    return await detail(parts, await find_order(parts, order.id), full=False)


async def find_order(parts: Parts, order_id: str, who: Principal | None = None) -> WorkOrder:
    """The order, if it is any business of `who`: another unit's is not there for them. Raises order_not_found."""
    try:
        order = await register.get(parts.core.database, order_id)
    except UnknownOrder as error:
        raise Problem("order_not_found") from error
    if who is not None and not who.reaches(order.unit):
        raise Problem("order_not_found")
    return order


def own_unit(who: Principal) -> str:
    """The unit whose orders alone `who` may see; empty = all. One without a unit gets a name that no unit has."""
    return (who.unit or "-") if who.role in OF_ONE_UNIT else ""


def _brief(parts: Parts, order: WorkOrder) -> OrderOut:
    return OrderOut(
        id=order.id,
        number=order.number,
        tags=[tag.tag for tag in order.tags],
        source=order.source,
        call_id=order.call_id,
        status=order.status,
        unit=order.unit or None,
        session_id=order.session_id or None,
        urgent=order.urgent,
        confidential=order.confidential,
        kind=order.kind,
        created_at=parts.local(order.created_at),
        due_at=parts.local(order.due_at) if order.due_at else None,
    )


async def detail(parts: Parts, order: WorkOrder, *, full: bool) -> OrderDetail:
    """The order with its history; the petitioner's number masked unless `full`."""
    database = parts.core.database
    person: Petitioner | None = await register.petitioner(database, order.id)
    number = (person.number or person.contact or "") if person else ""
    return OrderDetail(
        **_brief(parts, order).model_dump(),
        petitioner=number if full else mask(number),
        content=order.content,
        place=order.place or "",
        recordings=[
            {
                "id": one.id,
                "name": one.name,
                "state": one.state,
                "duration_s": one.duration_s,
                "format": one.format,
            }
            for one in order.recordings
        ],
        events=[
            OrderEvent(
                at=parts.local(event.at),
                kind=event.kind,
                actor=event.actor,
                status=event.to_status,
                data=event.data,
            )
            for event in await register.history(database, order.id)
        ],
        transitions=list(possible(order.status)),
    )
