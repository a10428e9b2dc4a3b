"""Chance of being put through before closing time, and how long it takes. Pure; values only, no clock.

The leader's talks follow each other. Each time one is over, the head of the line goes next; meanwhile some of those who
wait give up. So of `ahead` callers, fewer than `ahead` talks come first: their number, the rest of the talk that is held
now, the spread of talks and what is not yet known of this session make the mean and the variance of the wait, which is
taken as Gamma distributed. `queueing.calibration` shows that a chance of 70 % means 70 %.
"""

from math import erfc, exp, expm1, floor, inf, log1p, sqrt
from typing import Literal

from msgspec import Struct

from queueing.pace import SPREAD, Habits, Pace, Prior, learn

Admission = Literal["recommended", "discouraged", "ended"]

#: Below this chance the work order is recommended first.
DISCOURAGED_BELOW = 0.5
#: Below this chance nobody new is let into the line. 0 = who insists may wait as long as there is time at all.
ENDED_BELOW = 0.0
#: From the claim until the two hear each other: the leader's line rings, the leader takes it.
SETUP_S = 5.0
#: A talk goes through so many equal steps (Erlang): the number that gives SPREAD.
STEPS = round(1 / SPREAD**2)
#: A leader who is away is back in about this time; nobody knows better.
AWAY_S = 300.0
#: What these moments leave out (callers are whole; length and patience are learned together), found by calibration.
ROUGHNESS = 1.2
#: Of the callers, a part smaller than this that gives up during a talk changes nothing.
_NEVER = 1e-6
#: No line loses more of its callers during a talk than all but one in e to this.
_AT_MOST = 4.0
#: More talks than any session has room for are not followed one by one.
_MANY = 100
#: A rate is looked for until its line takes as long as wanted, to so many seconds; it is near enough after so many looks.
_NEAR_S, _LOOKS = 0.05, 20
#: A small step of the rate, for its slope.
_STEP = 1.01


class Forecast(Struct, frozen=True):
    """What may be told to a caller."""

    #: 0..1, put through before closing time, for who stays until then.
    chance: float
    #: Expected seconds until put through, were there no closing time; inf without a seat.
    wait_s: float
    #: How many callers of this line can expect to be put through before closing time.
    can_serve: int
    admission: Admission


class Rest(Struct, frozen=True):
    """Until the first seat takes the next caller: mean seconds and their variance, that of the habits left out."""

    mean_s: float = 0.0
    variance: float = 0.0
    #: How many talks this is.
    talks: float = 0.0


def forecast(
    *,
    ahead: int,
    kept: int = 0,
    closes_in_s: float,
    pace: Pace = Pace(),  # noqa: B008 - frozen
    prior: Prior = Prior(),  # noqa: B008 - frozen
    talking_s: float | None = None,
    rest_s: float = 0.0,
    away: bool = False,
    seats: int = 1,
    wrap_up_s: float = 15.0,
    discouraged_below: float = DISCOURAGED_BELOW,
    ended_below: float = ENDED_BELOW,
) -> Forecast:
    """For a caller with `ahead` callers before them; one who is being offered to the leader counts. `kept` of them have
    hung up and keep the place: they do not give up, and the longer a line stands, the more of it they are.

    `talking_s`: how long the present talk has lasted, None = no talk. `rest_s`: what is left of wrap-up. `away`: the leader
    is not there (paused, not signed in). With several `seats` for one line, they are all talking or none is.
    """
    if seats < 1:
        return Forecast(0.0, inf, 0, "ended")
    habits = learn(pace, prior)
    rest = _rest(habits, talking_s, wrap_up_s, seats) if talking_s is not None else Rest(max(rest_s, 0.0))
    if away:
        rest = Rest(rest.mean_s + AWAY_S, rest.variance + AWAY_S**2, rest.talks)
    cycle_s = (habits.handle_s + wrap_up_s + SETUP_S) / seats
    wait_s, variance = _wait(ahead, kept, habits, rest, cycle_s, seats)
    chance = _before(closes_in_s, wait_s, variance)
    left_s = closes_in_s - rest.mean_s
    can_serve = floor(left_s / cycle_s) + seats if left_s > 0 and cycle_s > 0 else 0
    over = closes_in_s <= 0
    return Forecast(chance, wait_s, can_serve, "ended" if over else _admission(chance, discouraged_below, ended_below))


def _rest(habits: Habits, spent_s: float, wrap_up_s: float, seats: int) -> Rest:
    """What is left of a talk that has lasted `spent_s`: it is in one of its steps, the later the longer it lasts."""
    step_s = habits.handle_s / STEPS
    if step_s <= 0:
        return Rest(wrap_up_s)
    spent = min(max(spent_s, 0.0) / step_s, 1e6)
    weights, weight = [], 1.0
    for step in range(STEPS):
        weights.append(weight)
        weight *= spent / (step + 1)
    total = sum(weights)
    left = sum((STEPS - step) * weight for step, weight in enumerate(weights)) / total
    square = sum((STEPS - step) ** 2 * weight for step, weight in enumerate(weights)) / total
    variance = (left + square - left**2) * step_s**2
    return Rest((left * step_s + wrap_up_s) / seats, variance / seats**2, left / STEPS)


def _wait(ahead: int, kept_places: int, habits: Habits, rest: Rest, cycle_s: float, seats: int) -> tuple[float, float]:
    """Mean and variance of the wait, by the moments of the line's way to nobody ahead."""
    if ahead <= 0:
        return rest.mean_s, rest.variance + habits.handle_variance * (rest.talks / seats) ** 2
    talk_variance = (SPREAD * habits.handle_s / seats) ** 2
    rate = min(habits.giving_up, _AT_MOST / cycle_s) if cycle_s > 0 else 0.0
    if kept_places or habits.keeping:
        rate = _as_if_alike(ahead, _talks(ahead, kept_places, rate, habits.keeping, rest.mean_s, cycle_s), rate, rest.mean_s, cycle_s)
    queue_s = _queue_s(ahead, rate, rest.mean_s, cycle_s)
    if rate * cycle_s <= _NEVER:
        talks = float(ahead)
        of_cycle, variance = rest.talks + talks, rest.variance + talks * talk_variance
        return rest.mean_s + queue_s, variance + habits.handle_variance * (of_cycle / seats) ** 2
    # After every talk one goes, and of the others the part `kept` stays: n talks later (ahead + b) kept^n - b are ahead.
    kept, faster, stay = exp(-rate * cycle_s), expm1(rate * cycle_s), exp(-rate * rest.mean_s)
    present, b = ahead * stay, 1 / faster
    end = b / (present + b)
    # Sums of kept^i and kept^2i over the talks: what a delay at one of them is worth at the end, as others give up.
    delays, squares = (1 - end) / (1 - kept), (1 - end**2) / (1 - kept**2)
    callers = present * (1 - stay) * end**2 + b * ((1 - end) - (1 - end**2) / (1 + kept))
    curved = 0.5 * rate * (rest.variance * end * (1 - end) + talk_variance * (delays - squares))
    mean_s = rest.mean_s + queue_s - 0.5 * faster**2 * callers / rate + curved
    of_cycle = rest.talks * end + present * exp(rate * cycle_s) / (1 + present * faster)
    of_rate = (_queue_s(ahead, rate * _STEP, rest.mean_s, cycle_s) - queue_s) / (rate * (_STEP - 1))
    variance = rest.variance * end**2 + talk_variance * squares + callers * cycle_s**2
    learned = habits.handle_variance * (of_cycle / seats) ** 2 + habits.giving_up_variance * of_rate**2
    return max(mean_s, rest.mean_s), ROUGHNESS * (variance + learned)


def _talks(ahead: int, kept: int, giving_up: float, keeping: float, rest_s: float, cycle_s: float) -> float:
    """How many talks come first when those who keep a place stay, and of the others some give up and some come to keep one."""
    waiting, staying = float(ahead - kept), float(kept)
    going = giving_up + keeping
    part, gone, of_cycle = keeping / going if going > 0 else 0.0, -expm1(-going * rest_s), -expm1(-going * cycle_s)
    talks = 0
    while True:
        waiting, staying = waiting * (1 - gone), staying + waiting * gone * part
        both = waiting + staying
        if both <= 1 or talks >= _MANY:
            return talks + both
        waiting, staying = waiting * (both - 1) / both, staying * (both - 1) / both
        talks, gone = talks + 1, of_cycle


def _as_if_alike(ahead: int, talks: float, highest: float, rest_s: float, cycle_s: float) -> float:
    """The rate at which all would have to give up for the line to take so many talks."""
    wanted_s = talks * cycle_s
    low, high = 0.0, highest
    above, below = ahead * cycle_s - wanted_s, _queue_s(ahead, highest, rest_s, cycle_s) - wanted_s
    if below >= 0 or above <= 0:
        return highest if below >= 0 else 0.0
    kept = 0  # the same end, twice: its height counts half (the Illinois rule)
    for _ in range(_LOOKS):
        rate = (low * below - high * above) / (below - above)
        height = _queue_s(ahead, rate, rest_s, cycle_s) - wanted_s
        if abs(height) <= _NEAR_S:
            return rate
        if height > 0:
            low, above = rate, height
            below, kept = (below / 2 if kept > 0 else below), 1
        else:
            high, below = rate, height
            above, kept = (above / 2 if kept < 0 else above), -1
    return low


def _queue_s(ahead: int, rate: float, rest_s: float, cycle_s: float) -> float:
    """Expected seconds for the talks of those ahead who do not give up."""
    if rate * cycle_s <= _NEVER:
        return ahead * cycle_s
    return log1p(ahead * exp(-rate * rest_s) * expm1(rate * cycle_s)) / rate


def _before(closes_in_s: float, mean_s: float, variance: float) -> float:
    """That a wait of this mean and variance ends before closing time (Wilson and Hilferty's form of the Gamma law)."""
    if closes_in_s <= 0:
        return 0.0
    if mean_s <= 0:
        return 1.0
    if variance <= 0:
        return 1.0 if mean_s < closes_in_s else 0.0
    ninth = variance / (9 * mean_s**2)
    deviation = ((closes_in_s / mean_s) ** (1 / 3) - 1 + ninth) / sqrt(ninth)
    return 0.5 * erfc(-deviation / sqrt(2))


def _admission(chance: float, discouraged_below: float, ended_below: float) -> Admission:
    if chance < ended_below:
        return "ended"
    return "discouraged" if chance < discouraged_below else "recommended"
