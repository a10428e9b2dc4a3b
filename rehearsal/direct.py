"""A connection to Redis for one process that does one thing at a time: blocking, without a pool, several times faster.

In a rehearsal nothing else happens while a command is under way, so there is nothing to wait for asynchronously. Commands
that are begun before their answers are needed go together with the first one whose answer is; whoever needs one lets the
other tasks of the loop begin theirs before.
"""

import socket
import struct
from collections.abc import Callable, Generator, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline
from redis.exceptions import RedisError

from config.link import new_reader, pack, read_answers
from config.shared import shaped, split
from rehearsal.processor import ours

ANSWER_WITHIN_S = 10
_CHUNK = 1 << 16
#: How often to look for an answer before sleeping till it comes. A server on the same machine answers within tens of
#: microseconds; to sleep and be woken takes longer than that. With one processor, looking would keep it from answering.
_LOOKS = 120
#: What a command has for an answer before it is asked.
_NOT_YET: Final = object()


def pack_seconds(seconds: int) -> bytes:
    """As the system's `timeval`."""
    return struct.pack("@ll", seconds, 0)


class Wire:
    """Commands out, answers in (RESP2)."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme == "unix":
            self._socket = socket.socket(socket.AF_UNIX)
            self._socket.connect(parts.path)
        else:
            self._socket = socket.create_connection((parts.hostname, parts.port), timeout=ANSWER_WITHIN_S)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # The system's own limit: Python's would ask before every piece whether there is one.
        self._socket.settimeout(None)
        for limit in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            self._socket.setsockopt(socket.SOL_SOCKET, limit, pack_seconds(ANSWER_WITHIN_S))
        self._reader = new_reader()
        self._looks = _LOOKS if len(ours()) > 1 else 0
        #: Whether anybody else may begin something meanwhile; if not, nobody is waited for.
        self.others: Callable[[], bool] = lambda: True
        self._begun: list[tuple[bytes, _Begun]] = []
        #: Of these, questions that others may join.
        self._shared: dict[bytes, _Begun] = {}

    def begin(self, packed: bytes, *, same: bool = False) -> "_Begun":
        """A command that goes out with the next one whose answer is needed; `same`: once for all who ask it till then."""
        if same and (known := self._shared.get(packed)) is not None:
            return known
        begun = _Begun(self)
        self._begun.append((packed, begun))
        if same:
            self._shared[packed] = begun
        return begun

    def ask(self, commands: Sequence[Sequence[Any]]) -> list[Any]:
        """The answers; an error of the server is an answer, too."""
        begun = self._begun
        packed = b"".join([each for each, _ in begun]) + b"".join([pack(split(command)) for command in commands])
        self._begun, self._shared = [], {}
        self._socket.sendall(packed)
        answers = self._read(len(begun) + len(commands))
        for (_, waiting), answer in zip(begun, answers, strict=False):
            waiting.answer = answer
        return answers[len(begun) :]

    def close(self) -> None:
        self._socket.close()

    def _read(self, count: int) -> list[Any]:
        answers: list[Any] = []
        while len(answers) < count:
            data = self._receive()
            if not data:
                raise ConnectionError("the server has gone")
            self._reader.feed(data)
            answers += read_answers(self._reader)
        return answers

    def _receive(self) -> bytes:
        for _ in range(self._looks):
            try:
                return self._socket.recv(_CHUNK, socket.MSG_DONTWAIT)
            except BlockingIOError:
                continue
        return self._socket.recv(_CHUNK)


class _Begun:
    """A command that was begun. Await it once."""

    __slots__ = ("_wire", "answer")

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self.answer: Any = _NOT_YET

    def __await__(self) -> Generator[Any, None, Any]:
        if self.answer is _NOT_YET and self._wire.others():
            yield  # one round of the loop: what others begin meanwhile goes together with this
        if self.answer is _NOT_YET:
            self._wire.ask(())
        if isinstance(self.answer, RedisError):
            raise self.answer
        return self.answer


class DirectPipeline(Pipeline):
    """Sent in one piece. Nobody else uses the server, so that a transaction is no different."""

    wire: Wire

    async def execute(self, raise_on_error: bool = True) -> list[Any]:
        stack, self.command_stack = self.command_stack, []
        if not stack:
            return []
        answers = self.wire.ask([arguments for arguments, _ in stack])
        for at, (arguments, options) in enumerate(stack):
            if isinstance(answers[at], RedisError):
                raise answers[at]
            answers[at] = shaped(self, arguments[0], answers[at], options)
        return answers


class DirectRedis(Redis):
    """What the parts of a process expect of a connection. `url`: redis://host:port or unix:///path."""

    def __init__(self, url: str) -> None:
        super().__init__(decode_responses=True, protocol=2)
        self.wire = Wire(url)

    async def execute_command(self, *arguments: Any, **options: Any) -> Any:
        answer = self.wire.ask([arguments])[0]
        if isinstance(answer, RedisError):
            raise answer
        return shaped(self, arguments[0], answer, options)

    def begin(self, *arguments: Any, same: bool = False) -> _Begun:
        """A command whose answer, as the server gives it, is needed later; `same`: as SharedRedis.begin."""
        return self.wire.begin(pack(split(arguments)), same=same)

    def begin_script(
        self, digest: str, text: str, keys: tuple[str, ...], arguments: tuple[Any, ...], *, same: bool
    ) -> _Begun:
        """The same for a script; the server was taught all of them."""
        del text
        return self.wire.begin(pack(("EVALSHA", digest, len(keys), *keys, *arguments)), same=same)

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> DirectPipeline:
        pipe = DirectPipeline(self.connection_pool, self.response_callbacks, transaction, shard_hint)
        pipe.wire = self.wire
        return pipe

    async def aclose(self, close_connection_pool: bool | None = None) -> None:
        self.wire.close()
