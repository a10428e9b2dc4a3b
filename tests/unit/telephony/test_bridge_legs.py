"""A bridge's tables and queues do not grow with the calls that came and went; events of others change nothing."""

from pathlib import Path
from typing import cast

from telephony.asterisk.exchange import Exchange
from telephony.asterisk.leg import Leg
from telephony.asterisk.legs import Legs
from tests.waiting import until

CALLS = 1000


class Quiet:
    """An exchange whose legs end at once: only the tables are looked at."""

    recordings = beep = spool = Path("/nowhere")
    prompts = connection = calls = turns = line = settings = None


class ShortLeg(Leg):
    async def run(self, found: object = None) -> None:
        while await self._inbox.get() is None:
            continue


async def test_given_a_thousand_calls_with_leaders_when_they_are_over_then_nothing_of_them_is_kept() -> None:
    exchange = cast(Exchange, Quiet())
    legs = Legs(exchange)
    for n in range(CALLS):
        leg = ShortLeg(exchange, f"a-pbx1-1-{n}", f"PJSIP/caller-{n}", f"pbx1-1.{n}")
        legs.add(leg)
        legs.route({"Event": "DialBegin", "Uniqueid": f"pbx1-1.{n}", "DestUniqueid": f"pbx1-9.{n}"})
        legs.route({"Event": "Hangup", "Uniqueid": f"pbx1-9.{n}"})
        legs.route({"Event": "Hangup", "Uniqueid": f"pbx1-1.{n}"})
    await until(lambda: len(legs) == 0)
    tables = [value for value in vars(legs).values() if isinstance(value, dict)]
    assert len(tables) == 4
    assert not any(tables)


async def test_given_many_changes_of_one_call_when_its_leg_is_busy_then_they_wait_as_one() -> None:
    leg = Leg(cast(Exchange, Quiet()), "a-pbx1-1-1", "PJSIP/caller-1", "pbx1-1.1")
    for n in range(CALLS):
        leg.change(n + 1)
    assert leg._inbox.qsize() == 1


async def test_given_mashed_keys_when_a_leg_is_busy_then_only_the_first_ones_wait() -> None:
    leg = Leg(cast(Exchange, Quiet()), "a-pbx1-1-1", "PJSIP/caller-1", "pbx1-1.1")
    for _ in range(CALLS):
        leg.hear("DTMFEnd", {"Digit": "1", "Direction": "Received"})
    assert leg._inbox.qsize() == 32
