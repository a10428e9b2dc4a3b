"""The manager interface for tests, as plain as can be: it shares nothing with the client under test."""

import asyncio
import contextlib
import itertools
from types import TracebackType
from typing import Self

from tests.waiting import until

Message = dict[str, str]


class Ami:
    """One login. `seen` holds every event in order."""

    def __init__(self, port: int, user: str, secret: str) -> None:
        self.seen: list[Message] = []
        self._replies: dict[str, Message] = {}
        self._numbers = itertools.count(1)
        self._login = (port, user, secret)
        self._reading: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        port, user, secret = self._login
        reader, self._writer = await asyncio.open_connection("127.0.0.1", port)
        await reader.readline()
        self._reading = asyncio.create_task(self._read(reader))
        answer = await self.act("Login", Username=user, Secret=secret)
        assert answer["Response"] == "Success", answer
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.close()
        if self._reading is not None:
            self._reading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reading

    async def act(self, action: str, **headers: str) -> Message:
        """The response to an action."""
        number = f"t{next(self._numbers)}"
        lines = [f"Action: {action}", f"ActionID: {number}", *(f"{key}: {value}" for key, value in headers.items())]
        self._writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        await until(lambda: number in self._replies, 10, f"answer to {action}")
        return self._replies[number]

    async def event(self, name: str, within_s: float = 15.0, after: int = 0, **fields: str) -> Message:
        """The first such event among `seen[after:]`, waited for when it has not come yet."""
        wanted = {"Event": name, **fields}.items()
        return (await until(lambda: [e for e in self.seen[after:] if wanted <= e.items()], within_s, name))[0]

    async def agi(self, channel: str, command: str, within_s: float = 15.0) -> str:
        """The result of one AGI command, still URL-encoded."""
        number = f"c{next(self._numbers)}"
        await self.act("AGI", Channel=channel, Command=command, CommandID=number)
        return (await self.event("AsyncAGIExec", within_s, CommandId=number))["Result"]

    async def variable(self, channel: str, name: str) -> str:
        return (await self.act("Getvar", Channel=channel, Variable=name)).get("Value", "")

    async def _read(self, reader: asyncio.StreamReader) -> None:
        message: Message = {}
        while line := await reader.readline():
            key, colon, value = line.decode("utf-8", errors="replace").rstrip("\r\n").partition(": ")
            if key or colon:
                message[key] = value
                continue
            if "Event" in message:
                self.seen.append(message)
            elif "ActionID" in message:
                self._replies[message["ActionID"]] = message
            message = {}
