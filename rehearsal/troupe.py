"""The parts of one process of a rehearsal, as `calls.assembly` puts them together, with virtual time and mortal parts."""

from collections.abc import Callable
from dataclasses import dataclass

from redis.asyncio import Redis

from calls.effects import Effects, write_down
from calls.entries import Entry
from calls.facts import FactsReader
from calls.outbox import Outbox, Perform
from calls.places import Places
from calls.store import Calls, UnknownCall
from calls.turn import Turns
from calls.wakeups import Wakeups
from config.settings import Settings
from ivr.call import Call
from ivr.commands import FreeSeat, JoinLine, LeaveLine, ReturnToHead, TakeSeat
from ivr.events import OrderMade, Released
from ivr.facts import Facts
from ivr.flow import advance, present
from ivr.verbs import AnyVerb
from queueing.depth import Depths
from queueing.line import Line
from queueing.seats import Seats
from rehearsal.books import BufferedLedger, OrderBook
from rehearsal.faults import Died, Faults, MortalCalls, mortal, mortal_books
from rehearsal.stage import Stage
from telephony.switchboard import Switchboard

#: What changes a line or its seat.
LineAct = JoinLine | LeaveLine | ReturnToHead | TakeSeat | FreeSeat
#: Told what a caller hears now.
Hear = Callable[[Call, tuple[AnyVerb, ...], Facts], None]
#: Told of an act that changed a line or its seat, when it is done.
Moved = Callable[[LineAct], None]


def watched(perform: Perform, moved: Moved) -> Perform:
    """Performs, and tells of what the switchboards hear announced."""

    async def perform_and_tell(entry: Entry) -> None:
        try:
            await perform(entry)
        finally:
            if isinstance(entry.command, LineAct):
                moved(entry.command)

    return perform_and_tell


@dataclass(frozen=True, slots=True)
class Process:
    """One process; another one on the same Redis may take its place at any time."""

    calls: Calls
    line: Line
    seats: Seats
    turns: Turns
    outbox: Outbox
    wakeups: Wakeups
    switchboard: Switchboard
    depths: Depths


def start(
    settings: Settings,
    redis: Redis,
    clock: Stage,
    ledger: BufferedLedger,
    orders: OrderBook,
    faults: Faults,
    hear: Hear,
    moved: Moved,
) -> Process:
    """A process with nothing in its memory."""
    calls, line = MortalCalls(redis, settings, clock, faults), Line(redis, settings, clock)
    seats = Seats(redis, settings, clock)

    async def tell_number(call_id: str, number: str) -> None:
        try:
            await turns.take_turn(call_id, lambda read: OrderMade(facts=read, number=number))
        except UnknownCall:
            return

    async def give_way(call_id: str, newer: str) -> None:
        try:
            await turns.take_turn(
                call_id, lambda read: Released(facts=read, to="other_call", reason="same_number", call_id=newer)
            )
        except UnknownCall:
            return

    async def enqueue(name: str, argument: str) -> None:
        del name, argument

    def heard(call: Call, facts: Facts) -> tuple[AnyVerb, ...]:
        verbs = present(call, facts)
        hear(call, verbs, facts)
        return verbs

    async def add_fact(fact: Entry) -> None:
        if faults.strike("died before telling"):
            raise Died
        await outbox.add(fact)

    effects = Effects(
        calls,
        line,
        ledger,
        Places(redis, settings, clock),
        orders.make,
        orders.withdraw,
        give_way,
        enqueue,
        tell_number,
        add_fact,
        clock,
    )
    perform, puts_down = mortal(effects.perform, faults), mortal_books(write_down(ledger), faults, clock.wait)
    outbox = Outbox(redis, settings, clock, watched(perform, moved), puts_down, together_s=0.0)
    turns = Turns(calls, outbox, FactsReader(redis, settings, clock), clock, settings, advance, heard)
    return Process(
        calls=calls,
        line=line,
        seats=seats,
        turns=turns,
        outbox=outbox,
        wakeups=Wakeups(redis, settings, clock, turns),
        switchboard=Switchboard(settings, redis, line, seats, turns, "rehearsal"),
        depths=Depths(redis, settings, clock),
    )
