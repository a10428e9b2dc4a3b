"""Deadlines in working days (R4.4a, A4). Pure: the days that are not what their weekday says are handed in."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

#: 在接到“熱線問政”工單後,須在3個工作日內辦結
WORKING_DAYS = 3
#: Where business hours apply, a day ends with them (Civil Code of the PRC, 203).
BUSINESS_ENDS = time(17, 30)
_FRIDAY = 4
_FAR_ENOUGH_DAYS = 60


class Due(Struct, frozen=True):
    """When an order is due (UTC), how that was reckoned, and whether it rests on confirmed days only."""

    at: datetime
    basis: str
    confirmed: bool


class DayMark(Struct, frozen=True):
    """A day that is not what its weekday says: a holiday, or a make-up working day."""

    working: bool
    confirmed: bool = True


def is_working(day: date, marks: Mapping[date, DayMark]) -> bool:
    """A marked day is what its mark says; others work from Monday to Friday."""
    return marks[day].working if day in marks else day.weekday() <= _FRIDAY


def due(
    dispatched_at: datetime,
    marks: Mapping[date, DayMark],
    *,
    confirmed_years: frozenset[int] = frozenset(),
    timezone: str = "Asia/Shanghai",
    days: int = WORKING_DAYS,
) -> Due:
    """End of business of the `days`-th working day after the day of dispatch, which is not counted itself."""
    zone = ZoneInfo(timezone)
    start = dispatched_at.astimezone(zone).date()
    day, left, years = start, days, {start.year}
    for _ in range(_FAR_ENOUGH_DAYS + days * 3):
        if left == 0:
            break
        day += timedelta(days=1)
        years.add(day.year)
        left -= is_working(day, marks)
    sure = years <= confirmed_years
    basis = f"派发日 {start.isoformat()} 不计，第 {days} 个工作日为 {day.isoformat()}{'' if sure else '（放假安排未公布，暂定）'}"
    return Due(at=datetime.combine(day, BUSINESS_ENDS, zone).astimezone(UTC), basis=basis, confirmed=sure)
