"""Gather: keys while the nested prompts are heard and for `timeout` seconds afterwards."""

from tests.cloud.document import Node
from tests.cloud.execution import Execution
from tests.cloud.signals import KeyPressed, Signal, Source
from tests.cloud.verbs import speaking

NESTED = {"Say": speaking.say, "Play": speaking.play, "Pause": speaking.pause}


class Keys:
    """The keys of one Gather."""

    def __init__(self, node: Node) -> None:
        self.digits = ""
        self.finished_on = ""
        self._most = node.integer("numDigits", 2**31)
        self._finish = node.attributes.get("finishOnKey", "#")

    @property
    def complete(self) -> bool:
        """Whether no further key is wanted."""
        return bool(self.finished_on) or len(self.digits) >= self._most

    def take(self, signal: Signal) -> bool:
        """Take a key; True for any key (it ends the prompt, or starts the timeout anew)."""
        if not isinstance(signal, KeyPressed) or self.complete:
            return False
        if signal.key in self._finish:
            self.finished_on = signal.key
        else:
            self.digits += signal.key
        return True


async def gather(run: Execution, node: Node) -> Source | None:
    """https://www.twilio.com/docs/voice/twiml/gather. No key at all: the next verb, or `actionOnEmptyResult`."""
    keys = Keys(node)
    run.leg.listen("gather")
    try:
        for prompt in node.nested:
            if not (keys.digits or keys.complete):
                await NESTED[prompt.name](run, prompt, keys.take)
        await _wait_for_more(run, node, keys)
    finally:
        run.leg.listen("")
    if not keys.digits and not node.flag("actionOnEmptyResult", False):
        return None
    params = {"Digits": keys.digits} | ({"FinishedOnKey": keys.finished_on} if keys.finished_on else {})
    return run.next_source(node, params)


async def _wait_for_more(run: Execution, node: Node, keys: Keys) -> None:
    while not keys.complete:
        before = keys.digits
        await run.leg.wait(node.integer("timeout", 5), on=keys.take)
        if keys.digits == before:
            return
