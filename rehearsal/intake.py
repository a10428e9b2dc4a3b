"""Orders of a rehearsal that are made in the database, too, by the real intake; what is there must be what the book says."""

from collections import defaultdict

from redis.asyncio import Redis
from sqlalchemy import select

from calls.assembly import order_maker, order_withdrawer
from calls.promises import broken_promises
from config.clock import Clock
from config.database import Database
from config.settings import Settings
from ivr.call import Call
from ivr.commands import MakeOrder
from queueing.seats import Seats
from rehearsal.books import OrderBook
from workorders.intake import OrderRef
from workorders.model import WorkOrder

#: Unix seconds; later than every session.
AFTER_ALL = 4e9


class RealOrders(OrderBook):
    """The book beside the database. Its transactions wait for the disk, so that the same seed may differ in the order of
    things that happen at the same moment."""

    def __init__(self, settings: Settings, redis: Redis, database: Database, clock: Clock) -> None:
        super().__init__()
        self._make = order_maker(database, Seats(redis, settings, clock), settings)
        self._withdraw = order_withdrawer(database, settings)
        #: Ids in the database, by the id in the book.
        self._made: dict[str, set[str]] = defaultdict(set)

    async def make(self, command_id: str, call: Call, command: MakeOrder) -> OrderRef:
        booked = await super().make(command_id, call, command)
        made = await self._make(command_id, call, command)
        self._made[booked.id].add(made.id)
        return OrderRef(id=made.id, number=made.number)

    async def withdraw(self, command_id: str, call: Call, at: float) -> bool:
        await super().withdraw(command_id, call, at)
        return await self._withdraw(command_id, call, at)

    async def compare(self, database: Database) -> list[str]:
        async with database.read() as session:
            status = {row.id: row.status for row in await session.execute(select(WorkOrder.id, WorkOrder.status))}
        broken = []
        for booked, made in self._made.items():
            found = [status.pop(one, "missing") for one in made]
            if len(made) > 1:
                broken.append(f"{booked} has {len(made)} orders in the database")
            if found != ["cancelled" if booked in self.withdrawn else "registered"]:
                broken.append(f"{booked} is {' and '.join(found)} in the database")
        forgotten = await broken_promises(database, None, AFTER_ALL)
        broken += [f"{one.call_id} is owed an order or a call back and has nothing: {one.last_kind}" for one in forgotten]
        return sorted(broken) + [f"nobody asked for order {one} of the database" for one in sorted(status)]
