"""What each command does in the world. Every effect is idempotent: it may be performed again after a crash."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol, assert_never

from calls.entries import Entry
from calls.store import Calls, UnknownCall
from ivr.call import Call, Outcome
from ivr.commands import (
    CloseCall,
    FreeSeat,
    JoinLine,
    LeaveLine,
    MakeOrder,
    Note,
    ReturnToHead,
    TakeSeat,
    WakeAt,
)
from queueing.line import Line

FINISH_RECORDING = "jobs.recordings.finish_recording"


class OrderRef(Protocol):
    """A work order: its id and the number that is spoken."""

    @property
    def id(self) -> str: ...
    @property
    def number(self) -> str: ...


class LedgerBook(Protocol):
    """The part of calls.ledger.Ledger that is needed here."""

    async def note(
        self,
        command_id: str,
        call_id: str,
        kind: str,
        at: float,
        data: dict[str, Any] | None = None,
        *,
        session_id: str = "",
        carrier: str = "",
        host: str = "",
    ) -> bool: ...

    async def close(
        self,
        command_id: str,
        call_id: str,
        outcome: Outcome,
        at: float,
        *,
        session_id: str = "",
        carrier: str = "",
        host: str = "",
    ) -> bool: ...


#: (command id, call, command) -> the order, made once per call.
OrderMaker = Callable[[str, Call, MakeOrder], Awaitable[OrderRef]]
#: (name of a job, its argument: an id).
Enqueue = Callable[[str, str], Awaitable[None]]
#: (call id, number of the order): the turn by which the caller hears it.
TellNumber = Callable[[str, str], Awaitable[None]]


class Effects:
    """Performs one entry of the outbox. Raises whatever the database, the queue or Redis raise: then it is tried again."""

    def __init__(
        self,
        store: Calls,
        line: Line,
        ledger: LedgerBook,
        make_order: OrderMaker,
        enqueue: Enqueue,
        tell_number: TellNumber,
    ) -> None:
        self._store = store
        self._line = line
        self._ledger = ledger
        self._make_order = make_order
        self._enqueue = enqueue
        self._tell_number = tell_number

    async def perform(self, entry: Entry) -> None:
        """A result that says "stale" or "there already" is a success: somebody or something was earlier."""
        line = self._line
        match entry.command:
            case JoinLine(seat_id=seat, joined_at=joined_at):
                await line.join(seat, entry.call_id, joined_at, entry.seq)
            case LeaveLine(seat_id=seat, reason=reason):
                await line.leave(seat, entry.call_id, reason, entry.seq)
            case ReturnToHead(seat_id=seat, token=token, reason=why, pause=pause):
                await line.return_to_head(seat, token, why, pause)
            case TakeSeat(seat_id=seat, token=token, at=at):
                await line.take(seat, token, at)
            case FreeSeat(seat_id=seat, token=token, talked=talked, at=at):
                await line.free(seat, token, talked, at)
            case Note() | CloseCall():
                await self._write(entry, entry.command)
            case MakeOrder():
                await self._order(entry, entry.command)
            case WakeAt():
                return  # done by the put itself
            case _:
                assert_never(entry.command)

    async def _write(self, entry: Entry, command: Note | CloseCall) -> None:
        ledger = self._ledger
        about = {"session_id": entry.session_id, "carrier": entry.carrier, "host": entry.host}
        match command:
            case Note(kind=kind, at=at, data=data):
                await ledger.note(entry.id, entry.call_id, kind, at, dict(data), **about)
            case CloseCall(outcome=outcome, at=at):
                await ledger.close(entry.id, entry.call_id, outcome, at, **about)
            case _:
                assert_never(command)

    async def _order(self, entry: Entry, command: MakeOrder) -> None:
        call = await self._store.get(entry.call_id)
        if call is None:
            raise UnknownCall(entry.call_id)
        order = await self._make_order(entry.id, call, command)
        if command.recording:
            await self._enqueue(FINISH_RECORDING, order.id)
        await self._tell_number(entry.call_id, order.number)
