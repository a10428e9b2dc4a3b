"""The record of a live call in Redis, changed by compare-and-set together with the commands of the turn."""

import secrets
from collections.abc import Awaitable, Generator
from itertools import count
from typing import Any, Protocol

import msgspec
from msgspec import Struct
from redis.asyncio import Redis

from calls.entries import Entries, Entry, Lane, encode, sort
from calls.shards import SHARDS, ShardKeys, call_key, shard_keys, shard_of
from config.changes import channel
from config.clock import Clock
from config.scripts import Script, load
from config.settings import Settings
from config.shared import begin
from ivr.call import Call
from ivr.commands import AnyCommand

#: Late events about an ended call (a recording, a status) still find it.
KEEP_ENDED_S = 7 * 24 * 3600
#: A performer that says nothing for this long has died; others go on with its commands.
PERFORM_LEASE_S = 4.0

#: Of the hash of a call: the call itself, and what the guards need.
_FIELDS = ("call", "seq", "second", "turns")
#: What is read of a call that nobody knows.
NOT_KNOWN: list[str | None] = [None] * len(_FIELDS)
_ENCODER, _DECODER = msgspec.json.Encoder(), msgspec.json.Decoder(Call)

_CREATE = load(__file__, "create-2")
_PUT_IF_UNCHANGED = load(__file__, "put_if_unchanged-7")


class UnknownCall(LookupError):
    """There is no such call."""


class CorruptCall(ValueError):
    """The saved call cannot be read."""

    def __init__(self, call_id: str, seq: int) -> None:
        super().__init__(f"the saved call {call_id} cannot be read")
        self.call_id = call_id
        #: What a repairing put has to name as the seq before.
        self.seq = seq


class Saved(Struct, frozen=True):
    """A call as read, with what the guards need."""

    call: Call
    #: Turns saved in `second` (whole Unix seconds).
    second: int
    turns: int
    #: Nobody has heard of the call: it is saved with its first turn.
    is_new: bool = False


class Granted(Struct, frozen=True):
    """The right to perform one lane of a call's commands, until the lease lapses."""

    lane: Lane
    call_id: str
    performer: str
    #: The commands, when they are known; None = read them.
    entries: tuple[Entry, ...] | None

    @property
    def rest(self) -> "Granted":
        """The same lane once some of its commands are done: under another name, so that it is said of each of them once."""
        name, _, rounds = self.performer.partition("/")
        return Granted(self.lane, self.call_id, f"{name}/{int(rounds or 0) + 1}", None)


class Put(Struct, frozen=True):
    """A turn was saved; these lanes are ours to perform now."""

    granted: tuple[Granted, ...] = ()


class Beside(Protocol):
    """What is saved in one step with a turn, in the call's slot: by a script that includes `put`, whose keys and arguments
    follow those of the put (keys) or precede them (arguments)."""

    @property
    def script(self) -> Script: ...
    @property
    def keys(self) -> tuple[str, ...]: ...
    @property
    def arguments(self) -> tuple[str | int | float, ...]: ...
    def told(self, said: Any) -> None:
        """What the script said of it."""
        ...


class Read:
    """A record that was read by somebody's own script."""

    __slots__ = ("_row",)

    def __init__(self, row: list[str | None]) -> None:
        self._row = row

    def __await__(self) -> Generator[Any, None, list[str | None]]:
        yield from ()  # nothing is waited for
        return self._row


class Reading:
    """A record that is being read. Await it once: the call with its pace, or None. Raises CorruptCall."""

    __slots__ = ("_begun", "_call_id")

    def __init__(self, call_id: str, begun: Awaitable[Any]) -> None:
        self._call_id, self._begun = call_id, begun

    def __await__(self) -> Generator[Any, None, Saved | None]:
        return self._read().__await__()

    async def _read(self) -> Saved | None:
        text, seq, second, turns = await self._begun
        if text is None and seq is None:
            return None
        return Saved(_decode(self._call_id, text, seq), int(second or 0), int(turns or 0))


class Putting:
    """A turn that is being saved. Await it once: what was put, or None when somebody was faster. Raises UnknownCall."""

    __slots__ = ("_begun", "_beside", "_call_id", "_entries", "_performer")

    def __init__(
        self, call_id: str, performer: str, entries: Entries, begun: Awaitable[Any], beside: Beside | None
    ) -> None:
        self._call_id, self._performer, self._entries, self._begun = call_id, performer, entries, begun
        self._beside = beside

    def __await__(self) -> Generator[Any, None, Put | None]:
        return self.done().__await__()

    async def done(self) -> Put | None:
        status, *ours = await self._begun
        if self._beside is not None:
            self._beside.told(ours.pop())
        if status < 0:
            raise UnknownCall(self._call_id)
        return Put(_granted(self._call_id, self._performer, self._entries, ours)) if status else None


class Calls:
    """All live calls, and ended ones for a week. Raises redis.exceptions.RedisError when Redis is away."""

    def __init__(self, redis: Redis, settings: Settings, clock: Clock) -> None:
        self._redis = redis
        self._prefix = settings.redis_prefix
        self._channel = channel(settings.redis_prefix)
        self._clock = clock
        self._shards = [shard_keys(self._prefix, shard) for shard in range(SHARDS)]
        #: Together a name that no other put of any process has.
        self._name, self._puts = f"{secrets.token_hex(8)}-", count(1)

    async def get(self, call_id: str) -> Call | None:
        """The call, or None. Raises CorruptCall."""
        saved = await self.read(call_id)
        return saved.call if saved else None

    async def get_readable(self, call_id: str) -> Call | None:
        """The call, or None also when it cannot be read: for pages, which show the others. Its next turn repairs it."""
        try:
            return await self.get(call_id)
        except CorruptCall:
            return None

    async def read(self, call_id: str) -> Saved | None:
        """The call with its pace, or None. Raises CorruptCall."""
        return await self.begin_read(call_id)

    def begin_read(self, call_id: str) -> "Reading":
        """The same, asked now."""
        return Reading(call_id, begin(self._redis, "HMGET", call_key(self._prefix, call_id), *_FIELDS))

    async def create(self, call: Call) -> Call:
        """Saves the first record of a call. Idempotent: returns what is saved already, if anything is."""
        saved = await self.begin_create(call)
        return saved.call if saved is not None else call

    def begin_create(self, call: Call) -> "Reading":
        """The same, sent now; with its pace, as from `read`."""
        keys = (call_key(self._prefix, call.id), self._of(call.id).live)
        arguments = (call.id, encode_call(call), call.seq, call.started_at, self._channel)
        return Reading(call.id, _CREATE.begin(self._redis, keys, *arguments))

    def as_read(self, call_id: str, row: list[str | None]) -> "Reading":
        """The same of what another script has read: JSON, seq, second and turns."""
        return Reading(call_id, Read(row))

    async def put(self, before_seq: int, after: Call, commands: tuple[AnyCommand, ...]) -> Put | None:
        """Saves a turn with its commands; None when somebody saved one since `before_seq`. Raises UnknownCall."""
        return await self.begin_put(before_seq, after, commands)

    def begin_put(
        self,
        before_seq: int | None,
        after: Call,
        commands: tuple[AnyCommand, ...],
        beside: Beside | None = None,
    ) -> "Putting":
        """The same, sent now. `before_seq` None: unless the call is known already."""
        now = self._clock()
        entries = sort(after, now, commands)
        name = f"{self._name}{next(self._puts):x}"  # of this put, and of who performs its commands
        arguments = (
            after.id, "" if before_seq is None else before_seq, after.seq, encode_call(after), name,
            name, now, now + PERFORM_LEASE_S, _wake_up(entries),
            KEEP_ENDED_S if after.node == "ended" else "0", int(now), after.started_at,
            len(entries.line), *map(encode, entries.line), *map(encode, entries.books),
        )  # fmt: skip
        keys = self._put_keys(after.id)
        if beside is None:
            begun = _PUT_IF_UNCHANGED.begin(self._redis, keys, self._channel, *arguments)
        else:
            begun = beside.script.begin(
                self._redis, keys + beside.keys, self._channel, *beside.arguments, *arguments
            )
        return Putting(after.id, name, entries, begun, beside)

    async def put_if_unchanged(self, before_seq: int, after: Call, commands: tuple[AnyCommand, ...]) -> bool:
        """Saves a turn and leaves its commands to the drainers. False when somebody was faster."""
        return await self.put(before_seq, after, commands) is not None

    async def live(self) -> list[str]:
        """Call ids of all calls that have not ended, longest first."""
        async with self._redis.pipeline(transaction=False) as pipe:
            for keys in self._shards:
                pipe.zrange(keys.live, 0, -1, withscores=True)
            rows = await pipe.execute()
        started = sorted((score, call_id) for row in rows for call_id, score in row)
        return [call_id for _, call_id in started]

    def _of(self, call_id: str) -> ShardKeys:
        return self._shards[shard_of(call_id)]

    def _put_keys(self, call_id: str) -> tuple[str, ...]:
        shard = self._of(call_id)
        return (
            shard.call(call_id), shard.live, shard.wakeups, shard.outbox, shard.performers, shard.todo("line", call_id),
            shard.todo("books", call_id),
        )  # fmt: skip


def encode_call(call: Call) -> str:
    """As it is kept in Redis."""
    return _ENCODER.encode(call).decode()


def _decode(call_id: str, text: str | None, seq: str | None) -> Call:
    try:
        call = _DECODER.decode(text or "")
    except (msgspec.DecodeError, UnicodeError):
        raise CorruptCall(call_id, _number(seq)) from None
    if call.id != call_id or str(call.seq) != seq:
        raise CorruptCall(call_id, _number(seq))
    return call


def _number(text: str | None) -> int:
    return int(text) if text and text.isdigit() else 0


def _wake_up(entries: Entries) -> str:
    match entries.wake_at:
        case None:
            return ""
        case at if at <= 0:
            return "0"
        case at:
            return repr(at)


def _granted(call_id: str, performer: str, entries: Entries, ours: list[int]) -> tuple[Granted, ...]:
    lanes: tuple[tuple[Lane, tuple[Entry, ...]], ...] = (("line", entries.line), ("books", entries.books))
    return tuple(
        Granted(lane, call_id, performer, known if grant == 1 else None)
        for (lane, known), grant in zip(lanes, ours, strict=True)
        if grant
    )
