"""Calls that the application orders by REST: ring, answer, perhaps a machine, then TwiML."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.cloud.callee import Callee
from tests.cloud.errors import CloudError
from tests.cloud.execution import Execution
from tests.cloud.leg import Leg
from tests.cloud.numbers import finish
from tests.cloud.progress import Progress
from tests.cloud.signals import CallOver, EndedBy, Source

if TYPE_CHECKING:
    from tests.cloud.cloud import Cloud

#: How long machine detection listens before it says what answered; and to whom says nothing (MachineDetectionSilenceTimeout).
#: https://www.twilio.com/docs/voice/answering-machine-detection
DETECTION_S, SILENCE_S = 3.0, 5.0


@dataclass(frozen=True, slots=True)
class Order:
    """A call to be made: the parameters of calls.create that we know."""

    from_: str
    to: str
    source: Source
    fallback: Source | None
    status_url: str
    status_method: str
    events: tuple[str, ...]
    timeout_s: int
    #: "", Enable or DetectMessageEnd.
    detection: str


async def run_outbound(cloud: "Cloud", leg: Leg, callee: Callee | None, order: Order) -> None:
    """A call from queued to its last callback."""
    progress = Progress(cloud.webhooks, cloud.clock, order.status_url, order.status_method, order.events)
    ended: EndedBy = "document"
    try:
        await _ring(cloud, leg, callee, order, progress)
        await Execution(cloud, leg, order.fallback).run(order.source)
    except CallOver as over:
        ended = over.by
    finish(leg, ended)
    progress.report("completed", leg, cloud.call_params(leg))
    cloud.webhooks.release(leg.sid)


async def _ring(cloud: "Cloud", leg: Leg, callee: Callee | None, order: Order, progress: Progress) -> None:
    if callee is None:
        cloud.report(CloudError(13224, f"nobody is at {order.to}", order.source.url, leg.sid))
        callee = Callee(outcome="failed", answer_after_s=0)
    leg.become("initiated")
    progress.report("initiated", leg, cloud.call_params(leg))
    leg.become("ringing")
    progress.report("ringing", leg, cloud.call_params(leg))
    patient = callee.outcome != "no-answer" and callee.answer_after_s < order.timeout_s
    await leg.wait(callee.answer_after_s if patient else order.timeout_s)
    if not patient or callee.outcome != "answer":
        leg.become("no-answer" if callee.outcome == "answer" else callee.outcome)
        raise CallOver("not_connected")
    leg.become("in-progress")
    progress.report("answered", leg, cloud.call_params(leg))
    if order.detection:
        await leg.wait(SILENCE_S if callee.answered_by == "unknown" else DETECTION_S)
        leg.answered_by = _verdict(callee, order)


def _verdict(callee: Callee, order: Order) -> str:
    if callee.answered_by != "machine":
        return callee.answered_by
    return "machine_end_beep" if order.detection == "DetectMessageEnd" else "machine_start"
