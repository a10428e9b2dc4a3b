"""kill -9 of the api around every webhook, with two processes behind a balancer: nothing is lost, nothing happens twice."""

from itertools import count

import pytest
from redis.asyncio import Redis

from config.settings import Settings
from tests.integration.twilio.cloud_phone import CloudPhone
from tests.integration.twilio.fleet import Moment, fleet
from tests.integration.twilio.town import away_town
from tests.stories.calls import STORIES


@pytest.mark.parametrize("moment", ["after", "before"])
@pytest.mark.parametrize("name", ["waits and talks", "declines and listens to the end", "asks to be called back"])
async def test_killed_around_every_webhook(name: str, moment: Moment, settings: Settings, redis: Redis) -> None:
    """`before`: every other webhook is served and its answer lost with the process; the cloud goes to the fallback URL."""
    story = next(story for story in STORIES if story.name == name)
    async with away_town(settings, twilio_silence_s=4.0) as (here, port), fleet(here.settings, port) as balancer:
        served = count()
        balancer.kill = lambda path: moment if moment == "after" or next(served) % 2 == 0 else None
        told = await CloudPhone(here).play(story, deadline=150)
        orders = await here.orders()
        rung = len([leg for leg in here.cloud.calls.values() if leg.parties.parent is not None])
        kills = sum(process.kills for process in balancer.processes)
    assert (told.outcome, told.source, told.kinds) == (story.outcome, story.source, story.kinds)
    assert len(orders) == (1 if story.source else 0)
    assert rung == (1 if story.leader == "takes" else 0)
    assert kills >= 3
