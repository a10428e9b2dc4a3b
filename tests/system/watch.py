"""What a test looks at in a running installation: calls, orders, seats, and which sentences a phone heard. Changes nothing
but sessions, which it opens and closes again."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from time import monotonic
from typing import Any

import httpx
from sqlalchemy import select

from ivr.call import Call
from ivr.spoken import digits
from ivr.verbs import Prompt
from telephony.prompts import Prompts
from tests.phones import hearing
from tests.phones.baresip import Phone
from tests.system.installation import Installation
from tests.waiting import patient, until
from workorders.model import InboxItem, Petitioner, Recording, WorkOrder

#: Between two searches in what a phone heard so far: they take time of the servers on the same machine.
LISTEN_EVERY_S = 0.3

#: Settings with which a test does not wait longer than it must.
BRISK = {
    "HOTLINE_ASK_TIMEOUT_S": "2",
    "HOTLINE_MESSAGE_SILENCE_S": "3",
    "HOTLINE_MESSAGE_MAX_S": "30",
    "HOTLINE_RING_S": "4",
    "HOTLINE_CLAIM_LEASE_S": "15",
    "HOTLINE_ANNOUNCE_EVERY_S": "10",
}


@contextlib.asynccontextmanager
async def session(
    house: Installation, line: str = "sip:nobody@127.0.0.1:9", *, sign_in: bool = True, cloud_line: str = ""
) -> AsyncIterator[tuple[str, str]]:
    """A session held meanwhile, with one seat; (session id, seat id). `sign_in`: the leader is there."""
    session_id, seat_id = await house.open_session(line, sign_in=sign_in, cloud_line=cloud_line)
    try:
        yield session_id, seat_id
    finally:
        await house.post(f"/api/sessions/{session_id}/close")


# -- calls ------------------------------------------------------------------------------------------------------------
async def live(house: Installation) -> dict[str, Call]:
    """Calls that go on, by id."""
    calls = [await house.core.calls.get(call_id) for call_id in await house.core.calls.live()]
    return {call.id: call for call in calls if call is not None and call.node != "ended"}


async def call_from(house: Installation, number: str, within_s: float = 15.0) -> str:
    """The id of the call that goes on from this number (E.164)."""

    async def find() -> str:
        return next((call.id for call in (await live(house)).values() if call.number == number), "")

    return await until(find, within_s, f"a call from {number[-4:]}")


async def reaches(house: Installation, call_id: str, node: str, within_s: float = 20.0) -> Call:
    """The call once it is at this node."""

    async def there() -> Call | None:
        call = await house.core.calls.get(call_id)
        return call if call is not None and call.node == node else None

    found = await until(there, within_s, f"{call_id} at {node}")
    assert found is not None
    return found


async def ended(house: Installation, call_id: str, within_s: float = 40.0) -> Any:
    """What the API says of the call once it has its outcome."""

    async def over() -> Any:
        try:
            call = await house.get(f"/api/calls/{call_id}")
        except httpx.HTTPStatusError:
            return None
        # The ledger has it a moment after the call itself.
        return call if call["outcome"] and "closed" in kinds(call) else None

    return await until(over, within_s, f"the end of {call_id}")


def kinds(call: Any) -> list[str]:
    return [event["kind"] for event in call["events"]]


async def accounted(house: Installation, session_id: str, calls: int, within_s: float = 20.0) -> dict[str, int]:
    """The outcomes once that many calls have one; none is unaccounted for."""

    async def whole() -> Any:
        ledger = await house.ledger(session_id=session_id)
        return ledger if sum(ledger["outcomes"].values()) >= calls else None

    ledger = await until(whole, within_s, f"{calls} outcomes")
    assert (ledger["calls"], ledger["unaccounted"]) == (calls, 0)
    outcomes: dict[str, int] = ledger["outcomes"]
    return outcomes


# -- seats and the line -----------------------------------------------------------------------------------------------
async def seat_is(house: Installation, seat_id: str, state: str, within_s: float = 20.0) -> None:
    async def so() -> bool:
        return (await house.core.seats.state(seat_id)).state == state

    await until(so, within_s, f"the seat {state}")


# -- work orders ------------------------------------------------------------------------------------------------------
async def order_of(house: Installation, call_id: str, status: str = "dispatched", within_s: float = 30.0) -> Any:
    """The call's one work order once it has this status, as the API shows it."""

    async def there() -> Any:
        found = await house.orders(call_id=call_id)
        assert len(found) <= 1
        return found[0] if found and found[0]["status"] == status else None

    return await house.get(f"/api/work-orders/{(await until(there, within_s, 'the order'))['id']}")


async def recording_of(house: Installation, order: Any) -> Recording:
    async with house.core.database.read() as database:
        return (await database.scalars(select(Recording).where(Recording.order_id == order["id"]))).one()


def recorded(house: Installation, recording: Recording) -> hearing.Samples:
    return hearing.read(house.settings.recordings / recording.path)


async def petitioner_of(house: Installation, order: Any) -> Petitioner:
    async with house.core.database.read() as database:
        query = select(Petitioner).join(WorkOrder, WorkOrder.petitioner_id == Petitioner.id)
        return (await database.scalars(query.where(WorkOrder.id == order["id"]))).one()


async def inbox_of(house: Installation, order: Any) -> list[InboxItem]:
    async with house.core.database.read() as database:
        return list(await database.scalars(select(InboxItem).where(InboxItem.order_id == order["id"])))


# -- what was heard ---------------------------------------------------------------------------------------------------
async def sounds(house: Installation, prompts: Iterable[Prompt]) -> list[Path]:
    return await Prompts(house.settings).audio(prompts, house.settings.language)


async def hears(
    house: Installation, phone: Phone, *prompts: Prompt, within_s: float = 20.0, after_s: float = 0.0
) -> float:
    """Waits until these sentences were heard, one after the other, from `after_s` on; seconds at which the last begins."""
    began, at, scanned = after_s, after_s, 0.0
    for prompt, path in zip(prompts, await sounds(house, prompts), strict=True):
        sound = hearing.read(path)
        length = sound.size / hearing.RATE
        start = at
        found: float | None = None
        end = monotonic() + patient(within_s)
        while found is None:
            samples = phone.heard()
            # What was scanned for this sentence before is not scanned again; it takes time of the servers beside us.
            start = max(at, scanned - length)
            found = hearing.find(samples[round(start * hearing.RATE) :], sound)
            scanned = samples.size / hearing.RATE
            if found is None:
                assert monotonic() < end, f"{phone.number} did not hear {prompt} after {at:.1f} s within {within_s:g} s"
                # Who hung up hears no more; what they heard last may still be on its way to the recording.
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(1.0):
                        await phone.listen(LISTEN_EVERY_S)
        began, at, scanned = start + found, start + found + 0.8 * length, 0.0
    return began


def number_spoken(number: str) -> tuple[Prompt, ...]:
    return (Prompt("order_number"), *digits(number))
