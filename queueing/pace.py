"""How a line goes in this session: talks, and callers who give up; learned from a prior and what was seen. Pure."""

from collections.abc import Mapping
from math import inf

from msgspec import Struct

#: Standard deviation of a talk's length over its mean: as of the talks of 7.5 to 15 minutes that are reported.
SPREAD = 0.5


class Pace(Struct, frozen=True):
    """What was seen at one line so far."""

    #: Talks that are over, and their seconds together.
    talks: int = 0
    talked_s: float = 0.0
    #: Callers who left the line by themselves, and the seconds that all callers together waited in it.
    gave_up: int = 0
    waited_s: float = 0.0
    #: Callers who hung up to be called back: they keep their place, and do not give up any more.
    kept: int = 0


#: Words by which the hash of leavers names callers who left for another reason than that they gave up.
_OTHERWISE = ("talked", "callback", "moved", "replaced", "released", "failed", "stray")


def read_pace(fields: Mapping[str, str], left: Mapping[str, str]) -> Pace:
    """From the hashes `pace` and `left` of the line."""
    return Pace(
        talks=int(fields.get("talks", 0)),
        talked_s=float(fields.get("talked_s", 0)),
        gave_up=sum(int(count) for reason, count in left.items() if reason not in _OTHERWISE),
        waited_s=float(fields.get("waited_s", 0)),
        kept=int(fields.get("kept", 0)),
    )


class Prior(Struct, frozen=True):
    """What is expected before anything is seen; a weight says how many talks, or callers who gave up, it is worth."""

    handle_s: float = 570.0
    handle_weight: float = 6.0
    #: Mean wait after which a caller gives up; inf = nobody does.
    patience_s: float = 900.0
    patience_weight: float = 5.0
    #: For one who gives up, so many hang up to be called back.
    keeping: float = 0.0


class Habits(Struct, frozen=True):
    """What is believed of the line. The variances are those of the belief, not of single calls."""

    handle_s: float
    handle_variance: float
    #: Part of the callers who wait that gives up, a second.
    giving_up: float
    giving_up_variance: float
    #: Part of the callers who wait that comes to keep a place instead, a second.
    keeping: float = 0.0


def learn(pace: Pace, prior: Prior) -> Habits:
    """Bayesian shrinkage: a few talks move the belief a little, a dozen decide it. Both are conjugate Gamma models."""
    weight = prior.handle_weight + pace.talks
    handle_s = (prior.handle_weight * prior.handle_s + pace.talked_s) / weight if weight > 0 else prior.handle_s
    variance = (SPREAD * handle_s) ** 2 / weight if weight > 0 else 0.0
    if prior.patience_s == inf:
        return Habits(handle_s, variance, 0.0, 0.0)
    # The mean of a rate is a little more than one over the mean patience.
    seen, waited_s = prior.patience_weight + 1 + pace.gave_up, prior.patience_weight * prior.patience_s + pace.waited_s
    if waited_s <= 0:
        return Habits(handle_s, variance, 1 / prior.patience_s, 0.0)
    return Habits(handle_s, variance, seen / waited_s, seen / waited_s**2, (prior.patience_weight * prior.keeping + pace.kept) / waited_s)
