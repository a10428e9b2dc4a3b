"""Is a chance of 70 % really 70 %? Thousands of sessions are played, without any telephone, and counted. Pure.

A session has talks and patience of its own, drawn around the prior: the forecast has to learn them. A caller's wait does
not depend on their own patience, so "served, had they stayed" is known of everybody (Lindley's recursion), and nobody
drops out of the table because they gave up. That is what a chance promises. Beside it stands what can be seen in a real
session: of those who did stay, till they were put through or till closing time, so many were served. That part is another
one: who would have waited in vain has the longer wait before them, gives up more often, and is missing there; who joins just
before closing time is told almost nothing, and stays the few minutes.
"""

from bisect import bisect_right
from collections.abc import Callable
from math import log
from random import Random

from msgspec import Struct

from queueing.forecast import SETUP_S, forecast
from queueing.pace import SPREAD, Pace, Prior

SESSION_S = 7200.0
WRAP_UP_S = 15.0
#: Callers who are willing to wait, in sessions of every size; the reported ones had 772 and 846 calls.
WILLING = (30, 500)
#: Moments of a session at which somebody is told a chance.
TOLD = 24


class Row(Struct, frozen=True):
    """Of `told` callers who were told a chance from `least` to `least` + 0.1, `served` were put through, had they stayed;
    `stayed` did, and of these `stayed_served` were."""

    least: float
    told: int
    served: int
    #: Mean of the chances they were told.
    said: float
    stayed: int
    stayed_served: int

    @property
    def share(self) -> float:
        return self.served / self.told if self.told else 0.0

    @property
    def share_stayed(self) -> float:
        return self.stayed_served / self.stayed if self.stayed else 0.0


class Told(Struct, frozen=True):
    """One caller who was told a chance, and what came of it."""

    chance: float
    #: Put through, had they stayed.
    served: bool
    #: Stayed till they were put through, or till closing time.
    stayed: bool


class _Caller(Struct):
    at: float
    #: When the seat was there for this caller, had they stayed.
    turn_at: float
    #: When this caller left the line: by giving up, or for the talk.
    left_at: float
    talk_s: float = 0.0


def calibrate(
    sessions: int, seed: int, prior: Prior = Prior(), after_each: Callable[[], None] = lambda: None,  # noqa: B008 - frozen
) -> list[Row]:  # fmt: skip
    """Ten rows, from 0-10 % to 90-100 %. The same for the same seed. `after_each` session it is told that there is progress."""
    random = Random(seed)  # noqa: S311 - a simulation
    tenths: list[list[Told]] = [[] for _ in range(10)]
    for _ in range(sessions):
        for one in play(random, prior):
            tenths[min(9, int(one.chance * 10))].append(one)
        after_each()
    return [_row(n / 10, some) for n, some in enumerate(tenths)]


def _row(least: float, some: list[Told]) -> Row:
    stayed = [one for one in some if one.stayed]
    return Row(
        least=least,
        told=len(some),
        served=sum(one.served for one in some),
        said=sum(one.chance for one in some) / len(some) if some else 0.0,
        stayed=len(stayed),
        stayed_served=sum(one.served for one in stayed),
    )


def play(random: Random, prior: Prior) -> list[Told]:
    """One session: what some of its callers were told, and whether they were put through, had they stayed."""
    handle_s = _around(random, prior.handle_s, prior.handle_weight, SPREAD)
    patience_s = _around(random, prior.patience_s, prior.patience_weight, 1.0)
    callers = _hold(random, handle_s, patience_s)
    found = []
    for _ in range(min(TOLD, len(callers))):
        caller = callers[random.randrange(len(callers))]
        # As they join; or later, while they wait.
        until = min(caller.left_at, SESSION_S)
        at = caller.at if random.random() < 0.5 else random.uniform(caller.at, until)
        stayed = caller.left_at >= min(caller.turn_at, SESSION_S)
        found.append(Told(_tell(callers, caller, at, prior), caller.turn_at < SESSION_S, stayed))
    return found


def _around(random: Random, mean: float, weight: float, spread: float) -> float:
    """A mean of this session's own, as uncertain as the prior says it is: inverse Gamma, the conjugate law."""
    shape = weight / spread**2 + 1
    return mean * (shape - 1) / random.gammavariate(shape, 1.0)


def _hold(random: Random, handle_s: float, patience_s: float) -> list[_Caller]:
    callers, free_at = [], 0.0
    for at in sorted(random.uniform(0, SESSION_S) for _ in range(random.randint(*WILLING))):
        turn_at, gives_up_at = max(at, free_at), at - patience_s * log(1.0 - random.random())
        caller = _Caller(at, turn_at, min(turn_at, gives_up_at))
        if gives_up_at >= turn_at and turn_at < SESSION_S:
            caller.talk_s = random.gammavariate(1 / SPREAD**2, handle_s * SPREAD**2)
            free_at = turn_at + SETUP_S + caller.talk_s + WRAP_UP_S
        callers.append(caller)
    return callers


def _tell(callers: list[_Caller], caller: _Caller, at: float, prior: Prior) -> float:
    """The chance told at `at`, from what can be seen at that time."""
    known = callers[: bisect_right(callers, at, key=lambda one: one.at)]
    talks = [one for one in known if one.talk_s and one.left_at <= at]
    over = [one.talk_s for one in talks if one.turn_at + SETUP_S + one.talk_s <= at]
    pace = Pace(
        talks=len(over),
        talked_s=sum(over),
        gave_up=sum(1 for one in known if one.left_at <= at and not one.talk_s),
        waited_s=sum(min(one.left_at, at) - one.at for one in known),
    )
    ahead = sum(1 for one in known if one.left_at > at and one.at < caller.at)
    last = talks[-1] if talks else None
    since = at - last.turn_at - SETUP_S if last else 0.0
    on_talk = last is not None and since < last.talk_s
    rest_s = max(0.0, last.talk_s + WRAP_UP_S - since) if last and not on_talk else 0.0
    return forecast(
        ahead=ahead, closes_in_s=SESSION_S - at, pace=pace, prior=prior, talking_s=max(since, 0.0) if on_talk else None,
        rest_s=rest_s, wrap_up_s=WRAP_UP_S,
    ).chance  # fmt: skip
