"""What the bridge's connection does where its client library would not: tried against a manager that misbehaves."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from telephony.asterisk import connection as ami
from telephony.asterisk.connection import Connection, Event
from telephony.errors import CallGone, CarrierRefused, CarrierUnavailable
from tests.waiting import until

WORDS = "熱線問政"
Answer = Callable[[dict[str, str]], str | None]


def success(action: dict[str, str]) -> str:
    return f"Response: Success\r\nActionID: {action['ActionID']}\r\nMessage: ok\r\n\r\n"


class Manager:
    """A manager interface. `answers` says what an action is answered, None = nothing; `got` holds every action."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.got: list[dict[str, str]] = []
        self.logins = 0
        self._writers: list[asyncio.StreamWriter] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        writer.write(b"Asterisk Call Manager/11.0.0\r\n")
        try:
            while block := await reader.readuntil(b"\r\n\r\n"):
                lines = block.decode().strip().split("\r\n")
                action = dict(line.split(": ", 1) for line in lines)
                self.got.append(action)
                self.logins += action["Action"].lower() == "login"
                if (text := self.answers.get(action["Action"], success)(action)) is not None:
                    writer.write(text.encode())
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def say(self, text: str) -> None:
        """One byte at a time, each in a segment of its own."""
        for byte in text.encode():
            self._writers[-1].write(bytes([byte]))
            await self._writers[-1].drain()
            await asyncio.sleep(0)

    def cut(self) -> None:
        self._writers[-1].transport.abort()

    def actions(self, name: str) -> list[dict[str, str]]:
        return [action for action in self.got if action["Action"] == name]


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[Manager, Connection, list[Event]]]:
    manager, heard = Manager(), list[Event]()
    server = await asyncio.start_server(manager.serve, "127.0.0.1", 0)
    connection = Connection("127.0.0.1", server.sockets[0].getsockname()[1], "hotline", "secret", heard.append)
    stop = asyncio.Event()

    async def on_login() -> None:
        return

    keeping = asyncio.create_task(connection.keep(on_login, stop))
    try:
        await until(lambda: connection.connected and not connection.trouble, 20)
        yield manager, connection, heard
    finally:
        stop.set()
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        server.close()


async def test_given_words_that_come_byte_by_byte_then_they_are_whole() -> None:
    async with connected() as (manager, _, heard):
        await manager.say(f"Event: UserEvent\r\nUserEvent: Said\r\nWords: {WORDS}\r\nUniqueid: pbx1-1.1\r\n\r\n")
        event = (await until(lambda: [one for one in heard if one.get("UserEvent") == "Said"], 20))[0]
        assert event["Words"] == WORDS


async def test_given_an_event_that_carries_the_id_of_an_action_under_way_then_it_is_heard_too() -> None:
    async with connected() as (manager, connection, heard):
        manager.answers["AGI"] = lambda action: (
            f"Response: Success\r\nActionID: {action['ActionID']}\r\n\r\n"
            f"Event: AsyncAGIExec\r\nActionID: {action['ActionID']}\r\nCommandID: c1\r\nResult: 200\r\n\r\n"
        )
        await connection.action("AGI", {"Channel": "PJSIP/a", "Command": "NOOP", "CommandID": "c1"})
        await until(lambda: [one for one in heard if one.get("CommandID") == "c1"], 20)


async def test_given_a_connection_that_is_lost_before_the_answer_then_nothing_is_sent_again() -> None:
    async with connected() as (manager, connection, _):
        manager.answers["Originate"] = lambda _: None
        waiting = asyncio.create_task(connection.action("Originate", {"Channel": "PJSIP/a", "Async": "true"}))
        await until(lambda: manager.actions("Originate"), 20)
        manager.cut()
        with pytest.raises(CarrierUnavailable):
            await waiting
        await until(lambda: manager.logins == 2 and connection.connected, 20)
        await connection.action("Ping")  # whatever was to be sent again has been sent before it
        assert len(manager.actions("Originate")) == 1


@pytest.mark.parametrize("value", ["a\r\nAction: Originate", "a\nb", "a\rb", "a\0b"])
async def test_given_a_value_that_is_a_second_action_then_it_is_refused(value: str) -> None:
    async with connected() as (manager, connection, _):
        for given in (value, [value]):
            with pytest.raises(CarrierRefused, match="control character"):
                await connection.action("Setvar", {"Variable": "X", "Value": given})
        await connection.action("Ping")
        assert not manager.actions("Setvar")


async def test_given_a_manager_that_does_not_answer_then_the_wait_ends_and_the_connection_is_made_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with connected() as (manager, connection, _):
        manager.answers["Getvar"] = lambda _: None
        monkeypatch.setattr(ami, "ACTION_DEADLINE_S", 0.2)
        with pytest.raises(CarrierUnavailable, match="did not answer Getvar"):
            await connection.action("Getvar", {"Channel": "PJSIP/a", "Variable": "X"})
        monkeypatch.setattr(ami, "ACTION_DEADLINE_S", 10.0)
        await until(lambda: manager.logins == 2 and connection.connected, 20)


@pytest.mark.parametrize(("message", "error"), [("No such channel", CallGone), ("Permission denied", CarrierRefused)])
async def test_given_an_error_then_it_is_the_callers_end_or_a_fault_of_ours(message: str, error: type[Exception]) -> None:
    async with connected() as (manager, connection, _):
        manager.answers["Redirect"] = lambda action: (
            f"Response: Error\r\nActionID: {action['ActionID']}\r\nMessage: {message}\r\n\r\n"
        )
        with pytest.raises(error):
            await connection.action("Redirect", {"Channel": "PJSIP/a"})
