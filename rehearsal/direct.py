"""A connection to Redis for one process that does one thing at a time: blocking, without a pool, several times faster.

In a rehearsal nothing else happens while a command is under way, so there is nothing to wait for asynchronously.
"""

import socket
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline
from redis.exceptions import NoScriptError, ResponseError

ANSWER_WITHIN_S = 10.0


class Wire:
    """Commands out, answers in (RESP2)."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme == "unix":
            self._socket = socket.socket(socket.AF_UNIX)
            self._socket.settimeout(ANSWER_WITHIN_S)
            self._socket.connect(parts.path)
        else:
            self._socket = socket.create_connection((parts.hostname, parts.port), timeout=ANSWER_WITHIN_S)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._file = self._socket.makefile("rb", buffering=1 << 16)

    def ask(self, commands: Sequence[Sequence[Any]]) -> list[Any]:
        """The answers; an error of the server is an answer, too."""
        self._socket.sendall(b"".join(map(_packed, commands)))
        return [self._answer() for _ in commands]

    def close(self) -> None:
        self._file.close()
        self._socket.close()

    def _answer(self) -> Any:
        line = self._file.readline()
        kind, rest = line[:1], line[1:-2]
        if kind == b"$":
            length = int(rest)
            return None if length < 0 else self._file.read(length + 2)[:-2].decode()
        if kind == b"*":
            count = int(rest)
            return None if count < 0 else [self._answer() for _ in range(count)]
        if kind == b":":
            return int(rest)
        if kind == b"+":
            return rest.decode()
        if kind == b"-":
            return _error(rest.decode())
        raise ConnectionError("the server has gone")


def _packed(command: Sequence[Any]) -> bytes:
    parts = [f"*{len(command)}\r\n".encode()]
    for word in command:
        raw = word if isinstance(word, bytes) else str(word).encode()
        parts.append(b"$%d\r\n%s\r\n" % (len(raw), raw))
    return b"".join(parts)


def _error(said: str) -> ResponseError:
    return NoScriptError(said) if said.startswith("NOSCRIPT") else ResponseError(said)


class DirectPipeline(Pipeline):
    """Sent in one piece. Nobody else uses the server, so that a transaction is no different."""

    wire: Wire

    async def execute(self, raise_on_error: bool = True) -> list[Any]:
        stack, self.command_stack = self.command_stack, []
        if not stack:
            return []
        answers = self.wire.ask([arguments for arguments, _ in stack])
        for at, (arguments, options) in enumerate(stack):
            if isinstance(answers[at], ResponseError):
                raise answers[at]
            answers[at] = _shaped(self, arguments[0], answers[at], options)
        return answers


class DirectRedis(Redis):
    """What the parts of a process expect of a connection. `url`: redis://host:port or unix:///path."""

    def __init__(self, url: str) -> None:
        super().__init__(decode_responses=True, protocol=2)
        self.wire = Wire(url)

    async def execute_command(self, *arguments: Any, **options: Any) -> Any:
        answer = self.wire.ask([arguments])[0]
        if isinstance(answer, ResponseError):
            raise answer
        return _shaped(self, arguments[0], answer, options)

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> DirectPipeline:
        pipe = DirectPipeline(self.connection_pool, self.response_callbacks, transaction, shard_hint)
        pipe.wire = self.wire
        return pipe

    async def aclose(self, close_connection_pool: bool | None = None) -> None:
        self.wire.close()


def _shaped(connection: Any, command: Any, answer: Any, options: Mapping[str, Any]) -> Any:
    shape = connection.response_callbacks.get(command)
    if shape is None:
        return answer
    return shape(answer, **{name: value for name, value in options.items() if name != "keys"})
