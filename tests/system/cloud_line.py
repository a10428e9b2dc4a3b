"""The SIP side of the cloud's double: for each `<Sip>` that is dialled a real phone sends the INVITE, with the credentials of the TwiML."""

import re
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.cloud.callee import Outcome
from tests.phones.baresip import Phone
from tests.waiting import until

#: Final SIP answers; any other refusal has failed.
_OUTCOMES: dict[str, Outcome] = {"486": "busy", "600": "busy", "408": "no-answer", "480": "no-answer"}


@dataclass
class CloudSide:
    """Everything the cloud rings by SIP, from `host`. The citizen's voice is a tone; `calls` are its calls, in order."""

    folder: Path
    host: str
    number: str
    tone_hz: float
    calls: "list[CloudCall]" = field(default_factory=list)

    def line(self) -> "CloudCall":
        self.calls.append(CloudCall(self, self.folder / str(len(self.calls))))
        return self.calls[-1]


class CloudCall:
    """One INVITE and what came of it (tests.cloud.callee.Line)."""

    def __init__(self, side: CloudSide, folder: Path) -> None:
        self._side, self._folder = side, folder
        self._phone: Phone | None = None
        #: The final answer when it was refused, as `486 Busy Here`.
        self.refusal = ""

    @property
    def phone(self) -> Phone:
        assert self._phone is not None, "the cloud has not rung yet"
        return self._phone

    async def ring(self, address: str, username: str, password: str) -> Outcome:
        """The INVITE, and who answers it how."""
        side, login = self._side, (username, password) if username else None
        phone = Phone(self._folder, side.number, tone_hz=side.tone_hz, host=side.host, login=login)
        self._phone = phone
        await phone.__aenter__()
        await phone.dial(address)
        await until(lambda: self._has("CALL_ESTABLISHED", "CALL_CLOSED"), 120, f"an answer of {address}")
        if self._has("CALL_ESTABLISHED"):
            return "answer"
        self.refusal = next(str(event.get("param", "")) for event in phone.events if event.get("type") == "CALL_CLOSED")
        found = re.match(r"\d{3}", self.refusal)
        return _OUTCOMES.get(found[0] if found else "", "failed")

    async def over(self) -> None:
        await until(lambda: self._has("CALL_CLOSED"), 600, "the end of the talk")

    async def hang_up(self) -> None:
        if self._phone is None:
            return
        if not self._has("CALL_CLOSED"):
            with suppress(RuntimeError, OSError, AssertionError):
                await self._phone.hang_up()
        await self._phone.__aexit__(None, None, None)

    def _has(self, *kinds: str) -> bool:
        return any(event.get("type") in kinds for event in self.phone.events)
