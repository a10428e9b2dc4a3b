"""The recordings at the cloud: there only after a while, told of by callback, deleted on request."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from tests.cloud.clock import rfc2822
from tests.cloud.document import Node
from tests.cloud.sids import new_sid

if TYPE_CHECKING:
    from tests.cloud.cloud import Cloud

State = Literal["processing", "completed", "absent", "deleted"]


@dataclass(slots=True)
class Recording:
    """One recording. `seconds` and `started_at` are virtual."""

    call_sid: str
    source: Literal["RecordVerb", "DialVerb"]
    channels: int
    seconds: float
    started_at: float
    sid: str = field(default_factory=lambda: new_sid("RE"))
    state: State = "processing"

    @property
    def duration(self) -> int:
        """Whole seconds, as the API tells them."""
        return max(1, round(self.seconds))


@dataclass(frozen=True, slots=True)
class Subscription:
    """Where and when the application wants to hear of a recording."""

    url: str
    method: str
    events: tuple[str, ...]


def subscription(node: Node, resolve: Callable[[str], str]) -> Subscription | None:
    """What a `<Record>` or `<Dial>` says about it."""
    url = node.attributes.get("recordingStatusCallback")
    if url is None:
        return None
    events = tuple(node.attributes.get("recordingStatusCallbackEvent", "completed").split(" "))
    return Subscription(resolve(url), node.attributes.get("recordingStatusCallbackMethod", "POST"), events)


class Recordings:
    """All recordings of one cloud."""

    def __init__(self, cloud: "Cloud") -> None:
        self.kept: dict[str, Recording] = {}
        #: Virtual seconds until a recording can be fetched.
        self.processing_s = 1.0
        #: Recordings are made but never become available, and nobody says so.
        self.vanish = False
        #: Recordings come to nothing, and whoever asked for `absent` is told.
        self.fail = False
        #: Whether a message in which nobody spoke is a recording although its silence is not to be trimmed is not documented.
        self.silence_is_nothing = False
        self._cloud = cloud

    def url(self, sid: str) -> str:
        """RecordingUrl, as in the webhooks: without an extension."""
        return f"{self._cloud.api_url}/2010-04-01/Accounts/{self._cloud.account_sid}/Recordings/{sid}"

    def keep(self, recording: Recording, wanted: Subscription | None) -> None:
        """From now on it is being processed."""
        self.kept[recording.sid] = recording
        if wanted is not None and "in-progress" in wanted.events:
            self._tell(recording, wanted, "in-progress")
        if not self.vanish:
            self._cloud.start(self._process(recording, wanted))

    def miss(self, recording: Recording, wanted: Subscription | None) -> None:
        """Nothing was recorded; whoever asked for `absent` is told."""
        recording.state = "absent"
        self.kept[recording.sid] = recording
        if wanted is not None and "absent" in wanted.events:
            self._tell(recording, wanted, "absent")

    async def _process(self, recording: Recording, wanted: Subscription | None) -> None:
        await self._cloud.clock.sleep(self.processing_s)
        if self.fail:
            self.miss(recording, wanted)
        elif recording.state == "processing":
            recording.state = "completed"
            if wanted is not None and "completed" in wanted.events:
                self._tell(recording, wanted, "completed")

    def _tell(self, recording: Recording, wanted: Subscription, status: str) -> None:
        """https://www.twilio.com/docs/voice/twiml/record#recordingstatuscallback"""
        params = {
            "AccountSid": self._cloud.account_sid,
            "CallSid": recording.call_sid,
            "RecordingSid": recording.sid,
            "RecordingUrl": self.url(recording.sid),
            "RecordingStatus": status,
            "RecordingDuration": str(recording.duration),
            "RecordingChannels": str(recording.channels),
            "RecordingStartTime": rfc2822(recording.started_at) or "",
            "RecordingSource": recording.source,
        }
        self._cloud.webhooks.callback(recording.call_sid, wanted.method, wanted.url, params)
