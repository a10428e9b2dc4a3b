"""Chance of being put through before closing time, and how long it takes. Pure; values only, no clock.

The leader's calls follow each other; one takes a mean of handle time plus wrap-up, and they vary. Whoever has k callers
ahead is put through when k of them are done, if that is before closing time. The sum of k lengths is taken as normal.
"""

from math import erfc, floor, inf, sqrt
from typing import Literal

from msgspec import Struct

Admission = Literal["recommended", "discouraged", "ended"]

#: Standard deviation of a call's length over its mean; talks of 7.5 to 15 minutes are reported.
SPREAD = 0.5
#: Below this chance the work order is recommended first.
DISCOURAGED_BELOW = 0.5
#: Below this chance nobody new is let into the line. 0 = who insists may wait as long as there is time at all.
ENDED_BELOW = 0.0


class Forecast(Struct, frozen=True):
    """What may be told to a caller."""

    #: 0..1, put through before closing time.
    chance: float
    #: Expected seconds until put through, were there no closing time; inf without a seat.
    wait_s: float
    #: How many callers of this line can expect to be put through before closing time.
    can_serve: int
    admission: Admission


def forecast(
    *,
    ahead: int,
    closes_in_s: float,
    busy_s: float = 0.0,
    seats: int = 1,
    handle_s: float = 570.0,
    wrap_up_s: float = 15.0,
    spread: float = SPREAD,
    discouraged_below: float = DISCOURAGED_BELOW,
    ended_below: float = ENDED_BELOW,
) -> Forecast:
    """For a caller with `ahead` callers before them and `busy_s` seconds until the first seat is free."""
    if seats < 1:
        return Forecast(0.0, inf, 0, "ended")
    cycle_s = handle_s + wrap_up_s
    left_s = closes_in_s - busy_s
    rounds = ahead / seats
    wait_s = busy_s + rounds * cycle_s
    chance = _chance(left_s, rounds, cycle_s, spread * handle_s)
    can_serve = seats * (floor(left_s / cycle_s) + 1) if left_s > 0 and cycle_s > 0 else 0
    over = closes_in_s <= 0
    admission = "ended" if over else _admission(chance, discouraged_below, ended_below)
    return Forecast(chance, wait_s, can_serve, admission)


def _chance(left_s: float, rounds: float, cycle_s: float, deviation_s: float) -> float:
    """That the sum of `rounds` calls is shorter than what is left."""
    if left_s <= 0:
        return 0.0
    if rounds <= 0:
        return 1.0
    deviation = deviation_s * sqrt(rounds)
    if deviation <= 0:
        return 1.0 if rounds * cycle_s < left_s else 0.0
    return 0.5 * erfc((rounds * cycle_s - left_s) / (deviation * sqrt(2)))


def _admission(chance: float, discouraged_below: float, ended_below: float) -> Admission:
    if chance < ended_below:
        return "ended"
    return "discouraged" if chance < discouraged_below else "recommended"
