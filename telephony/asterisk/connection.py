"""The AMI connection: panoramisk with its traps closed. Knows actions and events, nothing of calls.

What is closed here, each tried: values with CR or LF, UTF-8 cut between TCP chunks, events swallowed by a pending id,
actions sent twice after a reconnect, waits without a deadline, a wrong password retried for ever.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog
from panoramisk import Manager
from panoramisk.actions import Action
from panoramisk.ami_protocol import AMIProtocol
from panoramisk.message import Message

from telephony.asterisk.agi import refuse_control
from telephony.errors import CallGone, CarrierRefused, CarrierUnavailable

log = structlog.get_logger()

#: One AMI event: header -> value, names as Asterisk writes them.
Event = Mapping[str, str]

ACTION_DEADLINE_S = 4.0
#: A manager that answers no ping for this long is dead, whatever TCP says.
PING_EVERY_S = 2.0
RECONNECT_FIRST_S = 0.1
RECONNECT_MAX_S = 3.0
#: A message that grows beyond this is no AMI.
MESSAGE_MAX = 1 << 20

_GONE = ("no such channel", "does not exist", "channel not specified", "channel not found")


class _Protocol(AMIProtocol):  # type: ignore[misc]  # panoramisk brings no types
    """Splits bytes before it decodes, and hands every event on, also those that carry one of our ids."""

    closed: bool

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._rest = b""

    def data_received(self, data: bytes) -> None:
        *whole, self._rest = (self._rest + data).split(b"\r\n\r\n")
        if len(self._rest) > MESSAGE_MAX:
            self.transport.abort()
            return
        for chunk in whole:
            message = Message.from_line(chunk.strip().decode("utf-8", "replace"))
            if message is not None:
                self.handle_message(message)

    def handle_message(self, message: Any) -> None:
        if "event" in message and self.responses.get(message.action_id or "") is None:
            self.factory.dispatch(message)
        else:
            super().handle_message(message)

    def close(self) -> None:
        """Never keeps unanswered actions for a later connection: an Originate would be sent twice."""
        for action in list(self.responses.values()):
            if not action.future.done():
                action.future.set_exception(CarrierUnavailable("the connection to Asterisk was lost"))
                action.future.exception()  # somebody may have given up on it already
        self.responses.clear()
        if not self.closed:
            self.closed = True
            self.transport.close()


class _Manager(Manager):  # type: ignore[misc]  # panoramisk brings no types
    """One connection, used once: the reconnecting is ours."""

    def __init__(self, on_event: Callable[[Event], None], **config: Any) -> None:
        super().__init__(protocol_factory=_Protocol, **config)
        self._on_event = on_event
        self.lost = asyncio.Event()

    def dispatch(self, event: Any) -> None:
        self._on_event(event)

    def connection_lost(self, exc: object) -> None:
        self.lost.set()

    def ping(self) -> None:
        """Pings are ours, with a deadline."""


class Connection:
    """The bridge's one connection to one Asterisk. `on_event` is called for every event, in order, and must be quick."""

    def __init__(
        self,
        host: str,
        port: int,
        user: str,
        secret: str,
        on_event: Callable[[Event], None],
        may_act: Callable[[], bool] = lambda: True,
    ) -> None:
        self._where, self._user, self._secret = (host, port), user, secret
        self._on_event = on_event
        #: False from the moment this process may no longer drive the node: nothing is sent any more.
        self.may_act = may_act
        self._manager: _Manager | None = None
        #: What is wrong now, for people; empty when connected.
        self.trouble = "not connected yet"

    @property
    def connected(self) -> bool:
        return self._manager is not None and not self._manager.lost.is_set()

    async def keep(self, on_login: Callable[[], Awaitable[None]], stop: asyncio.Event) -> None:
        """Connect, log in, call `on_login`, watch; again after every loss, until `stop`. Raises nothing but cancellation."""
        delay = RECONNECT_FIRST_S
        while not stop.is_set():
            try:
                await self._open()
                delay = RECONNECT_FIRST_S
                self.trouble = ""
                await on_login()
                await self._watch(stop)
            except (CarrierUnavailable, OSError, TimeoutError) as error:
                self._say(f"Asterisk's manager at {self._where[0]}:{self._where[1]} does not answer: {error}")
            except CarrierRefused as error:
                delay = RECONNECT_MAX_S
                self._say(str(error))
            finally:
                self._drop()
            if await _happens(stop, delay):
                return
            delay = min(delay * 2, RECONNECT_MAX_S)

    async def action(self, name: str, fields: Mapping[str, str | list[str]] | None = None) -> Any:
        """Send one action and return its response. Raises CallGone, CarrierUnavailable or CarrierRefused."""
        response = await self._send(name, fields or {}, as_list=False)
        if response.success:
            return response
        text = str(response.message)
        if any(words in text.lower() for words in _GONE):
            raise CallGone(text)
        raise CarrierRefused(f"Asterisk refused {name}: {text}")

    async def listing(self, name: str) -> list[Event]:
        """Send an action that answers with a list of events; the events. Raises like `action`."""
        responses = await self._send(name, {}, as_list=True)
        return [item for item in responses if "event" in item and not item.event.endswith("Complete")]

    async def _send(self, name: str, fields: Mapping[str, str | list[str]], *, as_list: bool) -> Any:
        manager = self._manager
        if manager is None or manager.lost.is_set() or manager.protocol is None:
            raise CarrierUnavailable("there is no connection to Asterisk")
        if not self.may_act():
            raise CarrierUnavailable("this process does not drive the node any more")
        for value in fields.values():
            for text in value if isinstance(value, list) else [value]:
                refuse_control(text)
        action = Action({"Action": name, **fields})
        try:
            async with asyncio.timeout(ACTION_DEADLINE_S):
                return await manager.protocol.send(action, as_list=as_list)
        except TimeoutError:
            # Everything is taken up anew over a fresh connection: whoever waited for this answer would stay in silence.
            manager.lost.set()
            raise CarrierUnavailable(f"Asterisk did not answer {name} within {ACTION_DEADLINE_S:.0f} s") from None
        finally:
            manager.protocol.responses.pop(action.id, None)

    async def _open(self) -> None:
        host, port = self._where
        manager = _Manager(self._on_event, host=host, port=port, loop=asyncio.get_running_loop())
        async with asyncio.timeout(ACTION_DEADLINE_S):
            _, protocol = await asyncio.get_running_loop().create_connection(_Protocol, host, port)
        protocol.factory = manager
        protocol.encoding = "utf-8"
        manager.protocol = protocol
        self._manager = manager
        login = {"Username": self._user, "Secret": self._secret, "Events": "on"}
        response = await self._send("Login", login, as_list=False)
        if not response.success:
            raise CarrierRefused(
                f"Asterisk refused the manager user {self._user!r}: check HOTLINE_AMI_USER and HOTLINE_AMI_SECRET"
            )

    async def _watch(self, stop: asyncio.Event) -> None:
        if self._manager is None:
            return
        lost = self._manager.lost
        while not stop.is_set():
            if await _happens(lost, PING_EVERY_S):
                raise CarrierUnavailable("the connection was closed")
            await self.action("Ping")

    def _drop(self) -> None:
        manager, self._manager = self._manager, None
        if manager is not None:
            manager.lost.set()
            if manager.protocol is not None:
                manager.protocol.close()

    def _say(self, trouble: str) -> None:
        if trouble != self.trouble:
            log.warning("asterisk is out of reach", reason=trouble)
        self.trouble = trouble


async def _happens(event: asyncio.Event, within_s: float) -> bool:
    """True as soon as the event is set, False after `within_s`."""
    try:
        async with asyncio.timeout(within_s):
            await event.wait()
    except TimeoutError:
        return False
    return True
