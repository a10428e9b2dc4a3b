"""What people with a real phone do: come into the line, keep a place in it, take the call that is put through."""

from tests.phones.baresip import Phone
from tests.system.installation import Installation
from tests.system.watch import call_from, reaches, seat_is
from tests.waiting import until


async def is_asked(house: Installation, phone: Phone, service: str = "") -> str:
    """A call of this mobile number that has come to the question; its id. `service`: where it dials, if not at the house itself."""
    await phone.dial(service or house.service)
    call_id = await call_from(house, f"+86{phone.number}")
    await reaches(house, call_id, "question")
    return call_id


async def say_yes(house: Installation, phone: Phone, service: str = "") -> str:
    """The same, and it says yes at once."""
    call_id = await is_asked(house, phone, service)
    await phone.press("1")
    return call_id


async def wait_in_line(house: Installation, phone: Phone) -> str:
    """A call of this mobile number that says yes and waits."""
    call_id = await say_yes(house, phone)
    await reaches(house, call_id, "waiting")
    return call_id


async def hang_up_and_keep_the_place(house: Installation, citizen: Phone) -> str:
    """A call that waits, presses 3 and is hung up by us after the promise."""
    call_id = await wait_in_line(house, citizen)
    await until(lambda: citizen.heard(1.0).size > 0, 10, "sound")
    call = await house.core.calls.get(call_id)
    assert call is not None
    await until(lambda: house.core.clock() - call.entered_at > 1.6, 5, "the time in which keys belong to the choice before")
    await citizen.press("3")
    await citizen.until("CALL_CLOSED", 40)
    await reaches(house, call_id, "kept")
    return call_id


async def put_through(house: Installation, leader: Phone, seat_id: str) -> None:
    """The leader is rung and takes the call."""
    await leader.until("CALL_INCOMING", 40)
    await leader.answer()
    await seat_is(house, seat_id, "talking", 40)
