"""The table of days that are not what their weekday says: seeded from libraries, confirmed once a year's notice is out."""

from datetime import date, timedelta

import chinese_calendar
import holidays
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from config.inserts import insert_into
from workorders.deadlines import DayMark, is_working
from workorders.model import CalendarDay


async def seed_year(session: AsyncSession, year: int) -> None:
    """Put a year's days into the table, unless the year is there. Days of an unannounced year are provisional guesses."""
    if await _rows_of(session, year):
        return
    days, confirmed = library_days(year)
    rows = [
        {"day": day, "working": working, "confirmed": confirmed, "name": name} for day, (working, name) in days.items()
    ]
    # Another process may seed the same year at this moment.
    await session.execute(insert_into(session, CalendarDay).values(rows).on_conflict_do_nothing(index_elements=["day"]))


async def marks_around(session: AsyncSession, day: date) -> tuple[dict[date, DayMark], frozenset[int]]:
    """The marked days of the year of `day` and the next one, seeded when needed, and which of the two are confirmed."""
    years = (day.year, day.year + 1)
    for year in years:
        await seed_year(session, year)
    rows = await session.scalars(
        select(CalendarDay).where(CalendarDay.day.between(date(years[0], 1, 1), date(years[1], 12, 31)))
    )
    marks = {row.day: DayMark(working=row.working, confirmed=row.confirmed) for row in rows}
    sure = {year for year in years if all(mark.confirmed for at, mark in marks.items() if at.year == year)}
    return marks, frozenset(sure)


async def _rows_of(session: AsyncSession, year: int) -> int:
    within = CalendarDay.day.between(date(year, 1, 1), date(year, 12, 31))
    return await session.scalar(select(func.count()).select_from(CalendarDay).where(within)) or 0


def library_days(year: int) -> tuple[dict[date, tuple[bool, str]], bool]:
    """day -> (working, name) where it differs from the weekday, or is a named holiday; and whether the year is announced."""
    days = [
        date(year, 1, 1) + timedelta(days=n) for n in range(366) if (date(year, 1, 1) + timedelta(days=n)).year == year
    ]
    try:
        found = {
            day: (chinese_calendar.is_workday(day), chinese_calendar.get_holiday_detail(day)[1] or "") for day in days
        }
    except NotImplementedError:  # the notice is not in the library yet
        guess = holidays.country_holidays("CN", years=year)
        found = {day: (guess.is_working_day(day), str(guess.get(day, ""))) for day in days}
        return _differing(found), False
    return _differing(found), True


def _differing(found: dict[date, tuple[bool, str]]) -> dict[date, tuple[bool, str]]:
    return {
        day: (working, name[:40]) for day, (working, name) in found.items() if name or working != is_working(day, {})
    }
