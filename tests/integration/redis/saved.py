"""Turns that a process saved before it died, with their commands still to be performed."""

from msgspec.structs import replace

from ivr.call import Call
from ivr.commands import AnyCommand, JoinLine, LeaveLine, MakeOrder, Note
from tests.doubles.bench import Process

CALL = "a-pbx1-1-1"
STARTED = 1795568400.0
PRIVATE = "13812345678"
NOTE = Note(kind="keyed", at=1.0)
ORDER = MakeOrder(source="declined", recording="m-1", contact="", at=1.0)
JOIN = JoinLine(seat_id="s1", joined_at=1.0)
LEAVE = LeaveLine(seat_id="s1", reason="abandoned")


async def put(ours: Process, *commands: AnyCommand, call_id: str = CALL) -> Call:
    """Saves a turn and dies before anything is performed."""
    call = await ours.calls.get(call_id)
    call = call or await ours.calls.create(Call(call_id, "asterisk", STARTED))
    after = replace(call, seq=call.seq + 1)
    assert await ours.calls.put_if_unchanged(call.seq, after, commands)
    return after


async def drain(ours: Process) -> int:
    taken = await ours.outbox.drain_once()
    await ours.outbox.idle()
    return taken


def new_call(call_id: str = CALL, at: float = STARTED) -> Call:
    """Of a number that nobody may see."""
    return Call(call_id, "asterisk", at, number="+86" + PRIVATE, entered_at=at)
