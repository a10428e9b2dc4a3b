"""Every story of tests/stories on a real Asterisk with a real SIP phone: word for word what test_twilio_stories shows of
the cloud, but for music instead of a sentence while the leader's line rings. Sentences are blips here; that they are
heard is shown by the other tests of this folder."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from tests.stories.calls import STORIES
from tests.stories.story import Leader, Story, Told, same
from tests.system.brief import Brief
from tests.system.installation import Installation
from tests.system.played import Played, watched
from tests.system.sip_phone import MUSIC_INSTEAD, Exchange, SipPhone, Voices, held
from tests.system.watch import BRISK
from tests.waiting import until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

BRISKER = {
    **BRISK, "HOTLINE_ASK_TIMEOUT_S": "3", "HOTLINE_MESSAGE_SILENCE_S": "1", "HOTLINE_RING_S": "3", "HOTLINE_ORDER_TIMEOUT_S": "30",
    "HOTLINE_CALLBACK_LINE": "sip:{number}@127.0.0.1:9",
}  # fmt: skip
#: A session for each; what needs none comes after the last one has closed.
LEADERS: tuple[Leader, ...] = ("takes", "takes", "several", "several", "busy", "no_answer", "no_answer", "away")


class Theatre:
    """Tells the stories: who waits has the line to themselves, all others call at once."""

    def __init__(self, house: Installation, played: Played, folder: Path) -> None:
        self._house, self._played, self._folder = house, played, folder
        self._voices, self._exchange = Voices(folder), Exchange(house)
        self._session_id = self._seat_id = ""
        self.told: dict[str, asyncio.Task[Told]] = {}

    async def tell_all(self) -> None:
        for number, leader in enumerate(LEADERS):
            folder = self._folder / f"leader{number}"
            stories = [story for story in STORIES if story.leader == leader]
            talk_s = self._untold(stories)[0].talk_s
            async with held(self._house, folder, self._voices, leader, talk_s) as (self._session_id, self._seat_id):
                await self._act(stories, leader)
        await asyncio.wait(self.told.values())

    async def _act(self, stories: list[Story], leader: Leader) -> None:
        waiting = self._untold(stories)
        for story in stories:
            if "willing" not in story.kinds:
                self._begin(story)
        if leader != "away":
            await self._alone(waiting[0])
            return
        for story in sorted(waiting, key=lambda story: story.meanwhile == "session closes"):
            await self._alone(story)
        for story in STORIES:
            if story.leader == "no_session":
                self._begin(story)
        await asyncio.wait(self.told.values())

    def _untold(self, stories: list[Story]) -> list[Story]:
        """Those whose caller waits, and who have not called yet."""
        return [story for story in stories if "willing" in story.kinds and story.name not in self.told]

    async def _alone(self, story: Story) -> None:
        """Until the caller has left the line; who leaves it for a message speaks on while the next one calls."""
        task = self._begin(story)

        async def over() -> bool:
            return task.done() or ("message" in story.kinds and bool(self._played.calls(story.hears[7])))

        await until(over, 90, f"{story.name}: the line")
        await self._give_place_up()

    async def _give_place_up(self) -> None:
        """A place that is kept is given up, for the next one to be the first."""
        for caller in await self._house.core.line.callers(self._seat_id):
            await self._house.post(f"/api/line/{caller.call_id}/release", {"to": "work_order", "reason": "next story"})

    def _begin(self, story: Story) -> asyncio.Task[Told]:
        number = len(self.told)
        folder = self._folder / f"caller{number}"
        folder.mkdir()
        mine = replace(story, number=f"+8613800070{number:03}") if story.number else story
        phone = SipPhone(self._house, self._played, self._voices, self._exchange, self._session_id)
        self.told[story.name] = asyncio.create_task(phone.play(mine, folder))
        return self.told[story.name]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def told(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Mapping[str, asyncio.Task[Told]]]:
    folder = tmp_path_factory.mktemp("alike")
    brief = Brief(folder / "brief")
    async with Installation(folder / "hotline", brief.folder, BRISKER) as house, watched(house, brief) as played:
        theatre = Theatre(house, played, folder)
        await theatre.tell_all()
        yield theatre.told


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name.replace(" ", "_"))
async def test_story_on_a_sip_phone(story: Story, told: Mapping[str, asyncio.Task[Told]]) -> None:
    same(story, await told[story.name], MUSIC_INSTEAD)
