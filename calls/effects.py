"""What each command does in the world. Every effect is idempotent: it may be performed again after a crash."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, assert_never

from msgspec.structs import replace

from calls.entries import Entry
from calls.job_names import FINISH_RECORDING
from calls.ledger import Entry as Fact
from calls.ledger import LedgerBook
from calls.model import CLOSED
from calls.outbox import WriteDown
from calls.places import Places
from calls.served_order import MEANWHILE_S
from calls.store import Calls, Reading, UnknownCall
from config.clock import Clock
from ivr.call import Call
from ivr.commands import (
    CloseCall,
    FreeSeat,
    JoinLine,
    KeepNumber,
    LeaveLine,
    MakeOrder,
    Note,
    ReturnToHead,
    TakeSeat,
    WakeAt,
    WithdrawOrder,
)
from queueing.line import Joined, Line

#: Leaving a line for these reasons keeps the number's place, or another call has it, or it was settled when the caller left.
KEEPING = ("moved", "replaced", "stray")


class OrderRef(Protocol):
    """A work order: its id and the number that is spoken."""

    @property
    def id(self) -> str: ...
    @property
    def number(self) -> str: ...


class FactsBook(Protocol):
    """The part of calls.ledger.Ledger that takes many facts."""

    async def write_many(self, entries: Sequence[Fact]) -> None: ...


#: (command id, call, command) -> the order, made once per call.
OrderMaker = Callable[[str, Call, MakeOrder], Awaitable[OrderRef]]
#: (name of a job, its argument: an id).
Enqueue = Callable[[str, str], Awaitable[None]]
#: (call id, call): the order to call back, if there is one that nobody works on yet, is withdrawn.
OrderWithdrawer = Callable[[str, Call, float], Awaitable[bool]]
#: (call, Unix seconds): the number at which this caller is called back lasts longer than Redis.
NumberKeeper = Callable[[Call, float], Awaitable[None]]
#: (call id, newer call id): the turn by which a call gives up its place to a newer one of the same number.
GiveWay = Callable[[str, str], Awaitable[None]]
#: (call id, number of the order): the turn by which the caller hears it.
TellNumber = Callable[[str, str], Awaitable[None]]
#: A fact that no turn says goes to the ledger, soon: the line does not wait for the database.
AddFact = Callable[[Entry], Awaitable[None]]


class Effects:
    """Performs one entry of the outbox. Raises whatever the database, the queue or Redis raise: then it is tried again."""

    def __init__(
        self,
        store: Calls,
        line: Line,
        ledger: LedgerBook,
        places: Places,
        make_order: OrderMaker,
        withdraw_order: OrderWithdrawer,
        give_way: GiveWay,
        enqueue: Enqueue,
        tell_number: TellNumber,
        add_fact: AddFact,
        clock: Clock,
        keep_number: NumberKeeper | None = None,
    ) -> None:
        """`keep_number`: without it the numbers of kept places last as long as Redis keeps them."""
        self._store = store
        self._line = line
        self._ledger = ledger
        self._places = places
        self._make_order = make_order
        self._withdraw_order = withdraw_order
        self._give_way = give_way
        self._enqueue = enqueue
        self._tell_number = tell_number
        self._add_fact = add_fact
        self._clock = clock
        self._keep_number = keep_number

    async def perform(self, entry: Entry) -> None:
        """A result that says "stale" or "there already" is a success: somebody or something was earlier."""
        line = self._line
        match entry.command:
            case JoinLine():
                await self._join(entry, entry.command)
            case LeaveLine():
                await self._leave(entry, entry.command)
            case ReturnToHead(seat_id=seat, token=token, reason=why, pause=pause, behind=behind, from_talk=from_talk):
                await line.return_to_head(seat, token, why, pause, behind, from_talk=from_talk)
            case TakeSeat(seat_id=seat, token=token, at=at):
                reading = self._store.begin_read(entry.call_id)
                await line.take(seat, token, at)
                await self._leave_place(entry, reading, may_come_back=False)
            case FreeSeat(seat_id=seat, token=token, talked=talked, at=at):
                await line.free(seat, token, talked, at)
            case WakeAt():
                return  # done by the put itself
            case Note() | CloseCall() | MakeOrder() | WithdrawOrder() | KeepNumber():
                await self._keep_books(entry, entry.command)
            case _:
                assert_never(entry.command)

    async def _keep_books(
        self, entry: Entry, command: Note | CloseCall | MakeOrder | WithdrawOrder | KeepNumber
    ) -> None:
        match command:
            case Note() | CloseCall():
                await self._write(entry, command)
            case MakeOrder():
                await self._order(entry, command)
            case WithdrawOrder(at=at):
                await self._withdraw_order(entry.id, await self._call(entry), at)
            case KeepNumber(at=at):
                if self._keep_number is not None:
                    await self._keep_number(await self._call(entry), at)
            case _:
                assert_never(command)

    async def _join(self, entry: Entry, command: JoinLine) -> None:
        """Into the line; and one place a number: who waits with the same number by another call gives way."""
        reading = self._store.begin_read(entry.call_id)
        seat_id, now = command.seat_id, self._clock()
        late_at = now if now - entry.at > MEANWHILE_S else 0.0
        joined = await self._line.join(
            seat_id, entry.call_id, command.joined_at, entry.seq, late_at=late_at, from_call=command.from_call
        )
        await self._tell_late(entry, command, joined)
        if not joined.position:
            return
        marking = self._line.begin_mark(seat_id, entry.call_id, command.mark)
        call = await _known(entry, reading)
        before = await self._places.take(call.number, entry.call_id, seat_id, command.joined_at)
        await marking
        for one in before:
            await self._give_way(one, entry.call_id)
        if before:
            await self._places.told(call.number, entry.call_id)

    async def _tell_late(self, entry: Entry, command: JoinLine, joined: Joined) -> None:
        """Also when a process died that had put the caller into the line and had told nobody."""
        came_at = self._clock() if joined.is_new else joined.late_at
        if came_at - entry.at > MEANWHILE_S:
            await self._add_fact(_joined_late(entry, command, came_at))
            await self._line.told_late(command.seat_id, entry.call_id)

    async def _leave(self, entry: Entry, command: LeaveLine) -> None:
        reading = self._store.begin_read(entry.call_id)
        await self._line.leave(command.seat_id, entry.call_id, command.reason, entry.seq)
        if command.reason not in KEEPING:
            await self._leave_place(entry, reading, may_come_back=command.reason == "abandoned")

    async def _leave_place(self, entry: Entry, reading: Reading, *, may_come_back: bool) -> None:
        number = (await _known(entry, reading)).number
        await self._places.leave(number, entry.call_id, may_come_back=may_come_back)

    async def _call(self, entry: Entry) -> Call:
        return await _known(entry, self._store.begin_read(entry.call_id))

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
        call = await self._call(entry)
        order = await self._make_order(entry.id, call, command)
        if command.recording:
            await self._enqueue(FINISH_RECORDING, order.id)
        await self._tell_number(entry.call_id, order.number)


def _joined_late(entry: Entry, command: JoinLine, at: float) -> Entry:
    """Who said yes to a process that died is in the line once another one took over: that others went first meanwhile needs
    this reason."""
    note = Note(kind="joined_late", at=at, data={"seat_id": command.seat_id, "since": entry.at})
    return replace(entry, id=f"{entry.id}-late", at=at, command=note)


async def _known(entry: Entry, reading: Reading) -> Call:
    """The call of an entry, whose record is being read beside the act."""
    saved = await reading
    if saved is None:
        raise UnknownCall(entry.call_id)
    return saved.call


def write_down(ledger: FactsBook) -> WriteDown:
    """Puts down the facts of many calls in one transaction."""

    async def write(entries: Sequence[Entry]) -> None:
        await ledger.write_many([_fact(entry) for entry in entries])

    return write


def _fact(entry: Entry) -> Fact:
    match entry.command:
        case Note(kind=kind, at=at, data=data):
            fact = Fact(command_id=entry.id, call_id=entry.call_id, kind=kind, at=at, data=data)
        case CloseCall(outcome=outcome, at=at):
            fact = Fact(command_id=entry.id, call_id=entry.call_id, kind=CLOSED, at=at, outcome=outcome)
        case other:
            raise TypeError(f"{type(other).__name__} is more than a fact")
    return replace(fact, session_id=entry.session_id, carrier=entry.carrier, host=entry.host)
