"""Every story of tests/stories over the cloud phone; and again with everything that networks do to webhooks."""

import pytest
from redis.asyncio import Redis

from config.settings import Settings
from tests.integration.twilio.cloud_phone import CloudPhone
from tests.integration.twilio.town import town
from tests.integration.twilio.weather import MISCHIEF, assert_copies_heard_the_same, brew
from tests.stories.calls import STORIES
from tests.stories.story import Story, same

TOLD_AGAIN = (
    "waits and talks",
    "declines",
    "asks to be called back",
    "is not taken by the leader",
    "hangs up in the message",
)
#: The same mischief with every kind of end; each with what can hurt it.
ELSEWHERE = tuple(
    (name, mischief)
    for name, some in {
        "waits until the session closes": ("all repeated", "documents once more after the next, and after three"),
        "is released by an operator": ("all answers lost once", "documents once more after the next, and after three"),
        "says nothing at all": ("all repeated", "documents once more after the next, and after three"),
        "finds the leader's line busy": ("all repeated", "notices after the next webhook"),
        "hangs up in the talk": ("notices when all is over", "all answers lost once"),
        "hangs up while the leader's phone rings": ("all repeated", "documents dropped once"),
    }.items()
    for mischief in some
)


def _story(name: str) -> Story:
    return next(story for story in STORIES if story.name == name)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name.replace(" ", "_"))
async def test_story(story: Story, settings: Settings, redis: Redis) -> None:
    presses_again = any(act.hears == "not_understood" for act in story.does)
    async with town(settings, ask_timeout_s=50.0 if presses_again else settings.ask_timeout_s) as here:
        told = await CloudPhone(here).play(story)
    same(story, told)


@pytest.mark.parametrize(
    ("name", "mischief"),
    [*((name, mischief) for name in TOLD_AGAIN for mischief in MISCHIEF), *ELSEWHERE],
    ids=lambda name: name.replace(" ", "_"),
)
async def test_story_comes_out_the_same_with_webhooks(
    name: str, mischief: str, settings: Settings, redis: Redis
) -> None:
    story = _story(name)
    async with town(settings, twilio_silence_s=2.0) as here:
        brew(here.cloud, mischief)
        here.cloud.recordings.silence_is_nothing = True  # else it is a recording, as in test_story
        told = await CloudPhone(here).play(story)
        orders = await here.orders(1 if story.source else 0)
        rung = len([leg for leg in here.cloud.calls.values() if leg.parties.parent is not None])
    assert (told.outcome, told.source, told.kinds) == (story.outcome, story.source, story.kinds)
    assert len(orders) == (1 if story.source else 0)
    assert rung == (1 if story.leader in ("takes", "no_answer", "busy") else 0)
    assert_copies_heard_the_same(here.cloud, mischief)
