"""Say, Play and Pause: what is on the line, and for how long."""

from collections.abc import Callable

from tests.cloud.audio import sound_seconds, speech_seconds
from tests.cloud.document import Node
from tests.cloud.errors import CloudError, Rejected
from tests.cloud.execution import Execution
from tests.cloud.signals import Signal

On = Callable[[Signal], bool]


async def say(run: Execution, node: Node, on: On | None = None) -> None:
    """Speak the text `loop` times (0 = for ever)."""
    run.leg.hear("say", node.text)
    await run.leg.wait(_times(node, speech_seconds(node.text)), on=on)


async def play(run: Execution, node: Node, on: On | None = None) -> None:
    """Play a sound `loop` times (0 = for ever). One that cannot be played is an error, and is passed over."""
    if not node.text:
        run.leg.hear("play", node.attributes["digits"])
        await run.leg.wait(0.25 * len(node.attributes["digits"]), on=on)
        return
    url = run.resolve(node.text)
    try:
        answer = await run.during(run.cloud.start(run.cloud.sound(url)))
        seconds = sound_seconds(answer.content_type, answer.body)
    except Rejected as fault:
        run.cloud.report(CloudError(fault.code, fault.detail, url, run.leg.sid))
        return
    run.leg.hear("play", run.cloud.read_aloud(url))
    await run.leg.wait(_times(node, seconds), on=on)


async def pause(run: Execution, node: Node, on: On | None = None) -> None:
    """Silence."""
    run.leg.hear("pause", "")
    await run.leg.wait(node.integer("length", 1), on=on)


def _times(node: Node, seconds: float) -> float | None:
    loop = node.integer("loop", 1)
    return seconds * loop if loop else None
