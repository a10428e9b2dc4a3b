"""A try to call back is reserved by one process; the reservation goes back unless somebody may have been called."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from ivr.call import Call
from ivr.verbs import CallBack
from telephony.errors import CallGone, CarrierRefused, CarrierUnavailable, CarrierUncertain, TelephonyError
from telephony.twilio.callbacks import call_back, leg_of_try

CALL = Call(id="t-CA" + "1" * 32, carrier="twilio", started_at=0.0, node="calling", token=7, number="+8613812345678")


class Cloud:
    """In place of Outbound: every order of a call ends with `error`."""

    def __init__(self, error: TelephonyError) -> None:
        self._error = error
        self.reserved: set[str] = set()

    async def reserve(self, leg: str) -> bool:
        self.reserved.add(leg)
        return True

    async def give_up(self, leg: str) -> None:
        self.reserved.discard(leg)

    async def place(self, *_: object, **__: object) -> None:
        raise self._error


class Turns:
    """In place of the call's turns."""

    def __init__(self) -> None:
        self.taken = 0

    async def present(self, _: str) -> Any:
        return SimpleNamespace(call=CALL, verbs=(CallBack(number=CALL.number, ring_s=30.0, token=CALL.token),))

    async def take_turn(self, *_: object) -> None:
        self.taken += 1


@pytest.mark.parametrize(
    ("error", "stays_reserved", "is_raised", "counts_as_missed"),
    [
        (CarrierUncertain("no answer"), True, False, False),
        (CarrierUnavailable("not sent"), False, True, False),
        (CallGone("not wanted"), False, False, False),
        (CarrierRefused("no such number"), False, False, True),
    ],
)
def test_only_who_may_have_been_called_stays_reserved(
    error: TelephonyError, *, stays_reserved: bool, is_raised: bool, counts_as_missed: bool
) -> None:
    cloud, turns = Cloud(error), Turns()
    exchange = SimpleNamespace(core=SimpleNamespace(turns=turns))
    calling = call_back(cast("Any", exchange), cast("Any", cloud), CALL)
    if is_raised:
        with pytest.raises(type(error)):
            asyncio.run(calling)
    else:
        asyncio.run(calling)
    assert cloud.reserved == ({leg_of_try(CALL)} if stays_reserved else set())
    assert bool(turns.taken) == counts_as_missed
