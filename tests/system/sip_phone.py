"""Asterisk's side of tests.stories: plays a story on a real SIP phone, and reads from what Asterisk played what was heard."""

import asyncio
from array import array
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from ivr.wording.keys import FIXED
from telephony.sound import write_wav
from tests.phones.baresip import Phone
from tests.stories.story import Do, Leader, Story, Told
from tests.system.installation import Installation
from tests.system.played import Played
from tests.system.watch import call_from, ended, kinds, reaches, session
from tests.waiting import until

#: A story's times are those of a person; here so many of its seconds pass in one.
QUICKER = 20.0
#: A message shorter than this holds no words, however quick everything is.
_WORDS_S = 1.6
_HEARD = frozenset({*FIXED, "greeting"})


class Voices:
    """What a phone says: nothing, or words. Made once for all."""

    def __init__(self, folder: Path) -> None:
        self.quiet, self.words = folder / "quiet.wav", folder / "words.wav"
        write_wav(self.quiet, array("h", bytes(2 * 8000 * 100)))
        write_wav(self.words, array("h", [8000 if n // 8 % 2 else -8000 for n in range(8000)] * 60))


class SipPhone:
    """Asterisk's side of tests.stories.story.Carrier, in a session that `world` opened."""

    def __init__(
        self, house: Installation, played: Played, folder: Path, voices: Voices, session_id: str
    ) -> None:
        self._house, self._played, self._session_id = house, played, session_id
        self._folder, self._voices = folder, voices

    async def play(self, story: Story) -> Told:
        number = story.number.removeprefix("+86") or "anonymous"
        async with Phone(self._folder, number, speech=self._voices.quiet) as phone:
            await phone.dial(self._house.service)
            call_id = await call_from(self._house, story.number)
            live = asyncio.create_task(self._live(story, phone, call_id))
            call = await ended(self._house, call_id, 60)
            await live
            if not any(act.hang_up for act in story.does):
                await phone.until("CALL_CLOSED", 30)
        orders = await self._house.orders(call_id=call_id)
        told = tuple(kind for kind in kinds(call) if kind != "closed")
        heard = tuple(key for key in self._played.to(call_id) if key in _HEARD)
        return Told(call["outcome"], orders[0]["source"] if orders else "", heard, told)

    async def _live(self, story: Story, phone: Phone, call_id: str) -> None:
        """What caller, operator and session do, one after the other."""
        mark = 0
        for number, act in enumerate(story.does):
            if story.meanwhile and number == 1:
                await self._meanwhile(story, call_id)
            mark = await self._hears(call_id, act, mark)
            if act.hang_up and story.outcome == "talked":
                await reaches(self._house, call_id, "talking")
            await asyncio.sleep(act.after_s / QUICKER)
            await self._do(act, phone, call_id)

    async def _hears(self, call_id: str, act: Do, mark: int) -> int:
        """Wait for the sentence; how many were heard up to it."""
        if not act.hears:
            return mark

        def heard() -> int:
            keys = self._played.to(call_id)
            return next((at for at in range(mark + 1, len(keys) + 1) if keys[at - 1] == act.hears), 0)

        return await until(heard, 8, f"{act.hears} is heard")

    async def _do(self, act: Do, phone: Phone, call_id: str) -> None:
        for key in act.press:
            await phone.press(key)
        if act.speak_s:
            await until(lambda: self._played.records(call_id), 30, "a recording")
            await phone.speak(self._voices.words)
            await asyncio.sleep(max(_WORDS_S, act.speak_s / QUICKER))
            await phone.speak(self._voices.quiet)
        if act.hang_up:
            await phone.hang_up()

    async def _meanwhile(self, story: Story, call_id: str) -> None:
        await reaches(self._house, call_id, "waiting")
        if story.meanwhile == "session closes":
            await self._house.post(f"/api/sessions/{self._session_id}/close")
        else:
            await self._house.post(f"/api/line/{call_id}/release", {"to": "work_order", "reason": "operator"})


@asynccontextmanager
async def world(house: Installation, folder: Path, voices: Voices, leader: Leader, talk_s: float) -> AsyncIterator[str]:
    """A session with a leader who behaves so; its id."""
    if leader == "no_session":
        yield ""
        return
    async with (
        Phone(folder, "leader", speech=voices.quiet, answers="auto" if leader == "takes" else "manual") as phone,
        session(house, phone.address) as (session_id, seat_id),
    ):
        if leader == "away":
            await house.post(f"/api/seats/{seat_id}/pause", {"reason": "away"})
        behaving = asyncio.create_task(_behave(house, phone, leader, seat_id, talk_s))
        try:
            yield session_id
        finally:
            behaving.cancel()
            await asyncio.gather(behaving, return_exceptions=True)


async def _behave(house: Installation, phone: Phone, leader: Leader, seat_id: str, talk_s: float) -> None:
    if leader == "busy":
        await phone.until("CALL_INCOMING", 60)
        await phone.hang_up()
    if leader == "takes":

        async def talking() -> bool:
            return (await house.core.seats.state(seat_id)).state == "talking"

        await until(talking, 60, "a talk")
        await asyncio.sleep(talk_s / QUICKER)
        await phone.hang_up()
