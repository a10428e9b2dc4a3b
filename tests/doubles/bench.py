"""One process of ours on a test bench: the real store, line, outbox and turns over a real Redis, with any flow."""

from dataclasses import dataclass

from redis.asyncio import Redis

from calls.effects import Effects
from calls.entries import Entry
from calls.facts import FactsReader
from calls.outbox import Outbox
from calls.places import Places
from calls.store import Calls
from calls.turn import Advance, Present, Turns
from calls.wakeups import Wakeups
from config.clock import Clock
from config.settings import Settings
from ivr import flow
from ivr.events import OrderMade, Released
from queueing.line import Line
from queueing.seats import Seats
from tests.doubles.books import Books


@dataclass
class Process:
    """What one bridge or API process holds."""

    calls: Calls
    line: Line
    seats: Seats
    outbox: Outbox
    turns: Turns
    wakeups: Wakeups
    facts: FactsReader


def process(
    redis: Redis,
    settings: Settings,
    clock: Clock,
    books: Books,
    advance: Advance = flow.advance,
    present: Present = flow.present,
) -> Process:
    """A process with the parts of calls.assembly, whose books are a double."""
    calls, line = Calls(redis, settings, clock), Line(redis, settings, clock)

    async def tell_number(call_id: str, number: str) -> None:
        await turns.take_turn(call_id, lambda facts: OrderMade(facts=facts, number=number))

    async def give_way(call_id: str, newer: str) -> None:
        await turns.take_turn(
            call_id, lambda facts: Released(facts=facts, to="other_call", reason="same_number", call_id=newer)
        )

    async def add_fact(fact: Entry) -> None:
        await outbox.add(fact)

    effects = Effects(
        calls, line, books, Places(redis, settings, clock), books.make_order, books.withdraw_order, give_way,
        books.enqueue, tell_number, add_fact, clock,
    )  # fmt: skip
    outbox = Outbox(redis, settings, clock, effects.perform)
    facts = FactsReader(redis, settings, clock)
    turns = Turns(calls, outbox, facts, clock, settings, advance, present)
    wakeups = Wakeups(redis, settings, clock, turns)
    return Process(calls, line, Seats(redis, settings, clock), outbox, turns, wakeups, facts)
