"""Asterisk's side of tests.stories: plays a story on a real SIP phone, and reads from what Asterisk played what was heard."""

import asyncio
from array import array
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Literal

from ivr.wording.keys import FIXED
from telephony.asterisk.spool import seconds_of
from telephony.sound import write_wav
from tests.phones.baresip import Phone
from tests.stories.story import Do, Leader, Story, Told
from tests.system.installation import Installation
from tests.system.played import Played
from tests.system.watch import ended, kinds, live, reaches, seat_is
from tests.waiting import until

#: A story's times are those of a person; here so many of its seconds pass in one.
QUICKER = 20.0
#: A message shorter than this holds no words, however quick everything is.
_WORDS_S = 1.5
_BETWEEN_KEYS_S = 0.15
#: The cloud says so before it dials. Asterisk dials at once, and the caller hears music meanwhile.
MUSIC_INSTEAD = ("connecting",)
TAKING = ("takes", "several")
_COMPARED = frozenset({*FIXED, "greeting"})


class Voices:
    """What a phone says all the time: nothing, or words. Made once for all."""

    def __init__(self, folder: Path) -> None:
        self.quiet, self.words = folder / "quiet.wav", folder / "words.wav"
        write_wav(self.quiet, array("h", bytes(2 * 8000 * 100)))
        write_wav(self.words, array("h", [8000 if n // 8 % 2 else -8000 for n in range(8000)] * 60))


class Exchange:
    """Which call is whose: two who withhold their number cannot be told apart but by who called first."""

    def __init__(self, house: Installation) -> None:
        self._house = house
        self._known: set[str] = set()
        self._one_at_a_time = asyncio.Lock()

    async def dial(self, phone: Phone, number: str) -> str:
        """Dials the hotline; the call's id. `number` as we know it, E.164."""
        async with self._one_at_a_time:
            await phone.dial(self._house.service)
            call_id = await until(lambda: self._new_call(number), 40, "the call")
            self._known.add(call_id)
            return call_id

    async def _new_call(self, number: str) -> str:
        calls = (await live(self._house)).values()
        return next((call.id for call in calls if call.number == number and call.id not in self._known), "")


class SipPhone:
    """Asterisk's side of tests.stories.story.Carrier, in the session that is open (`session_id`, may be empty)."""

    def __init__(
        self, house: Installation, played: Played, voices: Voices, exchange: Exchange, session_id: str
    ) -> None:
        self._house, self._played, self._voices = house, played, voices
        self._exchange, self._session_id = exchange, session_id

    async def play(self, story: Story, folder: Path) -> Told:
        """`folder`: for the phone's files."""
        number = story.number.removeprefix("+86") or "anonymous"
        speaks = any(act.speak_s for act in story.does)
        async with Phone(folder, number, speech=self._voices.words if speaks else self._voices.quiet) as phone:
            call_id = await self._exchange.dial(phone, story.number)
            await self._live(story, phone, call_id)
            call = await ended(self._house, call_id, 60)
            if not any(act.hang_up for act in story.does):
                await phone.until("CALL_CLOSED", 30)
        orders = await until(partial(self._orders, call_id), 30, "the order") if story.source else await self._orders(call_id)
        facts = tuple(kind for kind in kinds(call) if kind not in ("closed", "operator_act"))
        heard = tuple(key for key in self._played.to(call_id) if key in _COMPARED)
        return Told(call["outcome"], orders[0]["source"] if orders else "", heard, facts)

    async def _orders(self, call_id: str) -> list[Any]:
        return await self._house.orders(call_id=call_id)

    async def _live(self, story: Story, phone: Phone, call_id: str) -> None:
        """What caller, operator and session do, one after the other."""
        mark = 0
        for number, act in enumerate(story.does):
            if story.meanwhile and number == 1:
                await self._meanwhile(story, call_id, mark)
            mark = await self._hears(call_id, act.hears, mark)
            if act.hang_up and story.outcome == "talked":
                await reaches(self._house, call_id, "talking")
            await _hesitate(act.after_s / QUICKER)
            await self._do(act, phone, call_id)

    async def _hears(self, call_id: str, key: str, mark: int) -> int:
        """Wait for the sentence; how many were heard up to it. Where there is music instead, for the ringing."""
        if key in MUSIC_INSTEAD:
            await until(lambda: self._has_rung(call_id), 30, "the ringing")
            return mark

        def heard() -> int:
            keys = self._played.to(call_id)
            return next((at for at in range(mark + 1, len(keys) + 1) if keys[at - 1] == key), 0)

        try:
            return await until(heard, 15, f"{key} is heard")
        except AssertionError as error:
            raise AssertionError(f"{error}; heard: {self._played.to(call_id)}") from None

    async def _do(self, act: Do, phone: Phone, call_id: str) -> None:
        for key in act.press:
            await self._press(phone, call_id, key)
        if act.speak_s:

            def spoken() -> bool:
                file = self._played.recording_of(call_id)
                return file is not None and seconds_of(file) > _WORDS_S

            await until(spoken, 40, "a message that long")
            await self._press(phone, call_id, "#")
        if act.hang_up:
            await phone.hang_up()

    async def _has_rung(self, call_id: str) -> bool:
        call = await self._house.core.calls.get(call_id)
        return call is not None and call.node in ("ringing", "talking")

    async def _press(self, phone: Phone, call_id: str, key: str) -> None:
        """A key, and wait until it came in. Asterisk tells keys twice that follow each other within 45 ms."""
        await _hesitate(_BETWEEN_KEYS_S)
        before = self._played.keys_of(call_id)
        await phone.press(key)
        await until(lambda: self._played.keys_of(call_id) > before, 20, f"key {key}")

    async def _meanwhile(self, story: Story, call_id: str, mark: int) -> None:
        await self._hears(call_id, "choose_waiting", mark)
        if story.meanwhile == "session closes":
            await self._house.post(f"/api/sessions/{self._session_id}/close")
        elif story.meanwhile == "announcement":
            told = {"notice": "technical", "reason": "a repair"}
            await self._house.post(f"/api/sessions/{self._session_id}/announce", told)
        else:
            await self._house.post(f"/api/line/{call_id}/release", {"to": "work_order", "reason": "operator"})


async def _hesitate(seconds: float) -> None:
    """As a person does. A phone that hears nothing gets no sound to count the time by."""
    now = asyncio.get_running_loop().time
    end = now() + seconds
    await until(lambda: now() >= end, seconds + 30)


@asynccontextmanager
async def held(
    house: Installation, folder: Path, voices: Voices, leader: Leader, talk_s: float
) -> AsyncIterator[tuple[str, str]]:
    """A session whose leader behaves so, and the phone to behave with; (session id, seat id). It is closed by the end."""
    answers: Literal["auto", "manual"] = "auto" if leader in TAKING else "manual"
    async with Phone(folder, "leader", speech=voices.quiet, answers=answers) as phone:
        session_id, seat_id = await house.open_session(phone.address, several=leader == "several")
        if leader == "away":
            await house.post(f"/api/seats/{seat_id}/pause", {"reason": "away"})
        behaving = asyncio.create_task(_behave(house, phone, leader, seat_id, talk_s / QUICKER))
        try:
            yield session_id, seat_id
        finally:
            behaving.cancel()
            await asyncio.gather(behaving, return_exceptions=True)
            if (await house.get(f"/api/sessions/{session_id}"))["state"] == "open":
                await house.post(f"/api/sessions/{session_id}/close")


async def _behave(house: Installation, phone: Phone, leader: Leader, seat_id: str, talks_s: float) -> None:
    """Once: refuse the call, or talk for so long."""
    if leader == "busy":
        await phone.until("CALL_INCOMING", 60)
        await phone.hang_up()
    if leader in TAKING:
        await seat_is(house, seat_id, "talking", 60)
        await phone.listen(talks_s)
        await phone.hang_up()
