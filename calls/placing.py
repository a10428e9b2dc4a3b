"""Calls that we place about an order, from being asked for to their end: the record beside the ledger. Rings nobody itself.

The database is the clock: what is due is found by `placed_register.due`, taken by `claim`, and given up by `missed`. Each is
one transaction, so a process may die at any point: a try of which nothing is heard is looked after when its time is up.
"""

import hashlib

import msgspec
import structlog
from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from calls.calling_hours import next_allowed
from config.columns import from_unix
from config.database import Database
from config.numbers import read_dialable
from config.settings import Settings
from config.text import clean
from ivr.placed import Conversation, Purpose
from workorders.dispatch import HOTLINE_UNIT
from workorders.history import record
from workorders.model import Petitioner, PlacedCall, Unit, WorkOrder
from workorders.progress import locked

log = structlog.get_logger()

#: In these states of its order a call makes sense.
OPEN_TO: dict[Purpose, tuple[str, ...]] = {
    "urgent": ("registered", "dispatched", "signed", "handling", "returned"),
    "follow_up": ("replied",),
}
#: The unit of an order in these states is not decided, or was the wrong one.
_FREE_UNIT = ("registered", "returned")
#: Whoever was rung hears or says something within so long, machine detection included; and a conversation lasts no longer.
HEARD_WITHIN_S, TALK_S = 60.0, 240.0
#: The phone is in use for another of our calls.
BUSY_S = 20.0
#: Results that leave the order to a person.
LEFT_TO_PEOPLE = ("unreached", "no_number", "refused", "operator")
#: Of these a person can say that they took over. Who refused is asked by nobody: the order is closed, or goes back.
TAKEN_OVER = ("unreached", "no_number", "operator")


class AskRefused(ValueError):
    """This call cannot be asked for now; the message says why."""


class Claim(Struct, frozen=True):
    """One try, to be made by whoever holds this. `number` E.164 is personal data."""

    id: str
    leg: str
    number: str
    ring_s: float


class Lapsed(Struct, frozen=True):
    """A try of which nothing was heard in time."""

    id: str
    leg: str


def leg_of_try(placed_id: str, tries: int) -> str:
    """The id of one try, the same for everybody."""
    return hashlib.sha256(f"{placed_id}/{tries}".encode()).hexdigest()[:26]


async def ask(
    database: Database, order_id: str, purpose: Purpose, at: float, *, actor: str, unit: str = "", reason: str = ""
) -> PlacedCall:
    """Ask for a call, due at once. `unit`: to whom an urgent order is assigned; empty = whom the order names. `at` in Unix
    seconds. Raises UnknownOrder, AskRefused."""
    when = from_unix(at)
    try:
        async with database.begin() as session:
            order = await locked(session, order_id)
            wanted = _unit_of(order, purpose, clean(unit, 100))
            await _check(session, order, purpose, wanted)
            row = PlacedCall(
                purpose=purpose, order_id=order.id, unit=wanted, state="waiting", tries=0, due_at=when, leg="", talk="",
                result="", missed="", asked_at=when, asked_by=clean(actor, 60),
            )  # fmt: skip
            session.add(row)
            if purpose == "urgent":
                order.urgent, order.unit = True, wanted
            told = {"unit": wanted} | ({"reason": clean(reason, 200)} if reason else {})
            record(session, order, f"{purpose}_asked", when, actor=actor, before=order.status, data=told)
    except IntegrityError as error:
        raise AskRefused("a call about this order is under way") from error
    log.info("a call about an order is asked for", purpose=purpose, order_id=order_id, placed_id=row.id)
    return row


async def claim(database: Database, settings: Settings, placed_id: str, at: float) -> Claim | None:
    """The next try, for one of all who ask. None: it is not due, somebody else has it, or it has no sense any more."""
    try:
        async with database.begin() as session:
            row = await _locked(session, placed_id)
            if row is None or row.state != "waiting" or row.due_at > from_unix(at):
                return None
            return await _claim(session, database, settings, row, at)
    except IntegrityError:
        return None  # at this moment the same phone is rung for another order


async def lapsed(database: Database, placed_id: str, at: float) -> Lapsed | None:
    """The try of a call of which nothing was heard in time."""
    async with database.read() as session:
        row = await session.get(PlacedCall, placed_id)
    if row is None or row.state not in ("ringing", "talking") or row.due_at > from_unix(at):
        return None
    return Lapsed(row.id, row.leg)


async def goes_on(database: Database, placed_id: str, leg: str, at: float) -> None:
    """The carrier says that this try is not over."""
    async with database.begin() as session:
        row = await _locked(session, placed_id)
        if row is not None and row.leg == leg and row.state in ("ringing", "talking"):
            row.due_at = from_unix(at + HEARD_WITHIN_S)


async def missed(database: Database, settings: Settings, placed_id: str, leg: str, reason: str, at: float) -> None:
    """This try is over and nothing was answered: once more later, or it is left to a person. Repeatable."""
    async with database.begin() as session:
        row = await _locked(session, placed_id)
        if row is None or row.leg != leg or row.state not in ("ringing", "talking"):
            return
        order = await locked(session, row.order_id)
        row.missed = clean(reason, 20)
        told = {"unit": row.unit, "reason": row.missed, "attempt": row.tries}
        record(session, order, f"{row.purpose}_missed", from_unix(at), actor="system", before=order.status, data=told)
        tries, pause_s = _patience(settings, row.purpose)
        if row.tries >= tries:
            end(session, row, order, "unreached", at)
        else:
            row.state, row.phone = "waiting", None
            row.due_at = from_unix(_allowed(settings, row.purpose, at + pause_s))


async def withdraw(database: Database, order_id: str, placed_id: str, at: float, *, actor: str) -> PlacedCall:
    """A person takes over: nobody is rung any more, and it is left to nobody else. Who is on the phone already goes on. Raises
    UnknownOrder, AskRefused."""
    async with database.begin() as session:
        row = await _locked(session, placed_id)
        order = await locked(session, order_id)
        if row is None or row.order_id != order_id or (row.state == "done" and row.result not in TAKEN_OVER):
            raise AskRefused("there is no such call about this order that a person could take over")
        end(session, row, order, "withdrawn", at, actor=actor)
    return row


def end(session: AsyncSession, row: PlacedCall, order: WorkOrder, result: str, at: float, *, actor: str = "system") -> None:
    """No more tries; in the history, and in the log when it is left to a person."""
    row.state, row.result, row.phone, row.ended_at = "done", result, None, from_unix(at)
    told: dict[str, object] = {"unit": row.unit, "tries": row.tries, "asked_by": row.asked_by}
    record(session, order, f"{row.purpose}_{result}", row.ended_at, actor=actor, before=order.status, data=told)
    tell = log.warning if result in LEFT_TO_PEOPLE else log.info
    tell("a call about an order is over", purpose=row.purpose, order_id=row.order_id, placed_id=row.id, result=result)


# -- within a transaction -------------------------------------------------------------------------------------------------
async def _locked(session: AsyncSession, placed_id: str) -> PlacedCall | None:
    query = select(PlacedCall).where(PlacedCall.id == placed_id).with_for_update()
    row: PlacedCall | None = await session.scalar(query)
    return row


async def _claim(session: AsyncSession, database: Database, settings: Settings, row: PlacedCall, at: float) -> Claim | None:
    order = await locked(session, row.order_id)
    if order.status not in OPEN_TO[row.purpose] or row.unit != order.unit:  # type: ignore[index]
        end(session, row, order, "obsolete", at)
        return None
    if (allowed := _allowed(settings, row.purpose, at)) > at:
        row.due_at = from_unix(allowed)
        return None
    number = await _number(session, settings, row, order)
    if not number:
        end(session, row, order, "no_number", at)
        return None
    phone = database.cipher.hash_number(number)
    in_use = select(PlacedCall.id).where(PlacedCall.phone == phone, PlacedCall.state.in_(("ringing", "talking")))
    if await session.scalar(in_use.limit(1)):
        row.due_at = from_unix(at + BUSY_S)
        return None
    row.state, row.tries, row.phone = "ringing", row.tries + 1, phone
    row.leg, row.due_at = leg_of_try(row.id, row.tries), from_unix(at + settings.placed_ring_s + HEARD_WITHIN_S)
    row.talk = encode(_conversation(settings, row, order))
    return Claim(row.id, row.leg, number, settings.placed_ring_s)


def _conversation(settings: Settings, row: PlacedCall, order: WorkOrder) -> Conversation:
    return Conversation(row.purpose, order.number, row.unit or HOTLINE_UNIT, settings.language)  # type: ignore[arg-type]


def encode(talk: Conversation) -> str:
    """As it is kept."""
    return msgspec.json.encode(talk).decode()


async def _number(session: AsyncSession, settings: Settings, row: PlacedCall, order: WorkOrder) -> str:
    """E.164; empty when there is none that could be rung."""
    if row.purpose == "urgent":
        unit = await session.scalar(select(Unit).where(Unit.name == row.unit))
        return (unit.duty_number or "") if unit else ""
    person = await session.get(Petitioner, order.petitioner_id)
    return read_dialable(person.number or person.contact or "", settings) if person else ""


async def _check(session: AsyncSession, order: WorkOrder, purpose: Purpose, unit: str) -> None:
    """Raises AskRefused."""
    if order.status not in OPEN_TO[purpose]:
        raise AskRefused(f"not for an order that is {order.status}; it would have to be {' or '.join(OPEN_TO[purpose])}")
    query = select(PlacedCall.id).where(PlacedCall.order_id == order.id, PlacedCall.purpose == purpose)
    if await session.scalar(query.where(PlacedCall.state != "done").limit(1)):
        raise AskRefused("a call about this order is under way")
    if purpose == "follow_up":
        if await session.scalar(query.where(PlacedCall.result == "refused").limit(1)):
            raise AskRefused("the petitioner asked not to be called about this any more")
        return
    found = await session.scalar(select(Unit).where(Unit.name == unit))
    if found is None or not found.duty_number:
        raise AskRefused("this unit has no duty number")


def _unit_of(order: WorkOrder, purpose: Purpose, unit: str) -> str:
    """Raises AskRefused for another unit than the one that has the order."""
    if purpose == "follow_up" or not unit or unit == order.unit:
        return order.unit
    if order.status not in _FREE_UNIT:
        raise AskRefused("another unit has this order; it has to return it first")
    return unit


def _patience(settings: Settings, purpose: str) -> tuple[int, float]:
    if purpose == "urgent":
        return settings.urgent_tries, settings.urgent_pause_s
    return settings.follow_up_tries, settings.follow_up_pause_s


def _allowed(settings: Settings, purpose: str, at: float) -> float:
    """Urgent orders know no hours."""
    return at if purpose == "urgent" else next_allowed(at, settings.calling_hours, settings.timezone)
