"""Times, durations and parts as people read them, in the zone of the sessions. Digits are the same in all our languages."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from config.settings import Language

_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
_DAYS = {"en": "Mon Tue Wed Thu Fri Sat Sun".split(), "zh": list("一二三四五六日")}


class Formats:
    """Of one language and zone."""

    def __init__(self, language: Language, zone: ZoneInfo) -> None:
        self._language, self._zone = language, zone

    def _local(self, moment: datetime | float) -> datetime:
        known = moment if isinstance(moment, datetime) else datetime.fromtimestamp(moment, UTC)
        return known.astimezone(self._zone)

    def day(self, moment: datetime | float) -> str:
        """2026年11月25日（周三） or Wed 25 Nov 2026."""
        at = self._local(moment)
        if self._language == "en":
            return f"{_DAYS['en'][at.weekday()]} {at.day} {_MONTHS[at.month - 1]} {at.year}"
        week = "周" if self._language == "zh-Hans" else "週"
        return f"{at.year}年{at.month}月{at.day}日（{week}{_DAYS['zh'][at.weekday()]}）"

    def clock(self, moment: datetime | float) -> str:
        """09:00."""
        return self._local(moment).strftime("%H:%M")

    def second(self, moment: datetime | float) -> str:
        """2026-11-25 09:00:07, for lists."""
        return self._local(moment).strftime("%Y-%m-%d %H:%M:%S")

    def minute(self, moment: datetime | float) -> str:
        """2026-11-25 09:00."""
        return self._local(moment).strftime("%Y-%m-%d %H:%M")

    def iso(self, moment: datetime | float) -> str:
        """For `datetime=` of a <time>."""
        return self._local(moment).isoformat(timespec="seconds")

    def field(self, moment: datetime | float) -> str:
        """For <input type="datetime-local">."""
        return self._local(moment).strftime("%Y-%m-%dT%H:%M")

    @staticmethod
    def length(seconds: float) -> str:
        """1:02:03 or 4:05."""
        whole = max(0, int(seconds))
        hours, rest = divmod(whole, 3600)
        minutes, left = divmod(rest, 60)
        return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"

    @staticmethod
    def percent(part: float) -> str:
        """32%."""
        return f"{round(100 * part)}%"
