"""Redis for a process in which many tasks ask at the same time: all of them over one connection, together.

A connection for each task costs a process several times as much, and there are never enough of them when hundreds of
callers press a key at once. Subscriptions have connections of their own.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Mapping, Sequence
from typing import Any, cast

from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.client import Pipeline
from redis.asyncio.retry import Retry
from redis.exceptions import BusyLoadingError, ExecAbortError, NoScriptError, RedisError
from redis.exceptions import ConnectionError as Unreachable
from redis.exceptions import TimeoutError as TimedOut

from config.link import pack
from config.wire import Wire

#: Of a script.
Argument = str | int | float

_MULTI, _EXEC = pack(("MULTI",)), pack(("EXEC",))


class SharedPipeline(Pipeline):
    """Sent in one piece, so that a transaction needs nothing but its two words around it."""

    shared: "SharedRedis"

    async def execute(self, raise_on_error: bool = True) -> list[Any]:
        stack, self.command_stack = self.command_stack, []
        if not stack:
            return []
        packed = b"".join(pack(split(arguments)) for arguments, _ in stack)
        if self.is_transaction:
            answers = await self._transaction(packed, len(stack))
        else:
            answers = await self.shared.ask(packed, len(stack))
            answers = answers if len(stack) > 1 else [answers]
        return [
            _unless_error(shaped(self, arguments[0], answer, options), raise_on_error)
            for (arguments, options), answer in zip(stack, answers, strict=True)
        ]

    async def _transaction(self, packed: bytes, count: int) -> list[Any]:
        *refused, done = await self.shared.ask(_MULTI + packed + _EXEC, count + 2)
        if isinstance(done, RedisError):
            raise next((answer for answer in refused if isinstance(answer, RedisError)), done)
        if done is None:
            raise ExecAbortError("the transaction was not carried out")
        return cast(list[Any], done)


class SharedRedis(Redis):
    """What the parts of a process expect of a connection. `pool` knows the server, and serves subscriptions."""

    def __init__(self, pool: ConnectionPool, wire: Wire, retry: Retry) -> None:
        super().__init__(connection_pool=pool)
        self.auto_close_connection_pool = True
        self.wire, self._again = wire, retry

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        answer = await self.ask(pack(split(args)), 1)
        if isinstance(answer, RedisError):
            raise answer
        return shaped(self, args[0], answer, options)

    async def ask(self, packed: bytes, count: int) -> Any:
        """The answers, as `Wire.ask` gives them; asked again while the server is away for a moment."""
        try:
            return await self._ask(packed, count)
        except (Unreachable, TimedOut):
            return await self._again.call_with_retry(lambda: self._ask(packed, count), _go_on)

    async def _ask(self, packed: bytes, count: int) -> Any:
        answer = await self.wire.ask(packed, count)
        first = answer[0] if count > 1 else answer
        if isinstance(first, BusyLoadingError):
            raise first
        return answer

    def begin(self, *args: Any, same: bool = False) -> "Begun":
        """A command that is sent now, whenever it is awaited: several begun one after the other go together. `same`: it
        only reads, and goes once for all who ask it in this moment."""
        if not same:
            return Begun(self, self.wire.begin(pack(split(args))), args)
        future = self.wire.join(args)
        return Begun(self, future or self.wire.begin(pack(split(args)), args), args)

    def begin_script(
        self, digest: str, text: str, keys: tuple[str, ...], arguments: tuple[Argument, ...], *, same: bool
    ) -> "Begun":
        """The same for a script that the server knows by its digest; by its text, should it not know it."""
        if not same:
            future = self.wire.begin(pack(("EVALSHA", digest, *script_words(keys, arguments))))
        else:
            what = (digest, keys, arguments)
            future = self.wire.join(what)
            if future is None:
                future = self.wire.begin(pack(("EVALSHA", digest, *script_words(keys, arguments))), what)
        return BegunScript(self, future, (text, keys, arguments))

    def messages(self, channel: str, idle_s: float) -> AsyncIterator[str]:
        """What is published there from now on; first an empty text, when it is subscribed."""
        return self.wire.messages(channel, idle_s)

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> SharedPipeline:
        pipe = SharedPipeline(self.connection_pool, self.response_callbacks, transaction, shard_hint)
        pipe.shared = self
        return pipe

    async def aclose(self, close_connection_pool: bool | None = None) -> None:
        await self.wire.close()
        await super().aclose(close_connection_pool)


class Begun:
    """The answer to a command that is under way. Await it once."""

    __slots__ = ("_about", "_future", "_redis")

    def __init__(self, redis: SharedRedis, future: "asyncio.Future[Any] | None", about: tuple[Any, ...]) -> None:
        self._redis, self._future, self._about = redis, future, about

    def __await__(self) -> Generator[Any, None, Any]:
        if self._future is not None:
            try:
                answer = yield from self._future
            except (Unreachable, TimedOut):
                pass
            else:
                if not isinstance(answer, RedisError):
                    return answer
                if not isinstance(answer, BusyLoadingError | NoScriptError):
                    raise answer
        return (yield from self._again().__await__())

    def _again(self) -> Awaitable[Any]:
        """The connection was not there, was lost, or the server is not ready."""
        again: Awaitable[Any] = self._redis.execute_command(*self._about)
        return again


class BegunScript(Begun):
    """The same for a script, which is sent as a whole then: a server that has restarted has forgotten it, too."""

    __slots__ = ()

    def _again(self) -> Awaitable[Any]:
        text, keys, arguments = self._about
        again: Awaitable[Any] = self._redis.execute_command("EVAL", text, *script_words(keys, arguments))
        return again


class Later:
    """The same for a connection that cannot begin before it is awaited."""

    __slots__ = ("_args", "_redis")

    def __init__(self, redis: Redis, args: tuple[Any, ...]) -> None:
        self._redis, self._args = redis, args

    def __await__(self) -> Generator[Any, None, Any]:
        execute: Any = self._redis.execute_command
        return cast(Generator[Any, None, Any], execute(*self._args).__await__())


def begin(redis: Redis, *args: Any, same: bool = False) -> Awaitable[Any]:
    """A command that is sent now where the connection can; await it once, for the answer as the server gives it.
    `same`: as SharedRedis.begin; the answer may be somebody else's, too, and is not to be changed."""
    # Not by the type: redis-py's is a protocol, of which Python asks much before it knows what is an instance.
    begins: Callable[..., Awaitable[Any]] | None = getattr(redis, "begin", None)
    return Later(redis, args) if begins is None else begins(*args, same=same)


def script_words(keys: tuple[str, ...], arguments: tuple[Argument, ...]) -> tuple[Argument, ...]:
    """Keys and arguments of a script as they go over the wire: hiredis and redis-py write a number as Python's repr, which is exact."""
    return (len(keys), *keys, *arguments)


def split(arguments: Sequence[Any]) -> tuple[Any, ...]:
    """As they go over the wire: redis-py writes `SCRIPT LOAD` in one."""
    name = arguments[0]
    if isinstance(name, str) and " " in name:
        return (*name.split(), *arguments[1:])
    return tuple(arguments)


def shaped(connection: Any, command: Any, answer: Any, options: Mapping[str, Any]) -> Any:
    """The answer as redis-py gives it."""
    shape = connection.response_callbacks.get(command)
    if shape is None or isinstance(answer, RedisError):
        return answer
    return shape(answer, **{name: value for name, value in options.items() if name != "keys"})


def _unless_error(answer: Any, raise_on_error: bool) -> Any:
    if raise_on_error and isinstance(answer, RedisError):
        raise answer
    return answer


async def _go_on(error: Exception) -> None:
    """Nothing has to be put right before it is asked again: the wire connects by itself."""
