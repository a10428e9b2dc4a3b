"""The order's form that an operator fills in during the call. The order may come before the form is complete, or after it."""

from typing import Literal

import msgspec
from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from config.columns import from_unix
from config.database import Database
from workorders.history import record
from workorders.model import OrderForm, WorkOrder
from workorders.transitions import FINAL

Kind = Literal["", "consult", "help", "complaint", "suggestion"]
#: 咨詢 求助 投訴 建議
KINDS: tuple[Kind, ...] = ("consult", "help", "complaint", "suggestion")
#: The unit of an order that was delivered is changed by a transition only: its deadline runs there.
_NOT_DELIVERED = ("registered", "returned")


class FormChanged(ValueError):
    """Somebody else saved this form meanwhile."""


class FormClosed(ValueError):
    """The order of this call is closed or cancelled."""


class Form(Struct, frozen=True, kw_only=True):
    """What is known of the matter."""

    kind: Kind = ""
    unit: str = ""
    place: str = ""
    content: str = ""
    urgent: bool = False
    confidential: bool = False


class Kept(Struct, frozen=True):
    """A form as it was saved last; version 0 = never."""

    form: Form = Form()
    version: int = 0
    saved_by: str = ""


async def form_of(database: Database, call_id: str) -> Kept:
    """The form of a call; an empty one when nothing was saved yet."""
    async with database.read() as session:
        row = await session.get(OrderForm, call_id)
    return _kept(row) if row else Kept()


async def save_form(database: Database, call_id: str, form: Form, version: int, who: str, at: float) -> Kept:
    """Keep `form`, which was made from `version`, and put it into the call's order if there is one. Raises FormChanged,
    FormClosed."""
    if await _order_is_over(database, call_id):
        raise FormClosed("the order of this call is closed or cancelled")
    text = msgspec.json.encode(form).decode()
    try:
        async with database.begin() as session:
            row = await session.get(OrderForm, call_id, with_for_update=True)
            if (row.version if row else 0) != version:
                raise FormChanged("somebody else saved this form meanwhile")
            if row is None:
                row = OrderForm(call_id=call_id)
                session.add(row)
            row.form, row.version, row.saved_at, row.saved_by = text, version + 1, from_unix(at), who[:60]
    except IntegrityError as error:
        raise FormChanged("somebody else saved this form meanwhile") from error
    await fill_order(database, call_id, at)
    return Kept(form, version + 1, who[:60])


async def fill_order(database: Database, call_id: str, at: float) -> bool:
    """Put the form of a call into its order. Called by whoever made the one or the other, after it is kept: so the later of
    the two finds both. False when one of them is not there, or nothing is new."""
    kept = await form_of(database, call_id)
    if not kept.version:
        return False
    async with database.begin() as session:
        order = await session.scalar(select(WorkOrder).where(WorkOrder.call_id == call_id).with_for_update())
        if order is None or order.status in FINAL:
            return False
        new = _values(kept.form, with_unit=order.status in _NOT_DELIVERED)
        changed = sorted(name for name, value in new.items() if getattr(order, name) != value)
        for name in changed:
            setattr(order, name, new[name])
        if changed:
            data = {"fields": changed}
            record(session, order, "filled", from_unix(at), actor=kept.saved_by, before=order.status, data=data)
        return bool(changed)


async def _order_is_over(database: Database, call_id: str) -> bool:
    async with database.read() as session:
        status = await session.scalar(select(WorkOrder.status).where(WorkOrder.call_id == call_id))
    return status in FINAL


def _values(form: Form, *, with_unit: bool) -> dict[str, object]:
    """By the column of the order."""
    unit = {"unit": form.unit} if form.unit and with_unit else {}
    return {
        "kind": form.kind, "place": form.place or None, "content": form.content, "urgent": form.urgent,
        "confidential": form.confidential, **unit,
    }  # fmt: skip


def _kept(row: OrderForm) -> Kept:
    return Kept(msgspec.json.decode(row.form, type=Form), row.version, row.saved_by)
