"""What the routes work with, made once per process and handed to them as a dependency."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import Depends, Request

from api.metrics import Metrics
from api.snapshot import LineReader
from api.streams import LineFeed
from calls.assembly import Core
from calls.opening import Opening
from sessions.calendar import Calendar


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything behind the API. `core` holds the connections."""

    core: Core
    calendar: Calendar
    opening: Opening
    line: LineReader
    feed: LineFeed
    metrics: Metrics
    zone: ZoneInfo

    def moment(self, seconds: float) -> datetime:
        """Unix seconds as a time in the service's zone."""
        return datetime.fromtimestamp(seconds, UTC).astimezone(self.zone)

    def local(self, moment: datetime) -> datetime:
        """The same time in the service's zone; one without a zone is meant there."""
        return moment.astimezone(self.zone) if moment.tzinfo else moment.replace(tzinfo=self.zone)


def _parts(request: Request) -> Parts:
    parts: Parts = request.app.state.parts
    return parts


Behind = Annotated[Parts, Depends(_parts)]
