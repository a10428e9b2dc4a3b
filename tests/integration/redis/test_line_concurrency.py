"""Many who claim, each over connections of its own, at one line at the same time."""

import asyncio
import random

import pytest
from redis.asyncio import Redis

from config.clock import now
from config.redis import connect
from config.settings import Settings
from queueing.line import Line
from queueing.seats import Seats

CLAIMERS = 16


@pytest.mark.parametrize(("many_seats", "many_callers"), [(1, 10_000), (4, 2_000)])
async def test_sixteen_claimers_serve_ten_thousand_callers_once_each_and_in_order(
    redis: Redis, settings: Settings, many_seats: int, many_callers: int
) -> None:
    settings = settings.model_copy(update={"wrap_up_s": 0.0})
    seats = Seats(redis, settings, now)
    line = Line(redis, settings, now)
    for seat in range(many_seats):
        await seats.open(f"s{seat}")
    for start in range(0, many_callers, 1000):
        joins = (line.join(f"s{n % many_seats}", f"a-{n}", float(n), 1) for n in range(start, start + 1000))
        await asyncio.gather(*joins)
    served: dict[str, list[str]] = {f"s{seat}": [] for seat in range(many_seats)}

    async def claimer(number: int) -> None:
        connection = connect(settings)
        mine, seat = Line(connection, settings, now), f"s{number % many_seats}"
        while await mine.depth(seat):
            claim = await mine.claim_next(seat, f"claimer-{number}", 30)
            if claim is None:
                continue
            served[seat].append(claim.call_id)
            assert await mine.take(seat, claim.token, now())
            assert await mine.free(seat, claim.token, True, now())
        await connection.aclose()

    await asyncio.gather(*(claimer(number) for number in range(CLAIMERS)))
    for seat in range(many_seats):
        assert served[f"s{seat}"] == [f"a-{n}" for n in range(seat, many_callers, many_seats)]


async def test_callers_who_join_and_leave_while_others_are_claimed_are_each_served_or_gone(
    redis: Redis, settings: Settings
) -> None:
    settings = settings.model_copy(update={"wrap_up_s": 0.0})
    line, seats = Line(redis, settings, now), Seats(redis, settings, now)
    await seats.open("s1")
    dice = random.Random(7)
    leavers = {f"a-{n}" for n in range(400) if dice.random() < 0.4}
    left: set[str] = set()
    served: list[str] = []
    done = asyncio.Event()

    async def caller(number: int) -> None:
        call_id = f"a-{number}"
        await line.join("s1", call_id, float(number), 1)
        if call_id in leavers:
            # A replayed outbox may bring the join once more, before or after the leave.
            joins = line.join("s1", call_id, float(number), 1)
            gone, _ = await asyncio.gather(line.leave("s1", call_id, "abandoned", 2), joins)
            if gone:
                left.add(call_id)

    async def claimer(number: int) -> None:
        while not (done.is_set() and not await line.depth("s1")):
            claim = await line.claim_next("s1", f"claimer-{number}", 30)
            if claim is None:
                await asyncio.sleep(0)
                continue
            if await line.position("s1", claim.call_id):
                await line.take("s1", claim.token, now())
                served.append(claim.call_id)
            await line.free("s1", claim.token, False, now())

    claimers = [asyncio.create_task(claimer(number)) for number in range(4)]
    await asyncio.gather(*(caller(number) for number in range(400)))
    done.set()
    await asyncio.gather(*claimers)
    assert len(served) == len(set(served))
    assert set(served) | left >= {f"a-{n}" for n in range(400)}
    assert await line.depth("s1") == 0
    assert (await seats.state("s1")).state == "free"
