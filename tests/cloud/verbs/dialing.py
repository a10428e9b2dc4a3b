"""Dial: rings one or more phones, lets the first that is ready talk with the caller, and says how it went."""

import asyncio
from dataclasses import dataclass

from tests.cloud.called import Called, Target, read_targets
from tests.cloud.document import Node
from tests.cloud.errors import Rejected
from tests.cloud.execution import Execution
from tests.cloud.recordings import Recording, subscription
from tests.cloud.signals import CallOver, HungUp, KeyPressed, Overtaken, Signal, Source

#: Who is at the phone of the leg that dials.
PERSON = ("caller", "callee")
#: Twilio's own limit of a talk.
TIME_LIMIT_S = 4 * 3600


@dataclass(slots=True)
class Talk:
    """How one Dial went."""

    called: list[Called]
    winner: Called | None = None
    started: float = 0.0
    recording: Recording | None = None


async def dial(run: Execution, node: Node) -> Source | None:
    """https://www.twilio.com/docs/voice/twiml/dial. Without `action`, the next verb follows."""
    if run.screening:
        raise Rejected(13201, "<Dial> in the TwiML of a called leg")
    talk = Talk([])
    run.leg.hear("ring", " ".join(target.address for target in read_targets(node)))
    run.leg.listen("talk")
    try:
        await _ring(run, node, talk)
        await _let_talk(run, node, talk)
    except CallOver as over:
        await _part(run, node, talk, "caller" if over.by in PERSON else "cancelled")
        if over.by in PERSON:
            await _tell_in_vain(run, node, talk)
        raise
    except Overtaken:
        await _part(run, node, talk, "cancelled")
        raise
    finally:
        run.leg.listen("")
    await _part(run, node, talk, "cancelled")
    return run.next_source(node, _params(run, talk)) if "action" in node.attributes else None


async def _ring(run: Execution, node: Node, talk: Talk) -> None:
    targets = read_targets(node)
    for group in [[target] for target in targets] if node.flag("sequential", False) else [targets]:
        await _ring_group(run, node, talk, group)
        if talk.winner is not None:
            return


async def _ring_group(run: Execution, node: Node, talk: Talk, group: list[Target]) -> None:
    ringing = [Called(run, node, target) for target in group]
    talk.called += ringing
    deadline = run.cloud.clock.now() + node.integer("timeout", 30)
    star = OnStar(node.flag("hangupOnStar", False))
    while ringing and talk.winner is None and not star.pressed:
        left = deadline - run.cloud.clock.now()
        await run.leg.wait(left if left > 0 else None, [c.settled for c in ringing], star)
        if run.cloud.clock.now() >= deadline:
            for called in ringing:
                called.give_up()
        talk.winner = next((c for c in ringing if c.settled.done() and c.settled.result()), None)
        ringing = [c for c in ringing if not c.settled.done()]
    for called in ringing:
        called.leg.interrupt(HungUp("cancelled"))


async def _let_talk(run: Execution, node: Node, talk: Talk) -> None:
    if talk.winner is None:
        return
    if run.leg.status == "ringing":
        run.leg.become("in-progress")
    talk.started = run.cloud.clock.now()
    run.leg.hear("bridged", talk.winner.target.address)
    talk.winner.leg.hear("bridged", run.leg.parties.from_)
    await run.leg.wait(
        node.integer("timeLimit", TIME_LIMIT_S), [talk.winner.task], OnStar(node.flag("hangupOnStar", False))
    )


async def _part(run: Execution, node: Node, talk: Talk, by: str) -> None:
    """Hang up whoever is still called, and keep the recording of a talk."""
    for called in talk.called:
        called.leg.interrupt(HungUp("caller" if by == "caller" else "cancelled"))
    if talk.called:
        await asyncio.wait([called.task for called in talk.called])
    wants = node.attributes.get("record", "do-not-record")
    if talk.winner is not None and wants not in ("false", "do-not-record"):
        channels = 2 if wants.endswith("-dual") else 1
        seconds = run.cloud.clock.now() - talk.started
        talk.recording = Recording(run.leg.sid, "DialVerb", channels, seconds, talk.started)
        run.cloud.recordings.keep(talk.recording, subscription(node, run.resolve))


async def _tell_in_vain(run: Execution, node: Node, talk: Talk) -> None:
    run.leg.become("completed" if run.leg.answered_at is not None else "no-answer")
    if "action" in node.attributes:
        await run.request_in_vain(run.next_source(node, _params(run, talk)))


def _params(run: Execution, talk: Talk) -> dict[str, str]:
    """Only what is documented: the recording's SID is not."""
    chosen = talk.winner or talk.called[-1]
    declined = talk.winner is None and chosen.leg.status == "completed"
    params = {
        "DialCallSid": chosen.leg.sid,
        "DialCallStatus": run.cloud.declined_status if declined else chosen.leg.status,
    }
    if run.cloud.tells_bridged:
        params["DialBridged"] = "true" if talk.winner is not None else "false"
    if talk.winner is not None or (declined and not run.cloud.tells_bridged):
        params["DialCallDuration"] = str(chosen.leg.duration)
    if talk.recording is not None:
        params["RecordingUrl"] = run.cloud.recordings.url(talk.recording.sid)
    return params


class OnStar:
    """Ends the dialed call when the caller presses `*`, where that is allowed."""

    def __init__(self, allowed: bool) -> None:
        self.pressed = False
        self._allowed = allowed

    def __call__(self, signal: Signal) -> bool:
        self.pressed = self._allowed and isinstance(signal, KeyPressed) and signal.key == "*"
        return self.pressed
