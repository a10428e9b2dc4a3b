"""What Asterisk plays to each caller, as it begins, told by its manager interface to a watcher of our own."""

import re
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.integration.asterisk.ami import Ami, Message
from tests.system.brief import Brief
from tests.system.installation import Installation
from tests.waiting import until

_EVENTS = ("AGIExecStart", "DTMFEnd")
_WATCHER = """
[watcher]
secret = watcher
permit = 127.0.0.0/255.0.0.0
read = agi,dtmf
write = none
writetimeout = 10000
"""
_FILE = re.compile(r'(STREAM|RECORD) FILE "([^"]+)"')


class Played:
    """What was played so far, by call."""

    def __init__(self, ami: Ami, brief: Brief) -> None:
        self._ami, self._brief = ami, brief
        self._read = 0
        self._played: dict[str, list[str]] = defaultdict(list)
        self._recorded: dict[str, Path] = {}
        self._keys: dict[str, int] = defaultdict(int)

    def to(self, call_id: str) -> tuple[str, ...]:
        """Keys of the sentences that began, in order."""
        self._read_on()
        return tuple(self._played[call_id])

    def calls(self, key: str) -> set[str]:
        """To which calls this sentence was played."""
        self._read_on()
        return {call_id for call_id, keys in self._played.items() if key in keys}

    def recording_of(self, call_id: str) -> Path | None:
        """Where the matter is being recorded, or was recorded last."""
        self._read_on()
        return self._recorded.get(call_id)

    def keys_of(self, call_id: str) -> int:
        """How many keys of this caller came in."""
        self._read_on()
        return self._keys[call_id]

    def _read_on(self) -> None:
        while self._read < len(self._ami.seen):
            event = self._ami.seen[self._read]
            self._read += 1
            if "Uniqueid" in event:
                self._take("a-" + event["Uniqueid"].replace(".", "-"), event)

    def _take(self, call_id: str, event: Message) -> None:
        if event["Event"] == "DTMFEnd":
            self._keys[call_id] += 1
        elif found := _FILE.match(event.get("Command", "")):
            if found[1] == "RECORD":
                self._recorded[call_id] = Path(found[2]).with_suffix(".wav")
            elif prompt := self._brief.prompt(found[2]):
                self._played[call_id].append(prompt.key)


@asynccontextmanager
async def watched(house: Installation, brief: Brief) -> AsyncIterator[Played]:
    """A manager user that may only look is added to the running Asterisk."""
    manager = house.files.etc / "manager.conf"
    filters = "".join(f"eventfilter(name({event})) =\n" for event in _EVENTS)
    manager.write_text(manager.read_text() + _WATCHER + filters)
    await house.asterisk.command("manager reload")
    await until(lambda: _is_known(house), 20, "the watcher")
    async with Ami(house.settings.effective_ami_port, "watcher", "watcher") as ami:
        yield Played(ami, brief)


async def _is_known(house: Installation) -> bool:
    return "watcher" in await house.asterisk.command("manager show users")
