"""One connection to Redis, from when it is made until it is lost: what is asked within one round of the event loop is sent in
one piece, and answered in the order in which it was asked.
"""

import asyncio
import socket
from collections import deque
from collections.abc import Callable, Hashable, Mapping
from typing import Any, Final

from hiredis import ProtocolError, Reader, pack_command
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    NoScriptError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)
from redis.exceptions import ConnectionError as Unreachable
from redis.exceptions import TimeoutError as TimedOut

#: Errors that are told apart by their first word.
_ERRORS: Mapping[str, type[RedisError]] = {
    "NOSCRIPT": NoScriptError,
    "LOADING": BusyLoadingError,
    "READONLY": ReadOnlyError,
    "NOAUTH": AuthenticationError,
    "WRONGPASS": AuthenticationError,
}
#: What the reader gives while an answer is not complete.
_INCOMPLETE: Final = object()
_LOST = "the connection to Redis is lost"

#: A command as it goes over the wire. The library's own type takes one word only.
pack: Callable[[tuple[Any, ...]], bytes] = pack_command


def new_reader() -> Reader:
    """Reads answers; an error of the server is an answer, too."""
    return Reader(replyError=error_of, encoding="utf-8", errors="replace", notEnoughData=_INCOMPLETE)


def read_answers(reader: Reader) -> list[Any]:
    """All answers that are complete by now. Raises ConnectionError for what is no answer."""
    answers = []
    try:
        while (answer := reader.gets()) is not _INCOMPLETE:
            answers.append(answer)
    except ProtocolError as error:
        raise Unreachable(str(error)) from error
    return answers


def error_of(said: str) -> RedisError:
    """The exception for an error of the server."""
    return _ERRORS.get(said.partition(" ")[0], ResponseError)(said)


class Link(asyncio.Protocol):
    """One connection, from when it is made until it is lost."""

    def __init__(self, answer_within_s: float) -> None:
        self.loop = asyncio.get_running_loop()
        self.is_lost = False
        self._within_s = answer_within_s
        self._reader = new_reader()
        #: Who waits, for how many answers, and since when.
        self._asked: deque[tuple[asyncio.Future[Any], int, float]] = deque()
        self._unsent: list[bytes] = []
        #: Questions not sent yet that others may join, and who joined them.
        self._shared: dict[Hashable, asyncio.Future[Any]] = {}
        self._joined: dict[asyncio.Future[Any], list[asyncio.Future[Any]]] = {}
        #: Answers to the first of `_asked`, until it has all of them.
        self._some: list[Any] = []
        self._heard_at = 0.0
        self._watch: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport | None = None

    def ask(self, packed: bytes, count: int) -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = self.loop.create_future()
        if self.is_lost:
            future.set_exception(Unreachable(_LOST))
            return future
        now = self.loop.time()
        self._asked.append((future, count, now))
        if not self._unsent:
            self.loop.call_soon(self._send)
        self._unsent.append(packed)
        if self._watch is None:
            self._watch = self.loop.call_at(now + self._within_s, self._look)
        return future

    def ask_for_all(self, packed: bytes, same: Hashable) -> asyncio.Future[Any]:
        """For one answer, which others may join until it is sent."""
        future = self._shared[same] = self.ask(packed, 1)
        return future

    def join(self, same: Hashable) -> asyncio.Future[Any] | None:
        """A future of one's own for each who joins, because any may be cancelled."""
        first = self._shared.get(same)
        if first is None:
            return None
        future: asyncio.Future[Any] = self.loop.create_future()
        self._joined.setdefault(first, []).append(future)
        return future

    def close(self) -> None:
        self._lose(Unreachable("the connection to Redis was closed"))

    # -- asyncio.Protocol ---------------------------------------------------------------------------------------------
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # of a stream
        raw = transport.get_extra_info("socket")
        if raw is not None and raw.family != socket.AF_UNIX:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        self._heard_at = self.loop.time()
        try:
            answers = read_answers(self._reader)
        except Unreachable as error:
            self._lose(error)
            return
        for answer in answers:
            self._take(answer)

    def connection_lost(self, exc: Exception | None) -> None:
        self._lose(Unreachable(_LOST))

    # -----------------------------------------------------------------------------------------------------------------
    def _take(self, answer: Any) -> None:
        if not self._asked:
            self._lose(Unreachable("Redis answered what nobody asked"))
            return
        future, count, _ = self._asked[0]
        if count > 1:
            self._some.append(answer)
            if len(self._some) < count:
                return
            answer, self._some = self._some, []
        self._asked.popleft()
        if not future.done():
            future.set_result(answer)
        if self._joined:
            for joined in self._joined.pop(future, ()):
                if not joined.done():
                    joined.set_result(answer)

    def _send(self) -> None:
        unsent, self._unsent = self._unsent, []
        self._shared.clear()
        if self._transport is not None and not self.is_lost:
            self._transport.write(b"".join(unsent))

    def _look(self) -> None:
        """Somebody waits too long, and nothing came meanwhile: what was asked is lost with the connection."""
        self._watch = None
        if not self._asked:
            return
        due = max(self._asked[0][2], self._heard_at) + self._within_s
        if self.loop.time() >= due:
            self._lose(TimedOut("Redis does not answer"))
        else:
            self._watch = self.loop.call_at(due, self._look)

    def _lose(self, why: RedisError) -> None:
        self.is_lost = True
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        if self._transport is not None:
            self._transport.abort()
        while self._asked:
            first = self._asked.popleft()[0]
            for future in (first, *self._joined.pop(first, ())):
                if not future.done():
                    future.set_exception(why)
                    future.exception()  # nobody may be left to hear it, which is no fault


class Listener(Link):
    """A connection that is told without asking, once it has subscribed."""

    def __init__(self, answer_within_s: float) -> None:
        super().__init__(answer_within_s)
        self._heard: list[str] = []
        self._news = asyncio.Event()
        self._guard: asyncio.TimerHandle | None = None
        self._idle_s = 0.0
        self._lost_by: RedisError | None = None

    async def heard(self) -> list[str]:
        """What came since the last time; waits until there is something. Raises what the connection was lost by."""
        await self._news.wait()
        if self._lost_by is not None:
            raise self._lost_by
        self._news.clear()
        heard, self._heard = self._heard, []
        return heard

    def stay_awake(self, idle_s: float) -> None:
        """From now on: after so long a silence it is asked whether anybody is there."""
        self._idle_s, self._heard_at = idle_s, self.loop.time()
        self._guard = self.loop.call_later(idle_s, self._look_whether_silent)

    def _look_whether_silent(self) -> None:
        due = self._heard_at + self._idle_s
        if self.loop.time() < due:
            self._guard = self.loop.call_at(due, self._look_whether_silent)
        else:
            self._write(pack(("PING",)))
            self._guard = self.loop.call_later(self._within_s, self._lose, TimedOut("Redis does not answer"))

    def _write(self, packed: bytes) -> None:
        if self._transport is not None and not self.is_lost:
            self._transport.write(packed)

    def _take(self, answer: Any) -> None:
        match answer:
            case ["message", _, str(text)]:
                self._heard.append(text)
                self._news.set()
            case ["pong", *_] if self._guard is not None:
                self._guard.cancel()
                self._guard = self.loop.call_later(self._idle_s, self._look_whether_silent)
            case _:
                super()._take(answer)

    def _lose(self, why: RedisError) -> None:
        super()._lose(why)
        self._lost_by = self._lost_by or why
        if self._guard is not None:
            self._guard.cancel()
        self._news.set()
