"""How many acts on a line a second, each beside a Lua script of the same size that does nothing."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis

from bench.figures import quantile
from config.settings import Settings
from config.shared import begin
from queueing.keys import LineKeys, line_keys
from queueing.line import PLACES_PER_MS, Line
from queueing.moves import move

AT_ONCE = 16
#: Acts for which everything is put there before; as many callers are in the line.
BATCH = 1_000
JOINED_AT = 1_795_312_800.0
_CHUNK = 2_000
#: As many keys and arguments as an act; one value is written, so that the disk is asked as often, or none. Then the answer.
WRITES = "redis.call('HSET', KEYS[1], ARGV[1], ARGV[2]) return "
READS = "return "

_SERVED: Mapping[Any, Any] = {
    "state": "free", "since": f"{JOINED_AT:.6f}", "until": "", "reason": "", "line_asterisk": "sip:leader@127.0.0.1",
    "line_twilio": "", "session_id": "s-1", "unit": "市教育局", "leader": "李明", "token": "1795312800", "call_id": "a-old-0",
    "attempt": "bench 0123456789abcdef-0", "fate": "freed",
}  # fmt: skip

Once = Callable[[int], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Rates:
    """A second. `writes` is 0.0 for an act that only reads."""

    act: float
    writes: float
    reads: float


class _Listening:
    """A connection that remembers the script it was asked to run, and its answer; none when it was asked for something simpler."""

    #: Scripts come by their words, too.
    begin_script = None

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self.words: tuple[Any, ...] = ()
        self.answer: Any = 1

    async def begin(self, *words: Any, same: bool = False) -> Any:
        answer = await begin(self._redis, *words, same=same)
        if not self.words:
            self.words, self.answer = words, answer
        return answer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._redis, name)


async def rates(redis: Redis, settings: Settings, act: str, seconds: float) -> Rates:
    """Of one act and its no-ops: a batch of each in turn, and the median of its batches, because the machine is never quite
    quiet."""
    line, ear = _Place(redis, settings, act), _Listening(redis)
    await line.prepare()
    await line.doing(ear)(0)
    size = ear.words or ("EVALSHA", "", 1, line_keys(settings.redis_prefix, line.seat).waiting, "a-old-0")
    answer = _literal(ear.answer)
    some = {"act": line.doing(redis), "reads": await _no_op(redis, READS + answer, size)}
    if ear.words:
        some["writes"] = await _no_op(redis, WRITES + answer, size)
    taken: dict[str, list[float]] = {name: [] for name in some}
    while sum(taken["act"]) < seconds:
        await line.prepare()
        for name, once in some.items():
            taken[name].append(await _batch(once))
    a_second = {name: BATCH / quantile(times, 0.5) for name, times in taken.items()}
    return Rates(a_second["act"], a_second.get("writes", 0.0), a_second["reads"])


class _Place:
    """A line on which one kind of act is done, `BATCH` times after each `prepare`."""

    def __init__(self, redis: Redis, settings: Settings, act: str) -> None:
        self._redis, self._settings, self._act = redis, settings, act
        self.seat = f"rate-{act}"

    async def prepare(self) -> None:
        """What the acts need is there."""
        keys = line_keys(self._settings.redis_prefix, self.seat)
        await self._redis.delete(keys.waiting, keys.callers, keys.seen)
        if self._act != "join":
            await fill(self._redis, keys, BATCH)
        if self._act == "claim":
            await self._free_seats()

    async def _free_seats(self) -> None:
        """Each with one caller in its line."""
        async with self._redis.pipeline(transaction=False) as pipe:
            for n in range(BATCH):
                keys = line_keys(self._settings.redis_prefix, f"{self.seat}-{n}")
                pipe.zadd(keys.waiting, {f"a-old-{n}": 1})
                pipe.hset(keys.callers, f"a-old-{n}", repr(JOINED_AT))
                # As after the caller before: a seat serves a dozen in a session, and the no-op makes no new keys either.
                pipe.hset(keys.seat, mapping=_SERVED)
            await pipe.execute()

    def doing(self, connection: Any) -> Once:
        """The act, the n-th time since it was prepared."""
        line, seat = Line(connection, self._settings, time.time), self.seat
        acts: dict[str, Once] = {
            "join": lambda n: line.join(seat, f"a-old-{n}", JOINED_AT + n, 1),
            "leave": lambda n: line.leave(seat, f"a-old-{n}", "abandoned", 2),
            "move": lambda n: move(connection, self._settings, seat, f"a-old-{n}", 1 + n * 7 % BATCH),
            "position": lambda n: line.position(seat, f"a-old-{n}"),
            "claim": lambda n: line.claim_next(f"{seat}-{n}", "bench", 35.0),
        }
        return acts[self._act]


async def _no_op(redis: Redis, text: str, size: Sequence[Any]) -> Once:
    """`text` with as many keys and arguments as the act's script, under keys of its own: of as many lines as the act's."""
    sha, count = await redis.script_load(text), int(size[2])
    keys = [f"{str(key)[:-1]}0" for key in size[3 : 3 + count]]
    rest = [str(one) for one in size[4 + count :]]
    words = [
        ("EVALSHA", sha, count, *_of_line(n, keys), f"a-old-{n}", *_of_line(n, rest)) for n in range(BATCH)
    ]

    def once(n: int) -> Awaitable[Any]:
        return begin(redis, *words[n])

    return once


def _of_line(n: int, words: Sequence[str]) -> list[str]:
    """A claim is of the n-th line, where it is the first line's that was listened to."""
    return [word.replace("rate-claim-0", f"rate-claim-{n}") for word in words]


def _literal(answer: Any) -> str:
    """In Lua, what is answered as this was: as many values, of the same lengths."""
    if isinstance(answer, list):
        return "{" + ", ".join(map(_literal, answer)) + "}"
    return f"'{answer}'" if isinstance(answer, str) else str(answer or "false")


async def _batch(once: Once) -> float:
    """Seconds of `BATCH` acts of `AT_ONCE` clients that wait for each answer."""

    async def client(first: int) -> None:
        for n in range(first, BATCH, AT_ONCE):
            await once(n)

    begun = time.perf_counter()
    await asyncio.gather(*(client(first) for first in range(AT_ONCE)))
    return time.perf_counter() - begun


async def fill(redis: Redis, keys: LineKeys, depth: int) -> None:
    """As many joins would leave it, without waiting for each."""
    for first in range(0, depth, _CHUNK):
        some = range(first, min(depth, first + _CHUNK))
        async with redis.pipeline(transaction=False) as pipe:
            pipe.zadd(keys.waiting, {f"a-old-{n}": int((JOINED_AT + n) * 1000) * PLACES_PER_MS for n in some})
            pipe.hset(keys.callers, mapping={f"a-old-{n}": repr(JOINED_AT + n) for n in some})
            pipe.hset(keys.seen, mapping={f"a-old-{n}": "1" for n in some})
            await pipe.execute()
