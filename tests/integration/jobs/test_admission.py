"""Who may still wait: below one settable chance the work order is recommended first, below the other nobody new may wait."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from redis.asyncio import Redis

from calls.assembly import Core, build
from config.settings import Settings
from ivr.events import Keyed
from ivr.verbs import Ask
from tests.clocks import SetClock
from tests.integration.jobs.test_places import arrive, hold_session, wait
from tests.tables import bring_up

#: More than a leader can serve in the ten minutes that are left.
WAITING, PASSED_S = 30, 110 * 60.0


@asynccontextmanager
async def long_line(settings: Settings, clock: SetClock, **changes: float) -> AsyncIterator[tuple[Core, str]]:
    """A process with these settings, and the seat for which more wait than can be served."""
    settings.recordings.mkdir(parents=True)
    core = build(settings.model_copy(update=changes), clock)
    try:
        await bring_up(core.database)
        seat_id = await hold_session(core, clock)
        for n in range(WAITING):
            await core.line.join(seat_id, f"a-{n}", clock() + n, 1)
        clock.pass_by(PASSED_S)
        yield core, seat_id
    finally:
        await core.close()


async def asked(core: Core) -> tuple[list[str], str]:
    """What a newcomer hears, and the keys that count."""
    await arrive(core, "a-new", "+8613900000001")
    [ask] = [verb for verb in (await core.turns.present("a-new")).verbs if isinstance(verb, Ask)]
    return [prompt.key for prompt in ask.prompts], ask.keys


@pytest.mark.parametrize(("below", "choice"), [(0.5, "choose_discouraged"), (0.0, "choose_line")])
async def test_below_the_chance_of_the_settings_the_order_is_recommended_and_who_insists_waits(
    settings: Settings, redis: Redis, clock: SetClock, below: float, choice: str
) -> None:
    async with long_line(settings, clock, discouraged_below=below) as (core, _):
        heard, keys = await asked(core)
        assert (heard[-1], keys, "chance_small" in heard) == (choice, "12", True)
        assert (await core.turns.take_turn("a-new", lambda facts: Keyed(facts=facts, key="1"))).call.node == "waiting"


@pytest.mark.parametrize(("key", "node"), [("1", "question"), ("2", "message"), ("3", "callback")])
async def test_below_the_chance_at_which_admission_ends_an_order_or_a_callback_is_left(
    settings: Settings, redis: Redis, clock: SetClock, key: str, node: str
) -> None:
    async with long_line(settings, clock, admission_ends_below=0.2) as (core, seat_id):
        heard, keys = await asked(core)
        assert (heard[-2:], keys) == (["line_ended", "choose_ended"], "23")
        clock.pass_by(5)
        call = (await core.turns.take_turn("a-new", lambda facts: Keyed(facts=facts, key=key))).call
        assert call.node == node
        await core.outbox.idle()
        assert not await core.line.position(seat_id, "a-new")


async def test_admission_that_ended_begins_again_when_the_line_is_short(
    settings: Settings, redis: Redis, clock: SetClock
) -> None:
    async with long_line(settings, clock, admission_ends_below=0.2) as (core, seat_id):
        for n in range(WAITING):
            await core.line.leave(seat_id, f"a-{n}", "abandoned", 2)
        clock.pass_by(5)
        assert (await wait(core, "a-later", "+8613900000002")).node == "waiting"
