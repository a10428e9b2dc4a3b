"""What Asterisk plays to each caller, as it begins, told by its manager interface to a watcher of our own."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.integration.asterisk.ami import Ami, Message
from tests.system.brief import Brief
from tests.system.installation import Installation
from tests.waiting import until

_WATCHER = """
[watcher]
secret = watcher
permit = 127.0.0.0/255.0.0.0
read = agi,call
write = none
writetimeout = 10000
eventfilter(name(AGIExecStart)) =
eventfilter(name(MusicOnHoldStart)) =
"""
_STREAM = re.compile(r'STREAM FILE "([^"]+)"')


class Played:
    """What was played so far, by call."""

    def __init__(self, ami: Ami, brief: Brief) -> None:
        self._ami, self._brief = ami, brief

    def to(self, call_id: str) -> tuple[str, ...]:
        """Keys of the sentences that began, in order."""
        return self.by_call().get(call_id, ())

    def by_call(self) -> dict[str, tuple[str, ...]]:
        """The same for all calls."""
        found: dict[str, tuple[str, ...]] = {}
        for event in self._ami.seen:
            if key := self._key(event):
                call_id = _call_id(event)
                found[call_id] = (*found.get(call_id, ()), key)
        return found

    def records(self, call_id: str) -> int:
        """How many recordings of this call's matter began."""
        return sum(
            event.get("Command", "").startswith("RECORD FILE") and _call_id(event) == call_id
            for event in self._ami.seen
        )  # fmt: skip

    def _key(self, event: Message) -> str:
        if event.get("Class") == "connecting":
            return "connecting_recorded"
        stream = _STREAM.match(event.get("Command", ""))
        prompt = self._brief.prompt(stream[1]) if stream else None
        return prompt.key if prompt else ""


def _call_id(event: Message) -> str:
    return "a-" + event["Uniqueid"].replace(".", "-")


@asynccontextmanager
async def watched(house: Installation, brief: Brief) -> AsyncIterator[Played]:
    """A manager user that may only look is added to the running Asterisk."""
    manager = house.files.etc / "manager.conf"
    if "[watcher]" not in manager.read_text():
        manager.write_text(manager.read_text() + _WATCHER)
        await house.asterisk.command("manager reload")
        await until(lambda: _is_known(house), 10, "the watcher")
    async with Ami(house.settings.effective_ami_port, "watcher", "watcher") as ami:
        yield Played(ami, brief)


async def _is_known(house: Installation) -> bool:
    return "watcher" in await house.asterisk.command("manager show users")
