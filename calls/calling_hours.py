"""When a petitioner may be called: between two times of a day, in the zone of the hotline. Pure."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from config.columns import from_unix


def next_allowed(at: float, hours: tuple[time, time], timezone: str) -> float:
    """`at` itself (Unix seconds) within the hours, else the moment at which they begin next. The end is not within them."""
    zone, (start, end) = ZoneInfo(timezone), hours
    local = from_unix(at).astimezone(zone)
    if start <= local.time() < end:
        return at
    day = local.date() if local.time() < start else local.date() + timedelta(days=1)
    return datetime.combine(day, start, zone).timestamp()
