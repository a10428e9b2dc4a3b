"""The record that operators keep while a citizen and the leader talk (同步記錄): lines with time and author, encrypted."""

from sqlalchemy import func, select

from config.columns import from_unix
from config.database import Database
from config.text import clean
from workorders.model import CallNote

LONGEST = 500
#: A call of four hours with a line every half minute.
MOST = 500


class TooManyNotes(ValueError):
    """This call has as many notes as a call may have."""


async def add_note(database: Database, call_id: str, who: str, text: str, at: float) -> CallNote:
    """One line more. `at` in Unix seconds. Raises TooManyNotes."""
    note = CallNote(call_id=call_id, at=from_unix(at), who=clean(who, 60), text=clean(text, LONGEST))
    async with database.begin() as session:
        count = await session.scalar(select(func.count()).select_from(CallNote).where(CallNote.call_id == call_id))
        if (count or 0) >= MOST:
            raise TooManyNotes("this call has as many notes as a call may have")
        session.add(note)
    return note


async def notes_of(database: Database, call_id: str) -> list[CallNote]:
    """The lines of a call, the first one first."""
    async with database.read() as session:
        query = select(CallNote).where(CallNote.call_id == call_id).order_by(CallNote.id)
        return list(await session.scalars(query))
