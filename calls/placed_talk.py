"""The turns of a call that we placed: what the person says by keys, and what it does to the order, in one transaction.

Repeated, late and reordered news changes nothing: an event is for one leg and one scene of it.
"""

from collections.abc import Callable
from typing import cast

import msgspec
import structlog
from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from calls.placing import TALK_S, encode, end
from config.columns import from_unix
from config.database import Database
from config.settings import Settings
from ivr.events import AnyEvent
from ivr.facts import Facts
from ivr.limits import Limits
from ivr.placed import Answer, Conversation, Purpose, advance
from workorders.history import record
from workorders.model import PlacedCall, WorkOrder
from workorders.progress import locked, take_step
from workorders.transitions import TransitionRefused, possible

log = structlog.get_logger()

MakeEvent = Callable[[Facts], AnyEvent]


class Said(Struct, frozen=True):
    """What is to be heard on a leg now, as `ivr.placed.present` takes it."""

    talk: Conversation
    facts: Facts
    #: The try is not over.
    live: bool


def facts_of(settings: Settings, at: float, *, operators: bool) -> Facts:
    """What a conversation may know of the world."""
    limits = Limits(ask_timeout_s=settings.ask_timeout_s, operator_ring_s=settings.operator_ring_s)
    return Facts(now=at, timezone=settings.timezone, operators=operators, city=settings.city, limits=limits)


async def answered(database: Database, placed_id: str, leg: str, facts: Facts) -> Said | None:
    """Somebody took this try. None: nobody is called by this leg any more."""
    async with database.begin() as session:
        row = await _of_leg(session, placed_id, leg)
        if row is None:
            return None
        if row.state == "ringing":
            row.state, row.due_at = "talking", from_unix(facts.now + TALK_S)
        return _said(row, facts)


async def heard(
    database: Database, settings: Settings, placed_id: str, leg: str, scene: int, facts: Facts, make: MakeEvent
) -> Said | None:
    """One turn: an event in the scene it answers. What follows from it for the order is saved with it. None as above."""
    async with database.begin() as session:
        row = await _of_leg(session, placed_id, leg)
        if row is None:
            return None
        talk = _talk(row)
        if talk.scene != scene:
            return _said(row, facts)
        after = advance(talk, make(facts))
        row.talk = encode(after)
        if after.answer != talk.answer:  # also when the news of the leg's end came first: who was told so has answered
            order = await locked(session, row.order_id)
            await _settle(session, settings, row, order, after.answer, facts.now)
        return _said(row, facts)


async def present(database: Database, placed_id: str, leg: str, facts: Facts) -> Said | None:
    """What is heard on this leg now."""
    async with database.read() as session:
        row = await session.get(PlacedCall, placed_id)
    return _said(row, facts) if row is not None and row.leg == leg and row.talk else None


async def _of_leg(session: AsyncSession, placed_id: str, leg: str) -> PlacedCall | None:
    query = select(PlacedCall).where(PlacedCall.id == placed_id).with_for_update()
    row: PlacedCall | None = await session.scalar(query)
    return row if row is not None and leg and row.leg == leg and row.talk else None


def _talk(row: PlacedCall) -> Conversation:
    return msgspec.json.decode(row.talk, type=Conversation)


def _said(row: PlacedCall, facts: Facts) -> Said:
    return Said(_talk(row), facts, row.state in ("ringing", "talking"))


async def _settle(
    session: AsyncSession, settings: Settings, row: PlacedCall, order: WorkOrder, answer: Answer, at: float
) -> None:
    """What the answer does: the order's history has who, when, to whom and what; then its next step."""
    end(session, row, order, answer, at)
    try:
        match cast(Purpose, row.purpose), answer:
            case "urgent", "confirmed":
                await _assign(session, settings, row, order, at)
            case "follow_up", "satisfied":
                await take_step(session, order, "close", from_unix(at), timezone=settings.timezone, actor="petitioner")
            case "follow_up", "unsatisfied":
                await _redo(session, settings, row, order, at)
            case _:
                return
    except TransitionRefused as error:
        log.warning("what was said on the phone came after the order had moved on", order_id=order.id, error=str(error))


async def _assign(
    session: AsyncSession, settings: Settings, row: PlacedCall, order: WorkOrder, at: float
) -> None:
    """The unit has it: delivered to its inbox unless it was, and signed."""
    order.urgent = True
    for step in ("dispatch", "sign"):
        if order.unit == row.unit and step in possible(order.status):
            await take_step(
                session, order, step, from_unix(at), timezone=settings.timezone, actor="system", unit=row.unit
            )  # fmt: skip


async def _redo(session: AsyncSession, settings: Settings, row: PlacedCall, order: WorkOrder, at: float) -> None:
    """Back to the unit, and somebody has to go and see (現場督辦)."""
    when = from_unix(at)
    await take_step(session, order, "redo", when, timezone=settings.timezone, actor="petitioner")
    record(session, order, "supervision_asked", when, actor="system", before=order.status, data={"unit": row.unit})
