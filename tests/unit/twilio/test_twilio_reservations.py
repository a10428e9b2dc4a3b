"""A try to call back is reserved by one process; the reservation goes back unless somebody may have been called."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from config.settings import Settings
from ivr.call import Call
from ivr.verbs import CallBack
from telephony.errors import CallGone, CarrierRefused, CarrierUnavailable, CarrierUncertain, TelephonyError
from telephony.twilio.callbacks import call_back, leg_of_try

CALL = Call(id="t-CA" + "1" * 32, carrier="twilio", started_at=0.0, node="calling", token=7, number="+8613812345678")


class Cloud:
    """In place of Outbound: every order of a call ends with `error`; it is asked for telephones that may be rung only."""

    def __init__(self, error: TelephonyError) -> None:
        self._error = error
        self.reserved: set[str] = set()

    async def reserve(self, leg: str) -> str:
        self.reserved.add(leg)
        return f"of {leg}"

    async def give_up(self, leg: str, mine: str) -> None:
        assert mine == f"of {leg}"
        self.reserved.discard(leg)

    async def place(self, number: str, *_: object, **__: object) -> None:
        assert number == CALL.number
        raise self._error


class Turns:
    """In place of the call's turns."""

    def __init__(self, number: str) -> None:
        self.taken, self._number = 0, number

    async def present(self, _: str) -> Any:
        return SimpleNamespace(call=CALL, verbs=(CallBack(number=self._number, ring_s=30.0, token=CALL.token),))

    async def take_turn(self, *_: object) -> None:
        self.taken += 1


@pytest.mark.parametrize(
    ("number", "error", "stays_reserved", "is_raised", "counts_as_missed"),
    [
        (CALL.number, CarrierUncertain("no answer"), True, False, False),
        (CALL.number, CarrierUnavailable("not sent"), False, True, False),
        ("13812345678", CallGone("not wanted"), False, False, False),  # as a call saved by an older version has it
        (CALL.number, CarrierRefused("no such number"), False, False, True),
        ("+8821612345678", CarrierUncertain("never asked"), False, False, True),
    ],
)
def test_only_who_may_have_been_called_stays_reserved(
    number: str, error: TelephonyError, *, stays_reserved: bool, is_raised: bool, counts_as_missed: bool
) -> None:
    cloud, turns = Cloud(error), Turns(number)
    settings = Settings(state_dir=Path("/nowhere"), _env_file=None)
    exchange = SimpleNamespace(core=SimpleNamespace(turns=turns), settings=settings)
    calling = call_back(cast("Any", exchange), cast("Any", cloud), CALL)
    if is_raised:
        with pytest.raises(type(error)):
            asyncio.run(calling)
    else:
        asyncio.run(calling)
    assert cloud.reserved == ({leg_of_try(CALL)} if stays_reserved else set())
    assert bool(turns.taken) == counts_as_missed
