"""English numbers, dates and times as they are said."""

from typing import assert_never

from ivr.wording.keys import Kind

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def speak(value: str | float, kind: Kind) -> str:
    """One value. Counts stay figures: every voice says those right."""
    match kind:
        case "count" | "minutes":
            return str(int(value))
        case "tenths":
            return str(int(value) * 10)
        case "digit":
            return DIGITS[int(value)]
        case "date":
            month, day = str(value).split("-")
            return f"{MONTHS[int(month) - 1]} {int(day)}"
        case "weekday":
            return WEEKDAYS[int(value) - 1]
        case "clock":
            return clock(str(value))
        case "name":
            return str(value)
        case _:
            assert_never(kind)


def clock(value: str) -> str:
    """HH:MM as 9 a.m., 2:30 p.m."""
    hour, minute = (int(part) for part in value.split(":"))
    half = "a.m." if hour < 12 else "p.m."
    return f"{(hour - 1) % 12 + 1}{f':{minute:02}' if minute else ''} {half}"
