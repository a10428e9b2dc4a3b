"""The Recording resource and its sound."""

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.cloud.audio import recorded
from tests.cloud.clock import rfc2822
from tests.cloud.recordings import Recording
from tests.cloud.rest import forms
from tests.cloud.rest.problems import Problem

if TYPE_CHECKING:
    from tests.cloud.cloud import Cloud


class Media:
    """https://www.twilio.com/docs/voice/api/recording"""

    def __init__(self, cloud: "Cloud") -> None:
        self._cloud = cloud

    async def fetch(self, request: Request) -> Response:
        """One recording's data, also while it is being processed."""
        return JSONResponse(self._show(self._find(request)))

    async def page(self, request: Request) -> Response:
        """The account's recordings, or those of one call."""
        forms.check_query(request, ["CallSid"])
        call = request.path_params.get("call") or request.query_params.get("CallSid")
        kept = [r for r in self._cloud.recordings.kept.values() if r.state not in ("absent", "deleted")]
        shown = [self._show(recording) for recording in kept if call in (None, recording.call_sid)]
        return JSONResponse(forms.page(request, "recordings", shown))

    async def delete(self, request: Request) -> Response:
        """Gone for good."""
        self._find(request).state = "deleted"
        self._cloud.watch.changed()
        return Response(status_code=204)

    async def download(self, request: Request) -> Response:
        """The sound. 404 as long as it is being processed."""
        recording = self._find(request)
        if recording.state != "completed":
            raise Problem(20404, request.url.path)
        return Response(recorded(recording.duration, recording.channels), media_type="audio/x-wav")

    def _find(self, request: Request) -> Recording:
        recording = self._cloud.recordings.kept.get(request.path_params["sid"])
        if recording is None or recording.state == "deleted":
            raise Problem(20404, request.url.path)
        return recording

    def _show(self, recording: Recording) -> dict[str, object]:
        return {
            "sid": recording.sid,
            "account_sid": self._cloud.account_sid,
            "call_sid": recording.call_sid,
            "status": recording.state,
            "channels": recording.channels,
            "source": recording.source,
            "duration": str(recording.duration) if recording.state == "completed" else "-1",
            "start_time": rfc2822(recording.started_at),
            "api_version": "2010-04-01",
            "media_url": self._cloud.recordings.url(recording.sid),
        }
