"""One connection to one Redis, over which the commands of all tasks go together: what is asked within one round of the
event loop is sent in one piece, and answered in the order in which it was asked. It knows no command's meaning.
"""

import asyncio
import socket
from collections import deque
from collections.abc import AsyncIterator, Callable, Hashable, Mapping
from typing import Any, Final, TypeVar

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
Options = Mapping[str, Any]
_L = TypeVar("_L", bound="_Link")


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


class Wire:
    """`ask` from any task of one loop; connects when it is first asked, and again when the connection was lost."""

    def __init__(self, options: Options, answer_within_s: float, connect_within_s: float) -> None:
        """`options` as `redis.asyncio.connection.parse_url` gives them."""
        self._options, self._answer_within_s, self._connect_within_s = options, answer_within_s, connect_within_s
        self._link: _Link | None = None
        self._opening: asyncio.Task[_Link] | None = None

    async def ask(self, packed: bytes, count: int) -> Any:
        """The answers to `count` commands, as a list; to one command, the answer itself. Errors of the server are answers.

        Raises redis' ConnectionError and TimeoutError.
        """
        link = self._link
        if link is None or link.is_lost or link.loop is not asyncio.get_running_loop():
            link = await self._connected()
        return await link.ask(packed, count)

    def begin(self, packed: bytes, same: Hashable = None) -> "asyncio.Future[Any] | None":
        """One command, sent without waiting for its turn; None when there is no connection yet. `same`: what others may
        `join` by, until it is sent; of a command that only reads."""
        link = self._link
        if link is None or link.is_lost or link.loop is not asyncio.get_running_loop():
            return None
        return link.ask(packed, 1) if same is None else link.ask_for_all(packed, same)

    def join(self, same: Hashable) -> "asyncio.Future[Any] | None":
        """The answer to the very same command, begun in this round of the loop by somebody else; None when nobody has."""
        link = self._link
        if link is None or link.is_lost or link.loop is not asyncio.get_running_loop():
            return None
        return link.join(same)

    async def messages(self, channel: str, idle_s: float) -> AsyncIterator[str]:
        """What is published there from now on, by a connection of its own; first an empty text, when it is subscribed.

        Raises redis' ConnectionError and TimeoutError when the connection is lost, or silent although asked.
        """
        link = await self._open(_Listener)
        try:
            await link.ask(pack(("SUBSCRIBE", channel)), 1)
            link.stay_awake(idle_s)
            yield ""
            while True:
                for message in await link.heard():
                    yield message
        finally:
            link.close()

    async def close(self) -> None:
        """The next question connects anew."""
        if self._opening is not None and not self._opening.done():
            self._opening.cancel()
        if self._link is not None:
            self._link.close()
        self._link = self._opening = None

    async def _connected(self) -> "_Link":
        """The link, however many ask for it at once. Who is cancelled meanwhile does not hinder the others."""
        loop = asyncio.get_running_loop()
        opening = self._opening
        if opening is None or opening.done() or opening.get_loop() is not loop:
            opening = self._opening = loop.create_task(self._open(_Link))
            opening.add_done_callback(lambda task: task.cancelled() or task.exception())
        self._link = link = await asyncio.shield(opening)
        return link

    async def _open(self, kind: "Callable[[float], _L]") -> "_L":
        try:
            async with asyncio.timeout(self._connect_within_s):
                link = await self._reach(kind)
        except TimeoutError:
            raise TimedOut("Redis cannot be reached in time") from None
        except OSError as error:
            raise Unreachable(f"Redis cannot be reached: {error.strerror or error}") from error
        try:
            await self._greet(link)
        except BaseException:
            link.close()
            raise
        return link

    async def _reach(self, kind: "Callable[[float], _L]") -> "_L":
        loop, options = asyncio.get_running_loop(), self._options
        link = kind(self._answer_within_s)
        if "path" in options:
            await loop.create_unix_connection(lambda: link, options["path"])
        else:
            await loop.create_connection(lambda: link, options.get("host", "localhost"), options.get("port", 6379))
        return link

    async def _greet(self, link: "_Link") -> None:
        options = self._options
        words: list[tuple[str | int, ...]] = []
        if options.get("password"):
            words.append(("AUTH", *filter(None, (options.get("username"), options["password"]))))
        if options.get("db"):
            words.append(("SELECT", int(options["db"])))
        for word in words:
            answer = await link.ask(pack(word), 1)
            if isinstance(answer, RedisError):
                raise answer


class _Link(asyncio.Protocol):
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


class _Listener(_Link):
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
