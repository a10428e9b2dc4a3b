"""What operators write down while a citizen and the leader talk: notes (同步記錄), and the form of the order."""

import msgspec
from fastapi import APIRouter, Request

from api.auth import DeskOperator
from api.documents import problems
from api.looks import look_at_call
from api.parts import Behind, Parts
from api.problems import Problem
from api.routes.line import find_call
from api.schemas.calls import FormIn, FormOut, NoteIn, NoteOut, NotesOut
from api.texts import Identifier
from calls.written import tell_written
from workorders import forms, notes

router = APIRouter(prefix="/api/calls", tags=["calls"])
_READ = problems("unauthenticated", "forbidden", "call_not_found", "database_unavailable", "redis_unavailable")
_ACT = problems(
    "unauthenticated", "forbidden", "call_not_found", "state_conflict", "form_changed", "database_unavailable",
    "redis_unavailable",
)  # fmt: skip


@router.get("/{call_id}/notes", responses=_READ)
async def list_notes(call_id: Identifier, request: Request, parts: Behind, who: DeskOperator) -> NotesOut:
    """The record of a call, the first line first. The look is recorded."""
    await look_at_call(request, who, call_id, await parts.core.calls.get(call_id))
    found = await notes.notes_of(parts.core.database, call_id)
    return NotesOut(items=[NoteOut(at=parts.local(one.at), who=one.who, text=one.text) for one in found])


@router.post("/{call_id}/notes", status_code=201, responses=_ACT)
async def add_call_note(call_id: Identifier, wanted: NoteIn, parts: Behind, who: DeskOperator) -> NoteOut:
    """One line more; it stays as it is."""
    await find_call(parts, call_id)
    try:
        made = await notes.add_note(parts.core.database, call_id, who.name, wanted.text, parts.core.clock())
    except notes.TooManyNotes as error:
        raise Problem("state_conflict", str(error)) from error
    await _tell(parts, call_id)
    return NoteOut(at=parts.local(made.at), who=made.who, text=made.text)


@router.get("/{call_id}/form", responses=_READ)
async def show_form(call_id: Identifier, request: Request, parts: Behind, who: DeskOperator) -> FormOut:
    """The order's form as it was saved last. The look is recorded."""
    await look_at_call(request, who, call_id, await parts.core.calls.get(call_id))
    return _shape(await forms.form_of(parts.core.database, call_id))


@router.put("/{call_id}/form", responses=_ACT)
async def save_call_form(call_id: Identifier, wanted: FormIn, parts: Behind, who: DeskOperator) -> FormOut:
    """Keep it. It becomes part of the call's order when that is made, and at once when it is there. `form_changed`: somebody
    else saved another since `version`."""
    await find_call(parts, call_id)
    form = forms.Form(
        kind=wanted.kind, unit=wanted.unit.strip(), place=wanted.place.strip(), content=wanted.content,
        urgent=wanted.urgent, confidential=wanted.confidential,
    )  # fmt: skip
    try:
        kept = await forms.save_form(
            parts.core.database, call_id, form, wanted.version, who.name, parts.core.clock()
        )
    except forms.FormChanged as error:
        raise Problem("form_changed", "Load the form anew.") from error
    except forms.FormClosed as error:
        raise Problem("state_conflict", "The order of this call is closed or cancelled.") from error
    await _tell(parts, call_id)
    return _shape(kept)


def _shape(kept: forms.Kept) -> FormOut:
    return FormOut(**msgspec.structs.asdict(kept.form), version=kept.version, saved_by=kept.saved_by)


async def _tell(parts: Parts, call_id: str) -> None:
    await tell_written(parts.core.redis, parts.core.settings.redis_prefix, call_id)
