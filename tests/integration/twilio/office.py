"""A town whose orders are called about: cron and worker at work, and what comes of their calls."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from calls import placing
from calls.placed_register import due, of_order
from config.columns import from_unix
from config.ids import new_id
from config.settings import Settings
from ivr.placed import Purpose
from jobs.placed_calls import attend
from telephony.twilio.placed import CloudPlacing
from tests.cloud.leg import Leg
from tests.integration.twilio.town import Town, town
from tests.waiting import until
from workorders.dispatch import unit_id
from workorders.intake import NewOrder, make_order
from workorders.model import OrderEvent, PlacedCall, Unit, WorkOrder
from workorders.progress import move
from workorders.register import get, history

DUTY, CITIZEN, UNIT = "+867348880000", "+8613812345678", "市水务局"
QUICK: dict[str, Any] = {
    "urgent_pause_s": 0.01, "urgent_tries": 2, "follow_up_pause_s": 0.01, "follow_up_tries": 2,
    "follow_up_hours": "00:00-23:59:59.999999", "twilio_calls_per_s": 100.0, "placed_ring_s": 10.0,
}  # fmt: skip


class Office:
    """The town and what cron and worker do in it."""

    def __init__(self, here: Town) -> None:
        self.here, self.database = here, here.core.database
        here.cloud.calls_per_second = 1000.0

    async def order(self, status: str = "dispatched", unit: str = UNIT) -> str:
        """An order of a citizen at this unit."""
        database, clock = self.database, self.here.core.clock
        new = NewOrder(command_id=new_id(), at=clock(), source="declined", number=CITIZEN, unit=unit)
        made = await make_order(database, new)
        async with database.begin() as session:
            found = await session.get(Unit, await unit_id(session, UNIT, from_unix(clock())))
            assert found is not None
            found.duty_number = DUTY
        for step in {"registered": (), "dispatched": ("dispatch",), "replied": ("dispatch", "handle", "reply")}[status]:
            await move(database, made.id, step, clock(), timezone="Asia/Shanghai")  # type: ignore[arg-type]
        return made.id

    async def ask(self, order_id: str, purpose: Purpose) -> str:
        return (await placing.ask(self.database, order_id, purpose, self.here.core.clock(), actor="op")).id

    async def work(self) -> None:
        """What cron and the worker do, until it is stopped."""
        assert self.here.parts is not None
        carrier = CloudPlacing(self.here.parts.exchange)
        while True:
            for placed_id in await due(self.database, self.here.core.clock()):
                await attend(self.here.core, carrier, placed_id)
            await asyncio.sleep(0.02)

    async def over(self, order_id: str) -> PlacedCall:
        """Wait for the end of the order's newest call, and of its phone call."""

        async def look() -> Any:
            newest = (await of_order(self.database, order_id))[0]
            return newest if newest.state == "done" else None

        found: PlacedCall = await until(look, 30.0, "the end of the call")
        for leg in self.legs():
            await leg.ended(30.0)
        return found

    def legs(self) -> Sequence[Leg]:
        return list(self.here.cloud.calls.values())

    async def kinds(self, order_id: str) -> list[str]:
        return [event.kind for event in await self.history(order_id)]

    async def history(self, order_id: str) -> list[OrderEvent]:
        return await history(self.database, order_id)

    async def row(self, order_id: str) -> WorkOrder:
        return await get(self.database, order_id)


@asynccontextmanager
async def office_in(settings: Settings, **more: Any) -> AsyncIterator[Office]:
    async with town(settings, **{**QUICK, **more}) as here:
        office = Office(here)
        working = asyncio.create_task(office.work())
        try:
            yield office
        finally:
            working.cancel()
            with suppress(asyncio.CancelledError):
                await working
        here.cloud.assert_faultless()
