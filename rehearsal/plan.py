"""Who calls in a session and what they do: as in the two reported sessions (772 and 846 calls in two hours). Pure."""

from random import Random
from typing import Literal

from msgspec import Struct

SESSION_S = 7200.0
#: 2026-11-25 09:00 in Shanghai, a Wednesday.
OPENS_AT = 1795568400.0
#: Part of the callers who are willing to wait. The reports tell only of signals (772, 846) and of those who got through.
WILLING = 0.35
#: Part of the calls that come in the first ten minutes, on top of an even flow: people wait for the opening.
RUSH, RUSH_S = 0.15, 600.0
PATIENCE_S = 900.0
HANDLE_S, HANDLE_SPREAD = 570.0, 0.5

Leaving = Literal["", "question", "message", "order"]


class Citizen(Struct, frozen=True):
    """One call that is going to come in, `at` seconds after the opening."""

    number: str
    at: float
    willing: bool
    #: How long this caller waits in the line, and how the waiting ends.
    patience_s: float
    gives_up: Literal["hang_up", "order", "callback"]
    #: Calls once more so many seconds after hanging up in the line; 0.0 = not.
    redials_after_s: float
    #: Hangs up in the middle of this.
    leaves_in: Leaving
    #: Presses nothing at all.
    silent: bool
    message_s: float
    #: Answers when called back.
    answers: bool
    #: Of the units to choose from, with several leaders.
    unit: int
    carrier: Literal["asterisk", "twilio"]


class Plan(Struct, frozen=True):
    """What is to be played. Durations in seconds."""

    seed: int = 1
    callers: int = 846
    seats: int = 1
    leader_late_s: float = 0.0
    #: Part of the rings that the leader does not hear.
    misses: float = 0.05
    faults: bool = False
    #: Orders are made in the database, too, and compared with those of the book.
    intake: bool = False


def citizens(plan: Plan) -> list[Citizen]:
    """Everybody's call, in the order of arrival. The same for the same plan."""
    random = Random(f"citizens {plan.seed}")  # noqa: S311 - a simulation
    return sorted((_citizen(random, n, plan) for n in range(plan.callers)), key=lambda one: one.at)


def talk_lengths(plan: Plan) -> Random:
    """The stream from which leaders' talks are drawn."""
    return Random(f"talks {plan.seed}")  # noqa: S311


def draw_talk(random: Random) -> float:
    """Length of one talk: Gamma, as in `queueing.calibration`."""
    return random.gammavariate(1 / HANDLE_SPREAD**2, HANDLE_S * HANDLE_SPREAD**2)


def _citizen(random: Random, n: int, plan: Plan) -> Citizen:
    rush = random.random() < RUSH
    gives_up = random.choices(("hang_up", "order", "callback"), (0.7, 0.2, 0.1))[0]
    leaves_in = random.choices(("", "question", "message", "order"), (0.8, 0.06, 0.07, 0.07))[0]
    return Citizen(
        number=f"+86138{plan.seed % 1000:03d}{n:05d}" if random.random() > 0.03 else "",
        at=random.uniform(0, RUSH_S if rush else SESSION_S - 5),
        willing=random.random() < WILLING,
        patience_s=5 + random.expovariate(1 / PATIENCE_S),
        gives_up=gives_up,  # type: ignore[arg-type]  # one of the words above
        redials_after_s=random.uniform(5, 240) if random.random() < 0.25 else 0.0,
        leaves_in=leaves_in,  # type: ignore[arg-type]
        silent=random.random() < 0.05,
        message_s=random.choice((0.0, random.uniform(3, 120))) if random.random() < 0.1 else random.uniform(5, 120),
        answers=random.random() < 0.7,
        unit=random.randrange(max(1, plan.seats)),
        carrier=random.choices(("asterisk", "twilio"), (0.8, 0.2))[0],
    )
