"""Mandarin numbers, dates and times as they are said: 两位, 十二分钟, 一百零二, 幺 in a number, 上午九点."""

from typing import assert_never

from ivr.call import Language
from ivr.wording.keys import Kind

DIGITS = "零一二三四五六七八九"
WEEKDAYS = "一二三四五六日"
#: From this hour on, up to the next.
PARTS_OF_DAY = ((0, "凌晨"), (6, "上午"), (12, "中午"), (13, "下午"), (18, "晚上"))


def speak(value: str | float, kind: Kind, language: Language) -> str:
    """One value; `kind` says whether it counts, numbers, or is read digit by digit."""
    match kind:
        case "count" | "minutes" | "tenths":
            return _script(counted(int(value)), language)
        case "digit":
            return "幺" if str(value) == "1" else DIGITS[int(value)]
        case "date":
            month, day = str(value).split("-")
            return f"{cardinal(int(month))}月{cardinal(int(day))}日"
        case "weekday":
            return f"星期{WEEKDAYS[int(value) - 1]}"
        case "clock":
            return _script(clock(str(value)), language)
        case "name":
            return str(value)
        case _:
            assert_never(kind)


def cardinal(number: int) -> str:
    """0..9999 as a number: 十二, 二十, 一百零二, 一千零二十."""
    if not 0 <= number <= 9999:
        raise ValueError(number)
    if number < 10:
        return DIGITS[number]
    if number < 20:
        return "十" + (DIGITS[number % 10] if number % 10 else "")
    return _places(number)


def _places(number: int) -> str:
    spoken, gap = "", False
    for unit, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = number // unit % 10
        if digit == 0:
            gap = bool(spoken)
            continue
        spoken += ("零" if gap else "") + DIGITS[digit] + name
        gap = False
    return spoken


def counted(number: int) -> str:
    """Before a measure word two is 两: 两位, 两百位, 两千位; but 十二位 and 一百零二位."""
    if number == 2:
        return "两"
    spoken = cardinal(number)
    return "两" + spoken[1:] if spoken[:2] in ("二百", "二千") else spoken


def clock(value: str) -> str:
    """HH:MM as 上午九点, 下午两点半, 上午十点零五分."""
    hour, minute = (int(part) for part in value.split(":"))
    part = next(name for start, name in reversed(PARTS_OF_DAY) if hour >= start)
    spoken = counted(hour if hour <= 12 else hour - 12) + "点"
    if minute == 0:
        return part + spoken
    if minute == 30:
        return f"{part}{spoken}半"
    return f"{part}{spoken}{'零' if minute < 10 else ''}{cardinal(minute)}分"


def _script(text: str, language: Language) -> str:
    return text.replace("两", "兩").replace("点", "點") if language == "zh-Hant" else text
