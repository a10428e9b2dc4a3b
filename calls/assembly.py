"""Puts the parts of a process together: connections, store, line, turns, outbox. What bridge, API and worker start from."""

from dataclasses import dataclass

from redis.asyncio import Redis

from calls.effects import Effects, NumberKeeper, OrderMaker, OrderWithdrawer, write_down
from calls.enqueue import Enqueuer
from calls.entries import Entry
from calls.facts import FactsReader
from calls.ledger import Ledger
from calls.outbox import Outbox
from calls.places import Places
from calls.store import Calls, UnknownCall
from calls.turn import Turns
from calls.wakeups import Wakeups
from calls.written import tell_written
from config.clock import Clock, now
from config.database import Database
from config.redis import connect
from config.settings import Settings
from ivr.call import Call
from ivr.commands import MakeOrder
from ivr.events import OrderMade, Released
from ivr.flow import advance, present
from queueing.depth import Depths
from queueing.line import Line
from queueing.seats import Seats
from workorders.forms import fill_order
from workorders.intake import NewOrder, OrderRef, make_order
from workorders.kept_numbers import keep_number
from workorders.withdrawal import command_of, revive, withdraw


@dataclass(frozen=True, slots=True)
class Core:
    """Everything a process works with. Close it at the end: commands under way are finished first."""

    settings: Settings
    clock: Clock
    redis: Redis
    database: Database
    line: Line
    seats: Seats
    depths: Depths
    calls: Calls
    facts: FactsReader
    turns: Turns
    outbox: Outbox
    wakeups: Wakeups
    ledger: Ledger
    queue: Enqueuer

    async def close(self) -> None:
        """Finishes what this process is performing, then closes the connections."""
        await self.outbox.idle()
        await self.redis.aclose()
        self.queue.close()
        await self.database.close()


def build(settings: Settings, clock: Clock = now) -> Core:
    """Connects lazily: nothing is sent to Redis or the database yet."""
    redis = connect(settings)
    database = Database.of(settings)
    line, calls, ledger = Line(redis, settings, clock), Calls(redis, settings, clock), Ledger(database)
    queue, facts, seats = Enqueuer(settings), FactsReader(redis, settings, clock), Seats(redis, settings, clock)

    async def tell_number(call_id: str, number: str) -> None:
        await tell_written(redis, settings.redis_prefix, call_id)
        try:
            await turns.take_turn(call_id, lambda read: OrderMade(facts=read, number=number))
        except UnknownCall:
            return  # forgotten after a week: the order is there, nobody is left to hear its number

    async def give_way(call_id: str, newer: str) -> None:
        try:
            await turns.take_turn(
                call_id, lambda read: Released(facts=read, to="other_call", reason="same_number", call_id=newer)
            )
        except UnknownCall:
            return

    async def add_fact(fact: Entry) -> None:
        await outbox.add(fact)

    effects = Effects(
        calls,
        line,
        ledger,
        Places(redis, settings, clock),
        order_maker(database, seats, settings),
        order_withdrawer(database, settings),
        give_way,
        queue.enqueue,
        tell_number,
        add_fact,
        clock,
        number_keeper(database),
    )
    outbox = Outbox(redis, settings, clock, effects.perform, write_down(ledger))
    turns = Turns(calls, outbox, facts, clock, settings, advance, present)
    return Core(
        settings=settings,
        clock=clock,
        redis=redis,
        database=database,
        line=line,
        seats=seats,
        depths=Depths(redis, settings, clock),
        calls=calls,
        facts=facts,
        turns=turns,
        outbox=outbox,
        wakeups=Wakeups(redis, settings, clock, turns),
        ledger=ledger,
        queue=queue,
    )


def order_withdrawer(database: Database, settings: Settings) -> OrderWithdrawer:
    """Withdraws the order of a caller who gave up and is back in time."""

    async def withdraw_order(command_id: str, call: Call, at: float) -> bool:
        del command_id
        if not (call.number and call.session_id):
            return False
        once = command_of(database, call.session_id, call.number)
        back = NewOrder(
            command_id=once, at=at, source="abandoned", session_id=call.session_id, number=call.number, timezone=settings.timezone
        )
        return await withdraw(database, back)

    return withdraw_order


def number_keeper(database: Database) -> NumberKeeper:
    """Keeps the number of a caller who has hung up and keeps the place."""

    async def keep(call: Call, at: float) -> None:
        await keep_number(database, call.id, call.number, call.contact, at)

    return keep


def order_maker(database: Database, seats: Seats, settings: Settings) -> OrderMaker:
    """Makes the work order of a call from what the call knows."""

    async def make(command_id: str, call: Call, command: MakeOrder) -> OrderRef:
        seat = await seats.state(call.seat_id) if call.seat_id else None
        again = command.source == "abandoned" and bool(call.number and call.session_id)
        once = command_of(database, call.session_id, call.number) if again else command_id
        new = NewOrder(
            command_id=once,
            at=command.at,
            source=command.source,
            call_id=call.id,
            session_id=call.session_id,
            seat_id=call.seat_id,
            unit=seat.unit if seat else "",
            recording=command.recording,
            leg=call.leg,
            number=call.number,
            contact=command.contact,
            timezone=settings.timezone,
        )
        order = await make_order(database, new)
        if again and not order.made:
            await revive(database, new)
        await fill_order(database, call.id, command.at)
        return order

    return make
