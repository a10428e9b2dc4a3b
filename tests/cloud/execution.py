"""Runs TwiML on one leg: document after document, verb after verb, the fallback URL when something is wrong."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urljoin

from tests.cloud.document import Node, read, read_response
from tests.cloud.errors import CloudError, Rejected
from tests.cloud.given import urls_in
from tests.cloud.leg import Leg
from tests.cloud.signals import CallOver, Overtaken, Source

if TYPE_CHECKING:
    from tests.cloud.cloud import Cloud

#: Documents in a row in which nothing is heard: our own guard, Twilio would go on for ever.
MAX_SILENT_DOCUMENTS = 40
SORRY = "We are sorry, an application error has occurred. Goodbye."

T = TypeVar("T")
Performer = Callable[["Execution", Node], Awaitable[Source | None]]


class Execution:
    """One leg's TwiML. `screening`: the whisper of a called leg, which may not dial."""

    def __init__(self, cloud: "Cloud", leg: Leg, fallback: Source | None = None, *, screening: bool = False) -> None:
        self.cloud = cloud
        self.leg = leg
        self.url = ""
        self.screening = screening
        self._fallback = fallback
        self._silent = 0

    async def run(self, source: Source) -> None:
        """Execute until a document ends. Raises CallOver when the call is over before."""
        current = source
        while True:
            try:
                following = await self._execute(current)
            except Overtaken as overtaken:
                # Whether an update without a fallback keeps the one before is not documented: here it does not.
                following, self._fallback = overtaken.source, overtaken.source.fallback
            except Rejected as fault:
                following = self._rescue(fault, current)
            if following is None:
                return
            current = following

    def resolve(self, url: str) -> str:
        """A URL of the current document, made absolute."""
        return urljoin(self.url, url)

    def next_source(self, node: Node, params: Mapping[str, str]) -> Source:
        """The request of an `action`; without one, the current document again."""
        return Source(self.resolve(node.attributes.get("action", "")), node.attributes.get("method", "POST"), params)

    async def during(self, work: "asyncio.Future[T]") -> T:
        """Wait for `work`. What interrupts the leg does not interrupt the work, whose answer is then only looked at."""
        try:
            await self.leg.wait(None, [work])
        except (CallOver, Overtaken):
            work.add_done_callback(self._look_at_late_answer)
            raise
        return await work

    async def request(self, source: Source) -> Any:
        """The answer to a document's request."""
        params = {**self.cloud.call_params(self.leg), **source.params}
        work = self.cloud.webhooks.document(self.leg.sid, source.method, source.url, params)
        return await self.during(self.cloud.start(work))

    async def request_in_vain(self, source: Source) -> None:
        """Request a document for a caller who has gone: its answer means nothing any more."""
        params = {**self.cloud.call_params(self.leg), **source.params}
        try:
            answer = await self.cloud.webhooks.document(self.leg.sid, source.method, source.url, params)
            self.cloud.given.update(urls_in(read_response(answer.content_type, answer.body)))
        except Rejected as fault:
            self._note(fault, source.url)

    async def _execute(self, source: Source) -> Source | None:
        if source.twiml:
            verbs = read(source.twiml.encode())
        else:
            answer = await self.request(source)
            self.url = source.url
            verbs = read_response(answer.content_type, answer.body)
        self.cloud.given.update(urls_in(verbs))
        before = len(self.leg.transcript)
        for node in verbs:
            self._answer(node)
            following = await self._perform(node)
            if following is not None:
                self._guard(len(self.leg.transcript) > before)
                return following
        return None

    def _answer(self, first: Node) -> None:
        rings_on = first.name in ("Reject", "Hangup") or (first.name == "Dial" and first.flag("answerOnBridge", False))
        if self.leg.status == "ringing" and not rings_on:
            self.leg.become("in-progress")

    async def _perform(self, node: Node) -> Source | None:
        return await self.cloud.performers[node.name](self, node)

    def _guard(self, heard: bool) -> None:
        self._silent = 0 if heard else self._silent + 1
        if self._silent >= MAX_SILENT_DOCUMENTS:
            raise Rejected(12400, f"{self._silent} documents in a row in which nothing is heard")

    def _rescue(self, fault: Rejected, failed: Source) -> Source:
        self._note(fault, failed.url)
        if self._fallback is None or failed.url == self._fallback.url:
            self.leg.hear("error", SORRY)
            raise CallOver("error") from fault
        params = {"ErrorCode": str(fault.code), "ErrorUrl": failed.url}
        return Source(self._fallback.url, self._fallback.method, params)

    def _look_at_late_answer(self, work: "asyncio.Future[T]") -> None:
        if not work.cancelled() and isinstance(fault := work.exception(), Rejected):
            self._note(fault, self.url)

    def _note(self, fault: Rejected, url: str) -> None:
        self.cloud.report(CloudError(fault.code, fault.detail, url, self.leg.sid))
