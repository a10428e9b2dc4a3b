"""A phone number of the account, and the calls that come in on it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tests.cloud.execution import Execution
from tests.cloud.leg import Leg
from tests.cloud.progress import Progress
from tests.cloud.sids import new_sid
from tests.cloud.signals import CallOver, EndedBy, Source

if TYPE_CHECKING:
    from tests.cloud.cloud import Cloud

#: What can be set by REST, with Twilio's defaults.
DEFAULTS = {
    "VoiceUrl": "",
    "VoiceMethod": "POST",
    "VoiceFallbackUrl": "",
    "VoiceFallbackMethod": "POST",
    "StatusCallback": "",
    "StatusCallbackMethod": "POST",
    "FriendlyName": "",
    "VoiceApplicationSid": "",
    "TrunkSid": "",
}
#: With one of these the cloud asks none of the number's URLs. Their SIDs begin so.
INSTEAD = {"VoiceApplicationSid": "AP", "TrunkSid": "TK"}


class Number:
    """`settings` are named as in the REST API."""

    def __init__(self, number: str, settings: Mapping[str, str]) -> None:
        self.sid = new_sid("PN")
        self.number = number
        self.settings = DEFAULTS | dict(settings)

    async def take_call(self, cloud: "Cloud", leg: Leg) -> None:
        """A call from its first ring to its completed callback."""
        leg.become("ringing")
        settings = self.settings
        if any(settings[name] for name in INSTEAD):
            finish(leg, "not_connected")
            return
        progress = Progress(cloud.webhooks, cloud.clock, settings["StatusCallback"], settings["StatusCallbackMethod"])
        fallback = Source(settings["VoiceFallbackUrl"], settings["VoiceFallbackMethod"])
        run = Execution(cloud, leg, fallback if fallback.url else None)
        ended: EndedBy = "document"
        try:
            await run.run(Source(settings["VoiceUrl"], settings["VoiceMethod"]))
        except CallOver as over:
            ended = over.by
        finish(leg, ended)
        progress.report("completed", leg, cloud.call_params(leg))
        cloud.webhooks.release(leg.sid)


def finish(leg: Leg, ended: EndedBy) -> None:
    """Nothing more happens on this leg."""
    leg.ended_by = ended
    if leg.over:
        leg.become(leg.status)
    elif leg.answered_at is not None:
        leg.become("completed")
    else:
        leg.become("failed" if ended == "error" else "canceled" if ended == "cancelled" else "no-answer")
