"""Keys by RFC 4733 and by SIP INFO: before the first word, in mid-sentence, ten at once. All call at once."""

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Literal

import pytest
import pytest_asyncio

from ivr.verbs import Prompt
from tests.phones import hearing
from tests.phones.baresip import Phone
from tests.system.installation import Installation
from tests.system.stories import Story, Told, side_by_side
from tests.system.watch import call_from, hears, reaches, session, sounds
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

Keys = Literal["rtp", "info"]
#: Longer than the words of the question: whoever still waits then was not thrown out by the keys that came after.
SETTLED_AFTER_S = 6.0


async def before_the_first_word(house: Installation, folder: Path, keys: Keys, number: str) -> None:
    """The key is there before the question is: it is the answer all the same."""
    async with Phone(folder, number, keys=keys) as citizen:
        await citizen.dial(house.service)
        await citizen.until("CALL_ESTABLISHED")
        await citizen.press("1")
        call_id = await call_from(house, f"+86{number}")
        await reaches(house, call_id, "waiting", 5)
        await citizen.hang_up()


async def in_mid_sentence(house: Installation, folder: Path, keys: Keys, number: str) -> None:
    """The sentence stops at once: the next words begin, and nothing of the rest of the question was heard."""
    async with Phone(folder, number, keys=keys) as citizen:
        await citizen.dial(house.service)
        await hears(house, citizen, Prompt("greeting", {"city": house.settings.city}))
        await citizen.press("2")
        began = await hears(house, citizen, Prompt("message_declined"))
        before = citizen.heard()[: round(began * hearing.RATE)]
        for path in await sounds(house, [Prompt("choose_line"), Prompt("nobody_waits")]):
            assert hearing.find(before, hearing.read(path)) is None
        await citizen.hang_up()


async def ten_at_once(house: Installation, folder: Path, keys: Keys, number: str) -> None:
    """The first is the answer; the rest of the handful throws nobody out of the line, and later keys work as ever."""
    async with Phone(folder, number, keys=keys) as citizen:
        await citizen.dial(house.service)
        await hears(house, citizen, Prompt("greeting", {"city": house.settings.city}))
        call_id = await call_from(house, f"+86{number}")
        for key in "1234567890":
            await citizen.press(key)
        call = await reaches(house, call_id, "waiting")
        settled_at = citizen.heard().size + round(SETTLED_AFTER_S * hearing.RATE)

        async def settled() -> bool:
            now = await house.core.calls.get(call_id)
            assert now is not None
            assert now.node == "waiting"
            return citizen.heard().size > settled_at

        await until(settled, 30)
        assert await house.core.line.position(call.seat_id, call_id) > 0
        await citizen.press("2")
        await reaches(house, call_id, "message")
        await citizen.hang_up()


def stories() -> dict[str, Story]:
    ways: tuple[Keys, ...] = ("rtp", "info")
    presses = (before_the_first_word, in_mid_sentence, ten_at_once)
    pairs = [(press, keys) for press in presses for keys in ways]
    return {
        f"{press.__name__}_by_{keys}": partial(press, keys=keys, number=f"1380000030{n}")
        for n, (press, keys) in enumerate(pairs)
    }


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def told(brisk_house: Installation, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Told]:
    async with (
        session(brisk_house, sign_in=False),
        side_by_side(brisk_house, tmp_path_factory.mktemp("keys"), stories()) as running,
    ):
        yield running


@pytest.mark.parametrize("story", stories())
async def test_keys_pressed(story: str, told: Told) -> None:
    await told[story]
