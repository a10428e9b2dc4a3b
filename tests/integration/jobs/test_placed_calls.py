"""Calls about orders by cron and worker: asked for by themselves, within the calling hours, so often, and then left to a person."""

from dataclasses import replace
from datetime import datetime, time
from zoneinfo import ZoneInfo

import pytest
from rq import Queue

from calls.assembly import Core
from calls.calling_hours import next_allowed
from calls.enqueue import queue_name
from calls.placed_register import left_to_people, of_order
from calls.placing import Claim
from config.redis import connect_for_jobs
from jobs.cron import Cron
from jobs.placed_calls import attend, place_call
from telephony.errors import CarrierRefused, CarrierUnavailable, CarrierUncertain
from tests.clocks import SetClock
from workorders.intake import NewOrder, make_order
from workorders.model import PlacedCall
from workorders.progress import move

ZONE = "Asia/Shanghai"
HOURS = (time(9), time(20))


def at(day: int, hour: int, minute: int = 0) -> float:
    return datetime(2026, 11, day, hour, minute, tzinfo=ZoneInfo(ZONE)).timestamp()


class Line:
    """A carrier that fails as it is told."""

    def __init__(self, *failures: Exception | None) -> None:
        self._failures = iter(failures)
        self.rung: list[Claim] = []

    async def ring(self, claim: Claim) -> None:
        self.rung.append(claim)
        if failure := next(self._failures):
            raise failure

    async def is_over(self, leg: str) -> bool:
        if leg != self.rung[-1].leg:
            raise AssertionError(leg)
        return len(self.rung) > 1


@pytest.mark.parametrize(
    ("moment", "allowed"),
    [
        (at(23, 8, 59), at(23, 9)), (at(23, 9), at(23, 9)), (at(23, 19, 59), at(23, 19, 59)), (at(23, 20), at(24, 9)),
        (at(23, 0), at(23, 9)), (at(30, 23), at(30, 9) + 86_400),
    ],
)  # fmt: skip
def test_the_calling_hours(moment: float, allowed: float) -> None:
    assert next_allowed(moment, HOURS, ZONE) == allowed


async def test_a_replied_order_is_followed_up_by_itself(core: Core, clock: SetClock) -> None:
    settings = core.settings.model_copy(update={"follow_up_automatic": True})
    core = replace(core, settings=settings)
    cron, jobs = Cron(core), Queue(queue_name(settings), connection=connect_for_jobs(settings))
    clock.now = at(26, 7)
    made = await make_order(
        core.database, NewOrder(command_id="c", at=clock(), source="declined", number="+8613812345678", unit="市水务局")
    )
    for step in ("dispatch", "handle"):
        await move(core.database, made.id, step, clock(), timezone=ZONE)
    assert await cron.ask_follow_ups() == 0
    await move(core.database, made.id, "reply", clock(), timezone=ZONE)
    assert [await cron.ask_follow_ups(), await cron.ask_follow_ups()] == [1, 0]

    async def row() -> PlacedCall:
        (found,) = await of_order(core.database, made.id)
        return found

    placed_id = (await row()).id
    assert await cron.place_due() == 1
    (job,) = jobs.jobs
    assert (job.func, job.args) == (place_call, (placed_id,)), "an id and nothing personal"
    # Too early: put off. Then a carrier that is away, one that does not say, one that refuses: three tries, and a person.
    line = Line(CarrierUnavailable("away"), CarrierUncertain("lost"), CarrierRefused("no"))
    assert await attend(core, line, placed_id) == "nothing"
    assert ((await row()).due_at.timestamp(), line.rung) == (at(26, 9), [])
    assert await cron.place_due() == 0
    clock.now = at(26, 17)
    assert await attend(core, line, placed_id) == "not_rung"
    assert (await row()).due_at.timestamp() == at(27, 9), "four hours later nobody may be called"
    clock.now = at(27, 9)
    assert await attend(core, line, placed_id) == "rung"
    assert await attend(core, line, placed_id) == "nothing", "it rings"
    assert len({claim.leg for claim in line.rung}) == 2
    clock.now = at(27, 10)
    assert await attend(core, line, placed_id) == "lapsed"
    clock.now = at(27, 15)
    assert await attend(core, line, placed_id) == "not_rung"
    done = await row()
    assert (done.state, done.result, done.missed, done.tries) == ("done", "unreached", "refused", 3)
    assert await left_to_people(core.database) == {"urgent": 0, "follow_up": 1}
    assert [await cron.ask_follow_ups(), await cron.place_due()] == [0, 0]
