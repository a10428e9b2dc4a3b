"""Values cut into sentences that exist beforehand: digits one by one, a date and a time apart, minutes rounded."""

from datetime import datetime
from zoneinfo import ZoneInfo

from ivr.verbs import Prompt

#: Up to here each minute has its sentence; above, an estimate is only told in steps.
EXACT_MINUTES, MINUTE_STEP, MOST_MINUTES = 10, 5, 120
#: Up to here each number of callers has its sentence; above, hundreds: "more than 300".
#: How many can still be served is not told beyond this: a session lasts two hours.
MOST_SERVED = 60
EXACT_CALLERS, MANY, MOST_MANY = 200, 100, 1000


def digits(number: str) -> tuple[Prompt, ...]:
    """One prompt for each digit; everything else in a number (+, -) is not spoken."""
    return tuple(Prompt("digit", {"digit": digit}) for digit in number if digit in "0123456789")


def counted(key: str, callers: int) -> Prompt:
    """The sentence `key` for a number of callers; for many of them `<key>_many`, which exists for whole hundreds."""
    if callers <= EXACT_CALLERS:
        return Prompt(key, {"count": callers})
    return Prompt(f"{key}_many", {"count": min(callers // MANY * MANY, MOST_MANY)})


def waiting_minutes(seconds: float) -> int:
    """An estimate as it is told: never under a minute, in steps of five from ten on, at most two hours."""
    minutes = max(1, -int(-seconds // 60))
    if minutes > EXACT_MINUTES:
        minutes = -(-minutes // MINUTE_STEP) * MINUTE_STEP
    return min(minutes, MOST_MINUTES)


def moment(at: float, timezone: str) -> tuple[Prompt, ...]:
    """A date, its weekday and a time of day, in the zone in which the sessions are held."""
    local = datetime.fromtimestamp(at, ZoneInfo(timezone))
    return (
        Prompt("date", {"date": f"{local:%m-%d}"}),
        Prompt("weekday", {"weekday": local.isoweekday()}),
        Prompt("clock", {"clock": f"{local:%H:%M}"}),
    )
