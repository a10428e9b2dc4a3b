"""The live part of a page as server-sent events: rendered once a change for all who see the same, not once a stream."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response, StreamingResponse

from api.console.visit import Visit
from api.presence import Presence
from api.problems import Problem
from api.streams import HEARTBEAT_S, Frame, LineFeed

#: Streams for people who are not signed in; the rest is kept for those who work here.
PUBLIC_STREAMS = 300
STREAMS = 1000
#: Pieces of pages that are kept rendered; more than all roles, languages and seats of a session.
KEPT = 400

#: (template, about, language) -> number of the frame, and the piece as lines of an event.
Rendered = dict[tuple[str, str, str], tuple[int, bytes]]


@dataclass(frozen=True, slots=True)
class Live:
    """A piece of a page that follows a feed. `about`: what it is of besides, such as a seat or a role."""

    feed: LineFeed
    template: str
    values: Callable[[Frame], Mapping[str, Any]]
    about: str = ""
    most: int = STREAMS

    async def answer(self, seen: Visit) -> Response:
        """The stream. Raises shutting_down, too_many_streams; what Redis raises."""
        if self.feed.closing:
            raise Problem("shutting_down")
        if self.feed.streams >= self.most:
            raise Problem("too_many_streams", "Try again, another process may have room.")
        events = self.events(seen, await self.feed.refresh())
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(events, media_type="text/event-stream", headers=headers)

    async def events(self, seen: Visit, snapshot: Frame) -> AsyncIterator[bytes]:
        """The bytes, until the process stops or the login is over."""
        self.feed.streams += 1
        presence = Presence(seen.request)
        try:
            number, sent = snapshot.number, self._piece(seen, snapshot)
            yield b"retry: 1000\n" + _event(number, sent)
            while not self.feed.closing:
                frame = await self.feed.wait_newer(number, HEARTBEAT_S)
                if await presence.is_over():
                    return  # the page asks again, and is told to sign in
                if frame is not None:
                    number, piece = frame.number, self._piece(seen, frame)
                    if piece != sent:  # what changed may be elsewhere, such as at another seat
                        yield _event(number, piece)
                    sent = piece
                elif not self.feed.closing:
                    yield b": still here\n\n"
        finally:
            self.feed.streams -= 1

    def _piece(self, seen: Visit, frame: Frame) -> bytes:
        rendered: Rendered = seen.request.app.state.rendered
        key = (self.template, self.about, seen.language)
        number, piece = rendered.get(key, (0, b""))
        if number != frame.number:
            html = seen.text(self.template, **self.values(frame)).encode()
            piece = b"".join(b"data: %b\n" % line for line in html.splitlines() if line.strip())
            if len(rendered) >= KEPT:
                rendered.clear()
            rendered[key] = (frame.number, piece)
        return piece


def _event(number: int, piece: bytes) -> bytes:
    return b"event: live\nid: %d\n%b\n" % (number, piece)

