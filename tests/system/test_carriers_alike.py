"""Every story of tests/stories on a real Asterisk with a real SIP phone: the same sentences, outcome and ledger as over the cloud."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
import pytest_asyncio

from tests.stories.calls import STORIES
from tests.stories.story import Leader, Story, Told, in_order
from tests.system.both import both_carriers
from tests.system.brief import Brief
from tests.system.installation import Installation
from tests.system.played import Played
from tests.system.sip_phone import SipPhone, Voices, world

pytestmark = pytest.mark.asyncio(loop_scope="module")

_TALK_S = {"takes": 20.0}


class Stage:
    def __init__(self, house: Installation, played: Played, folder: Path) -> None:
        self.house, self.played, self.folder = house, played, folder
        self.voices = Voices(folder)
        self.told: dict[str, Told | BaseException] = {}

    async def tell(self, number: int, story: Story, session_id: str) -> None:
        mine = replace(story, number=f"+8613800070{number:03}") if story.number else story
        folder = self.folder / str(number)
        folder.mkdir()
        import time
        t = time.monotonic()
        try:
            self.told[story.name] = await SipPhone(self.house, self.played, folder, self.voices, session_id).play(mine)
        except (Exception, AssertionError) as error:
            self.told[story.name] = error
        print(f"{story.name:40s} {time.monotonic() - t:.1f}", self.told[story.name])

    async def act(self, leader: Leader, stories: list[tuple[int, Story]]) -> None:
        """Who waits has the line to themselves; all others call at once."""
        folder = self.folder / leader
        folder.mkdir()
        async with world(self.house, folder, self.voices, leader, 20.0) as session_id:
            alone = [one for one in stories if "willing" in one[1].kinds]
            alone.sort(key=lambda one: one[1].meanwhile == "session closes")

            async def line() -> None:
                for one in alone:
                    await self.tell(*one, session_id)

            others = [self.tell(*one, session_id) for one in stories if one not in alone]
            await asyncio.gather(line(), *others)


async def test_all(tmp_path: Path) -> None:
    brief = Brief(tmp_path / "brief")
    import time
    t = time.monotonic()
    async with both_carriers(tmp_path / "h", brief, HOTLINE_ASK_TIMEOUT_S="3", HOTLINE_MESSAGE_SILENCE_S="1", HOTLINE_RING_S="3") as both:
        print("up", time.monotonic() - t)
        stage = Stage(both.house, both.played, tmp_path)
        for leader in get_args(Leader):
            t = time.monotonic()
            await stage.act(leader, [(n, s) for n, s in enumerate(STORIES) if s.leader == leader])
            print(leader, time.monotonic() - t)
