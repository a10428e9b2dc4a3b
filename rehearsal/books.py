"""Ledger and orders of a rehearsal. The ledger is the real one, written in batches; orders are kept in memory and counted:
a real database would refuse a doubled order in silence, here it is a fault of the flow."""

from collections.abc import Sequence

from calls.ledger import Entry, Ledger, LedgerBook
from config.database import Database
from ivr.call import Call, Outcome
from ivr.commands import MakeOrder
from workorders.intake import OrderRef

#: Facts written at a time.
BATCH = 2000


class BufferedLedger(LedgerBook):
    """The ledger, a batch at a time. `faults` tells of calls that were given a second, other outcome."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._waiting: list[Entry] = []
        #: All of them, by the id of their command.
        self.facts: dict[str, Entry] = {}
        self._closed: dict[str, tuple[str, Outcome]] = {}
        self.faults: list[str] = []

    async def put(self, entry: Entry) -> bool:
        await self.write_many([entry])
        return True

    async def write_many(self, entries: Sequence[Entry]) -> None:
        """Facts of many calls, as the outbox puts them down."""
        for entry in entries:
            if entry.outcome is not None:
                first = self._closed.setdefault(entry.call_id, (entry.command_id, entry.outcome))
                if first != (entry.command_id, entry.outcome):
                    self.faults.append(f"{entry.call_id} was closed as {first[1]} and as {entry.outcome}")
        self._waiting += entries
        self.facts.update((entry.command_id, entry) for entry in entries)

    async def flush(self, at_least: int = 1) -> None:
        """Everything is in the database, unless that are fewer than `at_least`."""
        if len(self._waiting) >= at_least:
            written, self._waiting = self._waiting, []
            await self._ledger.write_many(written)


class OrderBook:
    """One order a call; for those who give up waiting, one a number."""

    def __init__(self) -> None:
        self.by_call: dict[str, tuple[str, OrderRef]] = {}
        self.sources: dict[str, str] = {}
        self.withdrawn: set[str] = set()
        self._rescues: dict[str, OrderRef] = {}
        #: When the caller of a number gave up last, and came back last: told in any order.
        self._gave_up_at: dict[str, float] = {}
        self._back_at: dict[str, float] = {}
        self.doubled: list[str] = []

    async def make(self, command_id: str, call: Call, command: MakeOrder) -> OrderRef:
        made = self.by_call.get(call.id)
        if made is not None:
            if made[0] != command_id:
                self.doubled.append(call.id)
            return made[1]
        rescue = command.source == "abandoned" and bool(call.number)
        order = self._rescues.get(call.number) if rescue else None
        if order is None:
            order = OrderRef(id=f"o-{call.id}", number=f"1125{len(self.by_call) + 1:05d}")
        if rescue:
            self._rescues[call.number] = order
            self._gave_up_at[call.number] = max(command.at, self._gave_up_at.get(call.number, 0.0))
            self._decide(call.number, order)
        self.by_call[call.id] = (command_id, order)
        self.sources[order.id] = command.source
        return order

    async def withdraw(self, command_id: str, call: Call, at: float) -> bool:
        self._back_at[call.number] = max(at, self._back_at.get(call.number, 0.0))
        order = self._rescues.get(call.number)
        if order is None:
            return False
        self._decide(call.number, order)
        return order.id in self.withdrawn

    def _decide(self, number: str, order: OrderRef) -> None:
        """What the caller did last stands."""
        gone = self._gave_up_at[number] > self._back_at.get(number, 0.0)
        (self.withdrawn.discard if gone else self.withdrawn.add)(order.id)

    def is_to_be_called_back(self, number: str) -> bool:
        """Whoever gave up waiting with this number has an order that stands."""
        order = self._rescues.get(number)
        return order is not None and order.id not in self.withdrawn

    async def compare(self, database: Database) -> list[str]:
        """Where the database has other orders than the book. This one keeps none there."""
        del database
        return []

    @property
    def orders(self) -> int:
        """How many there are, those that were withdrawn left out."""
        return len({order.id for _, order in self.by_call.values()} - self.withdrawn)
