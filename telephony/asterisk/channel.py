"""What one caller's channel can be told to do: every AMI action the bridge uses on a channel, and nothing of calls."""

import asyncio
import secrets
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from typing import Any

from telephony.asterisk import dialplan
from telephony.asterisk.agi import AgiResult, parse_result
from telephony.asterisk.connection import Connection
from telephony.errors import CallGone, CarrierRefused, CarrierUnavailable

#: Tells this process's commands from those of a bridge that ran before it.
_RUN = secrets.token_hex(4)

#: No prompt is longer; what does not answer by then never will.
AGI_DEADLINE_S = 180.0


class Channel:
    """One channel of Asterisk under our control. Commands raise CallGone, CarrierUnavailable or CarrierRefused."""

    def __init__(self, connection: Connection, name: str, call_id: str) -> None:
        self._connection = connection
        self.name = name
        self._call_id = call_id
        self._sent = 0
        self._pending: dict[str, asyncio.Future[AgiResult]] = {}
        #: Commands Asterisk has not answered, also those that nobody here waits for any more.
        self._running: set[str] = set()
        self._telling: set[asyncio.Task[None]] = set()
        #: Set while the channel listens to AGI commands.
        self.in_agi = asyncio.Event()

    def is_busy(self) -> bool:
        """An AGI command is under way in Asterisk."""
        return bool(self._running)

    async def agi(self, line: str, within_s: float = AGI_DEADLINE_S) -> AgiResult:
        """Run one AGI command as soon as the channel is in AGI; its result. CarrierRefused when none comes `within_s`."""
        await self.in_agi.wait()
        self._sent += 1
        command_id = f"{self._call_id}/{_RUN}/{self._sent}"
        future: asyncio.Future[AgiResult] = asyncio.get_running_loop().create_future()
        self._pending[command_id] = future
        self._running.add(command_id)
        try:
            fields = {"Channel": self.name, "Command": line, "CommandID": command_id}
            await self._connection.action("AGI", fields)
            async with asyncio.timeout(within_s):
                return await future
        except TimeoutError:
            raise CarrierRefused("an AGI command was never answered") from None
        finally:
            self._pending.pop(command_id, None)

    def answered(self, command_id: str, result: str) -> None:
        """Asterisk's answer to an AGI command came in. One that nobody waits for is ignored."""
        self._running.discard(command_id)
        future = self._pending.pop(command_id, None)
        if future is None or future.done():
            return
        try:
            future.set_result(parse_result(result))
        except Exception as error:  # noqa: BLE001 - handed to whoever waits
            future.set_exception(error)

    def left_agi(self) -> None:
        """The channel is elsewhere now; commands still pending will not be answered."""
        self.in_agi.clear()
        for future in self._pending.values():
            if not future.done():
                future.set_result(AgiResult(200, "-1"))
        self._pending.clear()
        self._running.clear()

    async def redirect(self, context: str, exten: str, variables: Mapping[str, str] | None = None) -> None:
        """Take the channel out of what it does and let it go on elsewhere in the dialplan."""
        sets = [self.set_variable(name, value) for name, value in (variables or {}).items()]
        fields = {"Channel": self.name, "Context": context, "Exten": exten, "Priority": "1"}
        # Sent in one go: the manager works through one connection's actions in order.
        results = await asyncio.gather(*sets, self._connection.action("Redirect", fields), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def part(self, other: str, notice: str) -> None:
        """Take this channel back into AGI and the one it talks with (by Uniqueid) to where it hears `notice` and is let go."""
        fields = {
            "Channel": self.name, "Context": dialplan.SERVICE_CONTEXT, "Exten": dialplan.AGAIN_EXTEN, "Priority": "1",
            "ExtraChannel": other, "ExtraContext": dialplan.TOLD_CONTEXT, "ExtraExten": dialplan.START_EXTEN, "ExtraPriority": "1",
        }  # fmt: skip
        await self._connection.action("Setvar", {"Channel": other, "Variable": dialplan.NOTICE, "Value": notice})
        await self._connection.action("Redirect", fields)

    async def hang_up_other(self, other: str) -> None:
        """End the channel with this Uniqueid."""
        await self._connection.action("Hangup", {"Channel": other, "Cause": "16"})

    async def set_variable(self, name: str, value: str) -> None:
        await self._connection.action("Setvar", {"Channel": self.name, "Variable": name, "Value": value})

    async def get_variable(self, name: str) -> str:
        """The variable's value, empty when it is not set."""
        response = await self._connection.action("Getvar", {"Channel": self.name, "Variable": name})
        return str(response.value)

    async def renew_lease(self, seconds: float) -> None:
        """Without this, once in `seconds`, the channel goes to the fallback."""
        await self.set_variable(dialplan.LEASE, str(int(seconds)))

    def in_background(self, telling: Coroutine[Any, Any, None]) -> None:
        """Send something that nobody waits for; a channel that has gone need not know it."""

        async def tell() -> None:
            with suppress(CallGone, CarrierUnavailable, CarrierRefused):
                await telling

        task = asyncio.create_task(tell())
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def hang_up(self) -> None:
        """End it. A channel that is already gone is fine."""
        try:
            await self._connection.action("Hangup", {"Channel": self.name, "Cause": "16"})
        except CallGone:
            return
