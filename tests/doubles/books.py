"""A ledger, an order maker and a queue that only remember, and that can be told to fail."""

from dataclasses import dataclass, field

from calls.ledger import Entry, LedgerBook
from ivr.call import Call
from ivr.commands import MakeOrder


class Broken(Exception):
    """What a database that is away raises."""


@dataclass
class Order:
    id: str
    number: str


@dataclass
class Books(LedgerBook):
    """Idempotent by command id, as the real ones are; `performed` also lists repetitions."""

    performed: list[str] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)
    facts: dict[str, Entry] = field(default_factory=dict)
    outcomes: dict[str, str] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    jobs: list[tuple[str, str]] = field(default_factory=list)
    broken: bool = False
    refused: str = ""

    async def put(self, entry: Entry) -> bool:
        if entry.outcome is not None:
            self._perform(entry.command_id, "close")
            return self.outcomes.setdefault(entry.call_id, entry.outcome) == entry.outcome
        self._perform(entry.command_id, entry.kind)
        self.facts.setdefault(entry.command_id, entry)
        return self.notes.setdefault(entry.command_id, entry.kind) == entry.kind

    async def make_order(self, command_id: str, call: Call, command: MakeOrder) -> Order:
        self._perform(command_id, "order")
        number = f"2026-1125-{len(self.orders) + 1:04d}"
        return self.orders.setdefault(call.id, Order(f"o-{call.id}", number))

    async def withdraw_order(self, command_id: str, call: Call, at: float) -> bool:
        self._perform(command_id, "withdraw")
        return True

    async def enqueue(self, name: str, argument: str) -> None:
        self.jobs.append((name, argument))

    def _perform(self, command_id: str, kind: str) -> None:
        if self.broken or kind == self.refused:
            raise Broken
        self.performed.append(command_id)
