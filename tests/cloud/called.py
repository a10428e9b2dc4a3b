"""A leg that `<Dial>` calls: rings, answers or not, hears the whisper, and then talks until somebody hangs up."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from tests.cloud.callee import Callee, Outcome
from tests.cloud.document import Node
from tests.cloud.errors import CloudError
from tests.cloud.execution import Execution
from tests.cloud.leg import Parties, Status
from tests.cloud.progress import Progress
from tests.cloud.script import Script
from tests.cloud.signals import CallOver, EndedBy, HungUp, Overtaken, Source

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Target:
    """One noun of a Dial: the address and its attributes."""

    address: str
    noun: Node


def read_targets(node: Node) -> list[Target]:
    """Whom a Dial calls."""
    if node.text:
        return [Target(node.text, Node("Number", {}, node.text, ()))]
    return [Target(f"client:{n.text}" if n.name == "Client" else n.text, n) for n in node.nested]


class Called:
    """`settled` becomes True when this leg may be bridged, False when it is over before."""

    def __init__(self, run: Execution, dial: Node, target: Target) -> None:
        self.target = target
        self._run, self._dial = run, dial
        self._cloud = run.cloud
        self._callee = run.cloud.directory.take(target.address)
        self._line = self._callee.line() if self._callee is not None and self._callee.line is not None else None
        parties = Parties(
            dial.attributes.get("callerId", run.leg.parties.from_), target.address, "outbound-dial", run.leg
        )
        self.leg = run.cloud.new_leg(parties, Script(self._callee.script if self._callee else ()))
        run.leg.dialed.append(self.leg)
        self.settled: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._progress = self._subscribe(target.noun)
        self.task = run.cloud.start(self._live())

    def give_up(self) -> None:
        """The ringing took too long. One who answered and hears the whisper is left alone."""
        if self.leg.answered_at is None:
            self.leg.interrupt(HungUp("not_connected"))

    def _subscribe(self, noun: Node) -> Progress:
        attributes = noun.attributes
        url = attributes.get("statusCallback", "")
        return Progress(
            self._cloud.webhooks,
            self._cloud.clock,
            self._run.resolve(url) if url else "",
            attributes.get("statusCallbackMethod", "POST"),
            tuple(attributes.get("statusCallbackEvent", "completed").split(" ")),
        )

    async def _live(self) -> None:
        ended: EndedBy = "callee"
        try:
            await self._answer()
            await self._screen()
            if self._callee is not None and self._callee.too_soon:
                raise CallOver("callee")
            self.settled.set_result(True)
            self.leg.listen("talk")
            await self._talk()
        except CallOver as over:
            ended = over.by
        if self._line is not None:
            await self._line.hang_up()
        self._end(ended)

    async def _answer(self) -> None:
        callee = self._callee
        if callee is None:
            detail = f"nobody is at {self.target.address}"
            self._cloud.report(CloudError(13224, detail, self._run.url, self.leg.sid))
            callee = Callee(outcome="failed", answer_after_s=0)
        self._become("initiated", "initiated")
        self._become("ringing", "ringing")
        match await self._ring(callee):
            case "answer":
                self.leg.become("in-progress")
            case refused:
                self.leg.become(refused)
                raise CallOver("not_connected")
        self._report("answered")

    async def _ring(self, callee: Callee) -> Outcome:
        """Until somebody answers or refuses. Who never does is given up."""
        if self._line is None:
            await self.leg.wait(None if callee.outcome == "no-answer" else callee.answer_after_s)
            return callee.outcome
        given = self.target.noun.attributes
        ringing = self._line.ring(self.target.address, given.get("username", ""), given.get("password", ""))
        return await self._while(ringing)

    async def _while(self, work: Coroutine[Any, Any, T]) -> T:
        """What the real line does, unless this leg is over before."""
        task = self._cloud.start(work)
        try:
            await self.leg.wait(None, [task])
        except BaseException:
            task.cancel()
            raise
        return await task

    async def _screen(self) -> None:
        url = self.target.noun.attributes.get("url")
        if url is None:
            return
        if not self._dial.flag("answerOnBridge", False):
            self._run.leg.hear("silence", "")  # who waits hears ringing meanwhile only with that attribute
        whisper = Execution(self._cloud, self.leg, screening=True)
        await whisper.run(Source(self._run.resolve(url), self.target.noun.attributes.get("method", "POST")))

    async def _talk(self) -> None:
        try:
            if self._line is not None:
                await self._while(self._line.over())
            else:
                await self.leg.wait(self._callee.talk_s if self._callee else 0, on=lambda signal: False)
        except Overtaken as overtaken:
            await Execution(self._cloud, self.leg).run(overtaken.source)
            raise CallOver("document") from None

    def _end(self, by: EndedBy) -> None:
        self.leg.ended_by = by
        if not self.leg.over:
            unanswered: Status = "no-answer" if by == "not_connected" else "canceled"
            self.leg.become("completed" if self.leg.answered_at is not None else unanswered)
        if not self.settled.done():
            self.settled.set_result(False)
        self._report("completed")
        self._cloud.webhooks.release(self.leg.sid)

    def _become(self, status: Status, event: str) -> None:
        self.leg.become(status)
        self._report(event)

    def _report(self, event: str) -> None:
        self._progress.report(event, self.leg, self._cloud.call_params(self.leg))
