"""Make work orders: once per command and once per call, however often it is asked and by how many processes."""

from msgspec import Struct
from sqlalchemy import or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from config.columns import from_unix
from config.database import Database
from config.ids import new_id
from config.inserts import insert_into
from config.text import clean
from workorders.history import record
from workorders.kept_numbers import kept_id
from workorders.model import OrderTag, Petitioner, Recording, WorkOrder
from workorders.numbers import next_number
from workorders.tags import SESSION_TAG, fold, normal

_LONGEST_CONTENT = 4000
_TRIES = 3


class NewOrder(Struct, frozen=True, kw_only=True):
    """What an order is made of. `number` and `contact` are personal data: they go to the encrypted columns only."""

    #: Id of the command that asks for it.
    command_id: str
    #: Unix seconds.
    at: float
    #: declined | abandoned | callback | released | closed | talked | fallback | web
    source: str
    call_id: str | None = None
    session_id: str = ""
    seat_id: str = ""
    unit: str = ""
    #: Name of the recorded message, without folder and extension; empty = nothing is recorded.
    recording: str = ""
    #: The carrier's name of the leg by which we called back and recorded; empty = the leg they came by.
    leg: str = ""
    number: str = ""
    contact: str = ""
    name: str = ""
    content: str = ""
    urgent: bool = False
    confidential: bool = False
    #: The tag of the sessions comes by itself for every order with a session.
    tags: tuple[str, ...] = ()
    timezone: str = "Asia/Shanghai"


class OrderRef(Struct, frozen=True):
    """An order by its id and its spoken number. `made` is False when it was there already."""

    id: str
    number: str
    made: bool = True


async def make_order(database: Database, new: NewOrder, *, withdrawn: bool = False) -> OrderRef:
    """The order of this command and call, made if there is none; `withdrawn`: as one that is not wanted any more. Raises
    DatabaseUnavailable."""
    for _ in range(_TRIES):
        try:
            async with database.begin() as session:
                existing = await _existing(session, new)
                return existing or await _insert(session, new, database, withdrawn=withdrawn)
        except IntegrityError:
            continue  # another process made it between our look and our insert: look again
    async with database.read() as session:
        existing = await _existing(session, new)
    if existing is None:
        raise ValueError("the order's data are refused by the database")
    return existing


async def _existing(session: AsyncSession, new: NewOrder) -> OrderRef | None:
    same = WorkOrder.command_id == new.command_id
    if new.call_id:
        same = or_(same, WorkOrder.call_id == new.call_id)
    row = (await session.execute(select(WorkOrder.id, WorkOrder.number).where(same))).first()
    return OrderRef(id=row.id, number=row.number, made=False) if row else None


async def _insert(session: AsyncSession, new: NewOrder, database: Database, *, withdrawn: bool) -> OrderRef:
    at = from_unix(new.at)
    petitioner = Petitioner(
        id=kept_id(new.call_id) if new.call_id else new_id(),
        name=clean(new.name, 60) or None,
        created_at=at,
    )
    if reached_at := new.number or new.contact:  # else whoever is known keeps the number
        petitioner.number, petitioner.contact = new.number or None, new.contact or None
        petitioner.number_hash = database.cipher.hash_number(reached_at)
    petitioner = await session.merge(petitioner)  # whose place was kept is known
    await session.flush()
    order = WorkOrder(
        number=await next_number(session, at, new.timezone),
        command_id=new.command_id,
        call_id=new.call_id or None,
        session_id=new.session_id,
        seat_id=new.seat_id,
        unit=new.unit,
        source=new.source,
        urgent=new.urgent,
        confidential=new.confidential,
        content=clean(new.content, _LONGEST_CONTENT),
        created_at=at,
        petitioner_id=petitioner.id,
        tags=[OrderTag(tag=tag, folded=fold(tag)) for tag in _tags(new)],
        recordings=_recordings(new),
    )
    session.add(order)
    await session.flush()
    record(session, order, "registered", at, data={"source": new.source})
    if withdrawn:
        before, order.status = order.status, "cancelled"
        record(session, order, "withdrawn", at, before=before)
    return OrderRef(id=order.id, number=order.number)


async def add_recording(database: Database, call_id: str, name: str) -> str:
    """A recording that the call's order knew nothing of, expected from now on; the order's id, empty when there is no order
    (yet). Repeatable."""
    async with database.begin() as session:
        order_id = await session.scalar(select(WorkOrder.id).where(WorkOrder.call_id == call_id))
        if order_id is None:
            return ""
        values = {"id": new_id(), "order_id": order_id, "call_id": call_id, "name": name, "path": f"{name}.wav"}
        blank = {"state": "expected", "leg": "", "sha256": "", "format": ""}
        await session.execute(
            insert_into(session, Recording).values(**values, **blank).on_conflict_do_nothing(index_elements=["name"])
        )
    return order_id


def _tags(new: NewOrder) -> list[str]:
    """R4.3b: every order born of a session is tagged before it is dispatched."""
    asked = [normal(tag) for tag in new.tags] + ([SESSION_TAG] if new.session_id else [])
    return sorted({tag for tag in asked if tag})


def _recordings(new: NewOrder) -> list[Recording]:
    if not new.recording:
        return []
    name, path = new.recording, f"{new.recording}.wav"
    return [Recording(call_id=new.call_id or "", leg=new.leg, name=name, path=path)]
