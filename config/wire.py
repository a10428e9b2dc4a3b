"""The one connection of a process to one Redis, over which the commands of all its tasks go together; made when it is needed,
and again when it was lost. It knows no command's meaning.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Hashable, Mapping
from typing import Any, TypeVar

from redis.exceptions import ConnectionError as Unreachable
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as TimedOut

from config.link import Link, Listener, pack

Options = Mapping[str, Any]
_L = TypeVar("_L", bound="Link")


class Wire:
    """`ask` from any task of one loop; connects when it is first asked, and again when the connection was lost."""

    def __init__(self, options: Options, answer_within_s: float, connect_within_s: float) -> None:
        """`options` as `redis.asyncio.connection.parse_url` gives them."""
        self._options, self._answer_within_s, self._connect_within_s = options, answer_within_s, connect_within_s
        self._link: Link | None = None
        self._opening: asyncio.Task[Link] | None = None

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
        link = await self._open(Listener)
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

    async def _connected(self) -> "Link":
        """The link, however many ask for it at once. Who is cancelled meanwhile does not hinder the others."""
        loop = asyncio.get_running_loop()
        opening = self._opening
        if opening is None or opening.done() or opening.get_loop() is not loop:
            opening = self._opening = loop.create_task(self._open(Link))
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

    async def _greet(self, link: "Link") -> None:
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
