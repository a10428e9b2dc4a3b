"""Puts the parts of a process together: connections, store, line, turns, outbox. What bridge, API and worker start from."""

from dataclasses import dataclass

from redis.asyncio import Redis

from calls.effects import Effects, OrderMaker
from calls.enqueue import Enqueuer
from calls.facts import FactsReader
from calls.ledger import Ledger
from calls.outbox import Outbox
from calls.store import Calls, UnknownCall
from calls.turn import Turns
from calls.wakeups import Wakeups
from config.clock import Clock, now
from config.database import Database
from config.redis import connect
from config.settings import Settings
from ivr.call import Call
from ivr.commands import MakeOrder
from ivr.events import OrderMade
from ivr.flow import advance, present
from queueing.depth import Depths
from queueing.line import Line
from queueing.seats import Seats
from workorders.intake import NewOrder, OrderRef, make_order


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
        try:
            await turns.take_turn(call_id, lambda read: OrderMade(facts=read, number=number))
        except UnknownCall:
            return  # forgotten after a week: the order is there, nobody is left to hear its number

    effects = Effects(calls, line, ledger, order_maker(database, seats, settings), queue.enqueue, tell_number)
    outbox = Outbox(redis, settings, clock, effects.perform)
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


def order_maker(database: Database, seats: Seats, settings: Settings) -> OrderMaker:
    """Makes the work order of a call from what the call knows."""

    async def make(command_id: str, call: Call, command: MakeOrder) -> OrderRef:
        seat = await seats.state(call.seat_id) if call.seat_id else None
        new = NewOrder(
            command_id=command_id,
            at=command.at,
            source=command.source,
            call_id=call.id,
            session_id=call.session_id,
            seat_id=call.seat_id,
            unit=seat.unit if seat else "",
            recording=command.recording,
            number=call.number,
            contact=command.contact,
            timezone=settings.timezone,
        )
        return await make_order(database, new)

    return make
