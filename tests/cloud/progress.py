"""Status callbacks of one leg: which the application subscribed to, numbered in order."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.cloud.clock import Clock, rfc2822
from tests.cloud.leg import Leg
from tests.cloud.webhooks import Webhooks


@dataclass(slots=True)
class Progress:
    """`events` out of initiated, ringing, answered, completed. No URL, no callbacks."""

    webhooks: Webhooks
    clock: Clock
    url: str = ""
    method: str = "POST"
    events: tuple[str, ...] = ("completed",)
    #: Numbers given so far.
    count: int = field(default=0, init=False)

    def report(self, event: str, leg: Leg, params: Mapping[str, str]) -> None:
        """Tell of `event`, if it was asked for. https://www.twilio.com/docs/voice/api/call-resource#statuscallback"""
        if not self.url or event not in self.events:
            return
        more = {
            "Timestamp": rfc2822(self.clock.now()) or "",
            "SequenceNumber": str(self.count),
            "CallbackSource": "call-progress-events",
        }
        if event == "completed":
            more["CallDuration"] = str(leg.duration)
            more["Duration"] = str(-(-leg.duration // 60))
        self.count += 1
        self.webhooks.callback(leg.sid, self.method, self.url, {**params, **more})
