"""Values cut into sentences that exist beforehand: digits one by one, a date and a time apart, minutes rounded."""

from datetime import datetime
from zoneinfo import ZoneInfo

from ivr.verbs import Prompt

#: Up to here each minute has its sentence; above, an estimate is only told in steps.
EXACT_MINUTES, MINUTE_STEP, MOST_MINUTES = 10, 5, 120


def digits(number: str) -> tuple[Prompt, ...]:
    """One prompt for each digit; everything else in a number (+, -) is not spoken."""
    return tuple(Prompt("digit", {"digit": digit}) for digit in number if digit in "0123456789")


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
