"""Three working days, holidays and make-up working days included (R4.4a, A4)."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workorders.deadlines import DayMark, due, is_working
from workorders.workdays import library_days

ZONE = ZoneInfo("Asia/Shanghai")


def at(year: int, month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=ZONE)


def marks(year: int) -> dict[date, DayMark]:
    days, confirmed = library_days(year)
    return {day: DayMark(working=working, confirmed=confirmed) for day, (working, _) in days.items()}


@pytest.mark.parametrize(
    ("dispatched", "expected"),
    [
        (at(2018, 4, 25, 9, 30), date(2018, 4, 28)),  # a Saturday that makes up for the holiday
        (at(2018, 4, 25, 23, 59), date(2018, 4, 28)),
        (at(2018, 1, 10, 9, 0), date(2018, 1, 15)),
        (at(2018, 2, 14, 10, 0), date(2018, 2, 24)),  # over the Spring Festival to a make-up Saturday
        (at(2018, 9, 29, 10, 0), date(2018, 10, 8) + timedelta(days=1)),
    ],
)
def test_an_order_is_due_on_the_third_working_day(dispatched: datetime, expected: date) -> None:
    found = due(dispatched, marks(2018), confirmed_years=frozenset({2018}))
    assert found.at.astimezone(ZONE).date() == expected
    assert found.at.astimezone(ZONE).strftime("%H:%M") == "17:30"
    assert found.confirmed
    assert expected.isoformat() in found.basis


def test_the_day_is_that_of_the_city_not_of_utc() -> None:
    late = datetime(2018, 4, 24, 17, 0, tzinfo=UTC)  # 01:00 on the 25th in Shanghai
    assert due(late, marks(2018)).at.astimezone(ZONE).date() == date(2018, 4, 28)


def test_a_year_whose_notice_is_not_out_is_provisional() -> None:
    days, confirmed = library_days(2031)
    assert not confirmed
    assert days
    found = due(datetime(2031, 3, 3, 9, 0, tzinfo=ZONE), {}, confirmed_years=frozenset())
    assert not found.confirmed
    assert "暂定" in found.basis


@given(
    st.dates(date(2020, 1, 1), date(2026, 12, 31)),
    st.dictionaries(st.dates(date(2020, 1, 1), date(2027, 3, 1)), st.booleans(), max_size=40),
    st.integers(1, 10),
)
def test_exactly_so_many_working_days_lie_after_the_day_of_dispatch(
    day: date, known: dict[date, bool], days: int
) -> None:
    table = {one: DayMark(working=working) for one, working in known.items()}
    found = due(datetime(day.year, day.month, day.day, 12, tzinfo=ZONE), table, days=days).at.astimezone(ZONE).date()
    between = [day + timedelta(days=n) for n in range(1, (found - day).days + 1)]
    assert sum(is_working(one, table) for one in between) == days
    assert is_working(found, table)
